/**
 * A tar that can be read once, from front to back. The member that says what the others are (`manifest.json`) usually comes
 * last, so each one is dealt with as it goes by: what may be a JSON document stays in memory within a bound, everything else
 * goes to the keeper.
 */
import { type Context, checkAbort } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { type ByteReader, byteReader, type Chunks, chunksOf } from '../bytes/chunks.ts';
import { concat } from '../bytes/text.ts';
import type { CompressionName } from '../codec/codec.ts';
import type { TarEntry } from '../tar/entry.ts';
import { tarScanner } from '../tar/scanner.ts';
import type { Archive, Keeper, Kept, Member } from './archive.ts';
import { addMember, filesBelow, memberOf } from './tar-index.ts';

/** What is never worth a keeper: version files, empty layers. */
const TINY = 1024;
/** All documents together may take this many times the limit of one. */
const DOCUMENTS = 16;

export interface StreamedTar {
  readonly name: string;
  readonly compression: readonly CompressionName[];
  /** Uncompressed. */
  readonly content: Chunks;
  readonly close: () => Promise<void>;
}

export async function streamedArchive(input: StreamedTar, keep: Keeper, context: Context): Promise<Archive> {
  const members = new Map<string, Member>();
  const reader = byteReader(input.content);
  let held = 0;
  let entry: TarEntry | undefined;
  const scanner = tarScanner(context.limits, {
    entry: (next) => {
      entry = next;
    },
  });
  try {
    for (;;) {
      checkAbort(context);
      if (entry) {
        const { member, memory } = await takeMember(entry, scanner.content, reader, keep, context);
        addMember(members, member, context);
        entry = undefined;
        held += memory;
        if (held > DOCUMENTS * context.limits['json-bytes']) throw tooManyDocuments(held);
        await drop(reader, scanner.skippable - scanner.content);
        scanner.skip();
        continue;
      }
      if (scanner.skippable > 0) {
        await drop(reader, scanner.skippable);
        scanner.skip();
        continue;
      }
      // What writes into a pipe may want to write all of it; of what begins with the end of an archive there may be no end.
      if (scanner.over && !members.size) break;
      const block = scanner.over ? await reader.next() : await reader.read(512);
      if (!block?.length) break;
      scanner.push(block);
    }
    scanner.finish();
  } finally {
    await reader.close();
  }
  return {
    kind: 'tar',
    name: input.name,
    compression: input.compression,
    names: () => [...members.keys()],
    list: async (folder) => filesBelow(members, folder),
    get: async (name) => members.get(name),
    close: input.close,
  };
}

interface Taken {
  readonly member: Member;
  /** Bytes that stay in memory. */
  readonly memory: number;
}

async function takeMember(
  entry: TarEntry,
  size: number,
  reader: ByteReader,
  keep: Keeper,
  context: Context,
): Promise<Taken> {
  const content = exactly(reader, size);
  const plain = memberOf(entry, () => chunksOf());
  if (size === 0) return { member: plain, memory: 0 };
  const head = await reader.read(Math.min(size, TINY));
  reader.unread(head);
  const most = size <= TINY ? TINY : looksLikeJson(head) ? context.limits['json-bytes'] : 0;
  if (size <= most) {
    const parts: Uint8Array[] = [];
    for await (const chunk of content) parts.push(new Uint8Array(chunk));
    const bytes = concat(parts);
    return { member: { ...plain, open: () => chunksOf(bytes) }, memory: size };
  }
  const kept: Kept = await keep(content, plain.name, context);
  for await (const _ of content); // a keeper that stopped early must not shift what follows
  return { member: { ...plain, kept, open: kept.open }, memory: 0 };
}

/** A document may start with white space; a tar header or compressed data never looks like this. */
const looksLikeJson = (head: Uint8Array): boolean => /^[\s\ufeff]*[[{"]|^\s+$/.test(String.fromCharCode(...head));

/** The next `size` bytes. One generator can be iterated once; the second iteration of it gives what is left. */
function exactly(reader: ByteReader, size: number): AsyncIterable<Uint8Array> {
  let missing = size;
  return {
    async *[Symbol.asyncIterator]() {
      while (missing > 0) {
        const chunk = await reader.next();
        if (!chunk) throw cut(missing);
        if (chunk.length > missing) reader.unread(chunk.subarray(missing));
        const part = chunk.subarray(0, missing);
        missing -= part.length;
        yield part;
      }
    },
  };
}

async function drop(reader: ByteReader, size: number): Promise<void> {
  for (let missing = size; missing > 0; ) {
    const chunk = await reader.next();
    if (!chunk) return; // padding behind the last member may be cut off
    if (chunk.length > missing) reader.unread(chunk.subarray(missing));
    missing -= chunk.length;
  }
}

const cut = (missing: number): OcixError =>
  new OcixError('tar/truncated', 'the archive ends inside a file', {
    expected: `${missing} more bytes`,
    hint: 'The archive is incomplete. Fetch it again.',
  });

const tooManyDocuments = (bytes: number): OcixError =>
  new OcixError('limit/json-bytes', 'the documents of the archive are over the limit together', {
    found: `${bytes} bytes`,
    hint: 'If you trust this input, unpack it to a file first, or raise the limit: --limit json-bytes=N.',
  });
