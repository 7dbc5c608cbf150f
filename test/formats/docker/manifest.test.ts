/** The checks of docker-and-oci.md, section 3, each with its code. */
import { describe, expect, test } from 'vitest';
import { dockerSave, type SaveOptions } from '../../../fixtures/docker-save.ts';
import { type ImageRecipe, type JsonObject, prepare } from '../../../fixtures/image-recipe.ts';
import { type TarEntry, tar } from '../../../fixtures/tar.ts';
import type { Limits } from '../../../formats/base/limits.ts';
import { dockerArchive } from '../../../formats/docker/index.ts';
import { codeOf, contextWith, diffIdsOf, imagesIn, refusalOf } from '../support.ts';

const one = tar([{ name: 'one', body: '1' }]);
const two = tar([{ name: 'two', body: '2' }]);
const image: ImageRecipe = { layers: [one, two], tags: ['app:1'] };
const prepared = prepare(image);
const ids = prepared.layers.map(({ diffId }) => diffId);

type Item = JsonObject & { readonly Config: string; readonly Layers: readonly string[] };
const save = (options: Partial<SaveOptions> = {}, recipe: ImageRecipe = image) =>
  dockerSave(recipe, { generation: '1.10', ...options });
const read = (bytes: Uint8Array, limits: Partial<Limits> = {}) =>
  imagesIn(dockerArchive, bytes, 'indexed', contextWith(limits));
/** The code that an edit of the only item of `manifest.json` ends in. */
const edited = (edit: (item: Item) => unknown, recipe?: ImageRecipe) =>
  codeOf(() => read(save({ manifest: ([item]) => [edit(item as Item)] }, recipe)));
const withConfig = (configBytes: string) =>
  codeOf(() => read(save({}, { ...image, configBytes: Buffer.from(configBytes) })));

describe('manifest.json', () => {
  test('that is an empty list has no images', async () => {
    expect(await read(save({ manifest: () => [] }))).toEqual([]);
  });

  test.each([
    ['null', 'null', 'docker/manifest'],
    ['an object', '{}', 'json/type'],
    ['a list of text', '["x"]', 'json/type'],
    ['no JSON', '[', 'json/syntax'],
    ['a byte order mark', '\ufeff[]', 'json/encoding'],
    ['the same member twice', '[{"Config":"a","Config":"b"}]', 'json/duplicate-key'],
  ])('that is or has %s is refused', async (_, text, code) => {
    expect(await codeOf(() => read(save({ manifest: () => text })))).toBe(code);
  });

  test.each([
    ['no Config', ({ Config: _, ...item }: Item) => item, 'json/type'],
    ['a Config that is null', (item: Item) => ({ ...item, Config: null }), 'json/type'],
    ['a Config that is not there', (item: Item) => ({ ...item, Config: 'gone.json' }), 'member/missing'],
    ['a Config that climbs', (item: Item) => ({ ...item, Config: '../../etc/passwd' }), 'path/escape'],
    ['an absolute Config', (item: Item) => ({ ...item, Config: '/etc/passwd' }), 'path/escape'],
    ['a Config that is a folder', (item: Item) => ({ ...item, Config: item.Layers[0]!.split('/')[0] }), 'member/type'],
    ['Layers that are text', (item: Item) => ({ ...item, Layers: 'x' }), 'json/type'],
    ['a layer that is a number', (item: Item) => ({ ...item, Layers: [1, 2] }), 'json/type'],
    ['a layer that is not there', (item: Item) => ({ ...item, Layers: [item.Layers[0], 'gone'] }), 'member/missing'],
    ['a layer that climbs', (item: Item) => ({ ...item, Layers: [item.Layers[0], '../x'] }), 'path/escape'],
    ['a layer too few', (item: Item) => ({ ...item, Layers: item.Layers.slice(1) }), 'image/layers'],
    ['a layer too many', (item: Item) => ({ ...item, Layers: [...item.Layers, item.Layers[0]] }), 'image/layers'],
    ['no Layers for a configuration that has some', (item: Item) => ({ ...item, Layers: null }), 'image/layers'],
    [
      'one member as two layers',
      (item: Item) => ({ ...item, Layers: [item.Layers[0], item.Layers[0]] }),
      'image/layers',
    ],
    ['a tag that climbs', (item: Item) => ({ ...item, RepoTags: ['../../x'] }), 'image/reference'],
    ['a tag that is no text', (item: Item) => ({ ...item, RepoTags: [7] }), 'json/type'],
    ['sources that are a list', (item: Item) => ({ ...item, LayerSources: [] }), 'json/type'],
    [
      'a source with a digest that is a path',
      (item: Item) => ({ ...item, LayerSources: { [ids[0]!]: { mediaType: 'x', size: 1, digest: 'sha256:../x' } } }),
      'digest/invalid',
    ],
    [
      'a source with a negative size',
      (item: Item) => ({ ...item, LayerSources: { [ids[0]!]: { mediaType: 'x', size: -1, digest: ids[0] } } }),
      'json/type',
    ],
  ] as const)('with %s is refused', async (_, edit, code) => {
    expect(await edited(edit as (item: Item) => unknown)).toBe(code);
  });

  test('may lack what Go leaves empty, and have more than anybody knows', async () => {
    const bytes = save({
      manifest: ([item]) => [{ ...item, RepoTags: null, Parent: `sha256:${'0'.repeat(64)}`, New: {} }],
    });
    expect(await read(bytes)).toMatchObject([{ names: [] }]);
  });

  test('is read without regard to the case of its keys', async () => {
    const bytes = save({
      manifest: ([item]) => [{ CONFIG: item!['Config'], repotags: ['low:1'], layers: item!['Layers'] }],
    });
    const [found] = await read(bytes);
    expect([found!.names, await diffIdsOf(found!)]).toEqual([['low:1'], ids]);
  });

  test('says where it is wrong', async () => {
    const refusal = await refusalOf(() =>
      read(save({ manifest: ([item]) => [item, { ...item, RepoTags: ['ok:1', '..'] }] })),
    );
    expect(refusal?.at.slice(0, 1)).toEqual(['manifest.json']);
    expect(refusal?.at.at(-1)).toBe('/1/RepoTags/1');
  });

  test('has no more layers than the limit', async () => {
    expect(await codeOf(() => read(save(), { layers: 2 }))).toBe('no refusal');
    expect(await codeOf(() => read(save(), { layers: 1 }))).toBe('limit/layers');
  });

  test('and its configuration are no larger than the limit of a document', async () => {
    expect(await codeOf(() => read(save(), { 'json-bytes': 100 }))).toBe('limit/json-bytes');
    const padding = { ...image, config: { author: 'x'.repeat(3000) } };
    expect(await codeOf(() => read(save({}, padding), { 'json-bytes': 2000 }))).toBe('limit/json-bytes');
  });

  test('that comes twice counts as the last one says', async () => {
    const members = (entries: TarEntry[]) => [...entries, { name: 'manifest.json', body: '[]' }];
    expect(await read(save({ members }))).toEqual([]);
  });
});

describe('the configuration', () => {
  test.each([
    ['no rootfs', '{"os":"linux"}', 'docker/manifest'],
    ['a rootfs that is null', '{"rootfs":null}', 'docker/manifest'],
    ['a rootfs of another type', '{"rootfs":{"type":"zfs","diff_ids":[]}}', 'image/config'],
    ['fewer diff_ids than layers', JSON.stringify({ rootfs: { type: 'layers', diff_ids: [ids[0]] } }), 'image/layers'],
    [
      'a diff_id in capitals',
      JSON.stringify({ rootfs: { type: 'layers', diff_ids: [ids[0], ids[1]!.toUpperCase()] } }),
      'digest/invalid',
    ],
    ['no JSON', 'not JSON', 'json/syntax'],
    ['a list', '[]', 'json/type'],
  ])('with %s is refused', async (_, text, code) => {
    expect(await withConfig(text)).toBe(code);
  });

  test('that many images name, by links too, is read once, and they have it in common', async () => {
    const config = 'else/where.json';
    const bytes = save({
      manifest: ([item]) => [item, { ...item, RepoTags: ['link:1'], Config: config }, { ...item, RepoTags: ['app:2'] }],
      members: (entries) => [
        ...entries,
        { name: config, type: '2', link: `../${prepared.configDigest.slice(7)}.json` },
      ],
    });
    const found = await read(bytes);
    expect(found.map(({ names }) => names)).toEqual([['app:1'], ['link:1'], ['app:2']]);
    expect(new Set(found.map(({ original }) => original?.config?.bytes)).size).toBe(1);
  });

  test('may have no history, or one that contradicts the layers', async () => {
    for (const history of [undefined, [], [{ created_by: 'a' }, { created_by: 'b' }, { created_by: 'c' }]])
      expect(await read(save({}, { ...image, config: { history } }))).toHaveLength(1);
  });
});

describe('a layer', () => {
  const swapped = (text: string) => (entries: TarEntry[]) =>
    entries.map((entry) => (entry.body === one ? { ...entry, body: tar([{ name: 'one', body: text }]) } : entry));

  test('whose content is not what its diff_id promises is refused when it is read', async () => {
    const [found] = await read(save({ members: swapped('changed') }));
    expect(await codeOf(() => diffIdsOf(found!))).toBe('digest/mismatch');
  });

  test('may be a symlink into another folder, or a hard link from the top', async () => {
    const members = (type: string, link: string) => (entries: TarEntry[]) => [
      ...entries.map((entry) => (entry.body === one ? { name: entry.name, type, link } : entry)),
      { name: 'else/where/layer', body: one },
    ];
    for (const [type, link] of [
      ['2', '../else/./where/layer'],
      ['1', 'else/where/layer'],
    ] as const) {
      const [found] = await read(save({ members: members(type, link) }));
      expect(await diffIdsOf(found!)).toEqual(ids);
    }
  });

  test.each([
    ['out of the archive', '../../etc/passwd', 'path/escape'],
    ['to an absolute path', '/etc/passwd', 'path/escape'],
    ['to nothing', 'gone', 'member/missing'],
    ['to itself', 'layer.tar', 'member/cycle'],
    ['to a folder', '.', 'member/type'],
  ])('may not be a symlink %s', async (_, link, code) => {
    const members = (entries: TarEntry[]) =>
      entries.map((entry) => (entry.body === one ? { name: entry.name, link } : entry));
    expect(await codeOf(() => read(save({ members })))).toBe(code);
  });

  test('may be one diff_id under two names', async () => {
    const twice: ImageRecipe = { layers: [one, one] };
    const members = (entries: TarEntry[]) =>
      entries.map((entry) => (String(entry.name).endsWith('/layer.tar') ? { name: entry.name, body: one } : entry));
    const [found] = await read(save({ members }, twice));
    expect(await diffIdsOf(found!)).toEqual([ids[0], ids[0]]);
  });

  test('of one member may not be two layers of two images either', async () => {
    const bytes = dockerSave([image, { layers: [two] }], {
      generation: '1.10',
      manifest: ([first, second]) => [first, { ...second, Layers: [(first as Item).Layers[0]] }],
    });
    expect(await codeOf(() => read(bytes))).toBe('image/layers');
  });

  test('that ends too soon inside its compression is refused when it is read', async () => {
    const layer = {
      tar: tar([{ name: 'big', body: Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i) % 251)) }]),
    };
    const members = (entries: TarEntry[]) =>
      entries.map((entry) =>
        String(entry.name).endsWith('.tar.gz') ? { ...entry, body: (entry.body as Buffer).subarray(0, 300) } : entry,
      );
    const [found] = await read(dockerSave({ layers: [layer] }, { generation: 'kaniko', members }));
    expect(await codeOf(() => diffIdsOf(found!))).toBe('codec/truncated');
  });
});
