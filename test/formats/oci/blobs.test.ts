/** Blobs that are not what their digests say, and indexes inside indexes. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { ImageRecipe } from '../../../fixtures/image-recipe.ts';
import { greeting } from '../../../fixtures/images.ts';
import {
  blobPath,
  type Descriptor,
  emptyLayout,
  type Layout,
  layoutTar,
  ociLayout,
  ociTypes,
  putAttestation,
  putDocument,
  putImage,
  putIndex,
  setIndex,
  strangeDigest,
} from '../../../fixtures/oci-layout.ts';
import { oci } from '../../../formats/oci/index.ts';
import { codeOf, contextWith, diffIdsOf, imagesIn, whole } from '../support.ts';
import { codeOfLayout, image, read } from './layouts.ts';

describe('a blob', () => {
  const damaged = (digest: (layout: Layout) => string): Layout => {
    const layout = ociLayout(image);
    const path = blobPath(digest(layout));
    const bytes = Buffer.from(layout.get(path)!);
    bytes[10] = bytes[10]! ^ 1;
    return layout.set(path, bytes);
  };
  const index = (layout: Layout) => JSON.parse(layout.get('index.json')!.toString()).manifests[0];
  const manifest = (layout: Layout) => JSON.parse(layout.get(blobPath(index(layout).digest))!.toString());

  test.each([
    ['a manifest', (layout: Layout) => index(layout).digest as string],
    ['a configuration', (layout: Layout) => manifest(layout).config.digest as string],
  ])('of %s that is not what its digest says is refused', async (_, digest) => {
    expect(await codeOfLayout(damaged(digest))).toBe('digest/mismatch');
  });

  test('of a layer that is not what its digest says is refused when it is read, whole or unpacked', async () => {
    const layout = damaged((one) => manifest(one).layers[1].digest);
    const [, top] = (await imagesIn(oci, layoutTar(layout)))[0]!.layers;
    expect(await codeOf(() => whole(top!.blob.open()))).toBe('digest/mismatch');
    expect(['digest/mismatch', 'codec/corrupt']).toContain(await codeOf(() => whole(top!.open(contextWith()))));
  });

  test('of a layer that unpacks to something else than its diff_id is refused when it is unpacked', async () => {
    const recipe: ImageRecipe = {
      ...image,
      config: { ...image.config, rootfs: { type: 'layers', diff_ids: [strangeDigest('a'), strangeDigest('b')] } },
    };
    const [found] = await imagesIn(oci, layoutTar(ociLayout(recipe)));
    expect(await codeOf(() => whole(found!.layers[0]!.blob.open()))).toBe('no refusal');
    expect(await codeOf(() => diffIdsOf(found!))).toBe('digest/mismatch');
  });

  test('may be named by sha512', async () => {
    const { createHash } = await import('node:crypto');
    const layout = ociLayout(image, {
      manifest: (one) => {
        const [base, top] = one['layers'] as [Descriptor, Descriptor];
        const bytes = gzipSync(image.layers[1] as Uint8Array, { level: 9 });
        const hex = createHash('sha512').update(bytes).digest('hex');
        renamed = [top.digest, `sha512:${hex}`];
        return { ...one, layers: [base, { ...top, digest: `sha512:${hex}` }] };
      },
    });
    const [before, after] = renamed;
    layout.set(blobPath(after), layout.get(blobPath(before))!);
    layout.delete(blobPath(before));
    const [found] = await imagesIn(oci, layoutTar(layout));
    expect((await diffIdsOf(found!)).length).toBe(2);
    layout.get(blobPath(after))![5] = 9;
    const [wrong] = await imagesIn(oci, layoutTar(layout));
    expect(await codeOf(() => whole(wrong!.layers[1]!.blob.open()))).toBe('digest/mismatch');
  });
  let renamed: [string, string] = ['', ''];
});

describe('an index', () => {
  const other = greeting('arm64');

  test('may be nested: its images keep their order and their platforms', async () => {
    const layout = emptyLayout();
    const inner = putIndex(layout, [putImage(layout, image), putImage(layout, other)]);
    setIndex(layout, [putIndex(layout, [inner])]);
    const images = await imagesIn(oci, layoutTar(layout));
    expect(images.map(({ config }) => config.platform.architecture)).toEqual(['amd64', 'arm64']);
  });

  test('keeps what is no image beside it: attestations are artifacts', async () => {
    const layout = emptyLayout();
    const descriptor = putImage(layout, image);
    setIndex(layout, [putIndex(layout, [descriptor, putAttestation(layout, descriptor)])]);
    const [item] = await read(layout);
    expect(item?.kind === 'index' && item.children.map(({ kind }) => kind)).toEqual(['image', 'artifact']);
  });

  test('may list platforms that were not copied along, as long as one is there', async () => {
    const layout = emptyLayout();
    const present = putImage(layout, image);
    const elsewhere = putImage(new Map(), other);
    setIndex(layout, [putIndex(layout, [elsewhere, present])]);
    const [item] = await read(layout);
    expect(item?.kind === 'index' && [item.children.length, item.absent.map(({ digest }) => digest)]).toEqual([
      1,
      [elsewhere.digest],
    ]);
    setIndex(layout, [putIndex(layout, [elsewhere])]);
    expect(await codeOfLayout(layout)).toBe('blob/missing');
  });

  test('is refused beyond the limit of nesting', async () => {
    const nested = (depth: number): Layout => {
      const layout = emptyLayout();
      let descriptor: Descriptor = putImage(layout, image);
      for (let i = 0; i < depth; i++) descriptor = putIndex(layout, [descriptor]);
      return setIndex(layout, [descriptor]);
    };
    expect(await codeOfLayout(nested(8))).toBe('no refusal');
    expect(await codeOfLayout(nested(9))).toBe('limit/index-depth');
  });

  test('that names the next one many times over, again and again, is refused in no time', async () => {
    const layout = emptyLayout();
    let descriptor: Descriptor = putImage(layout, image);
    for (let i = 0; i < 8; i++)
      descriptor = putIndex(
        layout,
        Array.from({ length: 20 }, () => descriptor),
      );
    setIndex(layout, [descriptor]);
    expect(await codeOfLayout(layout, { members: 1000 })).toBe('limit/members');
  });

  test.each([
    ['layers too', { layers: [] }, 'oci/document'],
    ['the media type of a manifest', { mediaType: ociTypes.manifest }, 'oci/media-type'],
    ['manifests as text', { manifests: 'x' }, 'json/type'],
  ])('as a blob with %s is refused', async (_, changes, code) => {
    const layout = emptyLayout();
    setIndex(layout, [putIndex(layout, [putImage(layout, image)], changes)]);
    expect(await codeOfLayout(layout)).toBe(code);
  });

  test('as a blob may say null for no manifests', async () => {
    const layout = emptyLayout();
    const document = { schemaVersion: 2, mediaType: ociTypes.index, manifests: null };
    setIndex(layout, [putDocument(layout, document, ociTypes.index)]);
    expect(await read(layout)).toMatchObject([{ kind: 'index', children: [] }]);
  });
});
