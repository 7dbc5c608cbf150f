/** The thread behind `decompressedAside`: one stream at a time. */
import { parentPort } from 'node:worker_threads';
import { createContext } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { blockMemory, blocks } from './blocks.ts';
import type { AsideAnswer, AsideMessage } from './decompress-aside.ts';
import { CODECS } from './index.ts';

const port = parentPort!;
/** Pieces are joined up to this size, as a message costs more than a copy. */
const BATCH = 512 * 1024;
/** Batches that the other side has not taken yet. Their memory comes back from there: new memory each time would be the collector's to find. */
const MOST_AHEAD = 4;
const batches = blockMemory(BATCH);

let ahead = 0;
let taken = (): void => {};
let arrived = (_: Uint8Array | undefined): void => {};

const send = (answer: AsideAnswer, transfer: ArrayBuffer[] = []): void => port.postMessage(answer, transfer);

async function* input(): AsyncGenerator<Uint8Array> {
  for (;;) {
    const next = new Promise<Uint8Array | undefined>((resolve) => {
      arrived = resolve;
    });
    send({ type: 'more' });
    const chunk = await next;
    if (!chunk) return;
    yield chunk;
  }
}

async function run({ codec, limits }: AsideMessage & { type: 'start' }): Promise<void> {
  ahead = 0;
  try {
    const pieces = CODECS[codec].decompress(input(), createContext({ limits }));
    for await (const { memory, size } of blocks(pieces, BATCH, batches)) {
      while (ahead >= MOST_AHEAD)
        await new Promise<void>((resolve) => {
          taken = resolve;
        });
      ahead++;
      send({ type: 'piece', memory, size }, [memory]);
    }
    send({ type: 'end' });
  } catch (error) {
    if (!(error instanceof OcixError)) return send({ type: 'fault', error });
    const { code, message, at, expected, found, hint } = error;
    send({ type: 'refusal', code, message, details: { at, expected, found, hint } });
  }
}

port.on('message', (message: AsideMessage) => {
  if (message.type === 'start') void run(message);
  else if (message.type === 'chunk') arrived(message.bytes);
  else {
    batches.giveBack(message.memory);
    ahead--;
    taken();
  }
});
