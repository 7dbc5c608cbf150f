/** Getting something from a server that nobody vouches for. */

import type { ServerResponse } from 'node:http';
import { createServer as createTcp } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createContext } from '../../../formats/base/context.ts';
import { get, type Net } from '../../../formats/discovery/http.ts';
import type { Zone } from '../../../formats/discovery/zones.ts';
import { contextWith, refusalOf, textOf, whole } from '../support.ts';
import { netOf, redirect, serve } from './servers.ts';

interface Request {
  readonly from?: Zone;
  readonly net?: Partial<Net>;
}

const fetched = async (href: string, { from, net }: Request = {}): Promise<string> => {
  const answer = await get({ url: new URL(href), from }, netOf({ port: 1 }, net), contextWith());
  return textOf(await whole(answer.body));
};
const refusal = (href: string, request?: Request) => refusalOf(() => fetched(href, request));

describe('get()', () => {
  test('gives the answer, its size, and where the server is', async () => {
    const { origin } = await serve({ '/a': 'hello' });
    const answer = await get({ url: new URL(`${origin}/a`), from: undefined }, netOf({ port: 1 }), contextWith());
    expect(answer).toMatchObject({ size: 5, zone: 'loopback' });
    expect(textOf(await whole(answer.body))).toBe('hello');
  });

  test.each([301, 302, 303, 307, 308])('follows a redirect with status %i, also to another host', async (status) => {
    const other = await serve({ '/b': 'hello' });
    const { origin } = await serve({ '/a': redirect(`http://localhost:${other.port}/b`, status) });
    expect(await fetched(`${origin}/a`)).toBe('hello');
  });

  test('follows five redirects, and no sixth', async () => {
    const { origin, requests } = await serve({
      ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((i) => [`/${i}`, redirect(`/${i + 1}`)])),
      '/7': 'hello',
    });
    expect(await fetched(`${origin}/2`)).toBe('hello');
    expect(requests).toHaveLength(6);
    expect((await refusal(`${origin}/1`))?.code).toBe('network/redirect');
    expect(requests).toHaveLength(12);
  });

  test.each([
    'file:///etc/passwd',
    'ftp://127.0.0.1/a',
    'data:text/html,hello',
    'javascript:1',
    'unix:/run/docker.sock',
    'http://user:secret@127.0.0.1/a',
    'http://[::1',
    'http://169.254.169.254/latest/meta-data/',
    'http://[fe80::1]/a',
    'http://10.0.0.1/a',
    'http://192.168.0.1/a',
    'http://[::ffff:10.0.0.1]/a',
    'http://[fd00::1]/a',
    'http://2852039166/latest/meta-data/', // 169.254.169.254 as one number
    'http://0xa9fea9fe/latest/meta-data/',
  ])('does not follow a redirect to %s', async (location) => {
    const { origin } = await serve({ '/a': redirect(location) });
    expect(await refusal(`${origin}/a`)).toMatchObject({ code: 'network/redirect', status: 6 });
  });

  test.each([
    ['an address', '127.0.0.1'],
    ['a name', 'localhost'],
    ['an address of IPv4 in one of IPv6', '[::ffff:127.0.0.1]'],
    ['no address at all', '0.0.0.0'],
  ])('is not sent to this machine by a public server, which gives %s', async (_what, host) => {
    const { port, requests } = await serve({ '/a': 'secret' });
    const error = await refusal(`http://${host}:${port}/a`, { from: 'public' });
    expect(error).toMatchObject({ code: 'network/redirect', status: 6 });
    expect(requests).toEqual([]);
  });

  test('without --insecure goes to no plain HTTP', async () => {
    const { origin, requests } = await serve({ '/a': 'hello' });
    const error = await refusal(`${origin}/a`, { net: { insecure: false } });
    expect(error).toMatchObject({ code: 'network/redirect', hint: expect.stringContaining('--insecure') });
    expect(requests).toEqual([]);
  });

  test.each([204, 206, 304, 401, 403, 404, 500])('refuses status %i', async (status) => {
    const { origin } = await serve({ '/a': (response) => void response.writeHead(status).end() });
    expect((await refusal(`${origin}/a`))?.code).toBe('network/status');
  });

  test('a redirect to nowhere is no answer', async () => {
    const { origin } = await serve({ '/a': (response) => void response.writeHead(302).end() });
    expect((await refusal(`${origin}/a`))?.code).toBe('network/status');
  });

  test('asks for no encoding, and takes none', async () => {
    let asked: string | undefined;
    const { origin } = await serve({
      '/a': (response: ServerResponse) => {
        asked = response.req.headers['accept-encoding'] as string;
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('hello'));
      },
    });
    expect(await refusal(`${origin}/a`)).toMatchObject({ code: 'network/failed', expected: 'identity', found: 'gzip' });
    expect(asked).toBe('identity');
  });

  test('a body that is shorter than promised is no body', async () => {
    const { origin } = await serve({
      '/a': (response) => {
        response.writeHead(200, { 'content-length': '100' }).write('hello');
        setTimeout(() => response.destroy(), 50);
      },
    });
    expect((await refusal(`${origin}/a`))?.code).toBe('network/failed');
  });

  test('a chunked body that breaks off is no body', async () => {
    const { origin } = await serve({
      '/a': (response) => {
        response.writeHead(200).write('hello');
        setTimeout(() => response.destroy(), 50);
      },
    });
    expect((await refusal(`${origin}/a`))?.code).toBe('network/failed');
  });

  test('a server that sends a byte now and then is too slow', async () => {
    const { origin } = await serve({
      '/a': (response) => {
        response.writeHead(200);
        const drip = setInterval(() => response.write('x'), 20);
        response.on('close', () => clearInterval(drip));
      },
    });
    const patience = { answer: 5000, body: 200, discovery: 5000 };
    expect(await refusal(`${origin}/a`, { net: { patience } })).toMatchObject({ code: 'network/timeout', status: 6 });
  });

  test('a server whose header does not end is too slow', async () => {
    const origin = await raw((send) => {
      send('HTTP/1.1 200 OK\r\n');
      return setInterval(() => send('X: y\r\n'), 20);
    });
    const patience = { answer: 200, body: 5000, discovery: 5000 };
    expect((await refusal(`${origin}/a`, { net: { patience } }))?.code).toBe('network/timeout');
  });

  test('a header without end is refused', async () => {
    const origin = await raw((send) => {
      send('HTTP/1.1 200 OK\r\n');
      return setInterval(() => send(`X: ${'y'.repeat(8000)}\r\n`), 1);
    });
    expect((await refusal(`${origin}/a`))?.code).toBe('network/failed');
  });

  test('a consumer may take its time', async () => {
    const { origin } = await serve({ '/a': Buffer.alloc(300_000) });
    const net = netOf({ port: 1 }, { patience: { answer: 5000, body: 50, discovery: 5000 } });
    const answer = await get({ url: new URL(`${origin}/a`), from: undefined }, net, contextWith());
    let size = 0;
    for await (const chunk of answer.body) {
      size += chunk.length;
      await new Promise((resolve) => setTimeout(resolve, 120));
    }
    expect(size).toBe(300_000);
  });

  test('stops at once when the run is interrupted', async () => {
    const { origin } = await serve({ '/a': (response) => void response.writeHead(200).write('hello') });
    const controller = new AbortController();
    const context = createContext({ signal: controller.signal });
    const answer = await get({ url: new URL(`${origin}/a`), from: undefined }, netOf({ port: 1 }), context);
    setTimeout(() => controller.abort(), 50);
    expect((await refusalOf(() => whole(answer.body)))?.code).toBe('interrupted');
  });

  test('a server that is not there is a failure of the network', async () => {
    expect(await refusal('http://127.0.0.1:1/a')).toMatchObject({ code: 'network/failed', status: 6 });
    expect((await refusal('http://nowhere.invalid/a'))?.code).toBe('network/failed');
  });
});

/** A server that writes what it likes. */
async function raw(talk: (send: (text: string) => void) => NodeJS.Timeout): Promise<string> {
  const server = createTcp((socket) => {
    socket.on('error', () => {});
    const timer = talk((text) => void socket.write(text));
    socket.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}
