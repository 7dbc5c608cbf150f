/** Chance that can be repeated: every choice follows from the seed, the subject and the number of the input. */
import { createHash } from 'node:crypto';

export interface Random {
  /** A whole number from 0 to `most - 1`. */
  below(most: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** Between `least` and `most` things, each made anew. */
  many<T>(least: number, most: number, make: () => T): T[];
  bytes(size: number): Buffer;
}

export function randomFrom(...seed: readonly (string | number)[]): Random {
  let state = createHash('sha256').update(seed.join('/')).digest().readUInt32LE();
  // mulberry32: small, quick, and good enough to choose.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (most: number): number => Math.floor(next() * most);
  return {
    below,
    chance: (probability) => next() < probability,
    pick: (from) => from[below(from.length)]!,
    many: (least, most, make) => Array.from({ length: least + below(most - least + 1) }, make),
    bytes: (size) => Buffer.from(Array.from({ length: size }, () => below(256))),
  };
}
