/** Inputs that are small and want much: memory, time, depth. */

import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { sha256Digest } from '../../fixtures/bytes.ts';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { greeting } from '../../fixtures/images.ts';
import {
  emptyLayout,
  ociLayout,
  ociTypes,
  putBlob,
  putDocument,
  putImage,
  putIndex,
  setIndex,
} from '../../fixtures/oci-layout.ts';
import { metaEntry, paxGlobal, paxRecord, type TarEntry, tar } from '../../fixtures/tar.ts';
import { skippableFrame, zstd } from '../../fixtures/zstd.ts';
import { archiveOf, expectRefused, imageOf, listed } from './attack.ts';

const image = greeting('amd64');

/** A tar of one file of zeros whose body comes as many small gzip members, a thousandth of its size. */
function zeros(mebibytes: number): Buffer {
  const whole = tar([{ name: 'zeros', size: mebibytes * 2 ** 20 }], { end: false });
  const part = gzipSync(Buffer.alloc(8 * 2 ** 20), { level: 9 });
  return Buffer.concat([
    gzipSync(whole),
    ...Array.from({ length: mebibytes / 8 }, () => part),
    gzipSync(Buffer.alloc(1024)),
  ]);
}

/** A layout whose one layer is these bytes. */
function layerBlob(blob: Uint8Array, compression: 'gzip' | 'zstd'): Buffer {
  const layout = emptyLayout();
  const layer = putBlob(layout, blob, `${ociTypes.layer}+${compression}`);
  const rootfs = { type: 'layers', diff_ids: [sha256Digest('not known to an attacker either')] };
  const config = putDocument(layout, { architecture: 'amd64', os: 'linux', rootfs }, ociTypes.config);
  const manifest = { schemaVersion: 2, mediaType: ociTypes.manifest, config, layers: [layer] };
  return archiveOf(setIndex(layout, [putDocument(layout, manifest, ociTypes.manifest)]));
}

describe('CVE-2017-14992: a layer that becomes a thousand times its size', () => {
  test('of gigabytes of zeros in gzip is refused, in a layout and in a docker archive', () => {
    const bomb = zeros(2048);
    expect(bomb.length).toBeLessThan(3e6);
    expectRefused({ bytes: layerBlob(bomb, 'gzip'), code: 'limit/ratio' });
    const bytes = dockerSave(image, {
      generation: '1.10',
      members: (own) =>
        own.map((entry) => (String(entry.name).endsWith('layer.tar') ? { ...entry, body: bomb } : entry)),
    });
    expectRefused({ bytes, code: 'limit/ratio' });
  });
  test('as the compression of the whole archive is refused, to look at and to convert', () => {
    expectRefused({ bytes: zeros(1024), code: 'limit/ratio', commands: ['pipe', 'inspect'] });
  });
  test('of zeros in zstd is refused', () => {
    const frame = zstd(Buffer.alloc(4 * 2 ** 20));
    const whole = tar([{ name: 'zeros', size: 2 ** 30 }], { end: false });
    const bomb = Buffer.concat([zstd(whole), ...Array.from({ length: 256 }, () => frame)]);
    expectRefused({ bytes: layerBlob(bomb, 'zstd'), code: 'limit/ratio' });
  });
  test('a window of 2 GiB in zstd is refused before it is allocated', () => {
    const bomb = zstd(tar([{ name: 'a' }]), { windowLog: 31 });
    expectRefused({ bytes: layerBlob(bomb, 'zstd'), code: 'limit/window' });
    expectRefused({ bytes: Buffer.concat([skippableFrame(Buffer.from('x')), bomb]), code: 'limit/window' });
  });
  test('compression in compression in compression ends', () => {
    let bytes: Buffer = dockerSave(image, { generation: '1.10' });
    for (let i = 0; i < 6; i++) bytes = gzipSync(bytes);
    expectRefused({ bytes, code: 'limit/wrappings' });
  });
});

describe('CVE-2020-1702: a manifest as large as it likes, read into memory', () => {
  const huge = Buffer.concat([Buffer.from('['), Buffer.alloc(16 * 2 ** 20, ' '), Buffer.from(']')]);
  test('manifest.json of 16 MiB is refused', () => {
    expectRefused({
      bytes: dockerSave(image, { generation: '1.10', manifest: () => huge }),
      code: 'limit/json-bytes',
      commands: ['convert', 'inspect'],
    });
  });
  test('manifest.json of 16 MiB is refused also from a pipe', () => {
    expectRefused({
      bytes: dockerSave(image, { generation: '1.10', manifest: () => huge }),
      code: 'limit/json-bytes',
      commands: ['pipe'],
    });
  });
  test('a configuration of 16 MiB is refused', () => {
    const configBytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.alloc(16 * 2 ** 20, 'a'), Buffer.from('"}')]);
    expectRefused({
      bytes: dockerSave({ ...image, configBytes }, { generation: 'skopeo' }),
      code: 'limit/json-bytes',
      commands: ['convert'],
    });
  });
  test('a document of a million brackets is refused', () => {
    const deep = Buffer.from('['.repeat(1e6));
    expectRefused({ bytes: dockerSave(image, { generation: '1.10', manifest: () => deep }), code: 'limit/json-depth' });
  });
});

describe('CVE-2023-25153: an index, manifest or configuration without a bound on import', () => {
  const padding = { annotations: { padding: 'x'.repeat(5 * 2 ** 20) } };
  test('index.json is refused', () => {
    expectRefused({
      bytes: archiveOf(ociLayout(image, { index: (own) => ({ ...own, ...padding }) })),
      code: 'limit/json-bytes',
    });
  });
  test('a nested index and a manifest are refused', () => {
    const layout = emptyLayout();
    const index = putIndex(layout, [putImage(layout, image)], padding);
    expectRefused({ bytes: archiveOf(setIndex(layout, [index])), code: 'limit/json-bytes' });
    const manifest = (own: object): object => ({ ...own, ...padding });
    expectRefused({ bytes: archiveOf(ociLayout(image, { manifest })), code: 'limit/json-bytes' });
  });
  test('indexes one in the other without an end are refused', () => {
    const layout = emptyLayout();
    let inner = putImage(layout, image);
    for (let i = 0; i < 40; i++) inner = putIndex(layout, [inner]);
    expectRefused({ bytes: archiveOf(setIndex(layout, [inner])), code: 'limit/index-depth' });
  });
  test('ten thousand layers are refused', () => {
    const manifest = (own: { readonly [key: string]: unknown }): object => ({
      ...own,
      layers: Array.from({ length: 10_000 }, () => (own['layers'] as object[])[0]),
    });
    expectRefused({ bytes: archiveOf(ociLayout(image, { manifest: manifest as never })), code: 'limit/layers' });
  });
});

test('links to links to links, as long as they may be, on the way of every name of a layer are refused soon', () => {
  const links = Array.from({ length: 250 }, (_, i) => ({ name: `l${i}`, link: `${'./'.repeat(2044)}l${i + 1}` }));
  const files = Array.from({ length: 2000 }, (_, i) => ({ name: `l0/f${i}` }));
  const bytes = imageOf([{ name: 'l250/' }, ...links, ...files]);
  expectRefused({ bytes, code: 'path/link', commands: ['ls'] });
  expect(listed(imageOf([{ name: 'l250/' }, ...links, ...files.slice(0, 20)])).get('l250/f19')).toBeDefined();
});

describe('CVE-2022-2879: extended headers as large as they like', () => {
  const large = 'v'.repeat(16 * 2 ** 20);
  test.each<readonly [string, TarEntry]>([
    ['a PAX record', { name: 'a', pax: [['comment', large]] }],
    ['a global PAX record', paxGlobal([['comment', large]])],
    ['a GNU long name', metaEntry('L', large, 'gnu')],
    ['a GNU long link', metaEntry('K', large, 'gnu')],
  ])('%s of 16 MiB is refused, in a layer and in the archive itself', (_, entry) => {
    expectRefused({ bytes: imageOf([entry, { name: 'b' }]), code: 'limit/pax-bytes', commands: ['convert', 'ls'] });
    expectRefused({
      bytes: dockerSave(image, { generation: '1.10', members: (own) => [entry, ...own] }),
      code: 'limit/pax-bytes',
    });
  });
  test.each<readonly [string, TarEntry]>([
    ['PAX records', metaEntry('x', paxRecord('comment', 'v'.repeat(2 ** 20 - 100)))],
    ['GNU long names', metaEntry('L', 'v'.repeat(2 ** 20), 'gnu')],
    ['GNU long links', metaEntry('K', 'v'.repeat(2 ** 20), 'gnu')],
  ])('%s one behind the other, without an entry, are refused, in a layer and in the archive itself', (_, entry) => {
    const many = Array.from({ length: 8 }, () => entry);
    expectRefused({ bytes: imageOf([...many, { name: 'b' }]), code: 'limit/pax-bytes', commands: ['convert', 'ls'] });
    expectRefused({
      bytes: dockerSave(image, { generation: '1.10', members: (own) => [...many, ...own] }),
      code: 'limit/pax-bytes',
    });
  });
  test('a header that says it is larger than any disk is refused', () => {
    const bytes = imageOf([{ ...metaEntry('x', paxRecord('a', 'b')), size: 2 ** 33 - 1 }, { name: 'b' }]);
    expectRefused({ bytes, code: 'limit/pax-bytes', commands: ['convert', 'ls'] });
  });
});

describe('CVE-2025-58183: a map of a sparse file without a bound', () => {
  test('that says it has a billion regions is refused', () => {
    const records = [
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.name', 'a'],
      ['GNU.sparse.realsize', '100'],
    ] as const;
    for (const body of ['1000000000\n0\n1\n', `1000000000\n${'0\n0\n'.repeat(4e6)}`, '9'.repeat(1e6)]) {
      expectRefused({
        bytes: imageOf([{ name: 'a', pax: records, body }]),
        code: /^(?:tar\/(?:sparse|pax)|limit\/[a-z-]+)$/,
        commands: ['convert', 'ls'],
      });
    }
  });
  test('of 60 GB in a few bytes is listed by its size, and its digest is not worked out for ever', () => {
    const sparse = {
      form: 'pax-1.0',
      size: 60e9,
      extents: [
        { offset: 0, data: 'x'.repeat(512) },
        { offset: 60e9, data: '' },
      ],
    } as const;
    expect(listed(imageOf([{ name: 'a', sparse }])).get('a')).toMatchObject({ size: 60e9 });
  });
});

describe('CVE-2026-32288: a map of the old form that goes on in block after block', () => {
  test('of four hundred thousand regions is refused', () => {
    const extents = Array.from({ length: 400_000 }, (_, i) => ({ offset: i * 1024, data: '' }));
    const sparse = { form: 'old-gnu', size: 2 ** 31, extents } as const;
    expectRefused({
      bytes: imageOf([{ name: 'a', sparse, dialect: 'gnu' }]),
      code: /^(?:tar\/(?:sparse|pax)|limit\/[a-z-]+)$/,
      commands: ['convert', 'ls'],
    });
  });
  test('that says it goes on and does not is refused', () => {
    const block = (bytes: Buffer): void => void (bytes[482] = 1);
    const bytes = imageOf([{ name: 'a', type: 'S', dialect: 'gnu', block, body: Buffer.alloc(512, 0xff) }]);
    expectRefused({ bytes, code: /^tar\//, commands: ['convert', 'ls'] });
  });
});

test('entries over a limit that the user lowered are refused by its name', () => {
  const many = imageOf(Array.from({ length: 2000 }, (_, i) => ({ name: `f${i}` })));
  expect(listed(many, '--limit', 'entries=2000').size).toBe(2000);
});
