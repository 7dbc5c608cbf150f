/**
 * Compresses streams as layers are stored: gzip, zstd, or not at all.
 *
 * A stream is cut into blocks of fixed size, each block is compressed by itself into a gzip member or a zstd frame, and
 * these are joined in order; both formats are defined as any number of members or frames in a row. So the output does
 * not depend on how many threads work on it. Why these engines: docs/decisions/0002-compression-engines.md
 */
import type { ZlibOptions } from 'node:zlib';
import { type Context, checkAbort } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import type { Chunks } from '../bytes/chunks.ts';
import { type BlockFormat, blockEncoder } from './block-encoders.ts';
import { type Block, type BlockMemory, blockMemory, blocks, inOrder } from './blocks.ts';
import { nodeZlib } from './node-zlib.ts';
import { sharedPool, type WorkerPool } from './worker-pool.ts';

export { closeWorkers } from './worker-pool.ts';

export type CompressionChoice = {
  readonly name: 'gzip' | 'zstd' | 'none';
  /** gzip 1 to 12, by default between 1 and 2; zstd 1 to 19, by default 3, and a little below it in WebAssembly. */
  readonly level?: number;
};

export interface Compressor {
  /** What it appends to the media type of a layer. */
  readonly mediaSuffix: '' | '+gzip' | '+zstd';
  /**
   * The compressed stream, of new memory throughout. Reads a few blocks ahead of what it gives. An empty input makes
   * one empty member or frame.
   * @throws Error when a compression thread is lost
   */
  compress(input: Chunks, context: Context): Chunks;
}

export interface CompressorOptions {
  /** The same bytes on every machine and every version of Node. gzip always gives them; zstd gets slower by it. */
  readonly reproducible: boolean;
  /** Processors that something else keeps busy meanwhile, such as the decompression of what is compressed here. */
  readonly occupied?: number | undefined;
  /** Instead of the threads of the whole process. */
  readonly pool?: WorkerPool;
}

interface Format {
  readonly blockSize: number;
  /** The level of each block where none is asked for. */
  readonly level: (block: number) => number;
  readonly levels: readonly [least: number, most: number];
  /** Blocks under way for each thread: more than one, and it finds the next when it is done. */
  readonly ahead: number;
}

const FORMATS: { readonly [name in BlockFormat]: Format } = {
  gzip: { blockSize: 2 ** 20, level: betweenLevels, levels: [1, 12], ahead: 2 },
  zstd: { blockSize: 2 ** 22, level: belowThree, levels: [1, 19], ahead: 1 },
};

/**
 * Level 1 writes a little more than other tools do by default, level 2 takes a little longer than they take. Every sixth block
 * at level 2 is in between, and still depends on nothing but the input.
 */
function betweenLevels(block: number): number {
  return block % 6 === 5 ? 2 : 1;
}

/** The same for zstd: in WebAssembly level 3, its usual one, takes a fifth longer than other tools do with native code. */
function belowThree(block: number): number {
  return block % 2 ? 2 : 3;
}

/** @throws OcixError usage/option for a level that the format does not have */
export function compressor(choice: CompressionChoice, options: CompressorOptions): Compressor {
  const { name } = choice;
  if (name === 'none') return { mediaSuffix: '', compress: (input) => input };
  const levelOf = levels(name, choice.level);
  const native = name === 'zstd' && !options.reproducible && zstdOfNode !== undefined;
  return {
    mediaSuffix: `+${name}`,
    compress: (input, context) => {
      const { blockSize, ahead } = FORMATS[name];
      if (native)
        return inBlocks(input, context, {
          blockSize,
          depth: NATIVE_DEPTH,
          encode: () => nativeZstd(choice.level ?? 3),
        });
      const { pool = sharedPool() } = options;
      const threads = Math.max(1, pool.size - (options.occupied ?? 0));
      const depth = threads * ahead + 1;
      return inBlocks(input, context, {
        blockSize,
        depth,
        encode: (number, whole) => (whole ? inline : inPool(pool, threads))(name, levelOf(number)),
      });
    },
  };
}

function levels(name: BlockFormat, level: number | undefined): (block: number) => number {
  const [least, most] = FORMATS[name].levels;
  if (level === undefined) return FORMATS[name].level;
  if (Number.isInteger(level) && level >= least && level <= most) return () => level;
  throw new OcixError('usage/option', `${name} has no compression level ${level}`, { expected: `${least} to ${most}` });
}

/** Compresses one block, and gives its memory back as soon as it is not needed. */
type Encode = (block: Block, memory: BlockMemory) => Promise<Uint8Array>;

interface Plan {
  readonly blockSize: number;
  readonly depth: number;
  /**
   * @param number of the block, from 0 on
   * @param whole the block is all there is
   */
  readonly encode: (number: number, whole: boolean) => Encode;
}

async function* inBlocks(
  input: Chunks,
  context: Context,
  { blockSize, depth, encode }: Plan,
): AsyncGenerator<Uint8Array> {
  const memory = blockMemory(blockSize);
  let number = 0;
  yield* inOrder(blocks(input, blockSize, memory), depth, (block) => {
    checkAbort(context);
    const own = number++;
    return encode(own, own === 0 && block.last)(block, memory);
  });
}

/** In a thread of the pool. */
function inPool(pool: WorkerPool, threads: number): (format: BlockFormat, level: number) => Encode {
  return (format, level) => async (block, memory) => {
    const result = await pool.run({ format, level, memory: block.memory, size: block.size }, threads);
    memory.giveBack(result.memory);
    return result.output;
  };
}

/** On this thread: for so little, starting another takes longer. The result is the same. */
function inline(format: BlockFormat, level: number): Encode {
  return async (block) => (await blockEncoder(format))(new Uint8Array(block.memory, 0, block.size), level);
}

/** What `node:zlib` has from Node 22.15 on, and the types of Node 20 do not know. */
interface ZstdOfNode {
  readonly zstdCompress: (
    bytes: Uint8Array,
    options: ZstdOptions,
    done: (error: Error | null, bytes: Uint8Array) => void,
  ) => void;
  readonly constants: { readonly ZSTD_c_compressionLevel: number; readonly ZSTD_c_checksumFlag: number };
}
type ZstdOptions = ZlibOptions & { readonly params: Record<number, number>; readonly pledgedSrcSize: number };

const zstdOfNode = nodeZlib && 'zstdCompress' in nodeZlib ? (nodeZlib as unknown as ZstdOfNode) : undefined;

/** libuv's pool has four threads. */
const NATIVE_DEPTH = 4;

/** With `node:zlib`, in the threads of libuv. Frames carry a checksum. */
function nativeZstd(level: number): Encode {
  const { zstdCompress, constants } = zstdOfNode!;
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 };
  return async (block, memory) => {
    const bytes = new Uint8Array(block.memory, 0, block.size);
    const output = await new Promise<Uint8Array>((resolve, reject) => {
      // Without the size Node's encoder writes none into the frame header.
      const options = { params, pledgedSrcSize: block.size, chunkSize: 2 ** 20 };
      zstdCompress(bytes, options, (error, result) => (error ? reject(error) : resolve(result)));
    });
    memory.giveBack(block.memory);
    return output;
  };
}
