/** The other side of `hash-thread.ts`: hashes what it is sent, of any number of streams. */
import { createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import type { HashAnswer, HashRequest } from './hash-thread.ts';

const hashes = new Map<number, ReturnType<typeof createHash>>();

parentPort!.on('message', ({ stream, algorithm, bytes }: HashRequest) => {
  const hash = hashes.get(stream) ?? createHash(algorithm);
  if (bytes) {
    hashes.set(stream, hash.update(bytes));
    parentPort!.postMessage({ stream, digest: undefined } satisfies HashAnswer);
  } else {
    hashes.delete(stream);
    parentPort!.postMessage({ stream, digest: `${algorithm}:${hash.digest('hex')}` } satisfies HashAnswer);
  }
});
