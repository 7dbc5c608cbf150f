/** Which images an image is made of: found by id, name and labels, in the order of the specification, or named where they are missed. */
import { describe, expect, test } from 'vitest';
import {
  type AciRecipe,
  aciId,
  aciTar,
  type GraphNode,
  graphImage,
  graphName,
  named,
  storeKey,
} from '../../../fixtures/aci.ts';
import { renderOrder } from '../../../formats/appc/dependencies.ts';
import type { ImageFile } from '../../../formats/appc/image-file.ts';
import type { Limits } from '../../../formats/base/limits.ts';
import { contextWith, refusalOf } from '../support.ts';
import { catalogOf, fileFrom, notesOf } from './images.ts';

type Graph = Readonly<Record<string, GraphNode>>;

const filesOf = (graph: Graph): Promise<readonly ImageFile[]> =>
  Promise.all(Object.entries(graph).map(([key, node]) => fileFrom(aciTar(graphImage(key, node)), `${key}.aci`)));

/** What images have for names at the end, from the first of the graph on. */
async function order(graph: Graph, limits: Partial<Limits> = {}): Promise<string> {
  const files = await filesOf(graph);
  const { order: rendered } = await renderOrder(files[0]!, catalogOf(files), {}, contextWith(limits));
  return rendered.map(({ file }) => file.manifest.name.slice('example.com/'.length)).join('');
}

describe('the order', () => {
  test('is depth first, each dependency in its place, and the image last', async () => {
    expect(await order({ a: {} })).toBe('a');
    expect(await order({ a: { needs: ['b', 'c'] }, b: {}, c: { needs: ['d'] }, d: {} })).toBe('bdca');
  });

  test('has what is needed twice twice', async () => {
    expect(await order({ a: { needs: ['b', 'c'] }, b: { needs: ['d'] }, c: { needs: ['d'] }, d: {} })).toBe('dbdca');
    expect(await order({ a: { needs: ['b', 'b'] }, b: {} })).toBe('bba');
  });

  test('has the branch of each image: who needs it, from the top down', async () => {
    const files = await filesOf({ a: { needs: ['b', 'c'] }, b: { needs: ['d'] }, c: { needs: ['d'] }, d: {} });
    const { order: rendered } = await renderOrder(files[0]!, catalogOf(files), {}, contextWith());
    expect(rendered.map(({ branch }) => branch.map(({ place }) => place[0]).join(''))).toEqual([
      'abd',
      'ab',
      'acd',
      'ac',
      'a',
    ]);
  });
});

describe('is refused', () => {
  test.each<[string, Graph, readonly string[]]>([
    ['an image that needs itself', { a: { needs: ['a'] } }, ['a', 'a']],
    ['a cycle of three', { a: { needs: ['b'] }, b: { needs: ['c'] }, c: { needs: ['a'] } }, ['a', 'b', 'c', 'a']],
    ['a cycle further down', { a: { needs: ['b'] }, b: { needs: ['c'] }, c: { needs: ['b'] } }, ['a', 'b', 'c', 'b']],
  ])('%s, with the chain', async (_, graph, chain) => {
    const refusal = await refusalOf(() => order(graph));
    expect(refusal?.code).toBe('appc/dependency');
    expect(refusal?.message).toContain('depends on itself');
    expect(refusal?.at).toEqual(chain.map(graphName));
  });

  test('a cycle through another file of the same image', async () => {
    const files = await filesOf({ a: { needs: ['b'] }, b: { needs: ['a'] } });
    const [a] = files;
    const refusal = await refusalOf(() =>
      renderOrder({ ...a!, place: 'elsewhere' }, catalogOf(files), {}, contextWith()),
    );
    expect(refusal?.code).toBe('appc/dependency');
  });

  test('an image whose dependency is missing, with the chain, and where was looked', async () => {
    const graph = {
      a: { needs: ['b'] },
      b: { needs: [{ imageName: graphName('x'), labels: named({ version: '2' }) }] },
    };
    const refusal = await refusalOf(() => order(graph));
    expect(refusal?.code).toBe('appc/dependency');
    expect(refusal?.message).toBe('example.com/x (version=2) was not found');
    expect(refusal?.at).toEqual([
      graphName('a'),
      'dependencies',
      graphName('b'),
      'dependencies',
      'example.com/x (version=2)',
    ]);
    expect(refusal?.hint).toBe('Looked in ./images. Add a place with --dep.');
  });

  test('a graph of more images than layers may be', async () => {
    const wide = Object.fromEntries(
      [...'abcdef'].map((key, i, all) => [key, { needs: all[i + 1] ? [all[i + 1]!, all[i + 1]!] : [] }]),
    );
    expect(await refusalOf(() => order(wide, { layers: 62 }))).toMatchObject({ code: 'limit/layers' });
    expect(await order(wide, { layers: 63 })).toHaveLength(63);
  });
});

/** Images of one name, and a top that needs one of them. */
async function choice(dependency: object, recipes: readonly AciRecipe[], known: readonly Partial<ImageFile>[] = []) {
  const context = contextWith();
  const top = await fileFrom(
    aciTar(graphImage('top', { needs: [{ imageName: graphName('base'), ...dependency }] })),
    'top.aci',
  );
  const files = await Promise.all(recipes.map((recipe, i) => fileFrom(aciTar(recipe), `${i}.aci`)));
  const catalog = catalogOf(files.map((file, i) => ({ ...file, ...known[i] })));
  const {
    order: [first],
  } = await renderOrder(top, catalog, {}, context);
  return { place: first!.file.place, notes: notesOf(context) };
}

const base = (labels: Readonly<Record<string, string>>, body = ''): AciRecipe => ({
  manifest: { name: graphName('base'), labels: named(labels) },
  rootfs: [{ name: 'f', body }],
});
const one = base({ version: '1', os: 'linux' });
const two = base({ version: '2', os: 'linux' });
const unlabelled = base({});

describe('is chosen', () => {
  test('the image that has the labels; one without a label has any', async () => {
    expect(await choice({ labels: named({ version: '2' }) }, [one, two])).toMatchObject({ place: '1.aci' });
    expect(await choice({ labels: named({ version: '3', os: 'linux' }) }, [one, unlabelled])).toMatchObject({
      place: '1.aci',
    });
    expect(await choice({ labels: named({ arch: 'amd64' }) }, [one])).toMatchObject({ place: '0.aci' });
  });

  test('the image that has the id, whole or as much as tells it apart', async () => {
    const id = aciId(two);
    for (const imageID of [id, id.slice(0, 71), id.slice(0, 20)])
      expect(await choice({ imageID }, [one, two])).toMatchObject({ place: '1.aci' });
  });

  test('the same of a store, which tells the first half of an id', async () => {
    const keys = [one, two].map((recipe) => ({ key: storeKey(aciTar(recipe)) }));
    const id = aciId(two);
    for (const imageID of [id, id.slice(0, 71), id.slice(0, 20)])
      expect(await choice({ imageID }, [one, two], keys)).toMatchObject({ place: '1.aci' });
  });

  test('the first of several files that are one image, also where one of them is in a store', async () => {
    expect(await choice({}, [one, one])).toMatchObject({ place: '0.aci' });
    expect(await choice({}, [one, one], [{ key: storeKey(aciTar(one)) }])).toMatchObject({ place: '0.aci' });
  });

  test('of a store’s images the one that came last, as its engine chose, with a note', async () => {
    const known = [{ imported: 2000 }, { imported: 3000 }, { imported: 1000 }];
    const { place, notes } = await choice({}, [one, two, unlabelled], known);
    expect(place).toBe('1.aci');
    expect(notes).toEqual([expect.stringContaining('guessed: example.com/base could be any of 3 images')]);
  });

  test('an image of the promised size, before or after compression', async () => {
    expect(await choice({ size: aciTar(one).length }, [one])).toMatchObject({ place: '0.aci' });
    expect(await choice({ size: aciTar(one).length }, [one], [{ size: 777 }])).toMatchObject({ place: '0.aci' });
    expect(await choice({ size: 777 }, [one], [{ size: 777 }])).toMatchObject({ place: '0.aci' });
    expect(await choice({ size: 0 }, [one])).toMatchObject({ place: '0.aci' });
  });
});

describe('is not chosen', () => {
  test('one of several images that could be meant; all of them are named', async () => {
    const refusal = await refusalOf(() => choice({}, [one, two]));
    expect(refusal?.code).toBe('appc/dependency');
    expect(refusal?.message).toBe('example.com/base could be any of 2 images: 0.aci, 1.aci');
    expect(refusal?.at).toEqual([graphName('top')]);
  });

  test('one of two that a store got at the same time, or that are not both of a store', async () => {
    const same = [{ imported: 1 }, { imported: 1 }];
    expect(await refusalOf(() => choice({}, [one, two], same))).toMatchObject({ code: 'appc/dependency' });
    expect(await refusalOf(() => choice({}, [one, two], [{ imported: 1 }]))).toMatchObject({ code: 'appc/dependency' });
  });

  test('an image with another label; what there is is named', async () => {
    const refusal = await refusalOf(() => choice({ labels: named({ version: '3' }) }, [one, two]));
    expect(refusal?.message).toBe(
      'example.com/base (version=3) was not found (there is example.com/base:1, example.com/base:2)',
    );
  });

  test.each([aciId(two), `sha512-${'0'.repeat(128)}`, 'sha512-...'])(
    'an image with another id: %s',
    async (imageID) => {
      const refusal = await refusalOf(() => choice({ imageID }, [one]));
      expect(refusal?.code).toBe('appc/dependency');
      expect(refusal?.message).toContain('was not found (there is example.com/base:1)');
    },
  );

  test('one of two images that have the same beginning of an id', async () => {
    const beginningOf = (recipe: AciRecipe) => aciId(recipe).slice(0, 'sha512-'.length + 2);
    const many = Array.from({ length: 60 }, (_, i) => base({}, String(i))).sort((a, b) =>
      aciId(a) < aciId(b) ? -1 : 1,
    );
    const at = many.findIndex((recipe, i) => i > 0 && beginningOf(recipe) === beginningOf(many[i - 1]!));
    const alike = many.slice(at - 1, at + 1);
    const beginning = beginningOf(alike[0]!);
    expect(alike).toHaveLength(2);
    expect(await refusalOf(() => choice({ imageID: beginning }, alike))).toMatchObject({ code: 'appc/dependency' });
  });

  test('an image whose whole id has another second half', async () => {
    const id = aciId(one);
    const imageID = id.slice(0, 100) + (id.endsWith('0') ? '1' : '0').repeat(id.length - 100);
    const known = [{ key: storeKey(aciTar(one)) }];
    expect(await refusalOf(() => choice({ imageID }, [one], known))).toMatchObject({ code: 'appc/dependency' });
  });

  test('an image of another size than is promised', async () => {
    const refusal = await refusalOf(() => choice({ size: 777 }, [one]));
    expect(refusal).toMatchObject({ code: 'size/mismatch', expected: '777 bytes', at: [graphName('top')] });
  });
});
