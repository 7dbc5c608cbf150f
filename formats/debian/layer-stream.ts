/** Files of packages as the tar of a layer. */
import { type Context, checkAbort } from '../base/context.ts';
import type { Chunks } from '../bytes/chunks.ts';
import { MOST_READ, type Spool, type SpoolReader } from '../store/spool.ts';
import { END_OF_TAR, encodeHeader, paddingAfter } from '../tar/encoder.ts';
import type { PlacedEntry } from './merge.ts';
import type { Put } from './survey.ts';

/** Small parts are joined to this size: waiting once an entry would take longer than the entries. */
const BATCH = 512 * 1024;

/** The same entries give the same bytes. */
export async function* layerTar(entries: readonly PlacedEntry[], context: Context): AsyncGenerator<Uint8Array> {
  const readers = new Map<Spool, SpoolReader>();
  const full: Uint8Array[] = [];
  let batch = new Uint8Array(BATCH);
  let used = 0;
  for (const { fields, content } of entries) {
    put(encodeHeader(fields));
    if (content instanceof Uint8Array) put(content);
    else if (content) {
      for (let at = 0; at < fields.size; at += MOST_READ) {
        put(await read(content, at, Math.min(MOST_READ, fields.size - at)));
        while (full.length) yield full.shift()!;
      }
    }
    put(paddingAfter(fields.type === 'file' ? fields.size : 0));
    if (!full.length) continue;
    checkAbort(context);
    while (full.length) yield full.shift()!;
  }
  put(END_OF_TAR);
  yield* full;
  if (used) yield batch.subarray(0, used);

  /** Copies: a reader uses its memory again. */
  function put(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + BATCH - used);
      batch.set(part, used);
      used += part.length;
      at += part.length;
      if (used < BATCH) return;
      full.push(batch);
      batch = new Uint8Array(BATCH);
      used = 0;
    }
  }

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
