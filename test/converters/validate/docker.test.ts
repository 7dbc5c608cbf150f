/** Rules of docker archives, each broken once in an archive that is sound otherwise. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type RuleId, validate } from '../../../converters/index.ts';
import type { SaveOptions } from '../../../fixtures/docker-save.ts';
import { dockerSave, generations } from '../../../fixtures/docker-save.ts';
import { windowsImage } from '../../../fixtures/images.ts';
import type { TarEntry } from '../../../fixtures/tar.ts';
import {
  type Any,
  dockerFile,
  expectUnconditional,
  fileWith,
  placesOf,
  rulesIn,
  small,
  validateDocument,
} from './inputs.ts';

const image = { ...small, config: { ...small.config, history: [] } };
const archive = (options: Partial<SaveOptions> = {}): string => dockerFile(options, image);
const listed = (edit: (item: Any) => Any): Partial<SaveOptions> => ({ manifest: (items: Any) => items.map(edit) });
const members = (edit: (member: TarEntry) => TarEntry): Partial<SaveOptions> => ({ members: (all) => all.map(edit) });
const named = (pattern: RegExp, more: Partial<TarEntry>) =>
  members((one) => (pattern.test(String(one.name)) ? { ...one, ...more } : one));

/** What else is found in an archive of this kind, and breaks nothing. */
const EXPECTED: Readonly<Partial<Record<(typeof generations)[number], readonly RuleId[]>>> = {
  v1: ['docker/version-1'],
  '25': ['docker/hybrid-layout'],
  // Its first release wrote manifests without layers, which is the half that is not followed.
  '25.0.0': ['docker/hybrid-layout'],
  containerd: ['docker/hybrid-layout'],
  jib: ['docker/name-case'],
};

test.each(generations)('an archive of the generation %s has no more than a note', async (generation) => {
  const found = await validate(dockerFile({ generation }, image));
  expectUnconditional(found);
  expect(rulesIn(found)).toEqual(EXPECTED[generation] ?? []);
});

const BREACHES: readonly (readonly [rule: RuleId, what: string, options: Partial<SaveOptions>])[] = [
  ['docker/manifest', 'null', { manifest: () => null }],
  ['docker/manifest', 'an object', { manifest: () => ({}) }],
  ['docker/manifest-form', 'without Config', listed(({ Config: _, ...item }) => item)],
  ['docker/manifest-form', 'with Layers of another type', listed((item) => ({ ...item, Layers: 'x' }))],
  ['docker/repo-tags', 'with a name without a tag', listed((item) => ({ ...item, RepoTags: ['greeting'] }))],
  ['docker/repo-tags', 'with a name that Docker refuses', listed((item) => ({ ...item, RepoTags: ['App:1.0'] }))],
  ['docker/repo-tags', 'with a name that is a path', listed((item) => ({ ...item, RepoTags: ['../../x:1'] }))],
  [
    'docker/repo-tags',
    'with a digest for a name',
    listed((item) => ({ ...item, RepoTags: [`a:1@sha256:${'0'.repeat(64)}`] })),
  ],
  ['docker/member', 'with a layer that is not there', listed((item) => ({ ...item, Layers: ['nothing/layer.tar'] }))],
  ['docker/member', 'with a configuration outside', listed((item) => ({ ...item, Config: '../../etc/passwd' }))],
  ['docker/member', 'with a link that leads to itself', named(/layer\.tar$/, { link: 'layer.tar', body: '' })],
  ['docker/layers', 'with a layer too few', listed((item) => ({ ...item, Layers: [] }))],
  ['docker/diff-id', 'with a layer that was changed', named(/layer\.tar$/, { body: Buffer.alloc(1024) })],
  [
    'docker/layer-sources',
    'with sources that describe nothing',
    listed((item) => ({ ...item, LayerSources: { x: 1 } })),
  ],
  ['docker/repositories', 'with other names in repositories', { repositories: () => ({ other: { latest: 'x' } }) }],
  ['docker/name-case', 'in another spelling', { generation: 'jib' }],
];

test.each(BREACHES.map((row) => [...row]))('breaks %s: an archive %s', async (rule, _, options) => {
  expect(rulesIn(await validate(archive(options)))).toContain(rule);
});

test('one member as two layers breaks docker/member-twice', async () => {
  const two = { ...image, layers: [image.layers[0]!, Buffer.alloc(1024)] };
  const same = listed((item) => ({ ...item, Layers: [item.Layers[0], item.Layers[0]] }));
  expect(rulesIn(await validate(dockerFile(same, two)))).toContain('docker/member-twice');
});

test('a configuration is held against the rules of configurations', async () => {
  const found = await validate(dockerFile({}, { ...image, config: { ...image.config, os: undefined } }));
  expect(rulesIn(found)).toEqual(['oci/config-platform']);
});

test('a foreign layer may be absent', async () => {
  const windows = windowsImage();
  const absent = windows.layers.map((layer) => ('foreign' in layer ? { ...layer, absent: true } : layer));
  expect(rulesIn(await validate(dockerFile({}, { ...windows, layers: absent })))).toContain('docker/foreign-absent');
});

describe('an archive that is a layout too', () => {
  const hybrid = (options: Partial<SaveOptions>) => validate(archive({ generation: '25', ...options }));

  test.each<readonly [string, Partial<SaveOptions>]>([
    ['names another image in index.json', listed((item) => ({ ...item, RepoTags: ['other:1'] }))],
    ['has no list in index.json', { index: (index: Any) => ({ ...index, manifests: null }) }],
    ['has no image in index.json', { index: (index: Any) => ({ ...index, manifests: [] }) }],
    [
      'has another configuration in its manifest',
      {
        ociManifest: (manifest: Any) => ({
          ...manifest,
          config: { ...manifest.config, digest: `sha256:${'0'.repeat(64)}` },
        }),
      },
    ],
  ])('breaks docker/hybrid-index where it %s', async (_, options) => {
    expect(rulesIn(await hybrid(options))).toContain('docker/hybrid-index');
  });

  test('can be validated as a layout', async () => {
    const found = await validate(`oci-archive:${archive({ generation: '25' })}`);
    expect(found.format).toBe('oci');
    expect(found.verdict.must).toBe(0);
  });
});

describe('an archive before Docker 1.10', () => {
  const old = (options: Partial<SaveOptions>) => validate(archive({ generation: 'v1', ...options }));
  const json = (edit: (value: Any) => Any): Partial<SaveOptions> =>
    members((one) =>
      /\/json$/.test(String(one.name)) ? { ...one, body: JSON.stringify(edit(JSON.parse(String(one.body)))) } : one,
    );

  test.each<readonly [RuleId, string, Partial<SaveOptions>]>([
    [
      'docker/version-1-id',
      'a folder that is no id',
      members((one) => ({ ...one, name: String(one.name).replace(/^[0-9a-f]{64}/, 'short') })),
    ],
    ['docker/version-1-json', 'the id of another layer', json((value) => ({ ...value, id: '0'.repeat(64) }))],
    ['docker/version-1-parent', 'a parent that is not there', json((value) => ({ ...value, parent: '0'.repeat(64) }))],
    ['docker/version-1-parent', 'itself as its parent', json((value) => ({ ...value, parent: value.id }))],
    ['docker/version-1-id', 'a parent that is a path', json((value) => ({ ...value, parent: '../x' }))],
    [
      'docker/version-1-parent',
      'a name for a layer that is not there',
      { repositories: () => ({ app: { 1: '0'.repeat(64) } }) },
    ],
    ['docker/repositories', 'repositories that are a list', { repositories: () => [] as never }],
    ['docker/repositories', 'a name without tags', { repositories: () => ({ a: 'x' }) as never }],
    ['docker/repo-tags', 'a name that is none', { repositories: () => ({ '../x': { 1: '0'.repeat(64) } }) }],
  ])('breaks %s by %s', async (rule, _, options) => {
    expect(rulesIn(await old(options))).toContain(rule);
  });
});

test.each<readonly [RuleId, string, readonly TarEntry[]]>([
  ['archive/duplicate', 'a member twice', [{ name: './manifest.json', body: '[]' }]],
  ['archive/name', 'an absolute name', [{ name: '/etc/x', body: '' }]],
  ['archive/portable', 'a member of an unknown type', [{ name: 'odd', type: 'Q', body: '' }]],
])('breaks %s by %s, plain and compressed', async (rule, _, more) => {
  const bytes = dockerSave(image, { generation: '1.10', members: (all) => [...more, ...all] });
  expect(rulesIn(await validate(fileWith(bytes)))).toEqual([rule]);
  expect(rulesIn(await validate(fileWith(gzipSync(bytes))))).toEqual([rule]);
});

test('one image of several is validated alone where it is named', async () => {
  const other = { ...image, tags: ['other:1'], config: { ...image.config, os: undefined } };
  const file = dockerFile({}, [image, other]);
  expect((await validate(`docker-archive:${file}:greeting`)).verdict.must).toBe(0);
  expect((await validate(`docker-archive:${file}:@1`)).verdict.must).toBe(1);
  await expect(validate(`docker-archive:${file}:none:1`)).rejects.toMatchObject({ code: 'image/select' });
});

test('a configuration that hundreds of images name is not read for ever', async () => {
  const large = { ...image, config: { ...image.config, author: 'x'.repeat(70_000) } };
  const named = (length: number): string =>
    dockerFile({ manifest: (items: Any) => Array.from({ length }, () => items[0]) }, large);
  const limits = { 'json-bytes': 80_000 };
  expect((await validate(named(200), { limits })).verdict.must).toBe(0);
  expect(rulesIn(await validate(named(320), { limits }))).toEqual(['input/limits']);
});

test('manifest.json can be validated alone', async () => {
  const found = await validateDocument([{ Config: 'x.json', RepoTags: ['a b'], Layers: [] }], 'docker-manifest');
  expect(placesOf(found, 'docker/repo-tags')).toEqual(['/0 > /RepoTags/0']);
});
