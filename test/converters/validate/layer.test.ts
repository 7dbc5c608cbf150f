/** Rules for what is in a layer, each broken once. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type RuleId, validate } from '../../../converters/index.ts';
import { sampleLayer } from '../../../fixtures/images.ts';
import { type TarEntry, tar } from '../../../fixtures/tar.ts';
import { dockerFile, expectUnconditional, fileWith, layerFile, placesOf, rulesIn, small } from './inputs.ts';

const SOUND: readonly TarEntry[] = [
  { name: './' },
  { name: 'etc/' },
  { name: 'etc/.wh.old', body: '' },
  { name: 'etc/passwd', body: 'root' },
  { name: 'etc/link', type: '1', link: 'etc/passwd' },
  { name: 'etc/later', type: '1', link: 'etc/target' },
  { name: 'etc/target', body: 'x' },
  { name: 'bin', link: 'usr/bin' },
];

test('a sound layer has no finding', async () => {
  expectUnconditional(await validate(layerFile(SOUND)));
});

test('an empty layer, of no bytes at all, has no finding', async () => {
  expectUnconditional(await validate(`tar:${fileWith('')}`));
});

const BREACHES: readonly (readonly [rule: RuleId, entry: TarEntry, place: string])[] = [
  ['layer/duplicate', { name: './etc/passwd', body: '' }, 'etc/passwd'],
  ['layer/name-climbs', { name: 'a/../../x', body: '' }, 'a/../../x'],
  ['layer/name-absolute', { name: '/x', body: '' }, '/x'],
  ['layer/name-length', { name: 'n'.repeat(256), body: '' }, 'n'.repeat(256)],
  ['layer/root', { name: '.', link: '/etc' }, '.'],
  [
    'layer/sparse',
    { name: 's', sparse: { form: 'pax-1.0', size: 4096, extents: [{ offset: 512, data: 'd'.repeat(512) }] } },
    's',
  ],
  ['layer/hard-link', { name: 'h', type: '1', link: 'nowhere' }, 'h'],
  ['layer/hard-link', { name: 'h', type: '1', link: 'etc' }, 'h'],
  ['layer/hard-link', { name: 'h', type: '1', link: './h' }, 'h'],
  ['layer/duplicate', { name: './' }, '.'],
  ['layer/whiteout-empty', { name: 'x/.wh.y/z', body: '' }, 'x/.wh.y'],
  ['layer/whiteout-name', { name: 'x/.wh.', body: '' }, 'x/.wh.'],
  ['layer/whiteout-name', { name: 'x/.wh...', body: '' }, 'x/.wh...'],
  ['layer/whiteout-empty', { name: 'x/.wh.y', body: 'not empty' }, 'x/.wh.y'],
  ['layer/whiteout-empty', { name: 'x/.wh.y', link: 'z' }, 'x/.wh.y'],
  ['layer/whiteout-order', { name: 'etc/.wh.late', body: '' }, 'etc/.wh.late'],
  ['layer/whiteout-explicit', { name: 'x/.wh..wh..opq', body: '' }, 'x/.wh..wh..opq'],
  ['layer/whiteout-leftover', { name: '.wh..wh.aufs', body: '' }, '.wh..wh.aufs'],
  ['layer/tar-portable', { name: 'odd', type: 'Q', body: '' }, 'odd'],
];

test.each(BREACHES.map((row) => [...row]))('breaks %s', async (rule, entry, place) => {
  const found = await validate(layerFile([...SOUND, entry]));
  expect(rulesIn(found)).toEqual([rule]);
  expect(placesOf(found, rule)).toEqual([place]);
});

test('a tar that breaks off in the padding behind its last file breaks layer/tar', async () => {
  const file = tar([{ name: 'a', body: 'x' }]);
  expect(rulesIn(await validate(`tar:${fileWith(file.subarray(0, 700))}`))).toEqual(['layer/tar']);
  expect(rulesIn(await validate(`tar:${fileWith(file.subarray(0, 1024))}`))).toEqual([]);
});

describe('a tar that breaks off', () => {
  const cut = tar(SOUND).subarray(0, 700);

  test('breaks layer/tar, once', async () => {
    expect(rulesIn(await validate(`tar:${fileWith(cut)}`))).toEqual(['layer/tar']);
  });

  test('has its digest taken all the same', async () => {
    const found = await validate(dockerFile({}, { ...small, layers: [cut] }));
    expect(rulesIn(found)).not.toContain('docker/diff-id');
    expect(rulesIn(found)).toContain('layer/tar');
  });
});

test('compression that is damaged breaks layer/compression', async () => {
  const gz = gzipSync(tar(SOUND));
  gz[gz.length >> 1]! ^= 0xff;
  expect(rulesIn(await validate(`tar:${fileWith(gz)}`))).toContain('layer/compression');
});

describe('a hard link', () => {
  const image = (link: string, base: readonly TarEntry[]) => ({
    ...small,
    config: { ...small.config, history: [] },
    layers: [sampleLayer(base), sampleLayer([{ name: 'h', type: '1', link }])],
  });

  test('may lead into a layer below', async () => {
    expectUnconditional(await validate(dockerFile({}, image('etc/x', [{ name: 'etc/x', body: '' }]))));
  });

  test('may lead through a symbolic link, which only unpacking resolves', async () => {
    expectUnconditional(await validate(dockerFile({}, image('bin/x', [{ name: 'bin', link: 'usr/bin' }]))));
  });

  const found = async (...layers: readonly (readonly TarEntry[])[]) => {
    const stack = { ...small, config: { ...small.config, history: [] }, layers: layers.map((one) => sampleLayer(one)) };
    return placesOf(await validate(dockerFile({}, stack)), 'layer/hard-link').map((at) =>
      at.slice('manifest.json > /0 > /layers/'.length),
    );
  };
  const file: TarEntry = { name: 'd/f', body: '' };
  const h: TarEntry = { name: 'h', type: '1', link: 'd/f' };

  test.each<readonly [string, readonly TarEntry[]]>([
    ['a whiteout', [{ name: 'd/.wh.f', body: '' }]],
    ['a whiteout of a folder above it', [{ name: '.wh.d', body: '' }]],
    ['an opaque whiteout', [{ name: 'd/.wh..wh..opq', body: '' }]],
    ['an opaque whiteout further up', [{ name: '.wh..wh..opq', body: '' }]],
    ['a file in the place of its folder', [{ name: 'd', body: '' }]],
    ['a folder in its place', [{ name: 'd/f/' }]],
  ])('may not lead to what %s has removed', async (_, between) => {
    expect(await found([file], between, [h])).toEqual(['2 > h']);
    expect(await found([file], [...between, h])).toEqual(['1 > h']);
    expect(await found([file], between, [file], [h])).toEqual([]);
  });

  test('may not lead to a folder, wherever that is', async () => {
    expect(await found([{ name: 'd/f/' }], [h])).toEqual(['1 > h']);
    expect(await found([h, { name: 'd/f/' }])).toEqual(['0 > h']);
  });

  test('may lead to a link that comes later, but not back to itself', async () => {
    const round: readonly TarEntry[] = [
      { name: 'a', type: '1', link: 'b' },
      { name: 'b', type: '1', link: 'c' },
    ];
    expect(await found([...round, { name: 'c', body: '' }])).toEqual([]);
    expect(await found([...round, { name: 'c', type: '1', link: 'a' }])).toEqual(['0 > a']);
  });

  test('that leads nowhere is found in its layer', async () => {
    const found = await validate(dockerFile({}, image('etc/y', [{ name: 'etc/x', body: '' }])));
    expect(placesOf(found, 'layer/hard-link')).toEqual(['manifest.json > /0 > /layers/1 > h']);
  });
});

test('no more findings of a rule are kept than a hundred, and all are counted', async () => {
  const same = Array.from({ length: 301 }, (_, n): TarEntry => ({ name: `/${n}`, body: '' }));
  const found = await validate(layerFile(same));
  expect(found.findings).toHaveLength(100);
  expect(found.verdict.should).toBe(301);
});

test('limits end the reading of a layer, and say so', async () => {
  const found = await validate(layerFile(SOUND), { limits: { entries: 3 } });
  expect(rulesIn(found)).toContain('input/limits');
  expect(found.verdict.outcome).toBe('not compliant');
  const total = await validate(layerFile(SOUND), { limits: { 'total-bytes': 1000 } });
  expect(rulesIn(total)).toContain('input/limits');
});

test('a layer of more entries than are remembered says that it was not compared whole', async () => {
  // As many links as are kept, and one more: cheaper than a million files.
  const links = Array.from(
    { length: 10_001 },
    (_, n): TarEntry => ({ name: `h${n}`, type: '1', link: `t${n}`, dialect: 'ustar' }),
  );
  expect(rulesIn(await validate(layerFile(links)))).toEqual(['layer/names-unchecked']);
}, 30_000);

test('--fast leaves the content out', async () => {
  const found = await validate(layerFile([...SOUND, BREACHES[0]![1]]), { fast: true });
  expect(found.findings).toEqual([]);
  expect(found.verdict.complete).toBe(false);
});
