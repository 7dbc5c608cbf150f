/** Packages and repositories that somebody made to do harm: refused by the command, soon, with nothing written. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { PrivateKey } from 'openpgp';
import { beforeAll, describe, expect, test } from 'vitest';
import { aptRepo, type RepoRecipe } from '../../fixtures/apt-repo.ts';
import { type ArPart, ar, controlTar, dataTar, deb } from '../../fixtures/deb.ts';
import type { TarEntry } from '../../fixtures/tar.ts';
import { ocix, refusalOf } from '../cases/command.ts';
import { scratch } from '../fixtures/peers.ts';
import { clearSigned, newKey } from '../formats/openpgp/keys.ts';
import { expectRefused, SOON } from './attack.ts';

const VERSION: ArPart = { name: 'debian-binary', body: '2.0\n' };
const CONTROL: ArPart = { name: 'control.tar.gz', body: gzipSync(controlTar({})) };
const DATA: ArPart = { name: 'data.tar.gz', body: gzipSync(dataTar({ data: { f: 'F' } })) };

/** Zeros, a thousand times smaller. */
const zeros = (megabytes: number): Buffer => Buffer.alloc(megabytes * 2 ** 20);

describe('a package', () => {
  test('whose files are a bomb is refused', () => {
    const body = gzipSync(dataTar({ data: { bomb: zeros(200) } }), { level: 9 });
    expect(body.length).toBeLessThan(300_000);
    expectRefused({ bytes: ar([VERSION, CONTROL, { ...DATA, body }]), code: 'limit/ratio' });
  });

  test('whose control archive is a bomb is refused, also by who only looks', () => {
    const body = gzipSync(controlTar({ files: { templates: zeros(60) } }), { level: 9 });
    const bytes = ar([VERSION, { ...CONTROL, body }, DATA]);
    expectRefused({ bytes, code: 'limit/control-bytes', commands: ['convert', 'pipe', 'inspect'] });
  });

  test('whose control file has no end is refused', () => {
    const control = `Package: a\nVersion: 1\nArchitecture: all\nDescription: ${'x'.repeat(40 * 2 ** 20)}\n`;
    expectRefused({ bytes: deb({ control }), code: 'limit/control-bytes', commands: ['inspect'] });
  });

  test.each<[string, TarEntry, string]>([
    ['climbs', { name: './../../x', body: 'x' }, 'path/escape'],
    ['climbs by a hard link', { name: './h', type: '1', link: '../../etc/passwd' }, 'path/link'],
  ])('of which an entry %s is refused', (_, entry, code) => {
    expectRefused({ bytes: deb({ entries: [entry] }), code });
  });

  test('that is called after a path is refused', () => {
    expectRefused({ bytes: deb({ fields: { Package: '../../x' } }), code: 'debian/control' });
  });

  test('that brings a database of its own, to hide in, is refused', () => {
    expectRefused({ bytes: deb({ data: { 'var/lib/dpkg/status': 'Package: x\n' } }), code: 'debian/conflict' });
  });
});

describe('a repository', () => {
  let key: PrivateKey;
  beforeAll(async () => {
    key = await newKey();
  });

  const TOYS: RepoRecipe = {
    packages: [{ fields: { Package: 'app', Depends: 'lib' }, data: { f: 'F' } }, { fields: { Package: 'lib' } }],
  };

  interface Lie {
    readonly recipe?: RepoRecipe;
    readonly by?: PrivateKey;
    readonly change?: (files: Map<string, Uint8Array>) => void;
  }

  async function told({ recipe = TOYS, by = key, change }: Lie) {
    const folder = scratch();
    const files = aptRepo(recipe);
    const release = Buffer.from(files.get('dists/stable/Release')!).toString();
    files.delete('dists/stable/Release');
    files.set('dists/stable/InRelease', Buffer.from(await clearSigned(by, release)));
    change?.(files);
    for (const [path, bytes] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
    return run(folder);
  }

  function run(place: string) {
    const folder = scratch();
    const [keys, out, lock] = ['keys.asc', 'out', 'ocix.lock.json'].map((name) => join(folder, name));
    writeFileSync(keys!, key.toPublic().armor());
    const args = ['-q', 'apt:stable/app', out!, '--apt-repo', place, '--apt-keyring', keys!, '--arch', 'amd64'];
    const env = { XDG_CACHE_HOME: join(folder, 'cache') };
    const ended = ocix(['convert', ...args, '--lock', lock!], { env });
    expect(ended.milliseconds).toBeLessThan(SOON);
    return { ended, there: [out, lock].map((path) => existsSync(path!)) };
  }

  test('that lies about nothing is read', async () => {
    const { ended, there } = await told({});
    expect([ended.stderr, ended.status, there]).toEqual(['', 0, [true, true]]);
  });

  test.each<[string, string, (other: PrivateKey) => Lie]>([
    ['that somebody else signed', 'signature/untrusted', (by) => ({ by })],
    [
      'that is past its date',
      'apt/expired',
      () => ({ recipe: { ...TOYS, release: { 'Valid-Until': 'Mon, 08 Jun 2026 00:00:00 UTC' } } }),
    ],
    [
      'whose index is not the one that was signed',
      'size/mismatch',
      () => ({
        change: (files) => void files.set('dists/stable/main/binary-amd64/Packages', Buffer.from('Package: evil\n')),
      }),
    ],
    [
      'that hands out another package',
      'size/mismatch',
      () => ({ change: (files) => void files.set('pool/lib_1.0-1_all.deb', files.get('pool/app_1.0-1_all.deb')!) }),
    ],
    [
      'whose index calls a package by another name',
      'apt/index',
      () => ({ recipe: { ...TOYS, stanza: (text) => text.replace('Version: 1.0-1', 'Version: 9') } }),
    ],
    [
      'whose index leads out of it',
      'path/escape',
      () => ({ recipe: { ...TOYS, stanza: (text) => text.replace('Filename: ', 'Filename: ../../../') } }),
    ],
  ])('%s is refused: %s', async (_, code, lie) => {
    const { ended, there } = await told(lie(await newKey({ name: 'Mallory' })));
    expect([refusalOf(ended).code, ended.status, there]).toEqual([code, 4, [false, false]]);
  });

  test('that is not there is a failure of the network', () => {
    const { ended, there } = run('http://127.0.0.1:9/debian');
    expect([refusalOf(ended).code, ended.status, there]).toEqual(['network/failed', 6, [false, false]]);
  });
});
