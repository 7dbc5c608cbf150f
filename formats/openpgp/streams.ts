/** Between our streams of bytes and the web streams that openpgp works on, without holding more than a piece or two. */
import { type Context, checkAbort } from '../base/context.ts';
import type { Chunks } from '../bytes/chunks.ts';

/** One web stream from an iteration; cancelling it ends the producer. */
export function webStream<T>(parts: AsyncIterable<T>): ReadableStream<T> {
  const iterator = parts[Symbol.asyncIterator]();
  return new ReadableStream<T>(
    {
      async pull(controller) {
        const step = await iterator.next();
        if (step.done) controller.close();
        else controller.enqueue(step.value);
      },
      cancel: async () => void (await iterator.return?.()),
    },
    { highWaterMark: 0 },
  );
}

export interface Outlet {
  readonly stream: ReadableStream<Uint8Array>;
  /** Its reader needs nothing more, whether it has read everything or not. */
  release(): void;
}

export interface Fan {
  readonly outlets: readonly Outlet[];
  /** Hands the content to all outlets, each chunk when all have taken the one before. Ends with the content, or the last reader. */
  run(): Promise<void>;
}

/** The same content for several readers, read once: the slowest sets the pace, so nothing piles up. */
export function fanOut(content: Chunks, count: number, context: Context): Fan {
  const outlets = Array.from({ length: count }, pushedStream);
  return {
    outlets,
    async run() {
      try {
        for await (const chunk of content) {
          checkAbort(context);
          await Promise.all(outlets.map((outlet) => outlet.put(chunk)));
          if (outlets.every((outlet) => outlet.released())) return;
        }
        for (const outlet of outlets) outlet.close();
      } catch (error) {
        for (const outlet of outlets) outlet.fail(error);
        throw error;
      }
    },
  };
}

interface PushedStream extends Outlet {
  /** Settles when the reader asks for a chunk and has got this one, or is gone. */
  put(chunk: Uint8Array): Promise<void>;
  close(): void;
  fail(error: unknown): void;
  released(): boolean;
}

function pushedStream(): PushedStream {
  let gone = false;
  let wake = (): void => {};
  const request = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  let asked = request();
  const release = (): void => {
    gone = true;
    wake();
  };
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const stream = new ReadableStream<Uint8Array>(
    {
      start(own) {
        controller = own;
      },
      pull: () => wake(),
      cancel: release,
    },
    { highWaterMark: 0 },
  );
  return {
    stream,
    release,
    released: () => gone,
    async put(chunk) {
      await asked;
      if (gone) return;
      asked = request();
      controller.enqueue(chunk);
    },
    close: () => void (gone || controller.close()),
    fail: (error) => void (gone || controller.error(error)),
  };
}
