/** The thread behind `decompressedAside`: one stream at a time. */
import { parentPort } from 'node:worker_threads';
import { createContext } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { concat } from '../bytes/text.ts';
import type { AsideAnswer, AsideMessage } from './decompress-aside.ts';
import { CODECS } from './index.ts';

const port = parentPort!;
/** Pieces are joined up to this size, as a message costs more than a copy. */
const BATCH = 512 * 1024;
/** Batches that the other side has not taken yet. */
const MOST_AHEAD = 4;

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
  let parts: Uint8Array[] = [];
  let size = 0;
  ahead = 0;
  const flush = async (): Promise<void> => {
    const batch = concat(parts);
    parts = [];
    size = 0;
    while (ahead >= MOST_AHEAD)
      await new Promise<void>((resolve) => {
        taken = resolve;
      });
    ahead++;
    send({ type: 'piece', bytes: batch }, [batch.buffer as ArrayBuffer]);
  };
  try {
    for await (const piece of CODECS[codec].decompress(input(), createContext({ limits }))) {
      parts.push(piece);
      size += piece.length;
      if (size >= BATCH) await flush();
    }
    if (size) await flush();
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
    ahead--;
    taken();
  }
});
