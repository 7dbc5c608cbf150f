/**
 * A thread that hashes what lies in shared memory, while this one uses it. It starts when it is first needed, serves every
 * stream, and does not keep the process alive while it has nothing to do.
 */
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Digest, DigestAlgorithm } from './digest.ts';
import { HASH_BEHIND } from './source.ts';

export interface HashRequest {
  readonly stream: number;
  readonly algorithm: DigestAlgorithm;
  /** Absent at the end of the stream. */
  readonly bytes: Uint8Array | undefined;
}

export interface HashAnswer {
  readonly stream: number;
  /** Present at the end of the stream. */
  readonly digest: Digest | undefined;
}

/** A running hash on the thread. */
export interface ThreadHash {
  /** Takes bytes that stay as they are until `HASH_BEHIND` calls after this one have resolved. */
  update(bytes: Uint8Array): Promise<void>;
  /** Ends it. */
  digest(): Promise<Digest>;
  /** Forgets it, where nobody asks for its end. */
  drop(): void;
}

interface Thread {
  readonly worker: Worker;
  /** What has been asked, in the order of the answers. */
  readonly waiting: { resolve(answer: HashAnswer): void; reject(error: Error): void }[];
}

/** From source only the built worker can be run, as Node 20 does not load TypeScript. */
const SCRIPT = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/hash-worker.js' : './hash-worker.js',
  import.meta.url,
);

let running: Thread | undefined;
let streams = 0;

/** A new hash, or undefined where the thread has not been built. */
export function threadHash(algorithm: DigestAlgorithm): ThreadHash | undefined {
  if (!running && !existsSync(SCRIPT)) return undefined;
  const thread = (running ??= start());
  const stream = ++streams;
  const under: Promise<unknown>[] = [];
  let open = true;
  const end = () => {
    open = false;
    return ask(thread, { stream, algorithm, bytes: undefined });
  };
  return {
    async update(bytes) {
      const answer = ask(thread, { stream, algorithm, bytes });
      answer.catch(() => {}); // whoever stops early does not wait for it
      if (under.push(answer) > HASH_BEHIND) await under.shift();
    },
    digest: async () => (await end()).digest!,
    drop: () => {
      if (open) end().catch(() => {});
    },
  };
}

function start(): Thread {
  const worker = new Worker(SCRIPT, { execArgv: [], name: 'ocix-hash' });
  const thread: Thread = { worker, waiting: [] };
  worker.unref();
  worker.on('message', (answer: HashAnswer) => {
    thread.waiting.shift()!.resolve(answer);
    if (!thread.waiting.length) worker.unref();
  });
  worker.on('error', (error) => lose(thread, error));
  worker.on('exit', (code) => lose(thread, new Error(`the thread ended with status ${code}`)));
  return thread;
}

function lose(thread: Thread, cause: unknown): void {
  if (running === thread) running = undefined;
  for (const { reject } of thread.waiting.splice(0)) reject(new Error('the hashing thread was lost', { cause }));
}

function ask(thread: Thread, request: HashRequest): Promise<HashAnswer> {
  return new Promise((resolve, reject) => {
    if (thread !== running) return reject(new Error('the hashing thread was lost'));
    thread.waiting.push({ resolve, reject });
    thread.worker.ref();
    thread.worker.postMessage(request);
  });
}
