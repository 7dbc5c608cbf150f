/** The codecs by name, and what recognises and runs them. */
import type { Context } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { RATIO_GRACE } from '../base/limits.ts';
import type { Chunks } from '../bytes/chunks.ts';
import { bzip2 } from './bzip2.ts';
import type { Codec, CompressionName } from './codec.ts';
import { decompressedAside } from './decompress-aside.ts';
import { gzip } from './gzip.ts';
import { lzma } from './lzma.ts';
import { xz } from './xz.ts';
import { zstd } from './zstd.ts';

export const CODECS: { readonly [name in CompressionName]: Codec } = { gzip, zstd, xz, bzip2, lzma };

/** Bytes of a stream's beginning that `sniff` wants to see. */
export const SNIFF_SIZE = Math.max(...Object.values(CODECS).map((codec) => codec.magicSize));

/**
 * The codec that a stream which starts with `head` is for, or undefined. Goes by magic alone, never by a name. Never
 * finds `lzma`: the old format begins with its parameters, and plenty of other files could.
 */
export function sniff(head: Uint8Array): Codec | undefined {
  return Object.values(CODECS).find((codec) => codec !== lzma && codec.matches(head));
}

/**
 * The uncompressed bytes of `input`, with a guard against bombs: what comes out may be `limits.ratio` times what went in,
 * as soon as it is more than `RATIO_GRACE` bytes. The total is the caller's to watch. Closes `input` on an early stop.
 *
 * @throws OcixError limit/ratio, and what `Codec.decompress` throws
 */
export const decompressed = (codec: Codec, input: Chunks, context: Context): AsyncGenerator<Uint8Array> =>
  guarded(codec, input, context, (bytes) => codec.decompress(bytes, context));

/**
 * The same on another thread, where that is worth it; in memory that is used again as soon as the next chunk is asked for.
 * @param size bytes of the input
 */
export const decompressedBeside = (
  codec: Codec,
  input: Chunks,
  size: number,
  context: Context,
): AsyncGenerator<Uint8Array> =>
  guarded(codec, input, context, (bytes) => decompressedAside(codec, bytes, size, context));

async function* guarded(
  codec: Codec,
  input: Chunks,
  context: Context,
  decompress: (input: Chunks) => Chunks,
): AsyncGenerator<Uint8Array> {
  let read = 0;
  let written = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of input) {
      read += chunk.length;
      yield chunk;
    }
  }
  for await (const chunk of decompress(counted())) {
    written += chunk.length;
    if (written > RATIO_GRACE && written > context.limits.ratio * read) throw overRatio(codec, written / read, context);
    yield chunk;
  }
}

function overRatio(codec: Codec, found: number, { limits }: Context): OcixError {
  return new OcixError('limit/ratio', `the ${codec.name} stream holds far more than its size lets expect`, {
    expected: `at most ${limits.ratio} bytes for each compressed one`,
    found: `${Math.floor(found)} or more`,
    hint: `If you trust this input, raise the limit: --limit ratio=${2 ** Math.ceil(Math.log2(found) + 1)}.`,
  });
}
