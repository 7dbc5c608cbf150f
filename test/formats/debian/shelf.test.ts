/** Folders of packages: what is taken from them, and why. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type DebRecipe, deb } from '../../../fixtures/deb.ts';
import { createContext } from '../../../formats/base/context.ts';
import { noteList } from '../../../formats/base/notes.ts';
import { folderSource } from '../../../formats/bytes/folder.ts';
import { bytesSource } from '../../../formats/bytes/source.ts';
import { deb as reader } from '../../../formats/debian/index.ts';
import { imagesOf } from '../../../formats/model/image.ts';
import type { Decision, Repositories } from '../../../formats/model/reader.ts';
import { scratch } from '../../fixtures/peers.ts';
import { codeOf, READING, refusalOf } from '../support.ts';

type Fields = Readonly<Record<string, string>>;

const toy = (Package: string, fields: Fields = {}): DebRecipe => ({ fields: { Package, ...fields } });

function folder(files: Readonly<Record<string, DebRecipe | string>>): string {
  const root = scratch();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), typeof content === 'string' ? content : deb(content));
  }
  return root;
}

async function read(given: readonly DebRecipe[], folders: readonly string[], options: Partial<Repositories> = {}) {
  const notes = noteList();
  const context = createContext({ notes, host: { os: 'linux', architecture: 'amd64' } });
  const sources = [
    ...given.map((recipe, i) => bytesSource(`${i}.deb`, deb(recipe))),
    ...(await Promise.all(folders.map((name) => folderSource(name, { depth: 8, names: 1000 })))),
  ];
  let decision: Decision | undefined;
  const repositories: Repositories = {
    places: [],
    keyrings: [],
    cache: '',
    now: new Date(0),
    decided: (one) => {
      decision = one;
    },
    ...options,
  };
  const opened = await reader.read(sources, context, { ...READING, repositories });
  await opened.close();
  const [image] = imagesOf(opened.items);
  const versions = JSON.parse(image!.config.labels.get('io.ocix.deb.packages')!) as Fields;
  const packages = Object.entries(versions).map(([name, version]) => `${name}=${version}`);
  return { packages: packages.join(' '), notes: notes.all().map(({ message }) => message), decision, image: image! };
}

describe('a folder beside packages', () => {
  test('gives what they need, the newest that fits, and nothing else', async () => {
    const place = folder({
      'pool/b/b_1.deb': toy('b', { Version: '1' }),
      'pool/b/b_2.deb': toy('b', { Version: '2', Depends: 'c' }),
      'pool/b/b_3.deb': toy('b', { Version: '3' }),
      'c.deb': toy('c'),
      'other.deb': toy('other'),
      'notes.txt': 'no package',
    });
    const { packages, notes, decision } = await read([toy('a', { Depends: 'b (<< 3)' })], [place]);
    expect(packages).toBe('a=1.0-1 b=2 c=1.0-1');
    expect(notes).toEqual([]);
    expect(decision?.why('c')).toEqual([
      'a 1.0-1 was asked for',
      'a 1.0-1 depends on b (<< 3): b 2',
      'b 2 depends on c: c 1.0-1',
    ]);
    expect(decision?.lock).toBeUndefined();
  });

  test('that lacks something is an error that says who needs it', async () => {
    const place = folder({ 'b.deb': toy('b', { Depends: 'c' }) });
    expect(await refusalOf(() => read([toy('a', { Depends: 'b' })], [place]))).toMatchObject({
      code: 'debian/unmet',
      message: 'b depends on c, which cannot be had',
      at: ['a 1.0-1', 'b 1.0-1'],
      status: 4,
    });
  });

  test('gives no other version of a package that was given', async () => {
    const place = folder({ 'a.deb': toy('a', { Version: '9' }), 'b.deb': toy('b', { Depends: 'a' }) });
    expect((await read([toy('a', { Depends: 'b' })], [place])).packages).toBe('a=1.0-1 b=1.0-1');
  });

  test('puts nothing in the place of a package that was given', async () => {
    const place = folder({ 'c.deb': toy('c', { Provides: 'b' }) });
    const given = [toy('a', { Conflicts: 'b (= 1.0-1)' }), toy('b')];
    expect(await codeOf(() => read(given, [place]))).toBe('debian/unmet');
  });

  test('gives packages of the same architecture, and what a system cannot be without where that is wanted', async () => {
    const place = folder({
      'b-arm64.deb': toy('b', { Architecture: 'arm64' }),
      'b-amd64.deb': toy('b', { Architecture: 'amd64', Version: '0' }),
      'e.deb': toy('e', { Essential: 'yes' }),
    });
    const a = toy('a', { Architecture: 'amd64', Depends: 'b' });
    expect((await read([a], [place])).packages).toBe('a=1.0-1 b=0');
    expect((await read([a], [place], { essential: true })).packages).toBe('a=1.0-1 b=0 e=1.0-1');
  });

  test('with a package twice says which was taken', async () => {
    const place = folder({ 'x.deb': toy('b'), 'y.deb': toy('b', { Description: 'another' }), 'z.deb': toy('c') });
    const { notes } = await read([toy('a', { Depends: 'b' })], [place]);
    expect(notes).toEqual([`${place}/x.deb is taken, and not ${place}/y.deb`]);
  });

  test('with a package that is damaged is refused, and so is a link that leads out of it', async () => {
    const place = folder({ 'x.deb': '!<arch>\ndebian-binary' });
    expect((await refusalOf(() => read([toy('a')], [place])))?.at).toContain(`${place} > x.deb`);
    const out = folder({ 'x.deb': toy('x') });
    const linked = folder({});
    symlinkSync(join(out, 'x.deb'), join(linked, 'x.deb'));
    expect(await codeOf(() => read([toy('a')], [linked]))).toBe('path/escape');
  });
});

describe('a folder alone', () => {
  test('is all of its packages, the newest version of each', async () => {
    const place = folder({
      'b_1.deb': toy('b', { Version: '1' }),
      'b_10.deb': toy('b', { Version: '10' }),
      'b_9.deb': toy('b', { Version: '9' }),
      'a.deb': toy('a', { Depends: 'none' }),
    });
    const { packages, notes } = await read([], [place, folder({ 'c.deb': toy('c') })]);
    expect(packages).toBe('a=1.0-1 b=10 c=1.0-1');
    expect(notes).toEqual(['it depends on none, which is not among the packages']);
  });

  test('with packages that conflict is refused', async () => {
    const place = folder({ 'a.deb': toy('a', { Conflicts: 'b' }), 'b.deb': toy('b') });
    expect(await codeOf(() => read([], [place]))).toBe('debian/conflict');
  });

  test('is read for one architecture: the one that is named, or that of this machine', async () => {
    const place = folder({
      'a-amd64.deb': toy('a', { Architecture: 'amd64' }),
      'a-arm64.deb': toy('a', { Architecture: 'arm64', Version: '2' }),
      'b.deb': toy('b'),
    });
    const own = await read([], [place]);
    expect([own.packages, own.image.config.platform.architecture]).toEqual(['a=1.0-1 b=1.0-1', 'amd64']);
    expect(own.notes).toEqual(['packages for other architectures than amd64 are left out: 1']);
    expect((await read([], [place], { architecture: 'arm64' })).packages).toBe('a=2 b=1.0-1');
  });

  test('without a package is no image', async () => {
    expect(await codeOf(() => read([], [folder({ 'x.txt': 'x' })]))).toBe('usage/argument');
  });
});
