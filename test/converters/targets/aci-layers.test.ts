/** One App Container Image for each layer, in which a resolver finds every dependency. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ConvertOptions, convert, diff, inspect } from '../../../converters/index.ts';
import type { ImageRecipe } from '../../../fixtures/docker-save.ts';
import { greeting, sampleLayer } from '../../../fixtures/images.ts';
import { scratch } from '../../fixtures/peers.ts';
import { accepted, type Manifest } from './aci-images.ts';
import { dockerFile, listed, memberJson, membersOf } from './archives.ts';

async function layersOf(image: ImageRecipe, options: ConvertOptions = {}) {
  const folder = join(scratch(), 'images');
  const source = dockerFile(image);
  const report = await convert(source, folder, { to: 'aci', compress: 'none', eachLayer: true, ...options });
  const names = readdirSync(folder).sort();
  for (const name of names) accepted(join(folder, name));
  const manifests = await Promise.all(
    names.map(async (name) => memberJson(await membersOf(join(folder, name)), 'manifest') as Manifest),
  );
  return { source, folder, names, manifests, report };
}

/** As one image again, with the folder to find dependencies in. */
async function resolved(folder: string, top: string): Promise<string> {
  const out = join(scratch(), 'out');
  await convert(join(folder, top), out, { dependencies: [folder] });
  return out;
}

test('each depends on the one below by its id, and the topmost has the name', async () => {
  const { names, manifests, report } = await layersOf(greeting('amd64'));
  expect(names).toEqual(['library-greeting-latest-0.aci', 'library-greeting-latest.aci']);
  const [base, top] = manifests as [Manifest, Manifest];
  expect(base.name).toMatch(/^greeting-[0-9a-f]{64}$/);
  expect(base.app).toBeUndefined();
  expect(top.name).toBe('greeting');
  const id = report.images[0]!.layers[0]!.diffId.replace(':', '-');
  expect(top.dependencies).toEqual([{ imageName: base.name, imageID: id }]);
});

const treeDifferences = async (a: string, b: string) =>
  (await diff(a, b)).differences.filter(({ part }) => part === 'tree');

/** Entries that go through links and link to lower layers, folders in the place of links, and whiteouts. */
function entangled(): ImageRecipe {
  const base = sampleLayer([
    { name: './', mode: 0o711 },
    { name: 'bin', link: 'usr/bin' },
    { name: 'usr/bin/tool', body: 'tool', mode: 0o4755, uid: 7 },
    { name: 'gone/file', body: 'x' },
    { name: 'kept/', mode: 0o700 },
    { name: 'kept/file', body: 'kept' },
    { name: 'was-link', link: 'kept' },
  ]);
  const middle = sampleLayer([
    { name: 'bin/other', body: 'through the link' },
    { name: 'again', type: '1', link: 'usr/bin/tool' },
    { name: '.wh.gone', body: '' },
    { name: 'kept/.wh..wh..opq', body: '' },
    { name: 'kept/new', body: 'new' },
  ]);
  const top = sampleLayer([{ name: 'was-link/' }, { name: 'was-link/file', body: 'a folder now' }, { name: 'gone/' }]);
  return { layers: [base, middle, top], tags: ['entangled:1'] };
}

test('put together they are the image, layer by layer', async () => {
  const { source, folder } = await layersOf(entangled());
  const out = await resolved(folder, 'library-entangled-1.aci');
  const found = await treeDifferences(source, out);
  // A link to a file of a lower layer is a file of its own, with the same content.
  expect(found).toEqual([
    expect.objectContaining({ path: 'again', fields: ['names'] }),
    expect.objectContaining({ path: 'usr/bin/tool', fields: ['names'] }),
  ]);
  expect((await inspect(out)).images[0]!.layers).toHaveLength(3);
});

test('put together as rkt did it they are the image too', async () => {
  const { source, folder } = await layersOf(greeting('amd64'));
  const out = join(scratch(), 'out');
  const top = join(folder, 'library-greeting-latest.aci');
  const { notes } = await convert(top, out, { dependencies: [folder], compatible: true });
  expect(await treeDifferences(source, out)).toEqual([]);
  expect(notes).toEqual([]);
});

test('a folder that takes the place of a link comes before what is in it, or other readers would write through the link', async () => {
  const { folder } = await layersOf(entangled());
  const names = (await membersOf(join(folder, 'library-entangled-1.aci'))).map(({ name }) => name);
  expect(names.indexOf('rootfs/was-link/')).toBeGreaterThan(0);
  expect(names.indexOf('rootfs/was-link/')).toBeLessThan(names.indexOf('rootfs/was-link/file'));
});

test('there is a list of paths only where something goes away, and it names what stays', async () => {
  const layers = [
    sampleLayer([{ name: 'a', body: 'a' }, { name: 'd/' }, { name: 'd/x', body: 'x' }]),
    sampleLayer([{ name: 'b', body: 'b' }]),
    sampleLayer([{ name: 'd/.wh.x', body: '' }]),
  ];
  const { manifests } = await layersOf({ layers, tags: ['x:1'] });
  expect(manifests.map(({ pathWhitelist }) => pathWhitelist)).toEqual([undefined, undefined, ['/a', '/b', '/d']]);
});

test('where everything goes away nothing is left', async () => {
  const layers = [sampleLayer([{ name: 'a', body: 'a' }]), sampleLayer([{ name: '.wh.a', body: '' }])];
  const { folder, manifests } = await layersOf({ layers, tags: ['x:1'] });
  expect(manifests.at(-1)!.pathWhitelist).toEqual(['/']);
  expect(await listed(await resolved(folder, 'library-x-1.aci'))).toEqual([expect.objectContaining({ path: '.' })]);
});

test('a file that stays under a second name is there', async () => {
  const layers = [
    sampleLayer([
      { name: 'a', body: 'a' },
      { name: 'b', type: '1', link: 'a' },
    ]),
    sampleLayer([
      { name: '.wh.a', body: '' },
      { name: 'c', type: '1', link: 'b' },
    ]),
  ];
  const { source, folder } = await layersOf({ layers, tags: ['x:1'] });
  const paths = async (from: string) =>
    ((await listed(from)) as readonly { path: string; sha256?: string }[]).filter(({ path }) => path !== '.');
  const [before, after] = [await paths(source), await paths(await resolved(folder, 'library-x-1.aci'))];
  expect(after.map(({ path }) => path)).toEqual(before.map(({ path }) => path));
});

test('a list that has no words for a name is refused', async () => {
  const layers = [
    sampleLayer([
      { name: Buffer.from('caf\xe9', 'latin1'), body: 'a' },
      { name: 'b', body: '' },
    ]),
    sampleLayer([{ name: '.wh.b', body: '' }]),
  ];
  await expect(layersOf({ layers, tags: ['x:1'] })).rejects.toMatchObject({ code: 'image/layers' });
});

test('a manifest that readers would refuse is not written', async () => {
  const image = {
    layers: [
      sampleLayer([{ name: 'a'.repeat(90), body: '' }, { name: 'b' }]),
      sampleLayer([{ name: '.wh.b', body: '' }]),
    ],
    tags: ['x:1'],
  };
  await expect(layersOf(image, { limits: { 'json-bytes': 900 } })).rejects.toMatchObject({
    code: 'image/layers',
    hint: expect.stringContaining('leave out --layers'),
  });
});

test('an image without layers is one image', async () => {
  const { names } = await layersOf({ layers: [], tags: ['x:1'] });
  expect(names).toEqual(['library-x-1.aci']);
});

test('nothing is left where one of them fails', async () => {
  const folder = scratch();
  const source = dockerFile({
    layers: [sampleLayer([{ name: 'a' }]), Buffer.from('no tar'.repeat(200))],
    tags: ['x:1'],
  });
  const options = { to: 'aci', eachLayer: true } as const;
  await expect(convert(source, join(folder, 'out'), options)).rejects.toMatchObject({ status: 4 });
  expect(readdirSync(folder)).toEqual([]);
});

test('they do not take the place of something else, and go to no stream', async () => {
  const { source, folder } = await layersOf(greeting('amd64'));
  const options = { to: 'aci', eachLayer: true } as const;
  await expect(convert(source, folder, options)).rejects.toMatchObject({ code: 'output/exists' });
  await convert(source, folder, { ...options, force: true });
  await expect(convert(source, '-', { ...options, output: process.stderr })).rejects.toMatchObject({
    code: 'usage/argument',
  });
});

test.each([
  ['oci', { eachLayer: true }],
  ['aci', { layer: 0 }],
  ['tar', { version1: true }],
  ['docker-archive', { naming: 'docker2aci' }],
] as const)('%s does not take the options of others', async (to, options) => {
  await expect(
    convert(dockerFile(greeting('amd64')), join(scratch(), 'out'), { to, ...options }),
  ).rejects.toMatchObject({
    code: 'usage/option',
  });
});
