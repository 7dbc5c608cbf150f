/** Path whitelists: by the specification, as rkt had it, and where the two differ. */
import { describe, expect, test } from 'vitest';
import type { GraphNode } from '../../../fixtures/aci.ts';
import type { TarEntry } from '../../../fixtures/tar.ts';
import { layersOf, readGraph, treeOf } from './images.ts';

type Graph = Readonly<Record<string, GraphNode>>;

async function paths(graph: Graph, compatible = false): Promise<readonly string[]> {
  return Object.keys(await treeOf((await readGraph(graph, { compatible })).image));
}

/** An image alone. */
const own = async (pathWhitelist: readonly string[], rootfs: readonly TarEntry[]) =>
  treeOf((await readGraph({ a: { pathWhitelist, rootfs } })).image);

describe('the list of an image', () => {
  test('leaves its other files out, and keeps its folders', async () => {
    const rootfs: TarEntry[] = [
      { name: 'd/', mode: 0o700 },
      { name: 'd/1', body: '1' },
      { name: 'd/2', body: '2' },
      { name: 'e/' },
    ];
    expect(await own(['/d/1'], rootfs)).toEqual({ d: 'dir', 'd/1': '1', e: 'dir' });
  });

  test('names exactly a path, never what is below it', async () => {
    expect(await own(['/d', '/d/'], [{ name: 'd/' }, { name: 'd/1', body: '1' }])).toEqual({ d: 'dir' });
  });

  test('that is empty is no list', async () => {
    expect(Object.keys(await own([], []))).toEqual(['a', 'which']);
  });

  test('may write a path in more ways than one, and one that is not there', async () => {
    expect(await own(['a', '//which', '/nothing', ''], [])).toEqual({ a: 'a', which: 'a' });
  });

  test('names bytes: a name that is not in the list by its bytes is another', async () => {
    const rootfs: TarEntry[] = [
      { name: 'ü', body: '1' },
      { name: Buffer.from([0xfc]), body: '2' },
      { name: 'u\u0308', body: '3' },
    ];
    expect(await own(['/ü'], rootfs)).toEqual({ 'Ã¼': '1' });
  });

  test('leaves links and special files out like others', async () => {
    const rootfs: TarEntry[] = [
      { name: 'l', link: 'a' },
      { name: 'm', link: 'a' },
      { name: 'p', type: '6' },
    ];
    expect(await own(['/m', '/a'], rootfs)).toEqual({ a: 'a', m: '-> a' });
  });
});

describe('a hard link whose target is not listed', () => {
  const rootfs: readonly TarEntry[] = [
    { name: 'd/' },
    { name: 'd/target', body: 'content', mode: 0o4755 },
    { name: 'd/one', type: '1', link: 'd/target' },
    { name: 'd/two', type: '1', link: 'd/target' },
  ];

  test('is the file itself, and others are links to it', async () => {
    expect(await own(['/d/one'], rootfs)).toEqual({ d: 'dir', 'd/one': 'content' });
    expect(await own(['/d/one', '/d/two'], rootfs)).toEqual({ d: 'dir', 'd/one': 'content', 'd/two': 'content' });
    const { image } = await readGraph({ a: { pathWhitelist: ['/d/one', '/d/two'], rootfs } });
    expect(
      Buffer.from((await layersOf(image))[0]!)
        .toString()
        .split('content'),
    ).toHaveLength(2);
  });

  test('that is a link to another name of the file is found too', async () => {
    const chain: TarEntry[] = [
      { name: 'a1', body: 'content' },
      { name: 'a2', type: '1', link: 'a1' },
      { name: 'a3', type: '1', link: 'a2' },
      { name: 'a4', type: '1', link: 'a3' },
    ];
    expect(await own(['/a4'], chain)).toEqual({ a4: 'content' });
    expect(await own(['/a3', '/a4'], chain)).toEqual({ a3: 'content', a4: 'content' });
    expect(await own(['/a2', '/a4'], chain)).toEqual({ a2: 'content', a4: 'content' });
  });

  test('may stand before it', async () => {
    const [folder, target, one] = rootfs;
    expect(await own(['/d/one'], [folder!, one!, target!])).toEqual({ d: 'dir', 'd/one': 'content' });
  });

  test('is the file that stood there when it was linked, not one that took its name later', async () => {
    const again: TarEntry[] = [
      { name: 't', body: 'first' },
      { name: 'l', type: '1', link: 't' },
      { name: 't', body: 'second' },
    ];
    expect(await own(['/l'], again)).toEqual({ l: 'first' });
  });

  test('gets its folder, where that is not listed above', async () => {
    const { image } = await readGraph({ a: { needs: ['b'], pathWhitelist: ['/d/one'] }, b: { rootfs } });
    expect(await treeOf(image)).toEqual({ d: 'dir', 'd/one': 'content' });
  });
});

describe('the lists above an image', () => {
  test('leave out what they do not name, folders too', async () => {
    const b = {
      rootfs: [{ name: 'd/', mode: 0o700 }, { name: 'd/1', body: '1' }, { name: 'e/' }, { name: 'e/1', body: '1' }],
    };
    const found = await paths({ a: { needs: ['b'], pathWhitelist: ['/d/1', '/e', '/e/1'] }, b });
    expect(found).toEqual(['d', 'd/1', 'e', 'e/1']);
  });

  test('count together with its own', async () => {
    const b = { rootfs: [{ name: 'x' }, { name: 'y' }], pathWhitelist: ['/x'] };
    expect(await paths({ a: { needs: ['b'], pathWhitelist: ['/x', '/y'] }, b })).toEqual(['x']);
  });
});

/** C's list filters B in rkt, though B does not depend on it, nor it on B. */
const bleeding: Graph = {
  a: { needs: ['b', 'c'] },
  b: {},
  c: { needs: ['d'], pathWhitelist: ['/c', '/d'] },
  d: {},
};
/** rkt looks at the list of the top only. */
const nested: Graph = {
  a: { needs: ['b'], pathWhitelist: ['/a', '/b', '/x'] },
  b: { needs: ['c'], pathWhitelist: ['/b'] },
  c: { rootfs: [{ name: 'x' }] },
};

describe('where rkt differed', () => {
  test('every list on the branch counts, and no other', async () => {
    expect(await paths(bleeding)).toEqual(['a', 'b', 'c', 'd', 'which']);
    expect(await paths(nested)).toEqual(['a', 'b']);
  });

  test('--rkt-compat looks at the list of the top, and at that of a sibling', async () => {
    expect(await paths(bleeding, true)).toEqual(['a', 'c', 'd', 'which']);
    expect(await paths(nested, true)).toEqual(['a', 'b', 'x']);
  });

  test('the paths are named, either way', async () => {
    const { notes } = await readGraph(nested);
    expect(notes).toEqual([
      'defaulted: /x is rendered as the specification has it, and rkt did otherwise (--rkt-compat does as rkt)',
    ]);
    expect((await readGraph(nested, { compatible: true })).notes).toEqual([
      'defaulted: /x is rendered as rkt did, against the specification',
    ]);
  });

  test('a hundred paths are named, and the rest counted', async () => {
    const rootfs = Array.from({ length: 150 }, (_, i) => ({ name: `f${i}` }));
    const { notes } = await readGraph({ ...bleeding, b: { rootfs } });
    expect(notes).toHaveLength(101);
    expect(notes.at(-1)).toMatch(/^defaulted: 5[0-9] more paths are rendered as the specification has it/);
  });

  test('nothing is said where both give the same', async () => {
    for (const graph of [{ a: { pathWhitelist: ['/a'] } }, { a: { needs: ['b'], pathWhitelist: ['/b'] }, b: {} }])
      expect((await readGraph(graph)).notes).toEqual([]);
  });
});
