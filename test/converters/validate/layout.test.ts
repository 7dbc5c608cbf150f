/** Rules of image layouts as a whole: files, blobs, and what one document says of another. */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type RuleId, validate } from '../../../converters/index.ts';
import { windowsImage } from '../../../fixtures/images.ts';
import {
  type Descriptor,
  emptyLayout,
  type Layout,
  layoutTar,
  named,
  ociLayout,
  ociTypes,
  putBlob,
  putDocument,
  putImage,
  putIndex,
  setIndex,
  setRefs,
  strangeDigest,
  writeLayout,
} from '../../../fixtures/oci-layout.ts';
import { scratch } from '../../fixtures/peers.ts';
import { type Any, blobWith, expectUnconditional, fileWith, layoutWith, placesOf, rulesIn, small } from './inputs.ts';

const image = { ...small, config: { ...small.config, history: [] } };
const manifestOf = (edit: (manifest: Any) => Any) => ({
  manifest: (manifest: unknown) => edit(structuredClone(manifest)),
});
const indexOf = (edit: (descriptor: Any) => Any) => ({
  index: (index: Any) => ({ ...index, manifests: index.manifests.map(edit) }),
});

describe('a sound layout', () => {
  test('has no finding, as a folder', async () => {
    const found = await validate(await layoutWith());
    expectUnconditional(found);
    expect(found).toMatchObject({ format: 'oci', findings: [], verdict: { complete: true } });
  });

  test.each(['plain', 'compressed'])('has no finding, as one tar, %s', async (how) => {
    const { gzipSync } = await import('node:zlib');
    const bytes = layoutTar(ociLayout(image));
    expectUnconditional(await validate(fileWith(how === 'plain' ? bytes : gzipSync(bytes), 'oci.tar')));
  });

  test('has none as a stream that can be read once', async () => {
    const bytes = layoutTar(ociLayout(image));
    async function* stream() {
      for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
    }
    const found = await validate({ stream: stream(), name: 'a pipe' });
    expectUnconditional(found);
    expect(found.source).toBe('a pipe');
  });

  test('may have files that nobody specified', async () => {
    const folder = await layoutWith((layout) => layout.set('repositories', Buffer.from('{')));
    expectUnconditional(await validate(folder));
  });
});

const BREACHES: readonly (readonly [rule: RuleId, what: string, make: () => Promise<string>])[] = [
  ['oci/layout-file', 'without oci-layout', () => layoutWith((layout) => layout.delete('oci-layout'))],
  [
    'oci/layout-version',
    'of another version',
    () => layoutWith(undefined, { layoutFile: '{"imageLayoutVersion":"2.0.0"}' }),
  ],
  ['oci/layout-index', 'without index.json', () => layoutWith((layout) => layout.delete('index.json'))],
  [
    'oci/layout-refs',
    'of a release candidate',
    () => layoutWith((layout) => setRefs(layout, { app: putImage(layout, image) })),
  ],
  ['oci/layout-blobs', 'without blobs', () => written(setIndex(emptyLayout(), []))],
  [
    'oci/blob-name',
    'with a file among the blobs',
    () => layoutWith((layout) => layout.set('blobs/sha256/short', Buffer.from(''))),
  ],
  [
    'oci/blob-digest',
    'with a blob that was changed',
    () =>
      layoutWith((layout) =>
        change(layout, 'rootfs', (bytes) => Buffer.from(bytes.toString().replace('greet', 'GREET'))),
      ),
  ],
  [
    'oci/blob-digest',
    'with an unreferenced blob that was changed',
    () => layoutWith((layout) => layout.set(`blobs/sha256/${'0'.repeat(64)}`, Buffer.from('x'))),
  ],
  [
    'oci/blob-size',
    'with a blob that was cut',
    () => layoutWith((layout) => change(layout, 'rootfs', (bytes) => bytes.subarray(0, -1))),
  ],
  [
    'oci/blob-digest',
    'with a subject that was changed',
    () =>
      layoutWith((layout) => {
        const subject = putBlob(layout, Buffer.from('subject'), ociTypes.manifest);
        setIndex(layout, [
          named(
            putImage(
              layout,
              image,
              manifestOf((manifest) => ({ ...manifest, subject })),
            ),
            'app',
          ),
        ]);
        change(layout, 'subject', (bytes) => (bytes.toString() === 'subject' ? Buffer.from('SUBJECT') : bytes));
      }),
  ],
  ['oci/blob-missing', 'without a blob', () => layoutWith((layout) => layout.delete(blobWith(layout, 'rootfs')))],
  [
    'oci/blob-unreferenced',
    'with one blob too many',
    () => layoutWith((layout) => putBlob(layout, Buffer.from('x'), 'text/plain')),
  ],
  [
    'oci/digest-unverified',
    'with a digest of an algorithm that is not computed',
    () => layoutWith(addStrange('blake3', '0'.repeat(64))),
  ],
  [
    'oci/descriptor-data',
    'with data that is something else',
    () =>
      layoutWith(
        undefined,
        manifestOf((manifest) => ({ ...manifest, config: { ...manifest.config, data: 'e30=' } })),
      ),
  ],
  [
    'oci/type-confusion',
    'with a manifest that says it is an index',
    () =>
      layoutWith(
        undefined,
        manifestOf((manifest) => ({ ...manifest, mediaType: ociTypes.index })),
      ),
  ],
  [
    'oci/type-confusion',
    'with a manifest that has manifests',
    () =>
      layoutWith(
        undefined,
        manifestOf((manifest) => ({ ...manifest, manifests: [] })),
      ),
  ],
  [
    'oci/manifest-media-type',
    'with a manifest of Docker’s under OCI’s name',
    () =>
      layoutWith(
        undefined,
        manifestOf((manifest) => ({ ...manifest, mediaType: 'application/vnd.docker.distribution.manifest.v2+json' })),
      ),
  ],
  [
    'oci/platform-config',
    'with a descriptor for another platform',
    () =>
      layoutWith(
        undefined,
        indexOf((one) => ({ ...one, platform: { os: 'linux', architecture: 'arm64' } })),
      ),
  ],
  ['oci/index-depth', 'with indexes that are nested too deep', () => nested(10)],
  ['oci/platform-missing', 'with a platform that was not copied', () => nested(1, true)],
  [
    'oci/foreign-absent',
    'with a layer that its vendor serves',
    () =>
      written(
        ociLayout({
          ...windowsImage(),
          layers: windowsImage().layers.map((layer) => ('foreign' in layer ? { ...layer, absent: true } : layer)),
        }),
      ),
  ],
  [
    'oci/config-layers',
    'with too few diffIDs',
    () => configured((config) => ({ ...config, rootfs: { type: 'layers', diff_ids: [] } })),
  ],
  [
    'oci/config-diff-id',
    'with a diffID of something else',
    () => configured((config) => ({ ...config, rootfs: { type: 'layers', diff_ids: [strangeDigest('x')] } })),
  ],
  [
    'layer/compression',
    'with a layer that is not compressed',
    () =>
      layoutWith(undefined, {
        compression: 'none',
        ...manifestOf((manifest) => ({
          ...manifest,
          layers: manifest.layers.map((one: Any) => ({ ...one, mediaType: `${ociTypes.layer}+gzip` })),
        })),
      }),
  ],
];

test.each(BREACHES.map((row) => [...row]))('breaks %s: a layout %s', async (rule, _, make) => {
  const found = await validate(`oci:${await make()}`);
  expect(rulesIn(found)).toContain(rule);
});

test('a blob that is a link out of the layout breaks oci/blob-file', async () => {
  const folder = await layoutWith();
  const path = blobWith(ociLayout(image), 'rootfs');
  rmSync(join(folder, path));
  symlinkSync('/etc/passwd', join(folder, path));
  expect(rulesIn(await validate(folder))).toContain('oci/blob-file');
});

test('a blob that is a folder breaks oci/blob-file', async () => {
  const folder = await layoutWith();
  const path = blobWith(ociLayout(image), 'rootfs');
  rmSync(join(folder, path));
  mkdirSync(join(folder, path));
  expect(rulesIn(await validate(folder))).toContain('oci/blob-file');
});

describe('a place', () => {
  test('leads from index.json to the member', async () => {
    const folder = await layoutWith((layout) => layout.delete(blobWith(layout, 'rootfs')));
    expect(placesOf(await validate(folder), 'oci/blob-missing')).toEqual([
      expect.stringMatching(/^index\.json > greeting:latest > manifest sha256:[0-9a-f]{12}… > \/config$/),
    ]);
  });
});

describe('one image of several', () => {
  const two = () => {
    const layout = emptyLayout();
    const sound = named(putImage(layout, image), 'sound:1');
    const broken = { ...named(putImage(layout, image), 'broken:1'), size: 1 };
    return written(setIndex(layout, [sound, broken]));
  };

  test('is validated alone where it is named', async () => {
    const folder = await two();
    expect((await validate(`oci:${folder}:sound:1`)).verdict.must).toBe(0);
    expect((await validate(`oci:${folder}:@1`)).verdict.must).toBe(1);
    expect((await validate(`oci:${folder}`)).verdict.must).toBe(1);
  });

  test('must be there', async () => {
    await expect(validate(`oci:${await two()}:other`)).rejects.toMatchObject({ code: 'image/select' });
    await expect(validate(`oci:${await two()}:@7`)).rejects.toMatchObject({ code: 'image/select' });
  });
});

describe('hostile layouts', () => {
  test('with indexes that name each other are walked once', async () => {
    const layout = emptyLayout();
    const inner = putIndex(layout, [putImage(layout, image)]);
    const outer = putIndex(
      layout,
      Array.from({ length: 500 }, () => inner),
    );
    const found = await validate(
      await written(
        setIndex(
          layout,
          Array.from({ length: 500 }, () => outer),
        ),
      ),
    );
    expect(found.verdict.must).toBe(0);
  });

  test('with a digest that is a path lead nowhere', async () => {
    const folder = await layoutWith(
      undefined,
      indexOf((one) => ({ ...one, digest: 'sha256:../../../etc/passwd' })),
    );
    expect(rulesIn(await validate(folder))).toEqual(['oci/descriptor-digest', 'oci/blob-unreferenced']);
  });
});

test('what cannot be read at all is refused, and not judged', async () => {
  await expect(validate(join(scratch(), 'nothing'))).rejects.toMatchObject({ code: 'source/missing', status: 2 });
  await expect(validate(scratch())).rejects.toMatchObject({ code: 'format/unknown', status: 3 });
  await expect(validate(fileWith('text'))).rejects.toMatchObject({ code: 'format/unknown', status: 3 });
  await expect(validate(fileWith('{"a":1}'))).rejects.toMatchObject({ code: 'format/unknown', status: 3 });
  await expect(validate(fileWith('{}'), { from: 'bundle' })).rejects.toMatchObject({ code: 'format/unknown' });
  const cut = layoutTar(ociLayout(image)).subarray(0, -2000);
  await expect(validate(fileWith(cut))).rejects.toMatchObject({ code: 'tar/truncated', status: 4 });
});

test('a validation can be interrupted', async () => {
  const stop = AbortSignal.abort();
  await expect(validate(await layoutWith(), { signal: stop })).rejects.toMatchObject({ code: 'interrupted' });
});

async function written(layout: Layout): Promise<string> {
  const folder = scratch();
  await writeLayout(layout, folder);
  return folder;
}

function change(layout: Layout, text: string, edit: (bytes: Buffer) => Buffer): void {
  const path = blobWith(layout, text);
  layout.set(path, Buffer.from(edit(layout.get(path)!)));
}

function addStrange(algorithm: string, encoded: string) {
  return (layout: Layout): void => {
    layout.set(`blobs/${algorithm}/${encoded}`, Buffer.from('x'));
    const index = JSON.parse(layout.get('index.json')!.toString());
    index.manifests.push({ mediaType: 'text/plain', digest: `${algorithm}:${encoded}`, size: 1 });
    layout.set('index.json', Buffer.from(JSON.stringify(index)));
  };
}

function nested(depth: number, absent = false): Promise<string> {
  const layout = emptyLayout();
  const platform = { os: 'linux', architecture: 's390x' };
  const missing = { mediaType: ociTypes.manifest, digest: strangeDigest('other platform'), size: 1, platform };
  let descriptor: Descriptor = putImage(layout, image);
  for (let n = 0; n < depth; n++)
    descriptor = putIndex(layout, n === 0 && absent ? [descriptor, missing] : [descriptor]);
  return written(setIndex(layout, [descriptor]));
}

/** An image whose configuration is another one, with digests and sizes that are true. */
function configured(edit: (config: Any) => Any): Promise<string> {
  return layoutWith((layout) => {
    const config = putDocument(
      layout,
      edit(JSON.parse(layout.get(blobWith(layout, 'rootfs'))!.toString())),
      ociTypes.config,
    );
    const manifest = JSON.parse(layout.get(blobWith(layout, '"layers":['))!.toString());
    const bytes = Buffer.from(JSON.stringify({ ...manifest, config }));
    const digest = createHash('sha256').update(bytes).digest('hex');
    layout.set(`blobs/sha256/${digest}`, bytes);
    const platform = { os: 'linux', architecture: 'amd64' };
    setIndex(layout, [{ mediaType: ociTypes.manifest, digest: `sha256:${digest}`, size: bytes.length, platform }]);
  });
}

test('a document given as bytes of a file of any name is recognised by what it has', async () => {
  const folder = scratch();
  writeFileSync(join(folder, 'x'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  expect(await validate(join(folder, 'x'))).toMatchObject({ format: 'layout-file', findings: [] });
});
