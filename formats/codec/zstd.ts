/**
 * Zstandard, RFC 8878: https://www.rfc-editor.org/rfc/rfc8878
 *
 * Any number of frames, skippable ones (zstd:chunked, pzstd) among them. Our walk over the frames decides where the
 * stream ends and refuses what it does not understand; an engine only ever sees complete, plausible data frames.
 */
import type { ZlibOptions } from 'node:zlib';
import type { Context } from '../base/context.ts';
import { byteReader, type Chunks } from '../bytes/chunks.ts';
import type { Codec } from './codec.ts';
import { drive, nodeZlib, PIECE, type ZlibEngine } from './node-zlib.ts';
import { corrupt, messageOf } from './refusals.ts';
import { dataFrames, startsFrame, WHAT } from './zstd-frames.ts';

/** What `node:zlib` has from Node 22.15 on, and the types of Node 20 do not know. */
interface ZstdOfNode {
  readonly createZstdDecompress?: (options: ZlibOptions & { readonly params: Record<number, number> }) => ZlibEngine;
  readonly constants: { readonly ZSTD_d_windowLogMax?: number };
}

const zstdOfNode = nodeZlib as unknown as ZstdOfNode | undefined;

/** Whether `nativeZstd` can be used. */
export const hasNativeUnzstd = typeof zstdOfNode?.createZstdDecompress === 'function';

/** The largest that libzstd takes, on 64-bit machines. */
const WINDOW_LOG_MAX = 31;

/** Decompresses data frames with `node:zlib`. @throws OcixError codec/corrupt */
async function* nativeUnzstd(frames: AsyncGenerator<Uint8Array>, context: Context): AsyncGenerator<Uint8Array> {
  const windowLog = Math.max(10, Math.min(WINDOW_LOG_MAX, Math.ceil(Math.log2(context.limits.window))));
  const engine = zstdOfNode!.createZstdDecompress!({
    chunkSize: PIECE,
    params: { [zstdOfNode!.constants.ZSTD_d_windowLogMax!]: windowLog },
  });
  const next = async () => {
    const step = await frames.next();
    return step.done ? undefined : step.value;
  };
  const refuse = (error: NodeJS.ErrnoException) =>
    error.code?.startsWith('ZSTD_error') ? corrupt(WHAT, messageOf(error), error) : error;
  try {
    const left = yield* drive(engine, { next, refuse, context });
    if (left) throw corrupt(WHAT, 'a frame ends before its last block');
  } finally {
    await frames.return(undefined);
  }
}

/** As `zstd.decompress`, by WebAssembly on every version of Node. */
export async function* portableZstd(input: Chunks, context: Context): AsyncGenerator<Uint8Array> {
  const { portableUnzstd } = await import('./zstd-portable.ts');
  const reader = byteReader(input);
  try {
    yield* portableUnzstd(dataFrames(reader, context), context);
  } finally {
    await reader.close();
  }
}

/** As `zstd.decompress`, by `node:zlib`. */
export async function* nativeZstd(input: Chunks, context: Context): AsyncGenerator<Uint8Array> {
  const reader = byteReader(input);
  try {
    yield* nativeUnzstd(dataFrames(reader, context), context);
  } finally {
    await reader.close();
  }
}

export const zstd: Codec = {
  name: 'zstd',
  magicSize: 4,
  matches: startsFrame,
  decompress: hasNativeUnzstd ? nativeZstd : portableZstd,
};
