/**
 * bzip2: https://sourceware.org/bzip2/ (there is no specification but its source; an informal one is at
 * https://github.com/dsnet/compress/blob/v0.0.1/doc/bzip2-format.pdf).
 *
 * Any number of streams in a row; the CRC of each block is checked before the block is handed on. Refuses what follows
 * the last stream, and the randomised blocks of versions before 0.9.5.
 *
 * The block decoder of unbzip2-stream does the work. Its Node stream is not used: that one runs through all input it has
 * been given without a pause, whatever comes out, and fails on a short input with a TypeError.
 */
import { type Context, checkAbort } from '../base/context.ts';
import { byteReader, type Chunks } from '../bytes/chunks.ts';
import { bitSource, OUT_OF_BITS } from './bits.ts';
import type { Codec } from './codec.ts';
import { corrupt, messageOf, trailing, truncated, unsupported } from './refusals.ts';

const WHAT = 'bzip2 stream';
/** An ordinary block is never longer than this for each 100,000 bytes of block size. */
const BLOCK_INPUT = 125_000;
const PIECE = 2 ** 20;

export async function* bunzip2(input: Chunks, context: Context): AsyncGenerator<Uint8Array> {
  const { default: decoder } = await import('unbzip2-stream/lib/bzip2.js');
  const reader = byteReader(input);
  const bits = bitSource(() => reader.next());
  try {
    for (let first = true; ; first = false) {
      await bits.fill(4);
      if (!first && !bits.available()) return;
      if (!bits.startsWith([0x42, 0x5a, 0x68]))
        throw first ? corrupt(WHAT, 'it does not begin like one') : trailing(WHAT);
      const level = await attempt(bits, () => decoder.header(bits.take));
      const work = new Int32Array(100_000 * level);
      for (let checksum: number | null = 0; checksum !== null; ) {
        checkAbort(context);
        await bits.fill(BLOCK_INPUT * level);
        const pieces = pieceList();
        const before: number = checksum;
        checksum = await attempt(bits, () => decoder.decompress(bits.take, pieces.put, work, work.length, before));
        yield* pieces.all();
      }
    }
  } finally {
    await reader.close();
  }
}

/** Runs `work`, again with more input where that did not suffice. A block puts nothing out before it has read all it needs. */
async function attempt<T>(bits: ReturnType<typeof bitSource>, work: () => T): Promise<T> {
  for (;;) {
    const start = bits.mark();
    try {
      return work();
    } catch (error) {
      if (error !== OUT_OF_BITS) throw refusal(error);
      bits.back(start);
      if (!(await bits.fill(2 * bits.available() + 1))) throw truncated(WHAT);
    }
  }
}

function refusal(error: unknown): Error {
  const message = messageOf(error);
  if (/obsolete/.test(message))
    return unsupported(WHAT, 'its blocks are randomised, as bzip2 0.1 did', 'Compress it again.');
  // Its own messages are jokes, and on damaged data any TypeError may come.
  return corrupt(WHAT, /crc32/.test(message) ? 'a checksum does not match' : 'a block is malformed', error);
}

/** Collects single bytes. A block of 900,000 bytes can stand for 46 million. */
function pieceList(): { readonly put: (byte: number) => void; all(): Iterable<Uint8Array> } {
  const full: Uint8Array[] = [];
  let piece = new Uint8Array(PIECE);
  let length = 0;
  return {
    put(byte) {
      if (length === PIECE) {
        full.push(piece);
        piece = new Uint8Array(PIECE);
        length = 0;
      }
      piece[length++] = byte;
    },
    all: () => (length ? [...full, piece.subarray(0, length)] : full),
  };
}

export const bzip2: Codec = {
  name: 'bzip2',
  magicSize: 4,
  matches: (head) => head[0] === 0x42 && head[1] === 0x5a && head[2] === 0x68 && head[3]! >= 0x31 && head[3]! <= 0x39,
  decompress: bunzip2,
};
