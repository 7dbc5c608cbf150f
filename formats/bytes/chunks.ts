/**
 * Streams of bytes. `Chunks` is any asynchronous iteration of byte arrays; whoever consumes one may stop early, and the
 * producer then closes what it holds (the `return` of its iterator). A chunk belongs to the consumer until it asks for
 * the next one; producers may reuse memory after that only if they say so.
 */
import { OcixError } from '../base/errors.ts';
import { concat } from './text.ts';

export type Chunks = AsyncIterable<Uint8Array>;

export async function* chunksOf(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) if (part.length) yield part;
}

/** All bytes of a stream that is known to be small. @throws OcixError size/mismatch past `limit` bytes. */
export async function collect(chunks: Chunks, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > limit) throw new OcixError('size/mismatch', `more than ${limit} bytes where fewer were promised`);
    parts.push(chunk);
  }
  return parts.length === 1 ? parts[0]! : concat(parts);
}

/** Reads a stream piece by piece, and can put back what it read too far. */
export interface ByteReader {
  /** The next chunk as it comes, or undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** Puts bytes in front of what comes next. */
  unread(bytes: Uint8Array): void;
  /** Exactly `size` bytes, or fewer at the end of the stream. */
  read(size: number): Promise<Uint8Array>;
  /** Everything that is left. */
  rest(): Chunks;
  /** Ends the stream; the producer closes what it holds. */
  close(): Promise<void>;
  /** Bytes handed out so far, less what was put back. */
  readonly position: number;
}

export function byteReader(chunks: Chunks): ByteReader {
  const iterator = chunks[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  let ended = false;
  let position = 0;
  const reader: ByteReader = {
    get position() {
      return position;
    },
    async next() {
      for (;;) {
        const own = held.pop();
        if (own) {
          position += own.length;
          return own;
        }
        if (ended) return undefined;
        const step = await iterator.next();
        if (step.done) {
          ended = true;
          return undefined;
        }
        if (step.value.length) held.push(step.value);
      }
    },
    unread(bytes) {
      if (!bytes.length) return;
      held.push(bytes);
      position -= bytes.length;
    },
    async read(size) {
      const parts: Uint8Array[] = [];
      let missing = size;
      while (missing > 0) {
        const chunk = await reader.next();
        if (!chunk) break;
        if (chunk.length > missing) reader.unread(chunk.subarray(missing));
        parts.push(chunk.subarray(0, missing));
        missing -= Math.min(chunk.length, missing);
      }
      return parts.length === 1 ? parts[0]! : concat(parts);
    },
    async *rest() {
      try {
        for (let chunk = await reader.next(); chunk; chunk = await reader.next()) yield chunk;
      } finally {
        await reader.close();
      }
    },
    async close() {
      if (ended) return;
      ended = true;
      await iterator.return?.();
    },
  };
  return reader;
}
