/** Rules of App Container Images, each broken once in an image that is sound otherwise. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type RuleId, validate } from '../../../converters/index.ts';
import { type TarEntry, tar } from '../../../fixtures/tar.ts';
import { zstd } from '../../../fixtures/zstd.ts';
import { expectUnconditional, fileWith, patched, placesOf, rulesIn } from './inputs.ts';

const manifest = {
  acKind: 'ImageManifest',
  acVersion: '0.8.11',
  name: 'example.com/app',
  labels: [
    { name: 'version', value: '1.0' },
    { name: 'os', value: 'linux' },
    { name: 'arch', value: 'amd64' },
  ],
  app: {
    exec: ['/bin/app'],
    user: '0',
    group: '0',
    supplementaryGIDs: [44],
    eventHandlers: [{ name: 'pre-start', exec: ['/bin/true'] }],
    workingDirectory: '/srv',
    environment: [{ name: 'A', value: 'b' }],
    mountPoints: [{ name: 'data', path: '/data' }],
    ports: [{ name: 'http', protocol: 'tcp', port: 80, count: 2 }],
    isolators: [{ name: 'resource/memory', value: { limit: '1Gi' } }],
  },
  dependencies: [{ imageName: 'example.com/base', imageID: `sha512-${'a'.repeat(128)}` }],
  pathWhitelist: ['/bin/app'],
  annotations: [{ name: 'created', value: '2024-02-29T12:00:00Z' }],
};

const entries = (document: unknown = manifest): readonly TarEntry[] => [
  { name: 'manifest', body: typeof document === 'string' ? document : JSON.stringify(document) },
  { name: 'rootfs/' },
  { name: 'rootfs/bin/app', body: 'x' },
  { name: 'rootfs/bin/same', type: '1', link: 'rootfs/bin/app' },
];
const image = (list: readonly TarEntry[]): string => `aci:${fileWith(tar(list, { dialect: 'ustar' }), 'app.aci')}`;
const withManifest = (document: unknown) => validate(image(entries(document)));

test('a sound image has no finding', async () => {
  const found = await validate(image(entries()));
  expectUnconditional(found);
  expect(found).toMatchObject({ format: 'aci', findings: [] });
});

test('an image that ends in the padding behind its last file is not whole', async () => {
  const cut = tar([...entries(), { name: 'rootfs/last', body: 'x' }], { dialect: 'ustar' }).subarray(0, -1024 - 500);
  expect(rulesIn(await validate(`aci:${fileWith(cut, 'app.aci')}`))).toEqual(['appc/archive-tar']);
});

test('a sound image has none compressed, and is recognised', async () => {
  expectUnconditional(await validate(fileWith(gzipSync(tar(entries())), 'x')));
});

const [FIRST, ...REST] = entries();

test.each<readonly [RuleId, string, readonly TarEntry[]]>([
  ['appc/archive-top', 'a third name at the top', [...entries(), { name: 'rootfsevil/x', body: '' }]],
  ['appc/archive-manifest', 'no manifest', REST],
  ['appc/archive-manifest', 'a link for a manifest', [{ name: 'manifest', link: '/etc/passwd' }, ...REST]],
  ['appc/archive-rootfs', 'no entry for rootfs', [FIRST!, ...REST.slice(1)]],
  ['appc/archive-rootfs', 'a file for rootfs', [FIRST!, { name: 'rootfs', body: '' }]],
  ['appc/archive-duplicate', 'a path twice', [...entries(), { name: './rootfs/bin/app', body: '' }]],
  ['appc/archive-path', 'a path that climbs', [...entries(), { name: 'rootfs/../../etc/x', body: '' }]],
  ['appc/archive-path', 'an absolute path', [...entries(), { name: '/rootfs/x', body: '' }]],
  [
    'appc/archive-link',
    'a hard link that leads nowhere',
    [...entries(), { name: 'rootfs/h', type: '1', link: 'rootfs/none' }],
  ],
  ['appc/archive-portable', 'an entry of an unknown type', [...entries(), { name: 'rootfs/q', type: 'Q', body: '' }]],
])('breaks %s by %s', async (rule, _, list) => {
  expect(rulesIn(await validate(image(list)))).toContain(rule);
});

describe('the file', () => {
  test('of another compression than the three breaks appc/archive-compression', async () => {
    expect(rulesIn(await validate(`aci:${fileWith(zstd(tar(entries())))}`))).toEqual(['appc/archive-compression']);
  });

  test('that was cut breaks appc/archive-tar, and nothing is said to be absent', async () => {
    const cut = tar(entries()).subarray(0, 1300);
    expect(rulesIn(await validate(`aci:${fileWith(cut)}`))).toEqual(['appc/archive-tar']);
  });

  test('of the form of version 7 is noted', async () => {
    const old = entries().map((entry): TarEntry => ({ ...entry, dialect: 'v7' }));
    expect(rulesIn(await validate(image(old)))).toContain('appc/archive-ustar');
  });

  test('with more than a limit of entries says so', async () => {
    expect(rulesIn(await validate(image(entries()), { limits: { entries: 2 } }))).toEqual(['input/limits']);
  });
});

const isolator = (name: string, value: unknown) => [{ name: `os/linux/${name}`, value }];

test.each<readonly [RuleId, string, unknown]>([
  ['appc/manifest-form', '/app/exec', '/bin/app'],
  ['appc/manifest-form', '/app/userAnnotations', { n: 1 }],
  ['appc/kind', '/acKind', 'PodManifest'],
  ['appc/kind', '/acKind', undefined],
  ['appc/version', '/acVersion', '0.0.0'],
  ['appc/name', '/name', 'Example'],
  ['appc/name', '/name', undefined],
  ['appc/name-pattern', '/name', 'a--b'],
  ['appc/labels', '/labels/3', { name: 'version', value: '2' }],
  ['appc/labels', '/labels/3', { name: 'name', value: 'x' }],
  ['appc/platform', '/labels/1/value', 'plan9'],
  ['appc/platform', '/labels/2/value', 'arm64'],
  ['appc/annotations', '/annotations/0/value', 'yesterday'],
  ['appc/annotations', '/annotations/1', { name: 'homepage', value: 'example.com' }],
  ['appc/annotations', '/annotations/1', { name: 'homepage', value: 'https://a b' }],
  ['appc/annotations', '/annotations/1', { name: 'homepage', value: 'http://[::1' }],
  ['appc/annotations', '/annotations/0/value', undefined],
  ['appc/dependencies', '/dependencies/0/imageID', ''],
  ['appc/dependencies', '/dependencies/0/imageName', undefined],
  ['appc/dependencies', '/dependencies/0/imageID', `sha256-${'a'.repeat(64)}`],
  ['appc/path-whitelist', '/pathWhitelist/0', 'bin/app'],
  ['appc/app-user', '/app/user', undefined],
  ['appc/app-user', '/app/group', ''],
  ['appc/app-folder', '/app/workingDirectory', 'srv'],
  ['appc/app-environment', '/app/environment/0/name', '1A'],
  ['appc/app-environment', '/app/environment/1', { name: 'A', value: 'c' }],
  ['appc/app-handlers', '/app/eventHandlers/0/name', 'post-start'],
  ['appc/app-handlers', '/app/eventHandlers/1', { name: 'pre-start' }],
  ['appc/app-ports', '/app/ports/0/port', 0],
  ['appc/app-ports', '/app/ports/0/count', 65535],
  ['appc/app-mount-points', '/app/mountPoints/0/path', undefined],
  ['appc/app-mount-paths', '/app/mountPoints/0/path', 'data'],
  ['appc/app-mount-paths', '/app/mountPoints/1', { name: 'other', path: '/data' }],
  ['appc/isolators', '/app/isolators', isolator('capabilities-retain-set', { set: [] })],
  ['appc/isolators', '/app/isolators', isolator('oom-score-adj', 1001)],
  ['appc/isolators', '/app/isolators/0/value', { limit: 'much' }],
  ['appc/isolators', '/app/isolators/0', { name: 'resource/network-bandwidth', value: { limit: '1G' } }],
  [
    'appc/isolators',
    '/app/isolators/0',
    { name: 'resource/block-iops', value: { default: true, limit: '1', request: '1' } },
  ],
  [
    'appc/isolators-exclusive',
    '/app/isolators',
    ['retain', 'remove'].flatMap((how) => isolator(`seccomp-${how}-set`, { set: ['read'] })),
  ],
  ['appc/isolators-ignored', '/app/isolators', [{ name: 'example.com/own', value: 1 }]],
  ['appc/isolators-ignored', '/app/isolators', isolator('seccomp-remove-set', { set: ['raed'] })],
  ['appc/isolators-ignored', '/app/isolators', isolator('seccomp-remove-set', { set: ['@example.com/none'] })],
  ['appc/manifest-case', '/ACKIND', 'ImageManifest'],
])('breaks %s by %s of the manifest being %j', async (rule, pointer, value) => {
  expect(rulesIn(await withManifest(patched(manifest, pointer, value)))).toContain(rule);
});

test('every isolator that is wrong is found, with its place', async () => {
  const both = [...isolator('oom-score-adj', 'x'), ...isolator('cpu-shares', 1)];
  const found = await withManifest(patched(manifest, '/app/isolators', both));
  expect(placesOf(found, 'appc/isolators').map((place) => place.slice(-16))).toEqual([
    expect.stringContaining('/0/value'),
    expect.stringContaining('/1/value'),
  ]);
});

test('a manifest is read as Go reads it: of two members of one name the last counts, which is noted', async () => {
  const twice = JSON.stringify(manifest).replace('"name":"example.com/app"', '"name":"X","name":"example.com/app"');
  expect(rulesIn(await withManifest(twice))).toEqual(['appc/manifest-twice']);
});

test.each<readonly [RuleId, string]>([
  ['json/syntax', '{"acKind":"ImageManifest",}'],
  ['json/encoding', `\ufeff${JSON.stringify(manifest)}`],
])('a manifest that is no JSON breaks %s', async (rule, text) => {
  expect(rulesIn(await withManifest(text))).toEqual([rule]);
});
