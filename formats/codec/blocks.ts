/** Cuts a stream into blocks and works on several at a time, in memory that does not grow. */
import type { Chunks } from '../bytes/chunks.ts';

export interface Block {
  /** At least `size` bytes; belongs to whoever has the block. */
  readonly memory: ArrayBuffer;
  readonly size: number;
  readonly last: boolean;
}

/** Where blocks get their memory from, and where it comes back to. */
export interface BlockMemory {
  get(): ArrayBuffer;
  giveBack(memory: ArrayBuffer): void;
}

export function blockMemory(size: number): BlockMemory {
  const free: ArrayBuffer[] = [];
  return {
    get: () => free.pop() ?? new ArrayBuffer(size),
    giveBack: (memory) => void free.push(memory),
  };
}

/** Blocks of exactly `size` bytes, and one of 0 to `size` bytes at the end that is marked as the last. */
export async function* blocks(input: Chunks, size: number, memory: BlockMemory): AsyncGenerator<Block> {
  let current = memory.get();
  let used = 0;
  for await (const chunk of input) {
    for (let at = 0; at < chunk.length; ) {
      if (used === size) {
        yield { memory: current, size, last: false };
        current = memory.get();
        used = 0;
      }
      const part = chunk.subarray(at, at + size - used);
      new Uint8Array(current).set(part, used);
      at += part.length;
      used += part.length;
    }
  }
  yield { memory: current, size: used, last: true };
}

/**
 * What `work` makes of each block, in the order of the blocks. At most `depth` are being worked on or wait to be taken.
 * The first failure ends it; work under way then, and on an early stop, is left to finish unseen.
 */
export async function* inOrder<In, Out>(
  input: AsyncIterable<In>,
  depth: number,
  work: (value: In) => Promise<Out>,
): AsyncGenerator<Out> {
  const underWay: Promise<Out>[] = [];
  for await (const value of input) {
    const result = work(value);
    // Seen where it is awaited below, or not at all after an early stop: then it must not end the process.
    result.catch(() => {});
    underWay.push(result);
    if (underWay.length >= depth) yield await underWay.shift()!;
  }
  while (underWay.length) yield await underWay.shift()!;
}
