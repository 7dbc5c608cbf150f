/**
 * Threads that compress blocks. They start when they are first needed, stay for the next stream, and do not keep the
 * process alive while they have nothing to do.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { BlockFormat } from './block-encoders.ts';

export interface BlockJob {
  readonly format: BlockFormat;
  readonly level: number;
  /** Moves to the worker, and comes back with the result. */
  readonly memory: ArrayBuffer;
  /** Bytes of `memory` that count. */
  readonly size: number;
}

export interface BlockResult {
  readonly output: Uint8Array;
  /** The memory of the job, for the next one. */
  readonly memory: ArrayBuffer;
}

export interface WorkerJob extends BlockJob {
  readonly id: number;
}

export type WorkerAnswer = { readonly id: number; readonly memory: ArrayBuffer } & (
  | { readonly output: Uint8Array }
  | { readonly error: unknown }
);

export interface WorkerPool {
  /** The most threads it starts. */
  readonly size: number;
  /**
   * On one of `most` threads: on all that there may be, unless said.
   * Rejects with a plain error when the encoder throws or its thread dies; the next job then gets a new thread.
   */
  run(job: BlockJob, most?: number): Promise<BlockResult>;
  /** Ends all threads, and rejects what they were at. A later `run` starts new ones. */
  close(): Promise<void>;
}

interface Waiting {
  resolve(result: BlockResult): void;
  reject(error: Error): void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

const MOST_THREADS = 8;

export const defaultPoolSize = (): number => Math.min(MOST_THREADS, availableParallelism());

/** From source only the built worker can be run, as Node 20 does not load TypeScript. */
function builtWorker(): URL {
  const built = import.meta.url.endsWith('.ts') ? '../../dist/compress-worker.js' : './compress-worker.js';
  const url = new URL(built, import.meta.url);
  if (!existsSync(url)) throw new Error(`${fileURLToPath(url)} is missing: run "npm run bundle" first`);
  return url;
}

/** @param script for tests: what the threads run instead of the compression worker */
export function workerPool(size = defaultPoolSize(), script?: URL): WorkerPool {
  const threads = new Set<Thread>();
  let lastId = 0;

  function start(): Thread {
    const worker = new Worker(script ?? builtWorker(), {
      execArgv: [],
      name: 'ocix-compress',
      resourceLimits: { maxYoungGenerationSizeMb: 2 }, // it makes no objects to speak of
    });
    const thread: Thread = { worker, waiting: new Map() };
    threads.add(thread);
    worker.unref();
    worker.on('message', (answer: WorkerAnswer) => settle(thread, answer));
    worker.on('error', (error) => lose(thread, error));
    worker.on('messageerror', (error) => lose(thread, error));
    worker.on('exit', (code) => lose(thread, new Error(`the thread ended with status ${code}`)));
    return thread;
  }

  function settle(thread: Thread, answer: WorkerAnswer): void {
    const waiting = thread.waiting.get(answer.id);
    thread.waiting.delete(answer.id);
    if (!thread.waiting.size) thread.worker.unref();
    if ('error' in answer) waiting?.reject(new Error('a block could not be compressed', { cause: answer.error }));
    else waiting?.resolve(answer);
  }

  function lose(thread: Thread, cause: unknown): void {
    threads.delete(thread);
    for (const { reject } of thread.waiting.values()) reject(new Error('a compression thread was lost', { cause }));
    thread.waiting.clear();
  }

  /** The one with the least to do; a new one rather than one that is busy. */
  function pick(most: number): Thread {
    const [idlest] = [...threads].sort((a, b) => a.waiting.size - b.waiting.size);
    return idlest && (!idlest.waiting.size || threads.size >= most) ? idlest : start();
  }

  return {
    size,
    run: (job, most = size) =>
      new Promise((resolve, reject) => {
        const thread = pick(Math.min(most, size));
        const message: WorkerJob = { ...job, id: ++lastId };
        thread.waiting.set(message.id, { resolve, reject });
        thread.worker.ref();
        thread.worker.postMessage(message, [job.memory]);
      }),
    async close() {
      await Promise.all([...threads].map(({ worker }) => worker.terminate()));
    },
  };
}

let shared: WorkerPool | undefined;

/** The pool of this process. */
export const sharedPool = (): WorkerPool => (shared ??= workerPool());

/**
 * Ends the threads of the shared pool, where there are any. Nobody has to call it, as idle threads do not keep the
 * process alive; it frees their memory (some 20 MiB each).
 */
export const closeWorkers = async (): Promise<void> => shared?.close();
