/**
 * Walks the frames of a zstd stream without decompressing them: https://www.rfc-editor.org/rfc/rfc8878#section-3.1
 *
 * This is what makes truncation and trailing bytes exact for every engine, and what refuses a window that is too large
 * before memory is taken for it. Skippable frames are left out. Refused as unsupported: frames that need a dictionary.
 */
import type { Context } from '../base/context.ts';
import { checkLimit } from '../base/limits.ts';
import type { ByteReader } from '../bytes/chunks.ts';
import { concat } from '../bytes/text.ts';
import { corrupt, trailing, truncated, unsupported } from './refusals.ts';

export const WHAT = 'zstd stream';

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;

const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;

/** Whether a zstd stream, or a skippable frame in front of one, can start so. */
export function startsFrame(head: Uint8Array): boolean {
  if (head.length < 4) return false;
  const magic = u32(head);
  return magic === MAGIC || isSkippable(magic);
}

const isSkippable = (magic: number): boolean => (magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE;
const u32 = (bytes: Uint8Array, at = 0): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);

/**
 * The bytes of all data frames in order. No piece spans two frames; a piece is part of what the reader gave.
 * @throws OcixError codec/truncated, codec/corrupt, codec/unsupported, limit/window
 */
export async function* dataFrames(reader: ByteReader, context: Context): AsyncGenerator<Uint8Array> {
  for (let first = true; ; first = false) {
    const start = await reader.read(4);
    if (!start.length && !first) return;
    if (start.length < 4) throw first || couldStart(start) ? truncated(WHAT) : trailing(WHAT);
    const magic = u32(start);
    if (isSkippable(magic)) await skipFrame(reader);
    else if (magic === MAGIC) yield* dataFrame(reader, start, context);
    else throw first ? corrupt(WHAT, 'it does not begin like one') : trailing(WHAT);
  }
}

/** Whether fewer than four bytes can be the beginning of a frame. */
function couldStart(bytes: Uint8Array): boolean {
  const data = [0x28, 0xb5, 0x2f];
  const skippable = [bytes[0]! >>> 4 === 5 ? bytes[0]! : -1, 0x2a, 0x4d];
  return [data, skippable].some((magic) => bytes.every((byte, i) => byte === magic[i]));
}

async function skipFrame(reader: ByteReader): Promise<void> {
  const size = await exactly(reader, 4);
  let left = u32(size);
  while (left > 0) {
    const chunk = await reader.next();
    if (!chunk) throw truncated(WHAT);
    if (chunk.length > left) reader.unread(chunk.subarray(left));
    left -= Math.min(left, chunk.length);
  }
}

async function exactly(reader: ByteReader, size: number): Promise<Uint8Array> {
  const bytes = await reader.read(size);
  if (bytes.length < size) throw truncated(WHAT);
  return bytes;
}

/** From the header on, through the blocks, to the checksum. */
async function* dataFrame(reader: ByteReader, magic: Uint8Array, context: Context): AsyncGenerator<Uint8Array> {
  const header = await frameHeader(reader, context);
  yield concat([magic, header.bytes]);
  let pass = 0;
  let block = 0;
  let got = 0;
  let last = false;
  for (;;) {
    const chunk = await reader.next();
    if (!chunk) throw truncated(WHAT);
    let at = 0;
    while (at < chunk.length && !(last && pass === 0)) {
      if (pass > 0) {
        const step = Math.min(pass, chunk.length - at);
        at += step;
        pass -= step;
        continue;
      }
      block |= chunk[at++]! << (8 * got++);
      if (got < 3) continue;
      const type = (block >>> 1) & 3;
      if (type === BLOCK_RESERVED) throw corrupt(WHAT, 'reserved block type');
      last = (block & 1) === 1;
      pass = (type === BLOCK_RLE ? 1 : block >>> 3) + (last && header.checksum ? 4 : 0);
      block = 0;
      got = 0;
    }
    reader.unread(chunk.subarray(at));
    yield chunk.subarray(0, at);
    if (last && pass === 0) return;
  }
}

interface FrameHeader {
  readonly bytes: Uint8Array;
  readonly checksum: boolean;
}

async function frameHeader(reader: ByteReader, context: Context): Promise<FrameHeader> {
  const descriptor = await exactly(reader, 1);
  const flags = descriptor[0]!;
  const single = (flags & 0x20) !== 0;
  if (flags & 0x08) throw corrupt(WHAT, 'reserved bit in a frame header');
  const windowSize = single ? 0 : 1;
  const idSize = [0, 1, 2, 4][flags & 3]!;
  const contentSize = [single ? 1 : 0, 2, 4, 8][flags >>> 6]!;
  const rest = await exactly(reader, windowSize + idSize + contentSize);
  const window = single ? littleEndian(rest.subarray(idSize)) + (contentSize === 2 ? 256 : 0) : windowOf(rest[0]!);
  checkLimit(context.limits, 'window', window, 'the window of this zstd stream');
  if (littleEndian(rest.subarray(windowSize, windowSize + idSize)) !== 0) {
    throw unsupported(WHAT, 'it was made with a dictionary', 'Compress it again without one.');
  }
  return { bytes: concat([descriptor, rest]), checksum: (flags & 4) !== 0 };
}

/** https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1.2 */
function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** Loses precision past 2^53, where every limit has long been passed. */
function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}
