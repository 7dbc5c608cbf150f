/** The passes that choose images, and what a user writes for a source. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createdAt } from '../../converters/passes/created.ts';
import { parsePlatform, selectItems, selectPlatform, theImage } from '../../converters/passes/select.ts';
import { parseSource, sourceTransports } from '../../converters/source-text.ts';
import type { Platform } from '../../formats/model/config.ts';
import type { Image, ImageIndex } from '../../formats/model/image.ts';
import { scratch } from '../fixtures/peers.ts';

const config = {
  entrypoint: [],
  cmd: [],
  env: [],
  exposedPorts: [],
  volumes: [],
  labels: new Map(),
  onBuild: [],
  shell: [],
  other: {},
};
const imageOf = (platform: Platform, ...names: readonly string[]): Image => ({
  kind: 'image',
  names,
  config: { ...config, platform },
  layers: [],
  history: [],
  original: {},
});
const amd64 = { os: 'linux', architecture: 'amd64' };
const arm64 = { os: 'linux', architecture: 'arm64' };
const descriptor = { mediaType: 'x', digest: `sha256:${'0'.repeat(64)}` as const, size: 0, json: {} };
const document = { mediaType: 'x', bytes: new Uint8Array(0), digest: descriptor.digest };
const indexOf = (children: readonly Image[], ...names: readonly string[]): ImageIndex => ({
  kind: 'index',
  names,
  children,
  document,
  descriptor,
  absent: [],
});
const code = (wanted: string) => expect.objectContaining({ code: wanted });

describe('selectItems()', () => {
  const items = [imageOf(amd64, 'a:1', 'a:latest'), imageOf(amd64, 'docker.io/library/b:latest'), imageOf(amd64)];
  const byName = (name: string) => selectItems(items, { kind: 'reference', name }).map(({ names }) => names);

  test('without a selector takes all', () => expect(selectItems(items, undefined)).toBe(items));
  test('takes the name that was asked for and leaves the image’s others behind', () =>
    expect(byName('a:1')).toEqual([['a:1']]));
  test('takes a name without its tag, registry or folder', () => {
    expect(byName('a')).toEqual([['a:latest']]);
    expect(byName('b')).toEqual([['docker.io/library/b:latest']]);
    expect(byName('library/b:latest')).toEqual([['docker.io/library/b:latest']]);
  });
  test('takes a place, counted from 0, and refuses one past the end', () => {
    expect(selectItems(items, { kind: 'index', index: 2 })).toEqual([items[2]]);
    expect(() => selectItems(items, { kind: 'index', index: 3 })).toThrow(code('image/select'));
    expect(() => byName('c:1')).toThrow(code('image/select'));
  });
});

describe('selectPlatform()', () => {
  test('takes the first that matches of an index, under the name of the index', () => {
    const found = selectPlatform([indexOf([imageOf(arm64), imageOf(amd64), imageOf(amd64)], 'x:1')], amd64);
    expect(found).toMatchObject([{ kind: 'image', names: ['x:1'], config: { platform: amd64 } }]);
    expect(found).toHaveLength(1);
  });
  test('refuses where there is none, and takes everything where nothing is asked for', () => {
    const items = [imageOf(arm64, 'x:1')];
    expect(() => selectPlatform(items, amd64)).toThrow(code('image/select'));
    expect(selectPlatform(items, undefined)).toBe(items);
  });
  test('fills in what an image leaves open, and never what it states', () => {
    expect(selectPlatform([imageOf({ os: 'linux' })], arm64)).toMatchObject([{ config: { platform: arm64 } }]);
    expect(() => selectPlatform([imageOf({ os: 'windows' })], arm64)).toThrow(code('image/select'));
  });
  test('does not pass a document on that says less than what is asked for', () => {
    const old = { ...imageOf({ os: 'linux' }), original: { config: document } };
    expect(selectPlatform([old], arm64)).toMatchObject([{ original: {} }]);
    expect((selectPlatform([old], arm64)[0] as Image).original).not.toHaveProperty('config');
    expect(selectPlatform([{ ...old, config: { ...config, platform: arm64 } }], arm64)).toMatchObject([
      { original: old.original },
    ]);
  });
  test('arm64 without a variant is v8, and no other', () => {
    expect(selectPlatform([imageOf(arm64)], parsePlatform('linux/arm64/v8'))).toHaveLength(1);
    expect(() => selectPlatform([imageOf({ ...arm64, variant: 'v9' })], parsePlatform('linux/arm64/v8'))).toThrow(
      code('image/select'),
    );
  });
});

describe('theImage()', () => {
  test('is the only one, or that of the host in an index', () => {
    expect(theImage([imageOf(arm64, 'x')], amd64).names).toEqual(['x']);
    expect(theImage([indexOf([imageOf(arm64), imageOf(amd64)], 'i')], amd64)).toMatchObject({
      names: ['i'],
      config: { platform: amd64 },
    });
    expect(theImage([indexOf([imageOf(arm64)], 'i')], amd64)).toMatchObject({
      names: ['i'],
      config: { platform: arm64 },
    });
  });
  test('two names of one manifest are one image; two manifests are two', () => {
    const one = { ...imageOf(amd64, 'a'), original: { manifest: document } };
    expect(theImage([one, { ...one, names: ['b'] }], amd64).names).toEqual(['a']);
    expect(() => theImage([imageOf(amd64, 'a'), imageOf(amd64, 'b')], amd64)).toThrow(code('image/select'));
    expect(() => theImage([], amd64)).toThrow(code('image/select'));
  });
});

test('createdAt() fills in the time only where no document states or fixes one', () => {
  const when = '2024-02-29T12:00:00Z';
  const own = { ...imageOf(amd64), original: { config: document } };
  const dated = { ...imageOf(amd64), config: { ...config, platform: amd64, created: 'x' } };
  const result = createdAt([imageOf(amd64), own, dated], when) as readonly Image[];
  expect(result.map((image) => image.config.created)).toEqual([when, undefined, 'x']);
  expect(createdAt([own], undefined)).toEqual([own]);
});

describe('parseSource()', () => {
  test('takes a bare path as it is, colons and all', async () => {
    expect(await parseSource('a:b', undefined)).toEqual({ transport: undefined, path: 'a:b', selector: undefined });
    expect(await parseSource('a', 'docker')).toMatchObject({ transport: 'docker' });
  });
  test('takes the longest path that exists, and what follows as name or place', async () => {
    const folder = join(scratch(), 'a:1');
    mkdirSync(folder);
    writeFileSync(join(folder, 'x:2'), '');
    expect(await parseSource(`oci:${folder}`, undefined)).toMatchObject({
      transport: 'oci',
      path: folder,
      selector: undefined,
    });
    expect(await parseSource(`oci:${folder}/x:2:b:3`, undefined)).toMatchObject({
      path: `${folder}/x:2`,
      selector: { kind: 'reference', name: 'b:3' },
    });
    expect(await parseSource(`oci:${folder}:@7`, undefined)).toMatchObject({
      path: folder,
      selector: { kind: 'index', index: 7 },
    });
    expect(await parseSource('tar:-', undefined)).toMatchObject({ transport: 'tar', path: '-' });
  });
  test.each([
    ['oci:', 'usage/argument'],
    ['oci::x', 'usage/argument'],
    ['oci:-:@x', 'usage/argument'],
    ['docker://host/name', 'format/unsupported'],
    ['static:folder', 'format/unsupported'],
  ])('%s is refused as %s', async (text, wanted) => {
    await expect(parseSource(text, undefined)).rejects.toThrow(code(wanted));
  });
  test('a format that nobody knows is refused, and every transport is taken', async () => {
    await expect(parseSource('a', 'floppy')).rejects.toThrow(code('usage/option'));
    for (const name of sourceTransports())
      expect(await parseSource(`${name}:-`, undefined)).toMatchObject({ transport: name });
  });
});
