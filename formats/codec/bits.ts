/** Reads a stream bit by bit, the most significant one first, with a way back for whoever ran out. */
import { concat } from '../bytes/text.ts';

/** Thrown by `take` when more bits are wanted than there are. Nothing is lost: go `back`, `fill`, and try again. */
export const OUT_OF_BITS = Symbol('out of bits');

export interface BitSource {
  /** A number of at most 32 bits. Without a count: goes on to the next whole byte. @throws OUT_OF_BITS */
  readonly take: (count: number | null) => number;
  /** Whole bytes in memory that have not been begun. */
  available(): number;
  /** Gets input until `count` bytes are available or there is no more. Whether there are as many. */
  fill(count: number): Promise<boolean>;
  /** Whether the next bytes are these, or as many of them as there are. */
  startsWith(bytes: readonly number[]): boolean;
  mark(): number;
  /** Back to a `mark` made since the last `fill`. */
  back(mark: number): void;
}

/** @param next the next piece of input, or undefined at its end */
export function bitSource(next: () => Promise<Uint8Array | undefined>): BitSource {
  let held: Uint8Array = new Uint8Array(0);
  /** In bits, within `held`. */
  let at = 0;
  const take = (count: number | null): number => {
    if (count === null) {
      at = (at + 7) & ~7;
      return 0;
    }
    if (at + count > held.length * 8) throw OUT_OF_BITS;
    let value = 0;
    for (let left = count; left > 0; ) {
      const room = 8 - (at & 7);
      const step = Math.min(left, room);
      value = (value << step) | ((held[at >>> 3]! >>> (room - step)) & ((1 << step) - 1));
      at += step;
      left -= step;
    }
    return value;
  };
  const available = () => held.length - ((at + 7) >>> 3);
  return {
    take,
    available,
    async fill(count) {
      if (available() >= count) return true;
      const parts = [held.subarray(at >>> 3)];
      at &= 7;
      let size = parts[0]!.length - (at ? 1 : 0);
      while (size < count) {
        const chunk = await next();
        if (!chunk) break;
        parts.push(chunk);
        size += chunk.length;
      }
      held = concat(parts);
      return size >= count;
    },
    startsWith(bytes) {
      const start = (at + 7) >>> 3;
      return bytes.every((byte, i) => start + i >= held.length || held[start + i] === byte);
    },
    mark: () => at,
    back(mark) {
      at = mark;
    },
  };
}
