/**
 * zstd without native code: libzstd as WebAssembly, from the package zstddec. For Node before 22.15, and for where there
 * is no `node:zlib`.
 *
 * The package's own `decodeStreaming` is not used: it never asks whether libzstd reported an error and so runs for ever
 * on damaged data, and it frees nothing on an early stop. Its loop is short, and written here with both. libzstd checks
 * the content checksum and the declared content size of each frame.
 */
import { ZSTDDecoder } from 'zstddec/stream';
import { type Context, checkAbort } from '../base/context.ts';
import type { Chunks } from '../bytes/chunks.ts';
import { corrupt, unsupported } from './refusals.ts';
import { WHAT } from './zstd-frames.ts';

/** What the WebAssembly module exports. Pointers and sizes are 32 bits wide. */
interface LibZstd {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(size: number): number;
  free(pointer: number): void;
  ZSTD_createDCtx(): number;
  ZSTD_freeDCtx(context: number): number;
  ZSTD_decompressStream(context: number, output: number, input: number): number;
}

/** Error codes are the numbers from -119 to -1 of the unsigned size that libzstd returns. */
const isError = (result: number): boolean => result >>> 0 > 0xffff_ff88;
const WINDOW_TOO_LARGE = -16;
const OUT_OF_MEMORY = -64;

const PIECE = 2 ** 20;
/** Bytes of `ZSTD_inBuffer` and `ZSTD_outBuffer`: pointer, size, position. */
const BUFFER_STRUCT = 12;

let loading: Promise<LibZstd> | undefined;

async function load(): Promise<LibZstd> {
  let exports: LibZstd | undefined;
  class Loader extends ZSTDDecoder {
    override _init(result: Parameters<ZSTDDecoder['_init']>[0]): void {
      super._init(result);
      exports = result.instance.exports as unknown as LibZstd;
    }
  }
  await new Loader().init();
  if (!exports) throw unsupported(WHAT, 'another part of this program has loaded zstddec', 'Use Node 22.15 or newer.');
  return exports;
}

/**
 * @param frames the bytes of data frames, no piece spanning two of them, the last one complete
 * @throws OcixError codec/corrupt, codec/unsupported for a window over 128 MiB
 */
export async function* portableUnzstd(frames: Chunks, context: Context): AsyncGenerator<Uint8Array> {
  const lib = await (loading ??= load());
  const decoder = lib.ZSTD_createDCtx();
  const output = lib.malloc(PIECE);
  const input = lib.malloc(PIECE);
  const structs = lib.malloc(2 * BUFFER_STRUCT);
  try {
    if (!decoder || !output || !input || !structs) throw outOfMemory();
    for await (const frame of frames) {
      for (let at = 0; at < frame.length; at += PIECE) {
        const bytes = frame.subarray(at, at + PIECE);
        new Uint8Array(lib.memory.buffer).set(bytes, input);
        new Uint32Array(lib.memory.buffer, structs + BUFFER_STRUCT, 3).set([input, bytes.length, 0]);
        for (let full = true; full; ) {
          checkAbort(context);
          new Uint32Array(lib.memory.buffer, structs, 3).set([output, PIECE, 0]);
          const result = lib.ZSTD_decompressStream(decoder, structs, structs + BUFFER_STRUCT);
          if (isError(result)) throw refusal(result | 0);
          const [written, taken] = new Uint32Array(lib.memory.buffer, structs, 6).filter((_, i) => i % 3 === 2);
          // Output that just fits may leave more inside; it comes with the next call.
          full = taken! < bytes.length || written === PIECE;
          if (written) yield new Uint8Array(lib.memory.buffer).slice(output, output + written);
        }
      }
    }
  } finally {
    lib.ZSTD_freeDCtx(decoder);
    for (const pointer of [output, input, structs]) lib.free(pointer);
  }
}

function refusal(code: number): Error {
  if (code === WINDOW_TOO_LARGE) {
    return unsupported(WHAT, 'its window is larger than 128 MiB', 'Use Node 22.15 or newer.');
  }
  return code === OUT_OF_MEMORY ? outOfMemory() : corrupt(WHAT, `libzstd error ${-code}`);
}

const outOfMemory = (): Error =>
  unsupported(WHAT, 'there is not enough memory for its window', 'Use Node 22.15 or newer.');
