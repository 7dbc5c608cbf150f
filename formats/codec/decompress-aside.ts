/**
 * Decompression in a thread of its own, for codecs that compute on the thread that calls them: several streams at a time use several
 * processors. A thread has one stream at a time, and is kept for the next. Where threads cannot be had, the stream is decompressed here.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type Context, checkAbort } from '../base/context.ts';
import { type Code, type ErrorDetails, OcixError } from '../base/errors.ts';
import type { Limits } from '../base/limits.ts';
import { byteReader, type Chunks } from '../bytes/chunks.ts';
import type { Codec, CompressionName } from './codec.ts';

export type AsideMessage =
  | { readonly type: 'start'; readonly codec: CompressionName; readonly limits: Limits }
  /** Undefined at the end. */
  | { readonly type: 'chunk'; readonly bytes: Uint8Array | undefined }
  | { readonly type: 'taken' };

export type AsideAnswer =
  | { readonly type: 'more' }
  | { readonly type: 'piece'; readonly bytes: Uint8Array }
  | { readonly type: 'end' }
  | {
      readonly type: 'refusal';
      readonly code: Code;
      readonly message: string;
      readonly details: { readonly [name in keyof ErrorDetails]: ErrorDetails[name] | undefined };
    }
  | { readonly type: 'fault'; readonly error: unknown };

/** Of gzip `node:zlib` takes care on threads of its own. */
const WORTH_IT: ReadonlySet<CompressionName> = new Set(['xz', 'zstd', 'bzip2', 'lzma']);
/** Bytes below which starting a thread takes longer; and below which handing them to one that is there does. */
const LEAST = 256 * 1024;
const LEAST_FOR_IDLE = 16 * 1024;

const idle: Worker[] = [];

/** Ends the threads that have nothing to do, whose memory (some 30 MiB each) somebody else can use. */
export async function endIdleThreads(): Promise<void> {
  await Promise.all(idle.splice(0).map((worker) => worker.terminate()));
}

/** As `codec.decompress`. @param size bytes of the input */
export function decompressedAside(codec: Codec, input: Chunks, size: number, context: Context): Chunks {
  const script = WORTH_IT.has(codec.name) && size >= (idle.length ? LEAST_FOR_IDLE : LEAST) ? builtWorker() : undefined;
  return script ? inThread(script, codec, input, context) : codec.decompress(input, context);
}

/** From source only the built worker can be run, as Node 20 does not load TypeScript. */
function builtWorker(): URL | undefined {
  const built = import.meta.url.endsWith('.ts') ? '../../dist/decompress-worker.js' : './decompress-worker.js';
  const url = new URL(built, import.meta.url);
  return existsSync(fileURLToPath(url)) ? url : undefined;
}

async function* inThread(script: URL, codec: Codec, input: Chunks, context: Context): AsyncGenerator<Uint8Array> {
  const worker = idle.pop() ?? new Worker(script, { execArgv: [], name: 'ocix-decompress' });
  const reader = byteReader(input);
  const answers = mailbox(worker);
  const send = (message: AsideMessage): void => worker.postMessage(message);
  let done = false;
  worker.ref();
  try {
    send({ type: 'start', codec: codec.name, limits: context.limits });
    for (;;) {
      const answer = await answers.next();
      checkAbort(context);
      if (answer.type === 'more') send({ type: 'chunk', bytes: await reader.next() });
      else if (answer.type === 'piece') {
        yield answer.bytes;
        send({ type: 'taken' });
      } else {
        done = true;
        if (answer.type === 'refusal') throw refusal(answer);
        if (answer.type === 'fault') throw answer.error;
        return;
      }
    }
  } finally {
    answers.close();
    await reader.close();
    worker.unref();
    // One that was left in the middle has memory and state of its stream.
    if (done) idle.push(worker);
    else await worker.terminate();
  }
}

function refusal({ code, message, details }: AsideAnswer & { type: 'refusal' }): OcixError {
  const said = Object.entries(details).filter(([, value]) => value !== undefined);
  return new OcixError(code, message, Object.fromEntries(said));
}

/** Messages of a thread one after the other. Its death is an error for whoever waits. */
function mailbox(worker: Worker) {
  const waiting: AsideAnswer[] = [];
  let failure: Error | undefined;
  let wake = (): void => {};
  const onMessage = (answer: AsideAnswer): void => {
    waiting.push(answer);
    wake();
  };
  const onError = (cause: Error): void => {
    failure = new Error('a decompression thread was lost', { cause });
    wake();
  };
  const onExit = (code: number): void => onError(new Error(`it ended with status ${code}`));
  worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  return {
    async next(): Promise<AsideAnswer> {
      for (;;) {
        const answer = waiting.shift();
        if (answer) return answer;
        if (failure) throw failure;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    close(): void {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
    },
  };
}
