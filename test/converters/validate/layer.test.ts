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
