import { describe, expect, test } from 'vitest';
import { prepare } from '../../../fixtures/image-recipe.ts';
import { greeting, windowsImage } from '../../../fixtures/images.ts';
import {
  blobPath,
  emptyLayout,
  type Layout,
  layoutTar,
  named,
  ociLayout,
  ociTypes,
  putBlob,
  putImage,
  setIndex,
  setRefs,
  writeLayout,
} from '../../../fixtures/oci-layout.ts';
import { folderArchive } from '../../../formats/archive/folder.ts';
import { imagesOf } from '../../../formats/model/image.ts';
import { oci } from '../../../formats/oci/index.ts';
import { scratch } from '../../fixtures/peers.ts';
import { codeOf, contextWith, diffIdsOf, imagesIn, openTar, WAYS } from '../support.ts';

const image = greeting('amd64');
const prepared = prepare(image);
const ids = prepared.layers.map(({ diffId }) => diffId);
const read = (layout: Layout, context = contextWith()) => imagesIn(oci, layoutTar(layout), 'indexed', context);
const items = async (layout: Layout) => oci.read(await openTar(layoutTar(layout)), contextWith());

describe('a layout', () => {
  test.each(['none', 'gzip', 'zstd'] as const)(
    'with layers compressed by %s gives the image, whatever holds it',
    async (compression) => {
      const layout = ociLayout(image, { compression });
      const folder = scratch();
      await writeLayout(layout, folder);
      const context = contextWith();
      const fromFolder = imagesOf(await oci.read(await folderArchive(folder, context), context));
      const found = [fromFolder, ...(await Promise.all(WAYS.map((way) => imagesIn(oci, layoutTar(layout), way))))];
      for (const images of found) {
        expect(images.map(({ names }) => names)).toEqual([['greeting:latest']]);
        const [one] = images;
        expect(one!.config).toMatchObject({ user: 'guest', platform: { os: 'linux', architecture: 'amd64' } });
        expect(one!.layers.map(({ blob }) => blob.codec?.name ?? 'none')).toEqual([compression, compression]);
        expect(await diffIdsOf(one!)).toEqual(ids);
        expect(one!.original.config?.digest).toBe(prepared.configDigest);
        expect(one!.original.manifest?.digest).toBe(one!.original.descriptor?.digest);
      }
    },
  );

  test('names an image once a tag, by ref.name or else by containerd’s name', async () => {
    const layout = emptyLayout();
    const descriptor = putImage(layout, image);
    const containerd = { ...descriptor, annotations: { 'io.containerd.image.name': 'docker.io/library/app:1' } };
    setIndex(layout, [named(descriptor, 'one'), named(containerd, '1.0'), containerd, descriptor]);
    expect((await read(layout)).map(({ names }) => names)).toEqual([['one'], ['1.0'], ['docker.io/library/app:1'], []]);
  });

  test('may have extra files and members, and blobs that nothing names', async () => {
    const layout = ociLayout(image, { layoutFile: '{"imageLayoutVersion": "1.0.0", "extra": {}}' });
    layout.set('manifest.json', Buffer.from('nonsense'));
    layout.set('blobs/sha256/stray', Buffer.from('x'));
    putBlob(layout, Buffer.from('unreferenced'), 'x/y');
    expect(await read(layout)).toHaveLength(1);
  });

  test('may have no images', async () => {
    expect(await read(setIndex(emptyLayout(), []))).toEqual([]);
  });

  test('of Go may say null for no images, which is noted as mended', async () => {
    const context = contextWith();
    expect(
      await read(
        setIndex(emptyLayout(), [], (index) => ({ ...index, manifests: null })),
        context,
      ),
    ).toEqual([]);
    expect(context.notes.all()).toMatchObject([{ kind: 'repaired', at: ['index.json'] }]);
  });

  test.each([
    ['another version', '{"imageLayoutVersion":"2.0.0"}', 'format/unsupported'],
    ['no version', '{}', 'json/type'],
    ['a number as version', '{"imageLayoutVersion":1}', 'json/type'],
    ['no JSON', 'x', 'json/syntax'],
  ])('with %s in oci-layout is refused', async (_, layoutFile, code) => {
    expect(await codeOf(() => read(ociLayout(image, { layoutFile })))).toBe(code);
  });

  test.each(['oci-layout', 'index.json'])('without %s is refused', async (name) => {
    const layout = ociLayout(image);
    layout.delete(name);
    expect(await codeOf(() => read(layout))).toBe(name === 'oci-layout' ? 'oci/layout' : 'member/missing');
  });

  test('that holds a foreign layer nowhere has it elsewhere, and any other layer must be there', async () => {
    const windows = windowsImage();
    const [base, top] = windows.layers;
    const [found] = await read(
      ociLayout({ ...windows, layers: [{ ...(base as object), absent: true }, top] as typeof windows.layers }),
    );
    expect(found!.layers.map(({ elsewhere, urls }) => [elsewhere, urls.length])).toEqual([
      [true, 1],
      [false, 0],
    ]);
    const absent = { tar: top as Uint8Array, absent: true };
    expect(await codeOf(() => read(ociLayout({ layers: [absent] })))).toBe('blob/missing');
  });
});

describe('a layout of a release candidate', () => {
  const make = (): Layout => {
    const layout = emptyLayout();
    const manifest = (one: { readonly [key: string]: unknown }) => ({
      ...one,
      mediaType: undefined,
      config: { ...(one['config'] as object), mediaType: 'application/vnd.oci.image.serialization.config.v1+json' },
      layers: (one['layers'] as object[]).map((layer) => ({
        ...layer,
        mediaType: 'application/vnd.oci.image.serialization.rootfs.tar.gzip',
      })),
    });
    return setRefs(layout, { 'v1.0': putImage(layout, image, { manifest }) });
  };

  test('has a name a file of refs/, and media types of its own', async () => {
    for (const way of WAYS) {
      const [found, ...more] = await imagesIn(oci, layoutTar(make()), way);
      expect([found!.names, more]).toEqual([['v1.0'], []]);
      expect(await diffIdsOf(found!)).toEqual(ids);
    }
  });

  test('is read the same from a folder, whatever slash stands behind its name', async () => {
    const folder = scratch();
    await writeLayout(make(), folder);
    for (const path of [folder, `${folder}/`]) {
      const context = contextWith();
      const found = imagesOf(await oci.read(await folderArchive(path, context), context));
      expect(found.map(({ names }) => names)).toEqual([['v1.0']]);
    }
  });

  test('is refused where a ref is no descriptor', async () => {
    const layout = make();
    layout.set('refs/bad', Buffer.from('{"mediaType":"x/y","size":1,"digest":"sha256:x"}'));
    expect(await codeOf(() => read(layout))).toBe('digest/invalid');
  });
});

describe('an artifact', () => {
  test('of a media type that nobody knows is kept whole, and is no image', async () => {
    const layout = emptyLayout();
    const blob = putBlob(layout, Buffer.from('anything'), 'application/x-thing');
    setIndex(layout, [named(blob, 'thing')]);
    const [item] = await items(layout);
    expect(item).toMatchObject({ kind: 'artifact', names: ['thing'], blobs: [{ digest: blob.digest, size: 8 }] });
    expect(await read(layout)).toEqual([]);
  });

  test.each([
    ['a configuration of its own type', { config: 'application/vnd.example.config+json', layers: ociTypes.layer }],
    ['the empty configuration', { config: ociTypes.empty, layers: ociTypes.layer }],
    ['a layer of its own type', { config: ociTypes.config, layers: 'application/vnd.in-toto+json' }],
  ])('is a manifest with %s: its configuration is not parsed', async (_, types) => {
    const layout = emptyLayout();
    const config = putBlob(layout, Buffer.from('not JSON'), types.config);
    const layer = putBlob(layout, Buffer.from('no tar'), types.layers);
    const document = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: ociTypes.manifest, config, layers: [layer] }),
    );
    setIndex(layout, [putBlob(layout, document, ociTypes.manifest)]);
    const [item] = await items(layout);
    expect(item?.kind === 'artifact' && item.blobs.map(({ size }) => size)).toEqual([document.length, 8, 6]);
    layout.delete(blobPath(layer.digest));
    expect(await codeOf(() => items(layout))).toBe('blob/missing');
  });
});
