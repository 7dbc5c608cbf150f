/** What is taken for an App Container Image by how it begins, and what must not be. */
import { describe, expect, test } from 'vitest';
import { type AciRecipe, aciTar } from '../../fixtures/aci.ts';
import { dockerSave, generations } from '../../fixtures/docker-save.ts';
import { greeting } from '../../fixtures/images.ts';
import { layoutTar, ociLayout } from '../../fixtures/oci-layout.ts';
import { type TarEntry, tar } from '../../fixtures/tar.ts';
import { contentOffers } from '../../formats/detect.ts';
import { CONTENT_READERS, contentReaderNamed, READERS } from '../../formats/index.ts';
import { HEAD_SIZE } from '../../formats/model/reader.ts';

const offered = (bytes: Uint8Array): readonly string[] =>
  contentOffers(bytes.subarray(0, HEAD_SIZE)).map(({ reader }) => reader.name);

describe('an App Container Image is recognised', () => {
  test.each<[string, AciRecipe]>([
    ['the manifest first', {}],
    ['the manifest last', { order: 'manifest-last' }],
    [
      'the manifest behind more than is looked at',
      { order: 'manifest-last', rootfs: [{ name: 'a', body: 'x'.repeat(HEAD_SIZE) }] },
    ],
    ['a manifest that is longer than what is looked at', { manifest: { unknown: 'x'.repeat(HEAD_SIZE) } }],
    ['./ in front', { members: (all) => [{ name: './' }, ...all.map((one) => ({ ...one, name: `./${one.name}` }))] }],
    ['a name beside them', { members: (all) => [{ name: 'README' }, ...all] }],
    ['a tar of the seventh edition', { tar: { dialect: 'v7' } }],
  ])('with %s', (_, recipe) => {
    expect(offered(aciTar(recipe))).toEqual(['aci']);
  });

  test('with less confidence where the manifest was not seen yet', () => {
    const [seen] = contentOffers(aciTar().subarray(0, HEAD_SIZE));
    const [unseen] = contentOffers(tar([{ name: 'rootfs/' }, { name: 'rootfs/a' }]));
    expect(seen!.confidence).toBeGreaterThan(unseen!.confidence);
    expect([seen!.title, seen!.reason, unseen!.reason]).toEqual([
      'App Container Image',
      'manifest at the top',
      'rootfs at the top, and nothing beside it',
    ]);
  });

  test('whatever is wrong behind its beginning: that is told when it is read', () => {
    const bytes = Buffer.from(aciTar({ rootfs: [{ name: 'a', body: 'x' }] }));
    bytes[1024 + 512]! ^= 1; // in the header behind the manifest
    expect(offered(bytes)).toEqual(['aci']);
    expect(offered(bytes.subarray(0, 700))).toEqual(['aci']);
  });
});

describe('is taken for none', () => {
  const config: TarEntry = { name: 'config.json', body: '{}' };
  test.each<[string, readonly TarEntry[]]>([
    ['a runtime bundle', [config, { name: 'rootfs/' }, { name: 'rootfs/bin/' }]],
    ['a runtime bundle, its configuration last', [{ name: 'rootfs/' }, { name: 'rootfs/bin/' }, config]],
    ['a root filesystem with a folder called rootfs', [{ name: 'bin/' }, { name: 'etc/' }, { name: 'rootfs/' }]],
    [
      'a folder of images',
      [
        { name: 'a.aci', body: 'x' },
        { name: 'b.aci', body: 'x' },
      ],
    ],
    ['an unpacked image one folder further down', [{ name: 'app/manifest', body: '{}' }, { name: 'app/rootfs/' }]],
    [
      'the data folder of an rkt host',
      [
        { name: 'cas/blob/sha512/aa/x', body: 'x' },
        { name: 'cas/tree/x/manifest', body: '{}' },
      ],
    ],
    [
      'names that only look like it',
      [
        { name: 'manifest.json', body: '[]' },
        { name: 'rootfs.tar', body: 'x' },
      ],
    ],
    ['nothing', []],
  ])('a tar with %s', (_, entries) => {
    expect(offered(tar(entries))).toEqual([]);
  });

  test.each(generations)('a docker archive of the form %s', (generation) => {
    expect(offered(dockerSave(greeting('amd64'), { generation }))).toEqual([]);
  });

  test('an image layout as a tar, its head alone, text and zeros', () => {
    expect(offered(layoutTar(ociLayout(greeting('amd64'))))).toEqual([]);
    expect(offered(aciTar().subarray(0, 511))).toEqual([]);
    expect(offered(Buffer.from('manifest\n'.repeat(100)))).toEqual([]);
    expect(offered(Buffer.alloc(10_240))).toEqual([]);
    expect(offered(new Uint8Array(0))).toEqual([]);
  });
});

test('every reader of the tables has names of its own', () => {
  const names = [...READERS, ...CONTENT_READERS].flatMap(({ name, aliases }) => [name, ...aliases]);
  expect(new Set(names).size).toBe(names.length);
  for (const reader of CONTENT_READERS)
    for (const name of [reader.name, ...reader.aliases]) expect(contentReaderNamed(name)).toBe(reader);
  expect(contentReaderNamed('nothing')).toBeUndefined();
});
