/**
 * The LZMA decoder, after the specification that comes with the LZMA SDK (public domain):
 * https://github.com/jljusten/LZMA-SDK/blob/781863cdf592da3e97420f50de5dac056ad352a5/DOC/lzma-specification.txt
 *
 * Written here because no package at hand does it as this project needs it: streaming, in a window that is known before,
 * exact about where the stream ends, and calm about damaged input. Names are those of the specification.
 */
import { corrupt, truncated } from './refusals.ts';

export const WHAT = 'lzma stream';

export interface LzmaProperties {
  readonly lc: number;
  readonly lp: number;
  readonly pb: number;
  /** Bytes. */
  readonly dictionary: number;
  /** Uncompressed bytes, or undefined where only an end marker tells. */
  readonly size: number | undefined;
}

export interface LzmaDecoder {
  /** Adds input, or says that there is no more. */
  give(bytes: Uint8Array | undefined): void;
  /**
   * Decodes until it wants more input, a piece of output is full, or the stream ends.
   * @throws OcixError codec/truncated, codec/corrupt
   */
  run(): 'more' | 'full' | 'end';
  /** What has come out since the last call, as new memory. */
  take(): Uint8Array;
  /** Input that has not been used. */
  rest(): Uint8Array;
}

/** More than any one symbol can use up. */
const MARGIN = 64;
const LONGEST_MATCH = 273;
const PIECE = 2 ** 20;

// Where each group of probabilities begins in the one array of them.
const IS_MATCH = 0;
const IS_REP = IS_MATCH + 192;
const IS_REP_G0 = IS_REP + 12;
const IS_REP_G1 = IS_REP_G0 + 12;
const IS_REP_G2 = IS_REP_G1 + 12;
const IS_REP0_LONG = IS_REP_G2 + 12;
const POS_SLOT = IS_REP0_LONG + 192;
const POS_DECODERS = POS_SLOT + 4 * 64;
const ALIGN = POS_DECODERS + 128;
const LENGTH = ALIGN + 16;
const REP_LENGTH = LENGTH + 2 + 2 * 128 + 256;
const LITERAL = REP_LENGTH + 2 + 2 * 128 + 256;

const END_MARKER = 0xffff_ffff;

export function lzmaDecoder({ lc, lp, pb, dictionary, size }: LzmaProperties): LzmaDecoder {
  const window = new Uint8Array(Math.max(4096, Math.min(dictionary, size ?? dictionary)));
  const pieceSize = Math.min(PIECE, window.length - LONGEST_MATCH);
  const probabilities = new Uint16Array(LITERAL + 0x300 * 2 ** (lc + lp)).fill(1024);
  // Typed, as numbers over 2^31 in ordinary variables cost an allocation each.
  const coder = new Uint32Array(2);
  const RANGE = 0;
  const CODE = 1;
  let input: Uint8Array = new Uint8Array(0);
  let at = 0;
  let inputEnded = false;
  let started = false;
  let place = 0;
  let total = 0;
  let untaken = 0;
  let state = 0;
  let [rep0, rep1, rep2, rep3] = [0, 0, 0, 0];

  function byte(): number {
    if (at >= input.length) throw truncated(WHAT);
    return input[at++]!;
  }

  function normalize(): void {
    if (coder[RANGE]! >= 2 ** 24) return;
    coder[RANGE]! <<= 8;
    coder[CODE] = (coder[CODE]! << 8) | byte();
  }

  function bit(index: number): 0 | 1 {
    const probability = probabilities[index]!;
    const bound = (coder[RANGE]! >>> 11) * probability;
    if (coder[CODE]! < bound) {
      coder[RANGE] = bound;
      probabilities[index] = probability + ((2048 - probability) >>> 5);
      normalize();
      return 0;
    }
    coder[RANGE]! -= bound;
    coder[CODE]! -= bound;
    probabilities[index] = probability - (probability >>> 5);
    normalize();
    return 1;
  }

  function directBits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      coder[RANGE]! >>>= 1;
      const one = coder[CODE]! >= coder[RANGE]!;
      if (one) coder[CODE]! -= coder[RANGE]!;
      normalize();
      value = value * 2 + (one ? 1 : 0);
    }
    return value;
  }

  function tree(base: number, bits: number): number {
    let symbol = 1;
    for (let i = 0; i < bits; i++) symbol = (symbol << 1) | bit(base + symbol);
    return symbol - (1 << bits);
  }

  function reverseTree(base: number, bits: number): number {
    let symbol = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const next = bit(base + symbol);
      symbol = (symbol << 1) | next;
      value |= next << i;
    }
    return value;
  }

  function length(base: number, posState: number): number {
    if (!bit(base)) return 2 + tree(base + 2 + posState * 8, 3);
    if (!bit(base + 1)) return 10 + tree(base + 2 + 128 + posState * 8, 3);
    return 18 + tree(base + 2 + 256, 8);
  }

  function distance(matchLength: number): number {
    const slot = tree(POS_SLOT + Math.min(matchLength - 2, 3) * 64, 6);
    if (slot < 4) return slot;
    const directCount = (slot >>> 1) - 1;
    const start = (2 | (slot & 1)) * 2 ** directCount;
    if (slot < 14) return start + reverseTree(POS_DECODERS + start - slot, directCount);
    return start + directBits(directCount - 4) * 16 + reverseTree(ALIGN, 4);
  }

  /** The byte `back` before the next one, counted from 1. */
  const before = (back: number): number => window[place >= back ? place - back : place - back + window.length]!;

  function put(value: number): void {
    window[place] = value;
    if (++place === window.length) place = 0;
    total++;
    untaken++;
  }

  function literal(): void {
    const previous = total ? before(1) : 0;
    const base = LITERAL + 0x300 * (((total & ((1 << lp) - 1)) << lc) + (previous >>> (8 - lc)));
    let symbol = 1;
    if (state >= 7) {
      let match = before(rep0 + 1);
      do {
        const matchBit = (match >>> 7) & 1;
        match <<= 1;
        const next = bit(base + ((1 + matchBit) << 8) + symbol);
        symbol = (symbol << 1) | next;
        if (next !== matchBit) break;
      } while (symbol < 0x100);
    }
    while (symbol < 0x100) symbol = (symbol << 1) | bit(base + symbol);
    put(symbol & 0xff);
    state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
  }

  /** The length of a repeated match, whose distance is rep0 then. */
  function repeated(posState: number): number {
    if (!bit(IS_REP_G0 + state)) {
      if (!bit(IS_REP0_LONG + (state << 4) + posState)) {
        state = state < 7 ? 9 : 11;
        return 1;
      }
    } else if (!bit(IS_REP_G1 + state)) [rep0, rep1] = [rep1, rep0];
    else if (!bit(IS_REP_G2 + state)) [rep0, rep1, rep2] = [rep2, rep0, rep1];
    else [rep0, rep1, rep2, rep3] = [rep3, rep0, rep1, rep2];
    const found = length(REP_LENGTH, posState);
    state = state < 7 ? 8 : 11;
    return found;
  }

  /** Decodes one symbol. Whether it was the end marker. */
  function symbol(): boolean {
    const full = total === size;
    const posState = total & ((1 << pb) - 1);
    if (!bit(IS_MATCH + (state << 4) + posState)) {
      if (full) throw corrupt(WHAT, 'it is longer than it says');
      literal();
      return false;
    }
    let count: number;
    if (bit(IS_REP + state)) count = repeated(posState);
    else {
      [rep1, rep2, rep3] = [rep0, rep1, rep2];
      count = length(LENGTH, posState);
      state = state < 7 ? 7 : 10;
      rep0 = distance(count);
      if (rep0 === END_MARKER) return true;
    }
    if (rep0 >= Math.min(total, window.length)) throw corrupt(WHAT, 'it refers to what lies before its beginning');
    if (size !== undefined && total + count > size) throw corrupt(WHAT, 'it is longer than it says');
    for (; count > 0; count--) put(before(rep0 + 1));
    return false;
  }

  function start(): void {
    if (byte() !== 0) throw corrupt(WHAT, 'its content does not begin with zero');
    coder[RANGE] = 0xffff_ffff;
    for (let i = 0; i < 4; i++) coder[CODE] = (coder[CODE]! << 8) | byte();
    if (coder[CODE] === coder[RANGE]) throw corrupt(WHAT, 'impossible first bytes');
    started = true;
  }

  return {
    give(bytes) {
      if (!bytes) {
        inputEnded = true;
        return;
      }
      const left = input.length - at;
      const joined = new Uint8Array(left + bytes.length);
      joined.set(input.subarray(at));
      joined.set(bytes, left);
      input = joined;
      at = 0;
    },
    run() {
      for (;;) {
        if (!inputEnded && input.length - at < MARGIN) return 'more';
        if (untaken >= pieceSize) return 'full';
        if (!started) start();
        // A stream that says how long it is may have an end marker all the same.
        else if (total === size && coder[CODE] === 0) return 'end';
        else if (symbol()) {
          if (size !== undefined && total < size) throw corrupt(WHAT, 'it is shorter than it says');
          if (coder[CODE] !== 0) throw corrupt(WHAT, 'its end marker is malformed');
          return 'end';
        }
      }
    },
    take() {
      const from = place - untaken;
      const piece = new Uint8Array(untaken);
      if (from < 0) piece.set(window.subarray(from + window.length));
      piece.set(window.subarray(Math.max(0, from), place), Math.max(0, -from));
      untaken = 0;
      return piece;
    },
    rest: () => input.subarray(at),
  };
}
