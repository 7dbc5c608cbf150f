/** Pages of other people, and images over HTTPS, with certificates that openssl made. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { list } from '../../converters/index.ts';
import { chunksOf } from '../../formats/bytes/chunks.ts';
import { readHead } from '../../formats/discovery/head.ts';
import { endpointsFor, keysFor } from '../../formats/discovery/template.ts';
import { parseWanted } from '../../formats/discovery/wanted.ts';
import { runPeer, scratch, withPeer } from '../fixtures/peers.ts';
import {
  answer,
  imageBytes,
  imageTag,
  listening,
  type Pages,
  page,
  redirect,
  serve,
} from '../formats/discovery/servers.ts';
import { refusalOf } from '../formats/support.ts';

const PAGES = join(import.meta.dirname, '../../../shared/corpus/appc/manifests/discovery');

describe.skipIf(!existsSync(PAGES))('the pages that the specification is tested with', () => {
  const long = 'https://storage.example.com/example.com/myapp-1.0.0-linux-amd64.aci';
  const short = 'https://storage.example.com/example.com/myapp-1.0.0.aci';
  test.each([
    ['meta01.html', [long], 1],
    ['meta02.html', [long], 0],
    ['meta03.html', [], 1],
    ['meta04.html', [long.replace('storage', 'another.storage')], 1],
    ['meta05.html', [long, short], 1],
    ['meta06.html', [long, short], 1],
  ])('%s', async (name, images, keys) => {
    const { tags } = await readHead(chunksOf(readFileSync(join(PAGES, name))));
    const wanted = parseWanted('example.com/myapp:1.0.0', { os: 'linux', architecture: 'amd64' });
    expect(endpointsFor(tags, wanted).map(({ image }) => image.href)).toEqual(images);
    expect(keysFor(tags, wanted)).toHaveLength(keys);
  });
});

const testWithOpenssl = withPeer('openssl');

/** A key and a certificate for `localhost`, which vouches for itself. */
function certificate(): { readonly key: Buffer; readonly cert: Buffer; readonly file: string } {
  const folder = scratch();
  const [key, file] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  runPeer({ tool: 'openssl', args: ['req', '-x509', ...made, ...subject, '-keyout', key, '-out', file] });
  return { key: readFileSync(key), cert: readFileSync(file), file };
}

async function secure(pages: (origin: string) => Pages) {
  const { key, cert, file } = certificate();
  const found: { pages: Pages } = { pages: {} };
  const server = await listening(createServer({ key, cert }, (...exchange) => answer(found.pages, ...exchange)));
  const { port } = server.address() as AddressInfo;
  found.pages = pages(`https://localhost:${port}`);
  const patience = { answer: 5000, body: 5000, discovery: 10_000 };
  return { file, network: { ca: cert.toString(), ports: { https: port, http: port }, patience } };
}

const IMAGE = imageBytes({ name: 'localhost/app', labels: { version: '1' }, files: [{ name: 'rootfs/found' }] });
const site = (origin: string): Pages => ({
  '/app': page(imageTag('localhost', `${origin}/{version}.{ext}`)),
  '/1.aci': IMAGE,
});

testWithOpenssl('an image comes over HTTPS, by a server whose certificate is trusted', async () => {
  const { network } = await secure(site);
  expect((await list('appc:localhost/app:1', { network })).map(({ path }) => path)).toContain('found');
});

testWithOpenssl('a certificate that nobody vouches for is refused, whether or not --insecure is given', async () => {
  const { network } = await secure(site);
  for (const insecure of [false, true]) {
    const error = await refusalOf(() =>
      list('appc:localhost/app:1', { network: { ...network, ca: undefined, insecure } }),
    );
    expect(error?.code).toBe('network/failed');
  }
});

testWithOpenssl('a certificate for another name is refused', async () => {
  const { network } = await secure(site);
  expect((await refusalOf(() => list('appc:127.0.0.1/app:1', { network })))?.found).toContain('ALTNAME');
});

testWithOpenssl('a server does not lead from HTTPS to plain HTTP, unless --insecure is given', async () => {
  const plain = await serve({ '/1.aci': IMAGE });
  const leading: Record<string, (origin: string) => Pages> = {
    'by a redirect': (origin) => ({ ...site(origin), '/1.aci': redirect(`${plain.origin}/1.aci`) }),
    'by a template': () => ({ '/app': page(imageTag('localhost', `${plain.origin}/{version}.{ext}`)) }),
  };
  for (const [how, pages] of Object.entries(leading)) {
    const { network } = await secure(pages);
    const error = await refusalOf(() => list('appc:localhost/app:1', { network }));
    expect([how, error?.code, plain.requests]).toEqual([how, 'network/redirect', []]);
    const paths = (await list('appc:localhost/app:1', { network: { ...network, insecure: true } })).map(
      ({ path }) => path,
    );
    expect(paths).toContain('found');
    (plain.requests as string[]).length = 0;
  }
});

testWithOpenssl('NODE_EXTRA_CA_CERTS names certificates to trust', async () => {
  const { file, network } = await secure(site);
  const library = join(import.meta.dirname, '../../dist/index.js');
  const script = join(scratch(), 'list.mjs');
  const { ca: _, ...rest } = network;
  writeFileSync(
    script,
    `import { list } from ${JSON.stringify(library)};\nconsole.log((await list('appc:localhost/app:1', ${JSON.stringify({ network: rest })})).length > 0);\n`,
  );
  const child = spawn(process.execPath, [script], { env: { ...process.env, NODE_EXTRA_CA_CERTS: file } });
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  await new Promise((resolve) => child.on('close', resolve));
  expect(text).toBe('true\n');
});
