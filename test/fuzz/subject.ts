/** What is fuzzed: something that makes inputs, and something that takes them. */
import { OcixError, STATUS } from '../../formats/base/errors.ts';
import type { Random } from './random.ts';

export interface Subject {
  readonly name: string;
  /** Milliseconds that one input may take, where that is not what any other may. */
  readonly patience?: number;
  /** The same input for the same chance. What the check needs beside the bytes is in `expected`. */
  make(random: Random): Input | Promise<Input>;
  /**
   * Reads the input.
   *
   * @param random for what is no part of the input: the size of chunks, the way of reading
   * @throws an OcixError where the input is refused; anything else is a find
   */
  check(input: Input, random: Random): Promise<void>;
}

export interface Input {
  /** What is kept of a find. */
  readonly bytes: Uint8Array;
  /** Members of a folder by path, where the input is one. */
  readonly files?: ReadonlyMap<string, Uint8Array>;
}

/** `accepted`, or the code of the refusal. @throws what is a find */
export async function outcomeOf(work: () => Promise<void>): Promise<string> {
  try {
    await work();
    return 'accepted';
  } catch (error) {
    if (!(error instanceof OcixError)) throw error;
    if (error.status !== STATUS.unknown && error.status !== STATUS.refused)
      throw new Find(`refused with status ${error.status}: ${error.code}: ${error.message}`, error);
    if (!error.message) throw new Find(`${error.code} says nothing`, error);
    return error.code;
  }
}

/** Something that must not be, and is no exception by itself. */
export class Find extends Error {
  override readonly name = 'Find';
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
  }
}
