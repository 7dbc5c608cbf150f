/** From a name to a file: pages, templates, and what comes of them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Limits } from '../../../formats/base/limits.ts';
import { downloads } from '../../../formats/discovery/download.ts';
import { type FetchedImage, fetchImage } from '../../../formats/discovery/fetch.ts';
import type { Net } from '../../../formats/discovery/http.ts';
import { parseWanted } from '../../../formats/discovery/wanted.ts';
import { contextWith, refusalOf } from '../support.ts';
import { imageBytes, imageTag, type LocalServer, netOf, type Pages, page, redirect, serve } from './servers.ts';

interface Options {
  readonly net?: Partial<Net>;
  readonly limits?: Partial<Limits>;
  readonly signature?: number;
}

async function fetched(text: string, server: LocalServer, options: Options = {}): Promise<FetchedImage> {
  const context = contextWith(options.limits);
  const net = netOf(server, options.net);
  const folder = downloads(net, context);
  onTestFinished(() => folder.remove());
  const wanted = parseWanted(text, { os: 'linux', architecture: 'amd64' });
  return fetchImage(wanted, undefined, { net, downloads: folder, signature: options.signature }, context);
}

/** The pages may name the server that they are on. */
async function site(pages: (origin: string) => Pages): Promise<LocalServer> {
  const later: Record<string, Pages[string]> = {};
  const server = await serve(new Proxy(later, {}));
  Object.assign(later, pages(server.origin));
  return server;
}

const IMAGE = imageBytes({ labels: { version: '1', os: 'linux', arch: 'amd64' } });

describe('fetchImage()', () => {
  test('asks the page of the name, and gets the image from where it says', async () => {
    const server = await site((origin) => ({
      '/app': page(imageTag('127.0.0.1', `${origin}/{name}-{version}-{os}-{arch}.{ext}`)),
      '/127.0.0.1/app-1-linux-amd64.aci': IMAGE,
    }));
    const found = await fetched('127.0.0.1/app:1', server);
    expect(readFileSync(found.file)).toEqual(IMAGE);
    expect(found).toMatchObject({
      place: `${server.origin}/127.0.0.1/app-1-linux-amd64.aci`,
      zone: 'loopback',
    });
    expect(server.requests).toEqual(['/app?ac-discovery=1', '/127.0.0.1/app-1-linux-amd64.aci']);
  });

  test('keeps what it fetched from everybody else, and removes it', async () => {
    const server = await site((origin) => ({ '/': page(imageTag('127.0.0.1', `${origin}/i`)), '/i': IMAGE }));
    const context = contextWith();
    const folder = downloads(netOf(server), context);
    const { file } = await folder.fetch({ url: new URL(`${server.origin}/i`), from: undefined }, { name: 'x' });
    expect(existsSync(file)).toBe(true);
    await folder.remove();
    expect(existsSync(dirname(file))).toBe(false);
  });

  test('goes up the name to the host, where a page is not there or says nothing', async () => {
    const server = await site((origin) => ({
      '/a/b': page(imageTag('127.0.0.1/other', `${origin}/wrong`)),
      '/': page(imageTag('127.0.0.1/a', `${origin}/i`)),
      '/i': imageBytes({ name: '127.0.0.1/a/b/c' }),
    }));
    await fetched('127.0.0.1/a/b/c', server);
    expect(server.requests).toEqual(['/a/b/c', '/a/b', '/a', '/'].map((path) => `${path}?ac-discovery=1`).concat('/i'));
  });

  test('says what was asked where nobody says anything', async () => {
    const server = await serve({ '/': page() });
    const error = await refusalOf(() => fetched('127.0.0.1/a', server));
    expect(error).toMatchObject({ code: 'network/status', status: 6 });
    expect(error?.message).toBe('no server says where 127.0.0.1/a is');
    expect(error?.found).toContain('(and 1 more)');
  });

  test('tries the templates in turn, until one has the image', async () => {
    const server = await site((origin) => ({
      '/app': page(
        imageTag('127.0.0.1', `${origin}/one/{version}.{ext}`),
        imageTag('127.0.0.1', 'hdfs://h.example/{version}.{ext}'),
        imageTag('127.0.0.1', `${origin}/two/{version}.{ext}`),
        imageTag('127.0.0.1', `${origin}/three/{version}.{ext}`),
      ),
      '/two/1.aci': IMAGE,
      '/three/1.aci': IMAGE,
    }));
    expect((await fetched('127.0.0.1/app:1', server)).place).toBe(`${server.origin}/two/1.aci`);
    expect(server.requests.filter((path) => path.startsWith('/three'))).toEqual([]);
  });

  test('says why where no template has it', async () => {
    const server = await site((origin) => ({ '/': page(imageTag('127.0.0.1', `${origin}/{version}.{ext}`)) }));
    const error = await refusalOf(() => fetched('127.0.0.1/app:1', server));
    expect(error).toMatchObject({ code: 'network/status', message: '127.0.0.1/app:1 cannot be fetched' });
  });

  test.each([
    ['another name', { name: '127.0.0.1/other' }],
    ['another version', { labels: { version: '2' } }],
    ['no version', {}],
    ['another architecture', { labels: { version: '1', arch: 'i386' } }],
  ])('refuses an image of %s, and asks nobody else', async (_what, image) => {
    const server = await site((origin) => ({
      '/': page(imageTag('127.0.0.1', `${origin}/a.{ext}`), imageTag('127.0.0.1', `${origin}/b.{ext}`)),
      '/a.aci': imageBytes(image),
      '/b.aci': IMAGE,
    }));
    expect(await refusalOf(() => fetched('127.0.0.1/app:1', server))).toMatchObject({ code: 'appc/name', status: 4 });
    expect(server.requests).not.toContain('/b.aci');
  });

  test('refuses what is no image', async () => {
    const server = await site((origin) => ({
      '/': page(imageTag('127.0.0.1', `${origin}/a.{ext}`)),
      '/a.aci': page(),
    }));
    expect((await refusalOf(() => fetched('127.0.0.1/app:1', server)))?.status).toBeOneOf([3, 4]);
  });

  test('gets the signature from beside the image, and the addresses of keys', async () => {
    const server = await site((origin) => ({
      '/': page(
        imageTag('127.0.0.1', `${origin}/a.{ext}`),
        `<meta name="ac-discovery-pubkeys" content="127.0.0.1 ${origin}/keys.gpg">`,
      ),
      '/a.aci': IMAGE,
      '/a.aci.asc': 'a signature',
    }));
    const found = await fetched('127.0.0.1/app:1', server, { signature: 1000 });
    expect(readFileSync(`${found.file}.asc`, 'utf8')).toBe('a signature');
    expect(found.keys.map(String)).toEqual([`${server.origin}/keys.gpg`]);
    expect(server.requests).not.toContain('/keys.gpg');
  });

  test('an image without a signature has none', async () => {
    const server = await site((origin) => ({ '/': page(imageTag('127.0.0.1', `${origin}/a.{ext}`)), '/a.aci': IMAGE }));
    const { file } = await fetched('127.0.0.1/app:1', server, { signature: 1000 });
    expect(readdirSync(dirname(file))).toEqual(['0.aci']);
  });

  test.each([
    ['that says so', (response: ServerResponse) => void response.end('x'.repeat(2000))],
    ['without end', endless],
  ])('refuses a signature that is too large, by a server %s', async (_what, signature) => {
    const server = await site((origin) => ({
      '/': page(imageTag('127.0.0.1', `${origin}/a.{ext}`)),
      '/a.aci': IMAGE,
      '/a.aci.asc': signature,
    }));
    const error = await refusalOf(() => fetched('127.0.0.1/app:1', server, { signature: 1000 }));
    expect(error?.code).toBe('network/failed');
  });

  test.each([
    ['that says how much it sends', (response: ServerResponse) => void response.end(Buffer.alloc(200_000))],
    ['that sends without end', endless],
  ])('takes no more than the limit from a server %s', async (_what, body) => {
    const server = await site((origin) => ({ '/': page(imageTag('127.0.0.1', `${origin}/a.{ext}`)), '/a.aci': body }));
    const limits = { 'total-bytes': 100_000 };
    const error = await refusalOf(() => fetched('127.0.0.1/app:1', server, { limits }));
    expect(error).toMatchObject({ code: 'limit/total-bytes', status: 4 });
  });

  test('a head without end ends', async () => {
    const server = await serve({
      '/app': (response) => {
        response.write('<html><head>');
        endless(response, '<link>');
      },
      '/': page(),
    });
    expect((await refusalOf(() => fetched('127.0.0.1/app', server)))?.found).toContain('does not end');
  });

  test('a page that never comes takes only the time that pages have', async () => {
    const server = await serve({ '/app': () => {}, '/': () => {} });
    const patience = { answer: 5000, body: 5000, discovery: 300 };
    const started = performance.now();
    const error = await refusalOf(() => fetched('127.0.0.1/app', server, { net: { patience } }));
    expect(error?.code).toBe('network/timeout');
    expect(performance.now() - started).toBeLessThan(3000);
  });

  test('of the places that a page names ten are asked, and how many were not is told', async () => {
    const server = await site((origin) => ({
      '/app': page(...Array.from({ length: 12 }, (_, i) => imageTag('127.0.0.1', `${origin}/${i}.{ext}`))),
      '/10.aci': IMAGE,
    }));
    const error = await refusalOf(() => fetched('127.0.0.1/app:1', server));
    expect(error).toMatchObject({ code: 'network/status', status: 6 });
    expect(error?.found).toMatch(/ \(and 9 more\); 2 more were not asked$/);
    expect(server.requests.filter((path) => path.endsWith('.aci'))).toHaveLength(10);
  });

  test('places that never answer take only the time that all of them have', async () => {
    const server = await site((origin) => ({
      '/app': page(...Array.from({ length: 5 }, (_, i) => imageTag('127.0.0.1', `${origin}/${i}.{ext}`))),
      ...Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`/${i}.aci`, () => {}])),
    }));
    const patience = { answer: 300, body: 5000, discovery: 500 };
    const error = await refusalOf(() => fetched('127.0.0.1/app:1', server, { net: { patience } }));
    expect(error?.code).toBe('network/timeout');
    expect(error?.found).toMatch(/ \(and 1 more\); 3 more were not asked$/);
    expect(server.requests.filter((path) => path.endsWith('.aci'))).toEqual(['/0.aci', '/1.aci']);
  });

  test('an image that has begun to come may take longer than places have to answer, and so may its signature', async () => {
    const server = await site((origin) => ({
      '/app': page(imageTag('127.0.0.1', `${origin}/a.{ext}`)),
      '/a.aci': (response) => {
        response.write(IMAGE.subarray(0, 10));
        setTimeout(() => response.end(IMAGE.subarray(10)), 900);
      },
      '/a.aci.asc': 'a signature',
    }));
    const patience = { answer: 5000, body: 5000, discovery: 500 };
    const { file } = await fetched('127.0.0.1/app:1', server, { net: { patience }, signature: 1000 });
    expect(readFileSync(file)).toEqual(IMAGE);
    expect(readFileSync(`${file}.asc`, 'utf8')).toBe('a signature');
  });

  test.each(['file:///etc/passwd', 'http://169.254.169.254/latest/meta-data/', 'http://10.0.0.1/'])(
    'a page that leads to %s leads nowhere',
    async (location) => {
      const server = await serve({ '/app': redirect(location), '/': redirect(location) });
      const error = await refusalOf(() => fetched('127.0.0.1/app', server));
      expect(error?.status).toBe(6);
    },
  );

  test.each(['http://169.254.169.254/latest/meta-data/{ext}', 'http://10.0.0.1/{ext}', 'http://192.168.0.1/{ext}'])(
    'a template that leads to %s is not followed by a server on this machine',
    async (template) => {
      const server = await serve({ '/app': page(imageTag('127.0.0.1', template)) });
      expect((await refusalOf(() => fetched('127.0.0.1/app', server)))?.code).toBe('network/redirect');
    },
  );

  test('without --insecure plain HTTP is not tried', async () => {
    const server = await serve({ '/app': page() });
    const error = await refusalOf(() => fetched('127.0.0.1/app', server, { net: { insecure: false } }));
    expect(error?.code).toBe('network/failed');
    expect(server.requests).toEqual([]);
  });
});

function endless(response: ServerResponse, piece = 'xxxxxxxxxx'): void {
  const chunk = piece.repeat(1000);
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
}
