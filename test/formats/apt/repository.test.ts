/** Repositories: who vouches for them, what is fetched, what is refused. In a folder, and over HTTP. */
import { readdirSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { RepoRecipe } from '../../../fixtures/apt-repo.ts';
import { apt } from '../../../formats/apt/index.ts';
import { createContext } from '../../../formats/base/context.ts';
import { scratch } from '../../fixtures/peers.ts';
import { clearSigned, newKey } from '../openpgp/keys.ts';
import { codeOf, READING, refusalOf } from '../support.ts';
import { ALL, type Changes, filesOf, key, keyring, read, repo, TOYS } from './toys.ts';

/** One bit of a file. */
function changed(files: Map<string, Uint8Array>, path: string): void {
  const bytes = new Uint8Array(files.get(path)!);
  bytes[bytes.length - 2]! ^= 1;
  files.set(path, bytes);
}

describe('a repository in a folder', () => {
  test.each(['inline', 'detached'] as const)(
    'with its signature %s gives packages and what they need',
    async (form) => {
      const { packages, decision } = await read(await repo(TOYS, { form }));
      expect(packages).toBe(ALL);
      expect(decision?.why('lib')).toEqual(['app 1.0-1 was asked for', 'app 1.0-1 depends on lib: lib 2:1.0']);
      expect(decision?.why('other')).toBeUndefined();
    },
  );

  test('can be named by its codename, by a version, and by a list of repositories', async () => {
    const place = await repo(TOYS, {
      change: (files) => void [...files].map(([path, bytes]) => files.set(path.replace('/stable/', '/toy/'), bytes)),
    });
    expect((await read(place, {}, 'toy/lib=2:1.0')).packages).toBe('{"lib":"2:1.0"}');
    const list = join(scratch(), 'toys.list');
    writeFileSync(
      list,
      `# toys\ndeb [signed-by=${keyring()}] file://${place} stable main\ndeb-src ${place} stable main\n`,
    );
    expect((await read(list, { keyrings: [] })).packages).toBe(ALL);
  });

  test('of backports counts only where it is named itself', async () => {
    const place = await repo();
    const newer = { packages: [{ fields: { Package: 'lib', Version: '3:1' } }] };
    const backports = await repo(
      { ...newer, release: { Suite: 'stable-backports', Codename: undefined, NotAutomatic: 'yes' } },
      {
        change: (files) =>
          void [...files].map(([path, bytes]) => files.set(path.replace('/stable/', '/stable-backports/'), bytes)),
      },
    );
    const list = join(scratch(), 'toys.list');
    writeFileSync(list, `deb file://${place} stable main\ndeb file://${backports} stable-backports main\n`);
    expect((await read(list)).packages).toBe(ALL);
    expect((await read(list, {}, 'stable-backports/lib')).packages).toBe('{"lib":"3:1"}');
  });

  test.each<[string, RepoRecipe, Changes, string]>([
    ['nobody signed', TOYS, { form: 'unsigned' }, 'signature/missing'],
    [
      'somebody changed after it was signed',
      TOYS,
      {
        form: 'detached',
        change: (files) =>
          void files.set(
            'dists/stable/Release',
            Buffer.concat([files.get('dists/stable/Release')!, Buffer.from('X: y\n')]),
          ),
      },
      'signature/invalid',
    ],
    ['has no such suite', TOYS, { change: (files) => void files.delete('dists/stable/InRelease') }, 'apt/release'],
    ['hands out another suite', { ...TOYS, release: { Suite: 'old', Codename: 'older' } }, {}, 'apt/release'],
    ['is past its date', { ...TOYS, release: { 'Valid-Until': 'Mon, 08 Jun 2026 00:00:00 UTC' } }, {}, 'apt/expired'],
    ['comes from the future', { ...TOYS, release: { Date: 'Tue, 01 Jun 2027 00:00:00 UTC' } }, {}, 'apt/expired'],
    ['does not say when it was made', { ...TOYS, release: { Date: undefined } }, {}, 'apt/release'],
    ['lists nothing with SHA-256', { ...TOYS, release: { SHA256: undefined, MD5Sum: '\n 00 1 x' } }, {}, 'apt/release'],
    ['lists a path that climbs', { ...TOYS, release: { SHA256: `\n ${'0'.repeat(64)} 1 ../x` } }, {}, 'path/escape'],
    ['has no such component', { ...TOYS, release: { Components: 'other' } }, {}, 'apt/release'],
    [
      'has another index than it lists',
      TOYS,
      { change: (files) => void files.set('dists/stable/main/binary-amd64/Packages', Buffer.from('Package: evil\n')) },
      'size/mismatch',
    ],
    [
      'has another index of the same length',
      TOYS,
      { change: (files) => changed(files, 'dists/stable/main/binary-amd64/Packages') },
      'digest/mismatch',
    ],
    [
      'has another package of the same length',
      TOYS,
      { change: (files) => changed(files, 'pool/lib_1.0_all.deb') },
      'digest/mismatch',
    ],
    [
      'was signed by somebody else',
      TOYS,
      {
        form: 'unsigned',
        change: async (files) => {
          const text = Buffer.from(files.get('dists/stable/Release')!).toString();
          files.set('dists/stable/InRelease', Buffer.from(await clearSigned(await newKey(), text)));
        },
      },
      'signature/untrusted',
    ],
    [
      'has text behind what was signed',
      TOYS,
      {
        change: (files) =>
          void files.set(
            'dists/stable/InRelease',
            Buffer.concat([files.get('dists/stable/InRelease')!, Buffer.from('Suite: stable\n')]),
          ),
      },
      'signature/invalid',
    ],
    [
      'has no index',
      TOYS,
      {
        change: (files) =>
          void [...files.keys()].filter((path) => path.includes('Packages')).map((path) => files.delete(path)),
      },
      'apt/index',
    ],
    [
      'has another package than it lists',
      TOYS,
      { change: (files) => void files.set('pool/lib_1.0_all.deb', files.get('pool/app_1.0-1_all.deb')!) },
      'size/mismatch',
    ],
    ['does not have a package', TOYS, { change: (files) => void files.delete('pool/lib_1.0_all.deb') }, 'apt/index'],
    [
      'lists a package under another name',
      {
        ...TOYS,
        stanza: (text) => text.replace('Package: lib\n', 'Package: lib\n').replace('Version: 2:1.0', 'Version: 3:1.0'),
      },
      {},
      'apt/index',
    ],
    ['lacks what is needed', { packages: [TOYS.packages[0]!] }, {}, 'debian/unmet'],
  ])('is refused where it %s', async (_, recipe, changes, code) => {
    const place = await repo(recipe, changes);
    expect(await codeOf(() => read(place))).toBe(code);
  });

  test('is past its date only where that counts', async () => {
    const place = await repo({ ...TOYS, release: { 'Valid-Until': 'Mon, 08 Jun 2026 00:00:00 UTC' } });
    const list = join(scratch(), 'snapshot.sources');
    writeFileSync(
      list,
      `Types: deb\nURIs: ${place}\nSuites: stable\nComponents: main\nSigned-By: ${keyring()}\nCheck-Valid-Until: no\n`,
    );
    expect((await read(list)).packages).toBe(ALL);
  });

  test('is trusted for no key but those that the user gives', async () => {
    const place = await repo(TOYS, {
      change: (files) => void files.set('key.asc', Buffer.from(key.toPublic().armor())),
    });
    expect(await codeOf(() => read(place, { keyrings: [] }))).toBe('signature/untrusted');
  });
});

describe('a lock file', () => {
  test('makes the next run the same, without an index', async () => {
    const place = await repo();
    const first = await read(place);
    const { lock } = first.decision!;
    const second = await read(await repo({ packages: [] }), { lock: { text: lock } });
    expect(second.ids).toEqual(first.ids);
    expect(second.decision).toBeUndefined();
  });

  test.each<[string, (lock: string) => string, string]>([
    ['of something else', (lock) => lock.replace('stable/app', 'stable/other'), 'apt/lock'],
    ['of another version', (lock) => lock.replace('"ocix": 1', '"ocix": 2'), 'apt/lock'],
    ['with a package that is not complete', (lock) => lock.replace('"path":', '"p":'), 'apt/lock'],
    ['with another digest', (lock) => lock.replace(/sha256:..../, 'sha256:0000'), 'digest/mismatch'],
    ['with a path that climbs', (lock) => lock.replace('"path": "pool/', '"path": "../'), 'path/escape'],
    ['that is no document', () => 'x', 'json/syntax'],
  ])('%s is refused', async (_, change, code) => {
    const place = await repo();
    const { lock } = (await read(place)).decision!;
    expect(await codeOf(() => read(place, { lock: { text: change(lock!) } }))).toBe(code);
  });
});

describe('a repository over HTTP', () => {
  const servers: Server[] = [];
  afterEach(() => void servers.splice(0).map((server) => server.closeAllConnections()));
  afterAll(() => void servers.map((server) => server.close()));

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const served =
    (files: ReadonlyMap<string, Uint8Array>, asked: string[] = []): RequestListener =>
    ({ url = '', headers }, response) => {
      const bytes = files.get(decodeURIComponent(url).slice(1));
      const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
      asked.push(from ? `${url} from ${from}` : url);
      if (!bytes) response.writeHead(404).end();
      else if (from)
        response
          .writeHead(206, { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` })
          .end(bytes.subarray(from));
      else response.end(bytes);
    };

  test('is fetched once, and kept', async () => {
    const asked: string[] = [];
    const place = await serve(served(await filesOf(TOYS, {}), asked));
    const cache = scratch();
    const first = await read(place, { cache });
    expect(first.packages).toBe(ALL);
    const before = asked.length;
    expect((await read(place, { cache })).ids).toEqual(first.ids);
    expect(asked.slice(before)).toEqual(['/dists/stable/InRelease']);
    expect(readdirSync(join(cache, 'sha256')).some((name) => name.includes('part'))).toBe(false);
  });

  test('is fetched by digest where it offers that', async () => {
    const files = await filesOf({ ...TOYS, release: { 'Acquire-By-Hash': 'yes' } }, {});
    const asked: string[] = [];
    expect((await read(await serve(served(files, asked)))).packages).toBe(ALL);
    expect(asked.some((url) => url.includes('/by-hash/SHA256/'))).toBe(true);
  });

  test('goes on where it was cut off', async () => {
    const files = await filesOf(TOYS, {});
    const asked: string[] = [];
    const whole = served(files, asked);
    let cut = true;
    const place = await serve((request, response) => {
      if (!cut || !request.url?.includes('lib_')) return whole(request, response);
      cut = false;
      const bytes = files.get('pool/lib_1.0_all.deb')!;
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 200), () => setTimeout(() => response.destroy(), 50));
    });
    const cache = scratch();
    expect(await codeOf(() => read(place, { cache }))).toBe('network/failed');
    expect((await read(place, { cache })).packages).toBe(ALL);
    expect(asked.find((url) => url.includes('lib_'))).toBe('/pool/lib_1.0_all.deb from 200');
  });

  test.each<[string, RequestListener, string]>([
    ['fails', (_, response) => void response.writeHead(500).end(), 'network/status'],
    ['leads in circles', (_, response) => void response.writeHead(302, { location: '/x' }).end(), 'network/status'],
    [
      'leads to a file of this machine',
      (_, response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
      'network/status',
    ],
    [
      'sends without an end',
      (_, response) => {
        const more = (): void => void (response.destroyed || response.write(Buffer.alloc(2 ** 20), more));
        more();
      },
      'size/mismatch',
    ],
  ])('that %s is refused', async (_, listener, code) => {
    const place = await serve(listener);
    expect(await codeOf(() => read(place))).toBe(code);
  });

  test('that is not there is named', async () => {
    const refusal = await refusalOf(() => read('http://127.0.0.1:9'));
    expect([refusal?.code, refusal?.status]).toEqual(['network/failed', 6]);
  });

  test('that lacks one of many packages is not asked for all the others', async () => {
    const names = Array.from({ length: 60 }, (_, i) => `lib${i}`);
    const packages = [{ Package: 'app', Depends: names.join(', ') }, ...names.map((Package) => ({ Package }))];
    const files = await filesOf({ packages: packages.map((fields) => ({ fields })) }, {});
    const asked: string[] = [];
    const without = new Map([...files].filter(([path]) => !path.startsWith('pool/') || !/lib[01]_/.test(path)));
    expect(await codeOf(async () => read(await serve(served(without, asked))))).toBe('apt/index');
    expect(asked.filter((url) => url.startsWith('/pool/')).length).toBeLessThan(30);
  });

  test('that sends more than it promised is refused, and nothing is kept', async () => {
    const files = await filesOf(TOYS, {});
    const cache = scratch();
    const place = await serve((request, response) => {
      if (!request.url?.includes('lib_')) return served(files)(request, response);
      return void response.end(Buffer.concat([files.get('pool/lib_1.0_all.deb')!, Buffer.alloc(1000)]));
    });
    expect(await codeOf(() => read(place, { cache }))).toBe('size/mismatch');
    expect(readdirSync(join(cache, 'sha256')).some((name) => name.includes('part'))).toBe(false);
  });
});

test.each(['app', 'stable/', '/app', '../x/app', 'stable/a b', 'stable/app=', 'stable/-x'])(
  'apt:%s names nothing',
  async (text) => {
    expect(['usage/argument', 'debian/version']).toContain(await codeOf(() => read(scratch(), {}, text)));
  },
);

test('without a repository there is nothing to read', async () => {
  expect(await codeOf(() => apt.read('stable/app', createContext(), READING))).toBe('usage/option');
});
