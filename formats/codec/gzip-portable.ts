/**
 * gzip without native code, for where there is no `node:zlib`; in the tests also the second opinion on it.
 *
 * fflate inflates, and everything around the deflate stream is ours: fflate checks neither CRC32 nor length, and its
 * own gzip functions lose what follows padding. It does not look at the complement of a stored block's length, nor whether the codes of a
 * block are complete, which zlib does: a stream with such a fault passes here where its content is right by CRC32 and length. Zeros in the
 * place of a file are a fault of that kind, and to CRC32 and length no content at all, so that nothing is believed only where it is said plainly.
 * https://www.rfc-editor.org/rfc/rfc1951#section-3.2
 */
import { Inflate } from 'fflate';
import { type Context, checkAbort } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { type ByteReader, byteReader, type Chunks } from '../bytes/chunks.ts';
import { concat } from '../bytes/text.ts';
import { crc32 } from './crc32.ts';
import { readHeader, skipPadding, WHAT } from './gzip-member.ts';
import { corrupt, messageOf, truncated } from './refusals.ts';

/** Deflate makes at most 1032 bytes of one, so this much input keeps one step's output under 17 MiB. */
const STEP = 16 * 1024;

/**
 * The fields of fflate's stream that tell where a deflate stream ended: `s.f` is set in its last block, `s.l` as long as
 * a block is open, `p` is input not used up, its first `s.p` bits excepted. fflate 0.8.3 documents none of them and has
 * no other way to tell; its version is pinned, and a test fails if they change their meaning.
 */
interface InflateState {
  readonly s: { readonly f?: number; readonly l?: unknown; readonly p?: number };
  readonly p: Uint8Array;
}

export async function* portableGunzip(input: Chunks, context: Context): AsyncGenerator<Uint8Array> {
  const reader = byteReader(input);
  try {
    do {
      await readHeader(reader);
      let crc = 0;
      let size = 0;
      for await (const piece of inflated(reader, context)) {
        crc = crc32(piece, crc);
        size += piece.length;
        yield piece;
      }
      const trailer = await reader.read(8);
      if (trailer.length < 8) throw truncated(WHAT);
      const view = new DataView(trailer.buffer, trailer.byteOffset);
      if (view.getUint32(0, true) !== crc) throw corrupt(WHAT, 'incorrect data check');
      if (view.getUint32(4, true) !== size % 2 ** 32) throw corrupt(WHAT, 'incorrect length check');
    } while (await skipPadding(reader));
  } finally {
    await reader.close();
  }
}

/** One raw deflate stream. What follows it is put back. */
async function* inflated(reader: ByteReader, context: Context): AsyncGenerator<Uint8Array> {
  const pieces: Uint8Array[] = [];
  /** The stream so far, as long as nothing has come out. */
  let silent: Uint8Array | undefined = new Uint8Array(0);
  const inflate = new Inflate((piece) => void pieces.push(piece));
  const state = inflate as unknown as InflateState;
  for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
    checkAbort(context);
    reader.unread(chunk.subarray(STEP));
    try {
      inflate.push(chunk.subarray(0, STEP));
    } catch (error) {
      throw error instanceof OcixError ? error : corrupt(WHAT, messageOf(error), error);
    }
    if (pieces.some(({ length }) => length > 0)) silent = undefined;
    else if (silent && silent.length <= MOST_SILENT) silent = concat([silent, chunk.subarray(0, STEP)]);
    for (const piece of pieces.splice(0)) if (piece.length) yield piece;
    if (state.s.f && !state.s.l) {
      const rest = state.p.subarray(state.s.p ? 1 : 0);
      reader.unread(rest);
      if (silent && !saysNothing(silent)) throw corrupt(WHAT, 'no content, and not in the words for it');
      return;
    }
  }
  throw truncated(WHAT);
}

/** What compressors write for nothing is ten bits, and five bytes more for each time they are flushed. */
const MOST_SILENT = 4096;

/** Whether a deflate stream is made of stored blocks and blocks of fixed codes, without content, to its last block. */
function saysNothing(stream: Uint8Array): boolean {
  let at = 0;
  const bits = (count: number): number => {
    let value = 0;
    for (let i = 0; i < count; i++, at++) value |= (((stream[at >> 3] ?? 0xff) >> (at & 7)) & 1) << i;
    return value;
  };
  for (;;) {
    const isLast = bits(1) === 1;
    const type = bits(2);
    if (type === 0) {
      at = (at + 7) & ~7;
      if (bits(16) !== 0 || bits(16) !== 0xffff) return false;
    } else if (type !== 1 || bits(7) !== 0) return false;
    if (isLast) return true;
  }
}
