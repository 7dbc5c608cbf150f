/** Files fetched over HTTP: what the tests of repositories do not reach. */
import { readdirSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createContext } from '../../../formats/base/context.ts';
import { digestOf, hexOf } from '../../../formats/bytes/digest.ts';
import { downloads } from '../../../formats/store/download.ts';
import { scratch } from '../../fixtures/peers.ts';
import { codeOf, whole } from '../support.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function listening(answer: Parameters<typeof createServer>[1]): Promise<string> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server!.address() as AddressInfo).port}`;
}

test.each([
  ['before its answer', false],
  ['in the middle of it', true],
])('a server that falls silent %s is given up', async (_, begins) => {
  const base = await listening((_, response) => {
    if (begins) response.write('x');
  });
  expect(await codeOf(() => downloads(scratch(), createContext(), 100).small({ base, path: 'x' }, 1000))).toBe(
    'network/timeout',
  );
});

test('a server that sends a byte now and then is given up', async () => {
  const base = await listening((_, response) => {
    const more = setInterval(() => response.write('x'), 20);
    response.on('close', () => clearInterval(more));
  });
  expect(await codeOf(() => downloads(scratch(), createContext(), 200).small({ base, path: 'x' }, 1e6))).toBe(
    'network/timeout',
  );
});

test('an interruption does not wait for the server', async () => {
  const controller = new AbortController();
  const base = await listening(() => controller.abort());
  const context = createContext({ signal: controller.signal });
  expect(await codeOf(() => downloads(scratch(), context).small({ base, path: 'x' }, 1000))).toBe('interrupted');
});

test('names are asked for as they are', async () => {
  let asked = '';
  const base = await listening(({ url }, response) => {
    asked = url!;
    response.end('y');
  });
  await downloads(scratch(), createContext()).small({ base, path: 'pool/a_1%3a2+b.deb' }, 10);
  expect(asked).toBe('/pool/a_1%253a2%2Bb.deb');
});

test('what came of a file is gone on with, also after another mirror did not have it', async () => {
  const bytes = Buffer.from('0123456789');
  const ranges: (string | undefined)[] = [];
  const cache = scratch();
  const stored = (): number =>
    readdirSync(join(cache, 'sha256')).reduce((sum, name) => sum + statSync(join(cache, 'sha256', name)).size, 0);
  const base = await listening(({ headers }, response) => {
    ranges.push(headers.range);
    if (ranges.length === 1) {
      response.writeHead(200, { 'content-length': 10 });
      response.write(bytes.subarray(0, 4));
      // A connection that breaks sooner takes with it what nobody has read yet.
      const watch = setInterval(() => {
        if (stored() < 4) return;
        clearInterval(watch);
        response.destroy();
      }, 5);
    } else if (ranges.length === 2) response.writeHead(404).end();
    else response.writeHead(206, { 'content-range': 'bytes 4-9/10' }).end(bytes.subarray(4));
  });
  const wanted = { digest: digestOf(bytes), size: bytes.length };
  const file = () => downloads(cache, createContext()).file({ base, path: 'x' }, wanted);
  expect(await codeOf(file)).toBe('network/failed');
  expect(await file()).toBeUndefined();
  const found = await file();
  expect(Buffer.from(await whole(found!.window(0, 10)))).toEqual(bytes);
  await found!.close();
  expect(ranges.slice(2)).toEqual(['bytes=4-']);
  expect(readdirSync(join(cache, 'sha256'))).toEqual([hexOf(wanted.digest)]);
});
