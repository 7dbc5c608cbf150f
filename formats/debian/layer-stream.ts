/** Files of packages as the tar of a layer. */
import { type Context, checkAbort } from '../base/context.ts';
import type { Chunks } from '../bytes/chunks.ts';
import { concat } from '../bytes/text.ts';
import { MOST_READ, type Spool, type SpoolReader } from '../store/spool.ts';
import { END_OF_TAR, encodeHeader, paddingAfter } from '../tar/encoder.ts';
import type { PlacedEntry } from './merge.ts';
import type { Put } from './survey.ts';

/** Small parts are joined up to this size: waiting once an entry would take longer than the entries. */
const BATCH = 512 * 1024;

/** The same entries give the same bytes. */
export async function* layerTar(entries: readonly PlacedEntry[], context: Context): AsyncGenerator<Uint8Array> {
  const readers = new Map<Spool, SpoolReader>();
  let parts: Uint8Array[] = [];
  let size = 0;
  const put = (part: Uint8Array): void => {
    parts.push(part);
    size += part.length;
  };
  const taken = (): Uint8Array => {
    const batch = concat(parts);
    parts = [];
    size = 0;
    return batch;
  };
  for (const { fields, content } of entries) {
    put(encodeHeader(fields));
    if (content instanceof Uint8Array) put(content);
    else if (content) {
      for (let at = 0; at < fields.size; at += MOST_READ) {
        const bytes = await read(content, at, Math.min(MOST_READ, fields.size - at));
        put(new Uint8Array(bytes)); // the reader uses its memory again
        if (size >= BATCH) yield taken();
      }
    }
    put(paddingAfter(fields.type === 'file' ? fields.size : 0));
    if (size < BATCH) continue;
    checkAbort(context);
    yield taken();
  }
  put(END_OF_TAR);
  yield taken();

  function read({ spool, offset }: Put, at: number, length: number): Promise<Uint8Array> {
    let reader = readers.get(spool);
    if (!reader) readers.set(spool, (reader = spool.reader()));
    return reader.read(offset + at, length);
  }
}

/** Chunks that are made of a promise when somebody asks for the first. */
export async function* deferred(chunks: () => Promise<Chunks>): AsyncGenerator<Uint8Array> {
  yield* await chunks();
}
