/** Where dependencies are looked for: files, folders, and the stores of rkt hosts. */
import { spawnSync } from 'node:child_process';
import { symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type AciRecipe, aci, aciGraph, graphImage, graphName, rktStore, storeKey } from '../../../fixtures/aci.ts';
import { dockerSave } from '../../../fixtures/docker-save.ts';
import { greeting } from '../../../fixtures/images.ts';
import { writeLayout } from '../../../fixtures/oci-layout.ts';
import { tar } from '../../../fixtures/tar.ts';
import { imageCatalog } from '../../../formats/appc/catalog.ts';
import { aci as reader } from '../../../formats/appc/index.ts';
import type { Limits } from '../../../formats/base/limits.ts';
import { chunksOf } from '../../../formats/bytes/chunks.ts';
import { imagesOf } from '../../../formats/model/image.ts';
import { scratch } from '../../fixtures/peers.ts';
import { codeOf, contextWith, READING, refusalOf, whole } from '../support.ts';
import { treeOf } from './images.ts';

async function folderOf(files: ReadonlyMap<string, Uint8Array>, folder = scratch()): Promise<string> {
  await writeLayout(new Map([...files].map(([path, bytes]) => [path, Buffer.from(bytes)])), folder);
  return folder;
}

const catalogAt = (places: readonly string[], limits: Partial<Limits> = {}) =>
  imageCatalog(places, contextWith(limits));

/** Where the images `example.com/KEY` are found, without the folder. */
async function found(folder: string, key: string, places: readonly string[] = [folder]): Promise<readonly string[]> {
  const catalog = await catalogAt(places);
  return catalog.named(graphName(key)).map(({ place }) => place.replace(`${folder}/`, ''));
}

const graph = aciGraph({ a: { needs: ['b'] }, b: {} });
const bytesOf = (recipe: AciRecipe): Buffer => Buffer.from(aci(recipe));

describe('a folder', () => {
  test('has the images in it and in folders below it, whatever they are called and however they are compressed', async () => {
    const folder = await folderOf(
      new Map([
        ...graph,
        ['deep/er/gzip.bin', bytesOf({ ...graphImage('c'), compression: 'gzip' })],
        ['deep/zstd', bytesOf({ ...graphImage('c'), compression: 'zstd', order: 'manifest-last' })],
      ]),
    );
    expect(await found(folder, 'a')).toEqual(['a.aci']);
    expect(await found(folder, 'c')).toEqual(['deep/er/gzip.bin', 'deep/zstd']);
    expect(await found(folder, 'nothing')).toEqual([]);
    expect((await catalogAt([folder])).places).toEqual([`${folder} (4 images)`]);
  });

  test('may have other files in it, and damaged ones; they are no images', async () => {
    const whole = graph.get('a.aci')!;
    const folder = await folderOf(
      new Map<string, Buffer>([
        ...graph,
        ['README', Buffer.from('text')],
        ['empty', Buffer.alloc(0)],
        ['app.tar', dockerSave(greeting('amd64'), { generation: '1.10' })],
        ['cut.aci', whole.subarray(0, 600)],
        ['cut.aci.gz', Buffer.from(aci({ ...graphImage('a'), compression: 'gzip' })).subarray(0, 100)],
        ['manifest.aci', bytesOf({ manifestBytes: '{"name":' })],
        ['pod.aci', bytesOf({ manifest: { acKind: 'PodManifest' } })],
        ['zeros', Buffer.alloc(10_240)],
        ['rootfs.aci', tar([{ name: 'rootfs/' }])],
      ]),
    );
    expect(await found(folder, 'a')).toEqual(['a.aci']);
    expect((await catalogAt([folder])).places).toEqual([`${folder} (2 images)`]);
  });

  test('has no files that links lead out of it to, and no pipes', async () => {
    const outside = await folderOf(graph);
    const folder = await folderOf(new Map([['c.aci', bytesOf(graphImage('c'))]]));
    symlinkSync(join(outside, 'a.aci'), join(folder, 'a.aci'));
    symlinkSync(outside, join(folder, 'all'));
    symlinkSync('/', join(folder, 'root'));
    symlinkSync('c.aci', join(folder, 'same.aci'));
    expect(spawnSync('mkfifo', [join(folder, 'pipe')]).status).toBe(0);
    expect(await found(folder, 'a')).toEqual([]);
    expect(await found(folder, 'c')).toEqual(['c.aci', 'same.aci']);
  });

  test('of too many files is refused', async () => {
    const folder = await folderOf(new Map([...graph, ['d/1', Buffer.alloc(0)], ['d/2', Buffer.alloc(0)]]));
    expect(await codeOf(() => catalogAt([folder], { members: 3 }))).toBe('limit/members');
  });
});

describe('a file', () => {
  test('is the image that it is; several places are taken together, in their order', async () => {
    const folder = await folderOf(graph);
    const other = await folderOf(new Map([['b.aci', bytesOf({ ...graphImage('b'), compression: 'gzip' })]]));
    const places = [join(folder, 'b.aci'), other, join(folder, 'a.aci')];
    expect(await found(folder, 'b', places)).toEqual(['b.aci', join(other, 'b.aci')]);
    expect(await found(folder, 'a', places)).toEqual(['a.aci']);
  });

  test('can be read again, without its compression', async () => {
    const folder = await folderOf(new Map([['b.aci', bytesOf({ ...graphImage('b'), compression: 'gzip' })]]));
    const [file] = (await catalogAt([join(folder, 'b.aci')])).named(graphName('b'));
    for (const _ of [1, 2]) expect(await whole(file!.open())).toEqual(new Uint8Array(graph.get('b.aci')!));
  });

  test.each<[string, string, string]>([
    ['is not there', 'nothing', 'source/missing'],
    ['is no image', 'text', 'tar/checksum'],
    ['is cut off', 'cut', 'tar/truncated'],
    ['has a manifest that is none', 'manifest', 'json/syntax'],
    ['has no manifest', 'none', 'appc/archive'],
  ])('that %s is refused by its name, since it was named', async (_, name, code) => {
    const folder = await folderOf(
      new Map<string, Buffer>([
        ['text', Buffer.from('x'.repeat(600))],
        ['cut', graph.get('a.aci')!.subarray(0, 600)],
        ['manifest', bytesOf({ manifestBytes: '{' })],
        ['none', tar([{ name: 'rootfs/' }])],
      ]),
    );
    const place = join(folder, name);
    const refusal = await refusalOf(() => catalogAt([place]));
    expect(refusal?.code).toBe(code);
    expect(refusal?.at[0]).toBe(place); // and not the image that needs it
  });
});

describe('the store of an rkt host', () => {
  const images = [graphImage('a', { needs: ['b'] }), graphImage('b')];
  const keys = images.map((recipe) => storeKey(aci(recipe)));

  test('has the images of its blobs, by the first halves of their ids', async () => {
    const folder = await folderOf(rktStore(images));
    for (const place of [folder, `rkt:${folder}`]) {
      const catalog = await catalogAt([place]);
      expect(catalog.named(graphName('a')).map(({ key }) => key)).toEqual([keys[0]]);
      expect(catalog.places).toEqual([`${place} (2 images)`]);
    }
  });

  test('tells when an image came, oldest first', async () => {
    const folder = await folderOf(
      rktStore(images.map((recipe) => ({ ...recipe, manifest: { ...recipe.manifest, name: graphName('x') } }))),
    );
    const before = (await catalogAt([folder])).named(graphName('x'));
    for (const [i, { place }] of before.entries()) utimesSync(place, 0, 2000 - i);
    const after = (await catalogAt([folder])).named(graphName('x'));
    expect(after.map(({ imported }) => imported)).toEqual([1_999_000, 2_000_000]);
    expect(after.map(({ key }) => key)).toEqual(before.map(({ key }) => key).reverse());
  });

  test('may have other files in it, and damaged blobs', async () => {
    const folder = await folderOf(
      new Map([
        ...rktStore(images),
        ['cas/blob/sha512/aa/notes.txt', Buffer.from('x')],
        [`cas/blob/sha512/aa/sha512-${'a'.repeat(64)}`, Buffer.from('damaged')],
        ['pods/run/x/pod', Buffer.from('{}')],
      ]),
    );
    expect((await catalogAt([folder])).places).toEqual([`${folder} (2 images)`]);
  });

  test('is not any other folder', async () => {
    const folder = await folderOf(graph);
    const refusal = await refusalOf(() => catalogAt([`rkt:${folder}`]));
    expect(refusal).toMatchObject({ code: 'appc/archive', hint: 'It is /var/lib/rkt on most hosts.' });
  });

  test('gives an image what it depends on', async () => {
    const folder = await folderOf(rktStore(images));
    const bytes = graph.get('a.aci')!;
    const content = {
      name: 'a.aci',
      compression: [],
      size: bytes.length,
      repeatable: true,
      open: () => chunksOf(bytes),
    };
    const [image] = imagesOf(
      await reader.read(content, contextWith(), { ...READING, dependencies: [`rkt:${folder}`] }),
    );
    expect(await treeOf(image!)).toEqual({ a: 'a', b: 'b', which: 'a' });
  });
});

test('nothing is looked for where nothing is needed', async () => {
  const bytes = aci();
  const content = { name: 'a.aci', compression: [], size: bytes.length, repeatable: true, open: () => chunksOf(bytes) };
  const reading = { ...READING, dependencies: [join(scratch(), 'not there')] };
  expect(imagesOf(await reader.read(content, contextWith(), reading))).toHaveLength(1);
});
