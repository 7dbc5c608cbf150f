/** Images laid over each other: layers and trees, without whitelists. */
import { describe, expect, test } from 'vitest';
import { aciTar, type GraphNode, graphImage } from '../../../fixtures/aci.ts';
import type { TarEntry } from '../../../fixtures/tar.ts';
import { digestOf } from '../../../formats/bytes/digest.ts';
import { refusalOf } from '../support.ts';
import { scan } from '../tar/scan.ts';
import { fileFrom, layersOf, readAci, readGraph, treeOf } from './images.ts';

type Graph = Readonly<Record<string, GraphNode>>;

const tree = async (graph: Graph) => treeOf((await readGraph(graph)).image);

/** The tree of an image over another, without the files that every image of a graph has. */
async function over(lower: readonly TarEntry[], upper: readonly TarEntry[]) {
  const { which: _, a: __, b: ___, ...rest } = await tree({ a: { needs: ['b'], rootfs: upper }, b: { rootfs: lower } });
  return rest;
}

describe('an image and what it depends on', () => {
  const diamond: Graph = { a: { needs: ['b', 'c'] }, b: {}, c: { needs: ['d'] }, d: {} };

  test('are a layer each, in the order B, D, C, A, and the last one wins', async () => {
    const { image, notes } = await readGraph(diamond);
    expect(image.history.map(({ createdBy }) => createdBy?.at(-1))).toEqual([...'bdca']);
    expect(await treeOf(image)).toEqual({ a: 'a', b: 'b', c: 'c', d: 'd', which: 'a' });
    expect(notes).toEqual([]);
  });

  test('are D, B, D, C, A where two need D; its layer is the same bytes both times', async () => {
    const { image } = await readGraph({ ...diamond, b: { needs: ['d'] } });
    const digests = (await layersOf(image)).map((bytes) => digestOf(bytes));
    expect(image.history.map(({ createdBy }) => createdBy?.at(-1))).toEqual([...'dbdca']);
    expect(digests[0]).toBe(digests[2]);
    expect(new Set(digests).size).toBe(4);
  });

  test('share the layer of a base with every other image that needs it', async () => {
    const base = await fileFrom(aciTar(graphImage('base')), 'base.aci');
    const layers = await Promise.all(
      ['x', 'y'].map(async (key) =>
        layersOf((await readAci(graphImage(key, { needs: ['base'] }), { among: [base] })).image),
      ),
    );
    expect(layers[0]![0]).toEqual(layers[1]![0]);
    expect(layers[0]![1]).not.toEqual(layers[1]![1]);
  });

  test('promise of each layer the digest that it has', async () => {
    const { image } = await readGraph(diamond);
    const layers = await layersOf(image);
    expect(image.layers.map(({ diffId }) => diffId)).toEqual(layers.map((bytes) => digestOf(bytes)));
  });

  test('say in a trail which of them is damaged', async () => {
    const refusal = await refusalOf(() => readGraph({ ...diamond, d: { rootfs: [{ name: '../x', body: '' }] } }));
    expect(refusal).toMatchObject({ code: 'path/escape', at: ['example.com/d'] });
  });
});

describe('an upper image', () => {
  test('replaces a link to a folder with its folder, and does not follow it', async () => {
    const lower: TarEntry[] = [{ name: 'real/' }, { name: 'real/kept', body: 'k' }, { name: 'way', link: 'real' }];
    const wanted = { real: 'dir', 'real/kept': 'k', way: 'dir', 'way/new': 'n' };
    expect(await over(lower, [{ name: 'way/' }, { name: 'way/new', body: 'n' }])).toEqual(wanted);
    // The folder may be left unsaid: nothing of the lower image is written through its link.
    expect(await over(lower, [{ name: 'way/new', body: 'n' }])).toEqual(wanted);
  });

  test('says the folder that it leaves unsaid once, and in front of what is in it, also when it is read again', async () => {
    const { image } = await readGraph({
      a: {
        needs: ['b'],
        rootfs: [
          { name: 'x/y/1', body: '1', mtime: 99 },
          { name: 'x/y/2', body: '2' },
        ],
      },
      b: { rootfs: [{ name: 'x', link: '.' }] },
    });
    for (const _ of [1, 2]) {
      const { entries } = scan((await layersOf(image))[1]!);
      expect(entries.slice(3).map(({ path }) => path)).toEqual(['x/', 'x/y/1', 'x/y/2']);
      expect(entries[3]).toMatchObject({ type: 'dir', mode: 0o755, uid: 0, gid: 0, mtime: '99.000000000' });
    }
  });

  test('follows links of its own', async () => {
    const own: TarEntry[] = [{ name: 'real/' }, { name: 'way', link: 'real' }, { name: 'way/new', body: 'n' }];
    expect(await over([], own)).toEqual({ real: 'dir', 'real/new': 'n', way: '-> real' });
  });

  test('replaces a folder with a file, and a file with a folder', async () => {
    const lower: TarEntry[] = [{ name: 'one/' }, { name: 'one/below', body: 'x' }, { name: 'two', body: 'x' }];
    const wanted = { one: 'file', two: 'dir', 'two/below': 'y' };
    expect(
      await over(lower, [{ name: 'one', body: 'file' }, { name: 'two/' }, { name: 'two/below', body: 'y' }]),
    ).toEqual(wanted);
    expect(
      await over(lower, [
        { name: 'one', body: 'file' },
        { name: 'two/below', body: 'y' },
      ]),
    ).toEqual(wanted);
  });

  test('adds to a folder, and gives it its own mode', async () => {
    expect(
      await over(
        [{ name: 'd/' }, { name: 'd/1', body: '1' }],
        [
          { name: 'd/', mode: 0o700 },
          { name: 'd/2', body: '2' },
        ],
      ),
    ).toEqual({ d: 'dir', 'd/1': '1', 'd/2': '2' });
  });

  test('replaces one name of a file, and leaves the others', async () => {
    const lower: TarEntry[] = [
      { name: 'x', body: 'old' },
      { name: 'y', type: '1', link: 'x' },
    ];
    expect(await over(lower, [{ name: 'x', body: 'new' }])).toEqual({ x: 'new', y: 'old' });
  });
});

test('an image alone is one layer; an image without files too', async () => {
  const { image } = await readAci({});
  expect(image.layers).toHaveLength(1);
  expect(await treeOf(image)).toEqual({});
  expect(image.history).toHaveLength(1);
});
