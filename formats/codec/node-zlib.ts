/**
 * Runs a decompressor of `node:zlib` over a stream.
 *
 * The engine works on a thread of its own while the consumer works on the piece before: the next piece of input is given
 * to it before a piece of output is handed on. At most one piece of input and two of output are held.
 */
import { type Context, checkAbort } from '../base/context.ts';

type Zlib = typeof import('node:zlib');

/** `node:zlib`, or undefined where there is none (a browser). */
export const nodeZlib: Zlib | undefined = globalThis.process?.getBuiltinModule?.('node:zlib');

/**
 * Bytes of one piece of output. With Node's default of 16 KiB decompression takes two and a half times as long. The engine
 * waits while the consumer works on the piece before, and for large pieces the two wait for each other longer.
 */
export const PIECE = 2 ** 18;

/** What is used of a zlib stream. */
export interface ZlibEngine {
  readonly bytesWritten: number;
  write(bytes: Uint8Array, done: () => void): unknown;
  end(): unknown;
  read(): Uint8Array | null;
  destroy(): unknown;
  on(event: 'readable' | 'end', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export interface Drive {
  /** The next piece of input, or undefined at its end. */
  readonly next: () => Promise<Uint8Array | undefined>;
  /** Turns an error of the engine into the one to throw. */
  readonly refuse: (error: Error) => unknown;
  readonly context: Context;
}

/**
 * The output of `engine`. Returns what it left of the last piece of input because its format had ended before, or
 * undefined when it took everything. The engine is destroyed at the end, also on an early stop.
 */
export async function* drive(
  engine: ZlibEngine,
  { next, refuse, context }: Drive,
): AsyncGenerator<Uint8Array, Uint8Array | undefined> {
  let failure: Error | undefined;
  let last: Uint8Array | undefined;
  let given = 0;
  let idle = true;
  let inputEnded = false;
  let finished = false;
  let wake = () => {};
  engine.on('readable', () => wake());
  engine.on('end', () => {
    finished = true;
    wake();
  });
  engine.on('error', (error) => {
    failure ??= error;
    wake();
  });
  try {
    for (;;) {
      checkAbort(context);
      if (failure) throw refuse(failure);
      // It takes less than it was given only when it has reached the end of its format.
      const wantsMore = idle && !inputEnded && given === engine.bytesWritten;
      if (wantsMore) {
        last = await next();
        if (last) {
          idle = false;
          given += last.length;
          engine.write(last, () => {
            idle = true;
            wake();
          });
        } else {
          inputEnded = true;
          engine.end();
        }
      }
      const piece = engine.read();
      if (piece) yield piece;
      else if (finished)
        return given > engine.bytesWritten ? last!.subarray(last!.length - (given - engine.bytesWritten)) : undefined;
      else if (!failure) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    engine.destroy();
  }
}
