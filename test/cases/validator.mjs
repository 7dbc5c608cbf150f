/**
 * A thread that validates, so that a test which waits for nothing (`ocix()` starts its processes synchronously) can have an answer at
 * once, and pays for loading the library once a file instead of once a run. It runs what was built, as the command does.
 */
import { workerData } from 'node:worker_threads';
import { validate } from '../../dist/index.js';

const { port, flag } = workerData;

port.on('message', async ({ source, fast }) => {
  const answer = await validate(source, { fast }).then(
    ({ findings }) => ({ findings }),
    (error) => ({ error: `${error.code ?? error.name}: ${error.message}` }),
  );
  port.postMessage(answer);
  Atomics.store(flag, 0, 1);
  Atomics.notify(flag, 0);
});
