/** Sources that are asked for by name: `appc:NAME`, through the library's own face. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PrivateKey } from 'openpgp';
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ConvertOptions, convert, detect, inspect, list } from '../../converters/index.ts';
import { readLayout } from '../cases/layout.ts';
import { scratch } from '../fixtures/peers.ts';
import { imageBytes, imageTag, type LocalServer, type Pages, page, serve } from '../formats/discovery/servers.ts';
import { binaryKeys, NOW, newKey, signed } from '../formats/openpgp/keys.ts';
import { trustFolder } from '../formats/openpgp/trust.ts';
import { refusalOf } from '../formats/support.ts';

/** Everything that is put into a temporary folder is put there. */
let temporary = '';
beforeEach(() => {
  vi.unstubAllEnvs();
  temporary = scratch();
  vi.stubEnv('TMPDIR', temporary);
});

const leftovers = (): readonly string[] => readdirSync(temporary).filter((name) => !name.startsWith('ocix-fixtures-'));

const networkOf = ({ port }: LocalServer): ConvertOptions => ({
  network: {
    insecure: true,
    ports: { https: port, http: port },
    patience: { answer: 5000, body: 5000, discovery: 10_000 },
  },
});

/** A server whose images lie at `/NAME-VERSION.aci`. */
const imagesOn = async (images: Pages): Promise<LocalServer> => {
  const pages: Record<string, Pages[string]> = { ...images };
  const server = await serve(pages);
  pages['/'] = page(
    imageTag('127.0.0.1', `${server.origin}/{name}-{version}.{ext}`),
    `<meta name="ac-discovery-pubkeys" content="127.0.0.1 ${server.origin}/keys.gpg">`,
  );
  return server;
};

const file = (name: string): { name: string; body: Buffer } => ({ name: `rootfs/${name}`, body: Buffer.from(name) });
const app = (version: string, more: Parameters<typeof imageBytes>[0] = {}) =>
  imageBytes({ labels: { version }, files: [file(version)], ...more });

describe('appc:NAME', () => {
  test('is converted, and nothing of it stays behind', async () => {
    const server = await imagesOn({ '/127.0.0.1/app-1.aci': app('1') });
    const out = join(scratch(), 'out');
    const report = await convert('appc:127.0.0.1/app:1', out, networkOf(server));
    expect(report.images).toMatchObject([{ names: ['127.0.0.1/app:1'] }]);
    expect(readLayout(out)).toHaveLength(1);
    expect(leftovers()).toEqual([]);
  });

  test('is listed, looked into and recognised like a file', async () => {
    const server = await imagesOn({ '/127.0.0.1/app-1.aci': app('1') });
    const options = networkOf(server);
    expect((await list('appc:127.0.0.1/app:1', options)).map(({ path }) => path)).toContain('1');
    expect(await inspect('appc:127.0.0.1/app:1', options)).toMatchObject({
      source: { format: 'aci', name: `${server.origin}/127.0.0.1/app-1.aci` },
    });
    expect(await detect('appc:127.0.0.1/app:1', options)).toMatchObject([{ format: 'aci' }]);
    expect(leftovers()).toEqual([]);
  });

  test('brings what it depends on from where that is, unless somebody only looks', async () => {
    const server = await imagesOn({
      '/127.0.0.1/app-1.aci': app('1', {
        dependencies: [{ imageName: '127.0.0.1/base', labels: [{ name: 'version', value: '2' }] }],
      }),
      '/127.0.0.1/base-2.aci': app('2', {
        name: '127.0.0.1/base',
        dependencies: [{ imageName: '127.0.0.1/root' }],
      }),
      '/127.0.0.1/root-latest.aci': imageBytes({ name: '127.0.0.1/root', files: [file('root')] }),
    });
    const paths = (await list('appc:127.0.0.1/app:1', networkOf(server))).map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['1', '2', 'root']));
    expect(leftovers()).toEqual([]);
    const before = server.requests.length;
    const { notes } = await inspect('appc:127.0.0.1/app:1', networkOf(server));
    expect(notes.map(({ message }) => message).join()).toContain('127.0.0.1/base');
    expect(server.requests.slice(before).join()).not.toContain('base');
  });

  test('takes from a folder what is there, and only the rest from elsewhere', async () => {
    const server = await imagesOn({ '/127.0.0.1/base-2.aci': app('2', { name: '127.0.0.1/base' }) });
    const folder = scratch();
    const dependencies = [
      { imageName: '127.0.0.1/base', labels: [{ name: 'version', value: '2' }] },
      { imageName: '127.0.0.1/here' },
    ];
    writeFileSync(join(folder, 'x.aci'), app('1', { dependencies }));
    writeFileSync(join(folder, 'y.aci'), app('3', { name: '127.0.0.1/here' }));
    const options = { ...networkOf(server), dependencies: [folder] };
    const paths = (await list('appc:127.0.0.1/app:1', options)).map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['1', '2', '3']));
    expect(server.requests.filter((path) => path.endsWith('.aci'))).toEqual(['/127.0.0.1/base-2.aci']);
  });

  test('without a version a folder must have one image of that name', async () => {
    const folder = scratch();
    writeFileSync(join(folder, 'one.aci'), app('1'));
    writeFileSync(join(folder, 'same.aci'), app('1'));
    const options = { dependencies: [folder] };
    expect((await list('appc:127.0.0.1/app', options)).map(({ path }) => path)).toContain('1');
    writeFileSync(join(folder, 'two.aci'), app('2'));
    expect(await refusalOf(() => list('appc:127.0.0.1/app', options))).toMatchObject({
      code: 'image/select',
      found: expect.stringContaining('127.0.0.1/app:2'),
    });
    expect((await list('appc:127.0.0.1/app:2', options)).map(({ path }) => path)).toContain('2');
  });

  test('asks for the platform that is wanted', async () => {
    const server = await imagesOn({});
    await refusalOf(() => list('appc:127.0.0.1/app:1', { ...networkOf(server), platform: 'linux/arm64' }));
    const folder = scratch();
    writeFileSync(
      join(folder, 'arm.aci'),
      imageBytes({ labels: { version: '1', arch: 'aarch64' }, files: [file('arm')] }),
    );
    writeFileSync(
      join(folder, 'amd.aci'),
      imageBytes({ labels: { version: '1', arch: 'amd64' }, files: [file('amd')] }),
    );
    const paths = await list('appc:127.0.0.1/app', { dependencies: [folder], platform: 'linux/arm64' });
    expect(paths.map(({ path }) => path)).toContain('arm');
  });

  test('an image that is a file brings nothing from elsewhere', async () => {
    const server = await imagesOn({ '/127.0.0.1/base-latest.aci': imageBytes({ name: '127.0.0.1/base' }) });
    const path = join(scratch(), 'app.aci');
    writeFileSync(path, app('1', { dependencies: [{ imageName: '127.0.0.1/base' }] }));
    const error = await refusalOf(() => list(`aci:${path}`, networkOf(server)));
    expect(error?.code).toBe('appc/dependency');
    expect(server.requests).toEqual([]);
  });

  test('a dependency that a manifest names is not asked for on this machine, unless its server is there', async () => {
    const server = await imagesOn({});
    const folder = scratch();
    writeFileSync(
      join(folder, 'app.aci'),
      app('1', { name: 'example.com/app', dependencies: [{ imageName: '127.0.0.1/base' }] }),
    );
    const options = { ...networkOf(server), dependencies: [folder] };
    expect((await refusalOf(() => list('appc:example.com/app', options)))?.code).toBe('network/redirect');
    expect(server.requests).toEqual([]);
  });

  test('a dependency by id is that image', async () => {
    const server = await imagesOn({
      '/127.0.0.1/app-1.aci': app('1', {
        dependencies: [{ imageName: '127.0.0.1/base', imageID: `sha512-${'0'.repeat(128)}` }],
      }),
      '/127.0.0.1/base-latest.aci': imageBytes({ name: '127.0.0.1/base' }),
    });
    const error = await refusalOf(() => list('appc:127.0.0.1/app:1', networkOf(server)));
    expect(error).toMatchObject({ code: 'digest/mismatch', at: expect.arrayContaining(['127.0.0.1/app']) });
    expect(leftovers()).toEqual([]);
  });

  test('dependencies without end, and in a circle, end', async () => {
    let made = 0;
    const server = await imagesOn({
      '/127.0.0.1/app-1.aci': app('1', { dependencies: [{ imageName: '127.0.0.1/n0' }] }),
      '/127.0.0.1/ring-1.aci': app('1', { name: '127.0.0.1/ring', dependencies: [{ imageName: '127.0.0.1/other' }] }),
      '/127.0.0.1/other-latest.aci': imageBytes({
        name: '127.0.0.1/other',
        dependencies: [{ imageName: '127.0.0.1/ring', labels: [{ name: 'version', value: '1' }] }],
      }),
      ...Object.fromEntries(
        Array.from({ length: 30 }, (_, i) => [
          `/127.0.0.1/n${i}-latest.aci`,
          (response: { end(bytes: Uint8Array): void }) => {
            made++;
            response.end(imageBytes({ name: `127.0.0.1/n${i}`, dependencies: [{ imageName: `127.0.0.1/n${i + 1}` }] }));
          },
        ]),
      ),
    });
    const options = { ...networkOf(server), limits: { layers: 10 } };
    expect((await refusalOf(() => list('appc:127.0.0.1/app:1', options)))?.code).toBe('limit/layers');
    expect(made).toBe(9);
    expect((await refusalOf(() => list('appc:127.0.0.1/ring:1', networkOf(server))))?.code).toBe('appc/dependency');
    expect(leftovers()).toEqual([]);
  });

  test('another image than was asked for is refused, and nothing is written', async () => {
    const server = await imagesOn({ '/127.0.0.1/app-1.aci': app('2') });
    const folder = scratch();
    const out = join(folder, 'out');
    expect(await refusalOf(() => convert('appc:127.0.0.1/app:1', out, networkOf(server)))).toMatchObject({
      code: 'appc/name',
      status: 4,
      at: ['appc:127.0.0.1/app:1', 'manifest', 'label version'],
    });
    expect(readdirSync(folder)).toEqual([]);
    expect(leftovers()).toEqual([]);
  });

  test('an interruption in the middle of it leaves nothing behind', async () => {
    const controller = new AbortController();
    const server = await imagesOn({
      '/127.0.0.1/app-1.aci': (response) => {
        response.writeHead(200).write(app('1'));
        setTimeout(() => controller.abort(), 100);
      },
    });
    const options = { ...networkOf(server), signal: controller.signal };
    const error = await refusalOf(() => convert('appc:127.0.0.1/app:1', join(scratch(), 'out'), options));
    expect(error?.code).toBe('interrupted');
    expect(leftovers()).toEqual([]);
  });
});

describe('appc:NAME with signatures', () => {
  let alice!: PrivateKey;
  let bob!: PrivateKey;
  beforeAll(async () => {
    alice = await newKey();
    bob = await newKey({ name: 'Bob' });
  });

  const trust = (required = true): ConvertOptions => ({
    trust: { required, keyring: [trustFolder({ 'alice.gpg': binaryKeys(alice) })], now: NOW },
  });

  const base = imageBytes({ name: '127.0.0.1/base' });
  const top = app('1', { dependencies: [{ imageName: '127.0.0.1/base' }] });

  test('is checked, and so is what it depends on', async () => {
    const server = await imagesOn({
      '/127.0.0.1/app-1.aci': top,
      '/127.0.0.1/app-1.aci.asc': await signed(alice, top),
      '/127.0.0.1/base-latest.aci': base,
      '/127.0.0.1/base-latest.aci.asc': await signed(alice, base),
    });
    const options = { ...networkOf(server), ...trust() };
    expect((await list('appc:127.0.0.1/app:1', options)).map(({ path }) => path)).toContain('1');
    expect(server.requests.filter((path) => path.endsWith('.asc'))).toHaveLength(2);
    expect(leftovers()).toEqual([]);
  });

  test('a dependency that nobody signed is refused', async () => {
    const server = await imagesOn({
      '/127.0.0.1/app-1.aci': top,
      '/127.0.0.1/app-1.aci.asc': await signed(alice, top),
      '/127.0.0.1/base-latest.aci': base,
    });
    const work = (required: boolean) =>
      refusalOf(() => list('appc:127.0.0.1/app:1', { ...networkOf(server), ...trust(required) }));
    expect((await work(true))?.code).toBe('signature/missing');
    expect(await work(false)).toBeUndefined();
  });

  test('a signature by somebody else is refused, and the keys that the server names are told but not fetched', async () => {
    const image = app('1');
    const server = await imagesOn({
      '/127.0.0.1/app-1.aci': image,
      '/127.0.0.1/app-1.aci.asc': await signed(bob, image),
      '/keys.gpg': binaryKeys(bob),
    });
    const error = await refusalOf(() => list('appc:127.0.0.1/app:1', { ...networkOf(server), ...trust(false) }));
    expect(error?.code).toBe('signature/untrusted');
    expect(error?.hint).toContain(`${server.origin}/keys.gpg`);
    expect(server.requests).not.toContain('/keys.gpg');
  });

  test('a signature over another file is refused', async () => {
    const server = await imagesOn({
      '/127.0.0.1/app-1.aci': app('1'),
      '/127.0.0.1/app-1.aci.asc': await signed(alice, base),
    });
    const error = await refusalOf(() => list('appc:127.0.0.1/app:1', { ...networkOf(server), ...trust() }));
    expect(error?.code).toBe('signature/invalid');
  });

  test('what is here already is checked by the signature beside it', async () => {
    const folder = scratch();
    mkdirSync(join(folder, 'images'));
    const image = join(folder, 'images', 'app.aci');
    writeFileSync(image, app('1'));
    const options = { ...trust(), dependencies: [join(folder, 'images')] };
    expect((await refusalOf(() => list('appc:127.0.0.1/app', options)))?.code).toBe('signature/missing');
    writeFileSync(`${image}.asc`, await signed(alice, app('1')));
    expect((await list('appc:127.0.0.1/app', options)).map(({ path }) => path)).toContain('1');
  });
});
