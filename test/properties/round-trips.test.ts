/** Trees made by chance go through every format that is both written and read, and come back entry for entry. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { convert, diff, list, unpack } from '../../converters/index.ts';
import { aciTar, leastApp } from '../../fixtures/aci.ts';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { type TarEntry, tar } from '../../fixtures/tar.ts';
import { scratch } from '../fixtures/peers.ts';
import { asRoot, diskTree } from '../formats/rootfs/disk.ts';
import { type Random, randomFrom } from '../fuzz/random.ts';

const COUNT = 12;
const PARTS = ['a', 'b', 'c', 'bin', 'grün', 'with space', '-dash', '\\back', 'x'.repeat(120)];

/** What stands at a path, as the recipe of an entry and as `ls` says it. */
interface Made {
  readonly entry: TarEntry;
  readonly listed: Readonly<Record<string, unknown>>;
}

/** A tree by path; each folder has its entry, so nothing is implied. */
function treeFrom(random: Random): ReadonlyMap<string, Made> {
  const tree = new Map<string, Made>();
  const folders = [''];
  const files: string[] = [];
  for (const name of random.many(3, 25, () => random.pick(PARTS))) {
    const above = random.pick(folders);
    const path = above ? `${above}/${name}` : name;
    if (tree.has(path)) continue;
    const type = random.pick([
      'dir',
      'dir',
      'file',
      'file',
      'file',
      'symlink',
      'fifo',
      files.length ? 'hardlink' : 'file',
    ]);
    tree.set(path, madeFrom(path, type, files, tree, random));
    if (type === 'dir') folders.push(path);
    if (type === 'file') files.push(path);
  }
  return tree;
}

function madeFrom(
  path: string,
  type: string,
  files: readonly string[],
  tree: ReadonlyMap<string, Made>,
  random: Random,
): Made {
  if (type === 'hardlink') {
    const target = random.pick(files);
    const { entry, listed } = tree.get(target)!;
    // The content and attributes are those of the file.
    return { entry: { ...entry, name: path, type: '1', link: target, body: '', pax: [] }, listed };
  }
  const mode = type === 'symlink' ? 0o777 : random.below(0o10000);
  const [uid, gid] = [random.pick([0, 1000, 2 ** 31]), random.pick([0, 44, 2 ** 32 - 2])];
  const mtime = `${random.below(2 ** 31)}.${String(1 + random.below(999_999_998)).padStart(9, '0')}`;
  const link = random.pick(['a', '../b', '/etc/passwd', 'y'.repeat(300)]);
  const body = random.bytes(random.pick([0, 1, 512, 3000]));
  const value = random.bytes(5);
  const xattrs = type === 'file' && random.chance(0.3);
  return {
    entry: {
      name: type === 'dir' ? `${path}/` : path,
      type: { dir: '5', file: '0', symlink: '2', fifo: '6' }[type]!,
      mode,
      uid,
      gid,
      mtime,
      ...(type === 'symlink' ? { link } : {}),
      ...(type === 'file' ? { body } : {}),
      ...(xattrs ? { pax: [['SCHILY.xattr.user.made', value] as const] } : {}),
    },
    listed: {
      type,
      mode: mode.toString(8).padStart(4, '0'),
      uid,
      gid,
      mtime,
      ...(type === 'symlink' ? { link } : {}),
      ...(type === 'file' ? { size: body.length } : {}),
      ...(xattrs ? { xattrs: { 'user.made': value.toString('base64') } } : {}),
    },
  };
}

/** By path, without what only says which name of a file came first. */
async function listedIn(source: string): Promise<ReadonlyMap<string, unknown>> {
  const entries = await list(source);
  return new Map(entries.filter(({ path }) => path !== '.').map(({ path, ...rest }) => [path, rest]));
}

function expectTree(found: ReadonlyMap<string, unknown>, tree: ReadonlyMap<string, Made>): void {
  expect([...found.keys()].sort()).toEqual([...tree.keys()].sort());
  for (const [path, { entry, listed }] of tree) {
    const seen = found.get(path) as Readonly<Record<string, unknown>>;
    // Which name of a file is the link is the order's choice.
    if (entry.type === '1' || seen['type'] === 'hardlink') continue;
    expect([path, seen]).toEqual([path, expect.objectContaining(listed)]);
  }
}

describe.each(Array.from({ length: COUNT }, (_, number) => number))('tree %i', (number) => {
  const tree = treeFrom(randomFrom('round trips', number));
  const entries = [...tree.values()].map(({ entry }) => entry);

  test('goes from format to format without a difference', async () => {
    const folder = scratch();
    const first = join(folder, 'first.tar');
    writeFileSync(first, dockerSave({ layers: [tar(entries)], tags: ['app:1'] }, { generation: '1.10' }));
    expectTree(await listedIn(first), tree);
    let before = first;
    for (const to of ['oci', 'oci-archive', 'docker-archive', 'oci']) {
      const out = join(folder, `${to}-${before.length}`);
      await convert(before, out, { to, ...(to === 'oci' ? { compress: 'zstd' } : {}) });
      expect([to, (await diff(before, out)).differences]).toEqual([to, []]);
      before = out;
    }
    await convert(before, join(folder, 'flat.tar'), { to: 'tar' });
    expectTree(await listedIn(`tar:${join(folder, 'flat.tar')}`), tree);
  });

  test('comes out of an App Container Image', async () => {
    const source = join(scratch(), 'app.aci');
    writeFileSync(source, aciTar({ manifest: { app: leastApp() }, rootfs: entries }));
    expectTree(await listedIn(source), tree);
  });

  asRoot('is the same on a disk by way of an image and of a plain tar', async () => {
    const folder = scratch();
    const [image, plain, bundle] = ['image', 'plain', 'bundle'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(`${plain}.tar`, tar(entries));
    writeFileSync(
      `${image}.tar`,
      dockerSave(
        { layers: [tar(entries)], tags: ['app:1'], config: { config: { Cmd: ['/x'] } } },
        { generation: '25' },
      ),
    );
    await unpack(`tar:${plain}.tar`, plain);
    await unpack(`${image}.tar`, image);
    await convert(`${image}.tar`, bundle, { to: 'bundle' });
    const found = diskTree(image);
    expect([...found.keys()].filter((path) => path !== '.').length).toBe(tree.size);
    expect(diskTree(plain)).toEqual(found);
    // What a bundle adds are the places of its mounts.
    const inBundle = diskTree(join(bundle, 'rootfs'));
    for (const [path, one] of found) if (path !== '.') expect([path, inBundle.get(path)]).toEqual([path, one]);
  });
});
