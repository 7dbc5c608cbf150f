/** Layers of images that have a path more than once: every path comes out once, and the tree is the one that all entries in a row would give. */
import { describe, expect, test } from 'vitest';
import { aciTar } from '../../../fixtures/aci.ts';
import { type TarEntry, tar } from '../../../fixtures/tar.ts';
import { imageOf } from '../../../formats/appc/index.ts';
import { withoutRepeats } from '../../../formats/appc/repeats.ts';
import { passingKeeper } from '../../../formats/archive/passing-keeper.ts';
import { OcixError } from '../../../formats/base/errors.ts';
import { chunksOf } from '../../../formats/bytes/chunks.ts';
import { digestOf } from '../../../formats/bytes/digest.ts';
import { randomFrom } from '../../fuzz/random.ts';
import { contextWith, cpuTime, READING, refusalOf, sliced, whole } from '../support.ts';
import { scan } from '../tar/scan.ts';
import { catalogOf, fileFrom, layersOf, readAci, readGraph, treeOfLayers } from './images.ts';

/** What comes out of a layer, in two readings that have to agree. */
async function once(...entries: readonly TarEntry[]) {
  const bytes = tar(entries);
  const context = contextWith();
  const open = await withoutRepeats(() => sliced(bytes, 700), context);
  const [first, second] = [await whole(open()), await whole(open())];
  expect(second).toEqual(first);
  expect(treeOfLayers([first])).toEqual(treeOfLayers([bytes]));
  return scan(first).entries.map(({ path, type, link, body }) => ({ path, type, link, body }));
}

describe('the last entry of a path', () => {
  test('is the one that stays of several files', async () => {
    expect(await once({ name: 'a', body: '1' }, { name: 'b', body: 'b' }, { name: './a', body: '22' })).toEqual([
      { path: 'b', type: 'file', link: '', body: 'b' },
      { path: './a', type: 'file', link: '', body: '22' },
    ]);
  });

  test('decides what kind of thing is there', async () => {
    const entries = await once(
      { name: 'a', body: '1' },
      { name: 'a/', mode: 0o700 },
      { name: 'b/' },
      { name: 'b', link: 'a' },
    );
    expect(entries.map(({ path, type }) => [path, type])).toEqual([
      ['a/', 'dir'],
      ['b', 'symlink'],
    ]);
  });

  test('says what a folder is like, which stands where it stood first', async () => {
    const bytes = tar([
      { name: 'd/', mode: 0o755, mtime: 1 },
      { name: 'd/x', body: 'x' },
      { name: 'd/', mode: 0o700, uid: 7, mtime: 99 },
    ]);
    const open = await withoutRepeats(() => chunksOf(bytes), contextWith());
    const { entries } = scan(await whole(open()));
    expect(entries.map(({ path }) => path)).toEqual(['d/', 'd/x']);
    expect(entries[0]).toMatchObject({ mode: 0o700, uid: 7, mtime: '99.000000000' });
  });
});

describe('content that a hard link has', () => {
  test('stays under the name of the link where its own name is taken again', async () => {
    expect(
      await once(
        { name: 'a', body: 'one' },
        { name: 'b', type: '1', link: 'a' },
        { name: 'c', type: '1', link: 'b' },
        { name: 'a', body: 'two' },
      ),
    ).toEqual([
      { path: 'b', type: 'file', link: '', body: 'one' },
      { path: 'c', type: 'hardlink', link: 'b', body: '' },
      { path: 'a', type: 'file', link: '', body: 'two' },
    ]);
  });

  test('goes where nothing leads to it any more', async () => {
    expect(
      await once(
        { name: 'a', body: 'one' },
        { name: 'b', type: '1', link: 'a' },
        { name: 'a', body: 'two' },
        { name: 'b', body: 'three' },
      ),
    ).toEqual([
      { path: 'a', type: 'file', link: '', body: 'two' },
      { path: 'b', type: 'file', link: '', body: 'three' },
    ]);
  });

  test('is linked to once, however often it was said', async () => {
    const link: TarEntry = { name: 'b', type: '1', link: 'a' };
    expect(await once({ name: 'a', body: 'one' }, link, link)).toEqual([
      { path: 'a', type: 'file', link: '', body: 'one' },
      { path: 'b', type: 'hardlink', link: 'a', body: '' },
    ]);
  });
});

describe('what depends on who extracts it is refused:', () => {
  const cases: readonly (readonly [string, readonly TarEntry[]])[] = [
    [
      'a hard link in front of what it links to',
      [
        { name: 'b', type: '1', link: 'a' },
        { name: 'a', body: '1' },
        { name: 'b', body: '2' },
      ],
    ],
    [
      'a file below a link that becomes a folder',
      [{ name: 'd', link: 'e' }, { name: 'd/x', body: '1' }, { name: 'd/' }],
    ],
    [
      'a folder twice, with a link in place of what is above it between',
      [{ name: 'd/x/' }, { name: 'd', link: 'e' }, { name: 'd/x/' }],
    ],
  ];
  test.each(cases)('%s', async (_, entries) => {
    const found = await refusalOf(() => withoutRepeats(() => chunksOf(tar(entries)), contextWith()));
    expect(found).toMatchObject({ code: 'appc/archive' });
  });
});

test('whatever the entries are, they come out with the same tree or not at all, and no path twice', async () => {
  const random = randomFrom('repeats');
  const name = () => random.pick(['a', 'b', 'c', 'd', 'd/x', 'd/y', 'e']);
  const entry = (): TarEntry =>
    random.pick<() => TarEntry>([
      () => ({ name: `${name()}/`, mode: 0o700 + random.below(8) }),
      () => ({ name: name(), type: '1', link: name() }),
      () => ({ name: name(), body: `${random.below(1000)}` }),
      () => ({ name: name(), link: `to${random.below(1000)}` }),
    ])();
  let compared = 0;
  for (let i = 0; i < 2000; i++) {
    const bytes = tar(random.many(2, 7, entry));
    const before = await unlessRefused(() => treeOfLayers([bytes]));
    if (!before) continue; // refused before anybody asks for repeats
    const open = await unlessRefused(() => withoutRepeats(() => chunksOf(bytes), contextWith()));
    if (!open) continue;
    const after = await whole(open());
    const paths = scan(after).entries.map(({ path }) => path.replace(/\/$/, ''));
    expect(new Set(paths).size).toBe(paths.length);
    expect(treeOfLayers([after])).toEqual(before);
    compared++;
  }
  expect(compared).toBeGreaterThan(500);
});

/** A fault is no refusal. */
async function unlessRefused<T>(make: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof OcixError) return undefined;
    throw error;
  }
}

test('folders in folders take time in proportion to their number', async () => {
  const deep = 'x/'.repeat(8000);
  const bytes = tar([
    ...Array.from({ length: 500 }, (_, i) => ({ name: `${deep}${i}`, body: '' })),
    { name: 'a/' },
    { name: 'a/' },
  ]);
  const start = cpuTime();
  await withoutRepeats(() => chunksOf(bytes), contextWith());
  expect(cpuTime() - start).toBeLessThan(3000);
});

test('folders in folders may be deeper than a stack', async () => {
  const deep = 'x/'.repeat(100_000);
  const bytes = tar([
    { name: `${deep}a`, body: '1' },
    { name: `${deep}a`, body: '2' },
  ]);
  const open = await withoutRepeats(() => chunksOf(bytes), contextWith());
  expect(scan(await whole(open())).entries).toMatchObject([{ path: `${deep}a`, body: '2' }]);
});

describe('an image', () => {
  const twice = {
    rootfs: [{ name: 'a', body: '1' }, { name: 'd/' }, { name: 'd/', mode: 0o700 }, { name: 'a', body: '2' }],
  };

  test('with paths twice is a layer with every path once, of which size and digest are known', async () => {
    const { image, notes } = await readAci(twice);
    const [layer] = await layersOf(image);
    expect(scan(layer!).entries.map(({ path }) => path)).toEqual(['./', 'd/', 'a']);
    expect(image.layers[0]).toMatchObject({ diffId: digestOf(layer!), size: layer!.length });
    expect(notes).toHaveLength(2);
  });

  test('that is only looked at and can be read once is refused, since its layer is not what went by', async () => {
    const { manifest, manifestBytes } = await fileFrom(aciTar(twice));
    const open = () => chunksOf(aciTar(twice));
    const file = { place: '-', costly: true, manifest, manifestBytes, open, once: true } as const;
    const read = () => imageOf(file, catalogOf([]), { ...READING, keep: passingKeeper }, contextWith());
    expect(await refusalOf(read)).toMatchObject({ code: 'source/unreadable' });
  });

  test('whose folder takes the place of a link, and is named only after what is in it, is one with its own mode', async () => {
    const { image, notes } = await readGraph({
      a: {
        needs: ['b'],
        rootfs: [
          { name: 'way/new', body: 'n' },
          { name: 'way/', mode: 0o700, uid: 7 },
        ],
      },
      b: { rootfs: [{ name: 'real/' }, { name: 'way', link: 'real' }] },
    });
    const { entries } = scan((await layersOf(image))[1]!);
    expect(entries.map(({ path }) => path)).toContain('way/');
    expect(entries.slice(-2)).toMatchObject([
      { path: 'way/', mode: 0o700, uid: 7 },
      { path: 'way/new', body: 'n' },
    ]);
    expect(notes).toEqual([]);
  });
});
