import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../fixtures/image-recipe.ts';
import {
  type Descriptor,
  emptyLayout,
  type Layout,
  layoutTar,
  ociLayout,
  ociTypes,
  putImage,
  setIndex,
  strangeDigest,
} from '../../../fixtures/oci-layout.ts';
import { oci } from '../../../formats/oci/index.ts';
import { diffIdsOf, imagesIn, refusalOf } from '../support.ts';
import { codeOfLayout, image, read } from './layouts.ts';

/** The layout of one image whose descriptor in `index.json`, manifest or index is edited. */
const withDescriptor = (edit: (descriptor: JsonObject) => unknown): Layout =>
  ociLayout(image, { index: (index) => ({ ...index, manifests: (index['manifests'] as JsonObject[]).map(edit) }) });
const withManifest = (edit: (manifest: JsonObject) => unknown): Layout => ociLayout(image, { manifest: edit });
const withIndex = (edit: (index: JsonObject) => unknown): Layout => ociLayout(image, { index: edit });
const first = (manifest: JsonObject, changes: JsonObject): JsonObject => {
  const [layer, ...others] = manifest['layers'] as JsonObject[];
  return { ...manifest, layers: [{ ...layer, ...changes }, ...others] };
};

describe('index.json', () => {
  test.each([
    ['schemaVersion 1', (index: JsonObject) => ({ ...index, schemaVersion: 1 }), 'oci/document'],
    ['schemaVersion "2"', (index: JsonObject) => ({ ...index, schemaVersion: '2' }), 'oci/document'],
    ['no schemaVersion', ({ schemaVersion: _, ...index }: JsonObject) => index, 'oci/document'],
    ['no manifests', ({ manifests: _, ...index }: JsonObject) => index, 'oci/document'],
    ['layers too', (index: JsonObject) => ({ ...index, layers: [] }), 'oci/document'],
    ['a config too', (index: JsonObject) => ({ ...index, config: null }), 'oci/document'],
    ['fsLayers too', (index: JsonObject) => ({ ...index, fsLayers: [] }), 'oci/document'],
    [
      'the media type of a manifest',
      (index: JsonObject) => ({ ...index, mediaType: ociTypes.manifest }),
      'oci/media-type',
    ],
    ['a media type that is a number', (index: JsonObject) => ({ ...index, mediaType: 1 }), 'json/type'],
    ['manifests as an object', (index: JsonObject) => ({ ...index, manifests: {} }), 'json/type'],
    ['a manifest that is text', (index: JsonObject) => ({ ...index, manifests: ['x'] }), 'json/type'],
    ['a list', () => [], 'json/type'],
  ])('with %s is refused', async (_, edit, code) => {
    expect(await codeOfLayout(withIndex(edit as (index: JsonObject) => unknown))).toBe(code);
  });

  test('may lack a media type', async () => {
    expect(await read(withIndex(({ mediaType: _, ...index }) => index))).toHaveLength(1);
  });
});

describe('a descriptor', () => {
  test.each([
    ['a size too large', { size: 10_000 }, 'size/mismatch'],
    ['a size of 0', { size: 0 }, 'size/mismatch'],
    ['a negative size', { size: -1 }, 'json/type'],
    ['a size with a fraction', { size: 1.5 }, 'json/type'],
    ['a size in text', { size: '12' }, 'json/type'],
    ['a size of 2^53', { size: 2 ** 53 }, 'json/type'],
    ['a size of 2^63', { size: 2 ** 63 }, 'json/type'],
    ['no size', { size: undefined }, 'json/type'],
    ['no digest', { digest: undefined }, 'json/type'],
    ['a digest that climbs (CVE-2024-3727)', { digest: `sha256:../../${'0'.repeat(58)}` }, 'digest/invalid'],
    ['a digest in capitals', { digest: `sha256:${'A'.repeat(64)}` }, 'digest/invalid'],
    ['a digest that is too short', { digest: 'sha256:abc' }, 'digest/invalid'],
    ['an algorithm that nobody computes', { digest: `blake3:${'0'.repeat(64)}` }, 'digest/invalid'],
    ['a digest of nothing that is there', { digest: strangeDigest('x') }, 'blob/missing'],
    ['no media type', { mediaType: undefined }, 'json/type'],
    ['the media type of an index', { mediaType: ociTypes.index }, 'oci/document'],
  ] as const)('in index.json with %s is refused', async (_, changes, code) => {
    expect(await codeOfLayout(withDescriptor((descriptor) => ({ ...descriptor, ...changes })))).toBe(code);
  });

  test.each([-1, 1])('of a layer with a size that is off by %d is refused', async (off) => {
    const layout = withManifest((manifest) => {
      const { size } = (manifest['layers'] as Descriptor[])[0]!;
      return first(manifest, { size: size + off });
    });
    expect(await codeOfLayout(layout)).toBe('size/mismatch');
  });

  test('of a configuration that is off by one byte is refused', async () => {
    const layout = withManifest((manifest) => {
      const config = manifest['config'] as Descriptor;
      return { ...manifest, config: { ...config, size: config.size - 1 } };
    });
    expect(await codeOfLayout(layout)).toBe('size/mismatch');
  });

  test('may have urls, annotations of any type, and members that nobody knows', async () => {
    const layout = withDescriptor((one) => ({ ...one, annotations: 'x', urls: 5, platform: 7, data: {}, unknown: [] }));
    expect(await read(layout)).toMatchObject([{ kind: 'image', names: [] }]);
  });
});

describe('a manifest', () => {
  test.each([
    ['manifests too', (manifest: JsonObject) => ({ ...manifest, manifests: [] }), 'oci/document'],
    ['fsLayers too', (manifest: JsonObject) => ({ ...manifest, fsLayers: [] }), 'oci/document'],
    ['schemaVersion 1', (manifest: JsonObject) => ({ ...manifest, schemaVersion: 1 }), 'oci/document'],
    [
      'the media type of an index',
      (manifest: JsonObject) => ({ ...manifest, mediaType: ociTypes.index }),
      'oci/media-type',
    ],
    ['another media type', (manifest: JsonObject) => ({ ...manifest, mediaType: 'text/plain' }), 'oci/media-type'],
    ['no config', (manifest: JsonObject) => ({ ...manifest, config: null }), 'json/type'],
    [
      'a layer too few',
      (manifest: JsonObject) => ({ ...manifest, layers: (manifest['layers'] as JsonObject[]).slice(1) }),
      'image/layers',
    ],
    ['no layers', (manifest: JsonObject) => ({ ...manifest, layers: undefined }), 'image/layers'],
    ['layers as text', (manifest: JsonObject) => ({ ...manifest, layers: 'x' }), 'json/type'],
    ['no JSON', () => Buffer.from('{'), 'json/syntax'],
    ['null', () => Buffer.from('null'), 'json/type'],
  ])('with %s is refused', async (_, edit, code) => {
    expect(await codeOfLayout(withManifest(edit as (manifest: JsonObject) => unknown))).toBe(code);
  });

  test('may be Docker’s, with layers of Docker’s types', async () => {
    const docker = 'application/vnd.docker';
    const layout = emptyLayout();
    const descriptor = putImage(layout, image, {
      manifest: (manifest) => ({
        ...manifest,
        mediaType: `${docker}.distribution.manifest.v2+json`,
        config: { ...(manifest['config'] as JsonObject), mediaType: `${docker}.container.image.v1+json` },
        layers: (manifest['layers'] as JsonObject[]).map((one) => ({
          ...one,
          mediaType: `${docker}.image.rootfs.diff.tar.gzip`,
        })),
      }),
    });
    setIndex(layout, [{ ...descriptor, mediaType: `${docker}.distribution.manifest.v2+json` }]);
    const [found] = await imagesIn(oci, layoutTar(layout));
    expect((await diffIdsOf(found!)).length).toBe(2);
  });

  test('has no more layers than the limit', async () => {
    expect(await codeOfLayout(ociLayout(image), { layers: 1 })).toBe('limit/layers');
  });

  test('that is refused says where', async () => {
    const refusal = await refusalOf(() => read(withManifest((manifest) => first(manifest, { size: 1 }))));
    expect(refusal?.at.slice(0, 2)).toEqual(['index.json', 'greeting:latest']);
    expect(refusal?.at.at(-1)).toBe('layer 1');
  });
});
