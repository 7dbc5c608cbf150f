/** What a manifest says, in the words of the model: the rows of the mapping, one by one. */
import { describe, expect, test } from 'vitest';
import { aciId, leastApp, named } from '../../../fixtures/aci.ts';
import type { Json, JsonObject } from '../../../fixtures/image-recipe.ts';
import { RUNTIME_LABEL } from '../../../formats/model/runtime-label.ts';
import { refusalOf } from '../support.ts';
import { configFrom, readAci } from './images.ts';

const app = async (given: JsonObject = {}) => (await configFrom({ app: leastApp(given) })).config;
const annotated = (annotations: Readonly<Record<string, string>>, given: JsonObject = {}) =>
  configFrom({ annotations: named(annotations), app: leastApp(given) });
const labelled = (labels: Readonly<Record<string, string>>) => configFrom({ labels: named(labels) });
const port = (given: { readonly [name: string]: Json }) => ({ name: 'a', protocol: 'tcp', port: 80, ...given });

const OCI = 'org.opencontainers.image.';
const OWN = 'io.ocix.appc.';

describe('of the image', () => {
  test('the id is an annotation and a label', async () => {
    const { image } = await readAci({});
    expect(image.annotations?.get(`${OWN}image-id`)).toBe(aciId());
    expect(image.config.labels.get(`${OWN}image-id`)).toBe(aciId());
  });

  test('the name is a title, a label of our own, and with the version a reference', async () => {
    const { image } = await readAci({ manifest: { labels: named({ version: '1.0' }) } });
    expect(image.names).toEqual(['example.com/app:1.0']);
    expect(image.config.labels.get(`${OWN}name`)).toBe('example.com/app');
    expect(image.annotations).toEqual(
      new Map([
        [`${OCI}title`, 'example.com/app'],
        [`${OCI}version`, '1.0'],
        [`${OWN}image-id`, expect.stringMatching(/^sha512-/)],
      ]),
    );
  });

  test.each([
    ['example.com/app', undefined, 'example.com/app', 0],
    ['example.com/app', 'v1.0.0-rc.1', 'example.com/app:v1.0.0-rc.1', 0],
    ['example.com/app', '1.0+git', 'example.com/app:1.0+git', 0],
    ['example.com/app', '1.0~rc1+', 'example.com/app:1.0_rc1', 1],
    ['example.com/app', '', 'example.com/app', 1],
    ['example.com/app', '/~/', 'example.com/app', 1],
    ['example.com/app', '<b>1..2</b>', 'example.com/app:b_1_2_b', 1],
    ['example.com/~user/app', '1', 'example.com/user/app:1', 1],
    ['a//b/../c', undefined, 'a/b/c', 1],
    ['a._b--c', undefined, 'a-b--c', 1],
    ['a~b', undefined, 'a-b', 1],
  ])('%s with the version %s is called %s', async (name, version, wanted, noted) => {
    const { image, notes } = await readAci({
      manifest: { name, labels: version === undefined ? [] : named({ version }) },
    });
    expect(image.names).toEqual([wanted]);
    expect(notes).toHaveLength(noted);
  });

  test('a name that is too long for a reference leaves it without one, with a note', async () => {
    const { image, notes } = await readAci({ manifest: { name: 'a'.repeat(600) } });
    expect(image.names).toEqual([]);
    expect(notes).toEqual([expect.stringContaining('the image has none')]);
  });

  test('os and arch are the platform, and no labels', async () => {
    const { config } = await labelled({ os: 'linux', arch: 'aarch64', channel: 'beta' });
    expect(config.platform).toEqual({ os: 'linux', architecture: 'arm64', variant: 'v8' });
    expect(config.labels.get(`${OWN}label.channel`)).toBe('beta');
    expect([...config.labels.keys()].filter((name) => /\.(?:os|arch)$/.test(name))).toEqual([]);
  });

  test('the annotations that OCI has names for go there', async () => {
    const { config } = await annotated({
      created: '2015-05-06T07:08:09.123456789+02:00',
      authors: 'A <a@example.com>',
      homepage: 'https://example.com/',
      documentation: 'https://example.com/doc',
    });
    expect(config).toMatchObject({ created: '2015-05-06T07:08:09.123456789+02:00', author: 'A <a@example.com>' });
    expect(config.labels.get(`${OCI}url`)).toBe('https://example.com/');
    expect(config.labels.get(`${OCI}documentation`)).toBe('https://example.com/doc');
  });

  test.each([
    '2014-10-27 19:32',
    '2015-02-30T00:00:00Z',
    '2015-01-01T24:00:00Z',
    '2015-01-01t00:00:00z',
    '2015-01-01T00:00:00',
    '2015-01-01T00:00:00+25:00',
    '0001-13-01T00:00:00Z',
    'yesterday',
    '',
  ])('a time that Go cannot read is left out everywhere, with a note: %j', async (created) => {
    const { image, notes } = await readAci({ manifest: { annotations: named({ created }) } });
    expect(image.config).not.toHaveProperty('created');
    expect(image.history[0]).not.toHaveProperty('created');
    expect(notes).toEqual([expect.stringContaining('dropped')]);
  });

  test('other annotations are labels by their own names', async () => {
    const { config } = await annotated({
      'coreos.com/rkt/stage1/run': '/init',
      'appc.io/executor/supports-systemd-notify': 'true',
    });
    expect(config.labels.get('coreos.com/rkt/stage1/run')).toBe('/init');
    expect(config.labels.get('appc.io/executor/supports-systemd-notify')).toBe('true');
  });

  test('the manifest is kept whole, byte for byte, unless it is very large', async () => {
    const manifestBytes = '{ "acKind": "ImageManifest",\n\t"acVersion": "0.8.11", "name": "a", "unknown": 1e400 }';
    expect((await readAci({ manifestBytes })).image.config.labels.get(`${OWN}manifest`)).toBe(manifestBytes);
    const { config, notes } = await annotated({ a: 'x'.repeat(300_000) });
    expect(config.labels.has(`${OWN}manifest`)).toBe(false);
    expect(notes).toEqual(['dropped: the manifest is too large to be kept in a label']);
  });

  test('without an app there is nothing to run, and no user', async () => {
    const { config, notes } = await configFrom({});
    expect(config).toMatchObject({ entrypoint: [], cmd: [], env: [], exposedPorts: [], volumes: [] });
    for (const field of ['user', 'workingDir', 'isolation', 'mountPoints', 'supplementaryGroups', 'runtimeEnv'])
      expect(config).not.toHaveProperty(field);
    expect(config.labels.has(RUNTIME_LABEL)).toBe(false);
    expect(notes).toEqual([]);
  });

  test('nothing of a dependency’s app is inherited', async () => {
    const { config } = await configFrom({ app: leastApp({ exec: [] }) });
    expect(config.entrypoint).toEqual([]);
  });
});

describe('of Docker’s, through docker2aci,', () => {
  const docker = (entrypoint: string, cmd: string) => ({
    'appc.io/docker/entrypoint': entrypoint,
    'appc.io/docker/cmd': cmd,
    'appc.io/docker/repository': 'library/app',
  });

  test('entrypoint and command are apart again where exec is both of them', async () => {
    const { config } = await annotated(docker('["/entry","-v"]', '["run"]'), { exec: ['/entry', '-v', 'run'] });
    expect([config.entrypoint, config.cmd]).toEqual([['/entry', '-v'], ['run']]);
    expect(config.labels.get('appc.io/docker/repository')).toBe('library/app');
    expect([...config.labels.keys()].filter((name) => /docker\/(?:cmd|entrypoint)$/.test(name))).toEqual([]);
  });

  test('a command alone stays one', async () => {
    const { config } = await annotated({ 'appc.io/docker/cmd': '["/bin/sh"]' }, { exec: ['/bin/sh'] });
    expect([config.entrypoint, config.cmd]).toEqual([[], ['/bin/sh']]);
  });

  test.each([
    ['say something else than exec', '["/entry"]', '["other"]'],
    ['are no lists', '"/entry"', '{}'],
    ['are no JSON', 'x', '['],
    ['are no strings', '[1]', '[null]'],
    ['are empty', '[]', '[]'],
  ])('exec counts where they %s', async (_, entrypoint, cmd) => {
    const { config } = await annotated(docker(entrypoint, cmd), { exec: ['/entry', 'run'] });
    expect([config.entrypoint, config.cmd]).toEqual([['/entry', 'run'], []]);
  });
});

describe('of the app', () => {
  test('exec is the entrypoint', async () => {
    expect(await app({ exec: ['/bin/sh', '-c', 'x y'] })).toMatchObject({
      entrypoint: ['/bin/sh', '-c', 'x y'],
      cmd: [],
    });
  });

  test('user and group are numbers, always both', async () => {
    expect((await app({ user: '7', group: '8' })).user).toBe('7:8');
  });

  test('the supplementary groups are stated, also as none', async () => {
    expect((await app()).supplementaryGroups).toEqual([]);
    expect((await app({ supplementaryGIDs: [5, 5, 6] })).supplementaryGroups).toEqual([5, 5, 6]);
  });

  test('the working folder is the root where none is said', async () => {
    expect([(await app()).workingDir, (await app({ workingDirectory: '/a' })).workingDir]).toEqual(['/', '/a']);
  });

  test('the environment is as it is said; what the executor adds is kept for the runtime', async () => {
    const config = await app({ environment: named({ PATH: '/x', 'a.b-c': 'x=y' }) });
    expect(config.env).toEqual(['PATH=/x', 'a.b-c=x=y']);
    expect(config.runtimeEnv).toEqual(['AC_APP_NAME=app', 'container=oci']);
  });

  test('mount points are volumes, and their names and readOnly are kept', async () => {
    const { config, notes } = await configFrom({
      app: leastApp({
        mountPoints: [
          { name: 'data', path: '/data', readOnly: true },
          { name: 'work', path: 'relative' },
        ],
      }),
    });
    expect(config.volumes).toEqual(['/data', '/relative']);
    expect(config.mountPoints).toEqual([
      { name: 'data', path: '/data', readOnly: true },
      { name: 'work', path: '/relative', readOnly: false },
    ]);
    expect(notes).toEqual(['repaired: the path of the mount point work is relative, and taken from the root']);
  });

  test('ports are exposed one by one, each once', async () => {
    const ports = [port({}), port({ protocol: 'UDP', port: 53 }), port({ port: 79, count: 3 }), port({ port: 65535 })];
    expect((await app({ ports })).exposedPorts).toEqual(['80/tcp', '53/udp', '79/tcp', '81/tcp', '65535/tcp']);
  });

  test('every port of two protocols can be exposed, and no more than that', async () => {
    const range = (protocol: string) => port({ protocol, port: 1, count: 65535 });
    expect((await app({ ports: [range('tcp'), range('udp')] })).exposedPorts).toHaveLength(131_070);
    const many = Array.from({ length: 20_000 }, (_, i) => range(`p${i}`));
    expect(await refusalOf(() => app({ ports: many }))).toMatchObject({
      code: 'appc/manifest',
      at: ['manifest', '/app/ports'],
    });
  });

  test('isolators confine it, and those that nobody knows are kept', async () => {
    const { isolation } = await app({
      isolators: [
        { name: 'resource/memory', value: { limit: '1G' } },
        { name: 'example.com/own', value: [1] },
      ],
    });
    expect(isolation).toEqual({ memory: { limit: 1e9 }, unsupported: [{ name: 'example.com/own', value: [1] }] });
  });

  test('event handlers are kept beside isolators that no runtime can be told', async () => {
    const { isolation } = await app({
      eventHandlers: [
        { name: 'pre-start', exec: ['/prepare', 'x'] },
        { name: 'post-stop', exec: [] },
      ],
    });
    expect(isolation?.unsupported?.map(({ name, value }) => [name, value])).toEqual([
      ['pre-start event handler', ['/prepare', 'x']],
      ['post-stop event handler', []],
    ]);
  });

  test('the user’s labels and annotations are labels; of a clash the label stays, with a note', async () => {
    const { config, notes } = await configFrom({
      app: leastApp({ userAnnotations: { a: '1', both: 'x' }, userLabels: { b: '2', both: 'y' } }),
    });
    expect(['a', 'b', 'both'].map((name) => config.labels.get(name))).toEqual(['1', '2', 'y']);
    expect(notes).toEqual(['dropped: both stands for two things; "x" is lost']);
  });

  test('nothing that it says may pass for what we say', async () => {
    const forged = {
      [`${OWN}name`]: 'other',
      [`${OWN}image-id`]: 'sha512-0',
      [RUNTIME_LABEL]: '{"isolation":{"oomScoreAdj":1}}',
    };
    const { config, notes } = await configFrom({ app: leastApp({ userLabels: forged, userAnnotations: forged }) });
    expect(config.labels.get(`${OWN}name`)).toBe('example.com/app');
    expect(config.labels.get(`${OWN}image-id`)).toMatch(/^sha512-[0-9a-f]{128}$/);
    expect(config.labels.get(RUNTIME_LABEL)).not.toContain('oomScoreAdj');
    expect(notes.length).toBeGreaterThan(0);
  });

  test('what an OCI image cannot say is in a label of the runtime', async () => {
    const config = await app({ supplementaryGIDs: [5], isolators: [{ name: 'os/linux/oom-score-adj', value: 7 }] });
    expect(JSON.parse(config.labels.get(RUNTIME_LABEL) ?? '{}')).toMatchObject({
      supplementaryGroups: [5],
      isolation: { oomScoreAdj: 7 },
      runtimeEnv: config.runtimeEnv,
    });
  });
});
