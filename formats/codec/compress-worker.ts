/** The other side of `worker-pool.ts`: compresses what it is sent, one block after another. */
import { parentPort } from 'node:worker_threads';
import { blockEncoder } from './block-encoders.ts';
import type { WorkerAnswer, WorkerJob } from './worker-pool.ts';

parentPort!.on('message', async ({ id, format, level, memory, size }: WorkerJob) => {
  try {
    const encode = await blockEncoder(format);
    const output = encode(new Uint8Array(memory, 0, size), level);
    const answer: WorkerAnswer = { id, output, memory };
    parentPort!.postMessage(answer, [output.buffer as ArrayBuffer, memory]);
  } catch (error) {
    const answer: WorkerAnswer = { id, error, memory };
    parentPort!.postMessage(answer, [memory]);
  }
});
