/** Rules of single documents of images, each broken once in a document that is sound otherwise. */
import { describe, expect, test } from 'vitest';
import type { RuleId } from '../../../converters/index.ts';
import {
  config,
  DIGEST,
  descriptor,
  expectUnconditional,
  index,
  manifest,
  patched,
  placesOf,
  rulesIn,
  validateDocument,
} from './inputs.ts';

const DOCUMENTS = { descriptor, index, manifest, config, 'layout-file': { imageLayoutVersion: '1.0.0', more: 1 } };
type Kind = keyof typeof DOCUMENTS;

type Row = readonly [rule: RuleId, pointer: string, value: unknown];

const LABEL = '/config/Labels/';
const KEY = '/annotations/';

const BREACHES: Readonly<Record<Kind, readonly Row[]>> = {
  'layout-file': [
    ['oci/layout-version', '/imageLayoutVersion', '2.0.0'],
    ['oci/layout-version', '/imageLayoutVersion', undefined],
    ['oci/layout-version', '', []],
  ],
  descriptor: [
    ['oci/descriptor-form', '/mediaType', undefined],
    ['oci/descriptor-form', '', 7],
    ['oci/descriptor-media-type', '/mediaType', 'text'],
    ['oci/descriptor-media-type', '/mediaType', `a/${'b'.repeat(128)}`],
    ['oci/descriptor-digest', '/digest', '../../etc/passwd'],
    ['oci/descriptor-digest', '/digest', 7],
    ['oci/descriptor-digest-encoding', '/digest', DIGEST.toUpperCase().replace('SHA256', 'sha256')],
    ['oci/descriptor-digest-encoding', '/digest', 'sha512:00'],
    ['oci/descriptor-digest-algorithm', '/digest', 'md5:d41d8cd98f00b204e9800998ecf8427e'],
    ['oci/descriptor-size', '/size', -1],
    ['oci/descriptor-size', '/size', 1.5],
    ['oci/descriptor-size', '/size', '7'],
    ['oci/descriptor-size', '/size', 2 ** 64],
    ['oci/descriptor-size', '/size', 2 ** 63],
    ['json/number', '/size', 2 ** 53 + 2],
    ['oci/descriptor-urls', '/urls', ['not a uri']],
    ['oci/descriptor-urls-scheme', '/urls', ['ftp://example.com/x']],
    ['oci/descriptor-data', '/data', 'e30'],
    ['oci/descriptor-data', '/data', 'e30='],
    ['oci/descriptor-artifact-type', '/artifactType', '.foo/bar'],
    ['oci/annotations', '/annotations', { 'com.example.x': 1 }],
    ['oci/annotations', '/annotations', null],
    ['oci/platform-form', '/platform/os', undefined],
    ['oci/platform-values', '/platform/os', 'Linux'],
    ['oci/platform-values', '/platform/architecture', 'x86_64'],
    ['oci/platform-variant', '/platform', { os: 'linux', architecture: 'arm', variant: 'v9' }],
    ['oci/platform-features', '/platform/features', ['sse4']],
  ],
  index: [
    ['oci/index-form', '', 7],
    ['oci/index-schema-version', '/schemaVersion', '2'],
    ['oci/index-media-type', '/mediaType', 'application/vnd.oci.image.manifest.v1+json'],
    ['oci/index-media-type-given', '/mediaType', undefined],
    ['oci/index-manifests', '/manifests', null],
    ['oci/index-child-type', '/manifests/0/mediaType', 'text/plain'],
    ['oci/index-platform', '/manifests/0/platform', undefined],
    ['oci/type-confusion', '/layers', []],
    ['oci/type-confusion', '/config', null],
    ['oci/name-twice', '/manifests/1', { ...descriptor, digest: `sha256:${'0'.repeat(64)}` }],
    [
      'oci/name-twice',
      '/manifests/1',
      { ...descriptor, digest: `sha256:${'0'.repeat(64)}`, platform: { os: 'linux', architecture: 'amd64' } },
    ],
    ['oci/ref-name', '/manifests/0/annotations', { 'org.opencontainers.image.ref.name': 'a b' }],
    ['oci/ref-name-place', '/annotations', { 'org.opencontainers.image.ref.name': 'a' }],
  ],
  manifest: [
    ['oci/manifest-form', '', 7],
    ['oci/manifest-schema-version', '/schemaVersion', 3],
    ['oci/manifest-media-type', '/mediaType', 'application/vnd.oci.image.index.v1+json'],
    ['oci/manifest-media-type-given', '/mediaType', undefined],
    ['oci/manifest-config', '/config', 'x'],
    ['oci/manifest-layers', '/layers', undefined],
    ['oci/manifest-layers', '/layers/0', 'sha256:x'],
    ['oci/manifest-layers-some', '/layers', []],
    ['oci/manifest-layers-media-type', '/layers/0/mediaType', 'application/gzip'],
    ['oci/manifest-layers-count', '/layers', Array.from({ length: 126 }, () => manifest.layers[0])],
    ['oci/manifest-nondistributable', '/layers/0/mediaType', 'application/vnd.oci.image.layer.nondistributable.v1.tar'],
    ['oci/manifest-artifact-type', '/config/mediaType', 'application/vnd.oci.empty.v1+json'],
    ['oci/type-confusion', '/manifests', []],
    ['oci/descriptor-form', '/subject', { size: 1 }],
    ['oci/annotations-reserved', `${KEY}org.opencontainers.mine`, 'x'],
    ['oci/annotations-reserved', `${KEY}org.opencontainers.image.mine`, 'x'],
    ['oci/annotations-domain', `${KEY}mine`, 'x'],
    ['oci/annotations-value', `${KEY}org.opencontainers.image.created`, 'yesterday'],
    ['oci/annotations-value', `${KEY}org.opencontainers.image.url`, 'not an address'],
    ['oci/annotations-value', `${KEY}org.opencontainers.image.base.digest`, 'sha256:abc'],
    ['oci/base-name', `${KEY}org.opencontainers.image.base.name`, 'library/debian:12'],
  ],
  config: [
    ['oci/config-form', '', []],
    ['oci/config-form', '/config/Entrypoint', '/bin/sh'],
    ['oci/config-platform', '/os', undefined],
    ['oci/config-platform', '/architecture', null],
    ['oci/config-platform-values', '/os', 'plan10'],
    ['oci/platform-variant', '/variant', 'v6'],
    ['oci/config-created', '/created', '2024-02-30T12:00:00Z'],
    ['oci/config-rootfs', '/rootfs', undefined],
    ['oci/config-rootfs', '/rootfs/type', 'parts'],
    ['oci/config-diff-ids', '/rootfs/diff_ids', ['x']],
    ['oci/config-diff-ids', '/rootfs/diff_ids', ['sha256:abc']],
    ['oci/config-diff-ids', '/rootfs/diff_ids', [DIGEST.toUpperCase().replace('SHA256', 'sha256')]],
    ['oci/config-history-form', '/history', 'none'],
    ['oci/config-history-form', '/history/0/created', 'yesterday'],
    ['oci/config-history', '/history/2', {}],
    ['oci/config-env', '/config/Env', ['foo']],
    ['oci/config-env', '/config/Env', ['A=\0']],
    ['oci/config-ports', '/config/ExposedPorts', { '80-90/tcp': {} }],
    ['oci/config-volumes', '/config/Volumes', { '../..': {} }],
    ['oci/config-user', '/config/User', '4294967296'],
    ['oci/config-user', '/config/User', '-1'],
    ['oci/config-user', '/config/User', 'root:'],
    ['oci/config-user', '/config/User', '0x0'],
    ['oci/config-working-dir', '/config/WorkingDir', '/proc/self/fd/7'],
    ['oci/config-working-dir', '/config/WorkingDir', 'srv'],
    ['oci/config-stop-signal', '/config/StopSignal', 'KILL'],
    ['oci/config-labels', '/config/Labels', { 'com.example.n': 1 }],
    ['oci/annotations-domain', `${LABEL}maintainer`, 'x'],
  ],
};

describe.each(Object.keys(DOCUMENTS) as Kind[])('a document of the kind %s', (kind) => {
  const sound = DOCUMENTS[kind];

  test('without a fault has no finding', async () => {
    expectUnconditional(await validateDocument(sound, kind));
    expect((await validateDocument(sound, kind)).format).toBe(kind);
  });

  test.each(BREACHES[kind].map((row) => [...row]))('breaks %s by %s being %j', async (rule, pointer, value) => {
    const found = await validateDocument(patched(sound, pointer, value), kind);
    expect(rulesIn(found)).toContain(rule);
    const { outcome, must, should } = found.verdict;
    expect(outcome).toBe(must ? 'not compliant' : should ? 'compliant' : 'unconditionally compliant');
  });
});

test.each([
  ['index', index],
  ['manifest', manifest],
])('a mediaType that is none is one finding: %s', async (kind, sound) => {
  for (const wrong of ['text', '', null, 7]) {
    const found = await validateDocument(patched(sound, '/mediaType', wrong), kind);
    expect([wrong, found.findings.map(({ rule }) => rule)]).toEqual([wrong, [`oci/${kind}-media-type`]]);
  }
});

describe('a time', () => {
  const at = async (created: string) => rulesIn(await validateDocument({ ...config, created }, 'config'));

  test.each([
    '2016-12-31T23:59:60Z',
    '1990-12-31T15:59:60.5-08:00',
    '2017-01-01T08:59:60+09:00',
    '0000-02-29T23:59:60Z',
    '2024-02-29t00:00:00z',
    '2024-02-29T00:00:00-00:00',
  ])('may be %s', async (created) => {
    expect(await at(created)).toEqual([]);
  });

  test.each([
    '2020-01-01T12:30:60Z',
    '2016-12-31T23:59:60+01:00',
    '2016-12-30T23:59:60Z',
    '2016-12-31T23:59:61Z',
    '2024-02-29 00:00:00Z',
    '2024-02-29T24:00:00Z',
    '2023-02-29T00:00:00Z',
    '2024-02-29T00:00:00+0100',
  ])('may not be %s', async (created) => {
    expect(await at(created)).toEqual(['oci/config-created']);
  });
});

describe('a URI', () => {
  const at = async (url: string) => rulesIn(await validateDocument({ ...descriptor, urls: [url] }, 'descriptor'));

  test.each([
    'https://example.com',
    'http://user:pass@[2001:db8::1]:8080/a;b=c/%7Ed?x=/?#y',
    'https://example.com/a@b:c?d[0]='.replace('[0]', '%5B0%5D'),
    'http:',
    'https://',
  ])('may be %s', async (url) => {
    expect(await at(url)).toEqual([]);
  });

  test.each([
    'http://[::1',
    'https://a b',
    'https://a/[b]',
    'https://a:port/',
    'https://a/%zz',
    'https://a/#b#c',
    '//a',
    'https://ü/',
  ])('may not be %s', async (url) => expect(await at(url)).toEqual(['oci/descriptor-urls']));
});

describe('a place', () => {
  test('is a JSON pointer, with slashes of names escaped', async () => {
    const found = await validateDocument(patched(manifest, '/layers/0/annotations', { 'a/b~c': 7 }), 'manifest');
    expect(placesOf(found, 'oci/annotations')).toEqual(['/layers/0/annotations/a~1b~0c']);
  });
});

test('an account of Windows is a user of Windows', async () => {
  const of = (os: string) => ({ ...config, os, config: { User: 'NT AUTHORITY\\SYSTEM' } });
  expectUnconditional(await validateDocument(of('windows'), 'config'));
  expect(rulesIn(await validateDocument(of('linux'), 'config'))).toEqual(['oci/config-user']);
});

describe('what the text of the specification allows and its schema does not', () => {
  test('null for an optional member of a configuration', async () => {
    const nulls = {
      Env: null,
      User: null,
      ExposedPorts: null,
      Volumes: null,
      Labels: null,
      WorkingDir: null,
      StopSignal: null,
    };
    expectUnconditional(await validateDocument({ ...config, config: nulls, history: null, created: null }, 'config'));
  });
});

describe('JSON', () => {
  test.each<readonly [RuleId, string | Uint8Array]>([
    ['json/syntax', '{"schemaVersion": 2,}'],
    ['json/encoding', Buffer.from('{"a":"\xff"}', 'latin1')],
    ['json/encoding', '\ufeff{}'],
    ['json/duplicate-name', '{"schemaVersion":2,"schemaVersion":2}'],
    ['input/limits', `${'['.repeat(100)}${']'.repeat(100)}`],
  ])('breaks %s', async (rule, text) => {
    const found = await validateDocument(text, 'index');
    expect(rulesIn(found)).toEqual([rule]);
    expect(found.verdict.outcome).toBe('not compliant');
  });

  test('that is larger than a limit is not read on', async () => {
    const found = await validateDocument(`{"a":"${'x'.repeat(200)}"}`, 'index', { limits: { 'json-bytes': 100 } });
    expect(rulesIn(found)).toEqual(['input/limits']);
    expect(found.findings[0]!.message).toContain('--limit json-bytes');
  });
});

describe('I-JSON', () => {
  /** A descriptor with a member of its own, as it is written. */
  const withMember = (json: string) =>
    JSON.stringify(descriptor).replace('{', `{"com.example.more":{"a~b":[0,${json}]},`);
  const broken = async (json: string) => {
    const found = await validateDocument(withMember(json), 'descriptor');
    return found.findings.map(({ rule, at }) => `${rule} ${at.join(' > ')}`);
  };
  const PLACE = '/com.example.more/a~0b/1';

  test.each(['9007199254740992', '-9007199254740993', '1E400', '1e-400', '3.141592653589793238462643383279'])(
    'has no number like %s, whoever reads it',
    async (json) => expect(await broken(json)).toEqual([`json/number ${PLACE}`]),
  );

  test.each([
    '9007199254740991',
    '-0',
    '1e20',
    '0.1',
    '1.000000000000000000000',
    '1.7976931348623157e308',
    '"9007199254740993"',
  ])('may have %s', async (json) => expect(await broken(json)).toEqual([]));

  test.each(['"\\ud800"', '"\\udc00\\ud800"', '"\\uffff"', '"\ufdd0"', '"\u{1fffe}"'])(
    'has no text like %s',
    async (json) => expect(await broken(json)).toEqual([`json/encoding ${PLACE}`]),
  );

  test('has no such text as the name of a member', async () => {
    expect(await broken('{"\\ud800":1}')).toEqual([`json/encoding ${PLACE}`]);
  });

  test('may have pairs of surrogates', async () => {
    expect(await broken('"\\ud83d\\ude00 \u{1f600}"')).toEqual([]);
  });

  test.each([
    ['9223372036854775807', ['json/number']],
    ['9223372036854775808', ['json/number', 'oci/descriptor-size']],
    ['1e400', ['json/number', 'oci/descriptor-size']],
  ])('a size of %s is held against 2^63-1 as it is written', async (size, rules) => {
    const found = await validateDocument(
      JSON.stringify(descriptor).replace('"size":7', `"size":${size}`),
      'descriptor',
    );
    expect(rulesIn(found)).toEqual(rules);
  });
});

describe('schema 1', () => {
  const id = (n: number): string => String(n).repeat(64);
  const step = (n: number, parent?: number) => ({
    v1Compatibility: JSON.stringify({ id: id(n), ...(parent === undefined ? {} : { parent: id(parent) }) }),
  });
  const sound = {
    schemaVersion: 1,
    name: 'app',
    tag: '1',
    architecture: 'amd64',
    fsLayers: [{ blobSum: DIGEST }, { blobSum: DIGEST }],
    history: [step(1, 2), step(2)],
  };

  test('is noted as one that nobody takes any more', async () => {
    expect(rulesIn(await validateDocument(sound, 'schema1'))).toEqual(['docker/schema-1-deprecated']);
  });

  test.each<readonly [RuleId, string, unknown]>([
    ['docker/schema-1', '/fsLayers', []],
    ['docker/schema-1', '/fsLayers/0/blobSum', 'x'],
    ['docker/schema-1', '/fsLayers/0/blobSum', 'sha256:abc'],
    ['docker/schema-1', '/history', [step(1, 3), step(2)]],
    ['docker/schema-1', '/history', [step(1, 2), step(2, 3)]],
    ['docker/schema-1', '/history', [step(1, 2), { v1Compatibility: '{' }]],
    ['docker/schema-1', '/schemaVersion', 2],
    ['oci/type-confusion', '/layers', []],
  ])('breaks %s by %s being %j', async (rule, pointer, value) => {
    expect(rulesIn(await validateDocument(patched(sound, pointer, value), 'schema1'))).toContain(rule);
  });
});
