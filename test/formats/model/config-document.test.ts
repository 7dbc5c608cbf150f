import { describe, expect, test } from 'vitest';
import { prepare } from '../../../fixtures/image-recipe.ts';
import { greeting, windowsImage } from '../../../fixtures/images.ts';
import type { NameMatch } from '../../../formats/json/decode.ts';
import type { Json } from '../../../formats/json/parse.ts';
import { platformMatches, platformText } from '../../../formats/model/config.ts';
import {
  type ConfigDocument,
  configDocument,
  decodeConfigDocument,
  parseConfigDocument,
} from '../../../formats/model/config-document.ts';
import { codeOf, contextWith, refusalOf } from '../support.ts';

const read = (text: string, match: NameMatch = 'exact') => parseConfigDocument(Buffer.from(text), match, contextWith());
const layers = { type: 'layers', diff_ids: [] };

function written({ config, history, diffIds }: ConfigDocument): Json {
  const { os = 'linux', architecture = 'amd64' } = config.platform;
  return JSON.parse(JSON.stringify(configDocument(config, { os, architecture }, history, diffIds ?? []))) as Json;
}

describe('a configuration', () => {
  const full = {
    created: '2024-02-29T12:00:00Z',
    author: 'somebody',
    architecture: 'arm',
    variant: 'v7',
    os: 'linux',
    'os.version': '10.0',
    'os.features': ['win32k'],
    config: {
      Entrypoint: ['/bin/sh', '-c'],
      Cmd: ['run'],
      Env: ['A=1', 'B=', 'A=2'],
      User: '1000:44',
      WorkingDir: '/work',
      StopSignal: 'SIGRTMIN+3',
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Volumes: { '/data': {} },
      Labels: { a: 'b', __proto: '' },
      Healthcheck: { Test: ['CMD', 'x'], Interval: 3, Timeout: 4, StartPeriod: 5, StartInterval: 7, Retries: 6 },
      OnBuild: ['RUN x'],
      Shell: ['/bin/bash', '-c'],
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`] },
    history: [
      { created: '2024-02-29T12:00:00Z', created_by: 'ADD', author: 'somebody', comment: 'x' },
      { created_by: 'ENV', empty_layer: true },
      {},
    ],
  };

  test('that uses every member comes back whole', () => {
    expect(written(read(JSON.stringify(full)))).toEqual(full);
  });

  test('keeps members that nobody knows, at the top and in `config`', () => {
    const text = `{"architecture":"amd64","os":"linux","rootfs":${JSON.stringify(layers)},
      "docker_version":"1.9","moby.buildkit.buildinfo.v1":"e30=","container_config":{"Cmd":["x"]},
      "config":{"Hostname":"h","ArgsEscaped":true,"MacAddress":"","x":{"y":[1,null]}}}`;
    expect(written(read(text))).toEqual(JSON.parse(text));
  });

  test.each([
    ['the greeting', greeting('arm64')],
    ['a Windows image', windowsImage()],
  ])('of %s says the same once it has been read and written, and then stays as it is', (_, image) => {
    const first = read(Buffer.from(prepare(image).configBytes).toString());
    const second = decodeConfigDocument(written(first), 'exact');
    expect(second).toEqual(first);
    expect(written(second)).toEqual(written(first));
  });

  test('takes null and empty text for absent', () => {
    const { config, history, diffIds } = read(
      `{"created":"","author":null,"os":"","architecture":"amd64","config":{"Env":null,"Cmd":null,"User":"","Labels":null,
        "ExposedPorts":null,"Volumes":null,"Healthcheck":null,"WorkingDir":""},"history":null,"rootfs":null}`,
    );
    expect(config).toMatchObject({ env: [], cmd: [], exposedPorts: [], volumes: [], platform: { os: undefined } });
    expect(['created', 'author', 'user', 'workingDir', 'healthcheck'].filter((key) => key in config)).toEqual([]);
    expect([config.labels.size, history, diffIds]).toEqual([0, [], undefined]);
  });

  test('may be without `config` at all', () => {
    expect(read('{}').config).toMatchObject({ entrypoint: [], cmd: [], env: [], other: {} });
    expect(read('{"config":null}').config.env).toEqual([]);
  });

  test('of Docker’s early days has a command as one text, for a shell', () => {
    expect(read('{"config":{"Cmd":"echo x"}}').config.cmd).toEqual(['/bin/sh', '-c', 'echo x']);
  });

  test('matches names without regard to case only where Docker does', () => {
    const text = '{"Architecture":"arm64","OS":"linux","Config":{"env":["A=1"],"hostname":"h"}}';
    const loose = read(text, 'any-case').config;
    expect([loose.platform.architecture, loose.env, loose.other]).toEqual([
      'arm64',
      ['A=1'],
      { config: { hostname: 'h' } },
    ]);
    expect(read(text).config).toMatchObject({ env: [], platform: { architecture: undefined } });
  });

  test('with a member called __proto__ is read as if it had none', () => {
    const { config } = read('{"__proto__":{"x":1},"config":{"__proto__":{"y":1},"Labels":{"__proto__":"label"}}}');
    expect(Object.keys(config.other)).toEqual([]);
    expect([...config.labels]).toEqual([['__proto__', 'label']]);
    expect(JSON.stringify(configDocument(config, { os: 'linux', architecture: 'amd64' }, [], []))).toContain(
      '"Labels":{"__proto__":"label"}',
    );
  });

  test.each([
    ['a list', '[]', 'json/type'],
    ['text for the environment', '{"config":{"Env":"A=1"}}', 'json/type'],
    ['a number in the command', '{"config":{"Cmd":[1]}}', 'json/type'],
    ['a label that is no text', '{"config":{"Labels":{"a":1}}}', 'json/type'],
    ['a number as the architecture', '{"architecture":1}', 'json/type'],
    ['ports as a list', '{"config":{"ExposedPorts":["80/tcp"]}}', 'json/type'],
    ['a negative interval', '{"config":{"Healthcheck":{"Interval":-1}}}', 'json/type'],
    ['a step that is no object', '{"history":["x"]}', 'json/type'],
    ['text for empty_layer', '{"history":[{"empty_layer":"true"}]}', 'json/type'],
    ['a root file system of no type', '{"rootfs":{"diff_ids":[]}}', 'json/type'],
    ['a root file system of another type', '{"rootfs":{"type":"layers+base","diff_ids":[]}}', 'image/config'],
    ['a diff_id that is a path', '{"rootfs":{"type":"layers","diff_ids":["sha256:../../x"]}}', 'digest/invalid'],
    ['a diff_id that is null', '{"rootfs":{"type":"layers","diff_ids":[null]}}', 'digest/invalid'],
    ['a member twice', '{"os":"linux","os":"windows"}', 'json/duplicate-key'],
  ])('is refused with %s', async (_, text, code) => {
    expect(await codeOf(() => read(text))).toBe(code);
  });

  test('that is refused says where', async () => {
    const refusal = await refusalOf(() => read('{"config":{"Labels":{"a/b":1}}}'));
    expect(refusal?.at).toEqual(['/config/Labels/a~1b']);
  });
});

describe('a platform', () => {
  const arm7 = { os: 'linux', architecture: 'arm', variant: 'v7' };

  test('is shown with its variant, and what is not known as unknown', () => {
    expect([platformText(arm7), platformText({ os: 'linux', architecture: 'amd64' }), platformText({})]).toEqual([
      'linux/arm/v7',
      'linux/amd64',
      'unknown/unknown',
    ]);
  });

  test.each([
    ['the same', arm7, arm7, true],
    ['any variant, when none is asked for', { os: 'linux', architecture: 'arm' }, arm7, true],
    ['another variant', { ...arm7, variant: 'v6' }, arm7, false],
    ['no variant, when one is asked for', arm7, { os: 'linux', architecture: 'arm' }, false],
    [
      'arm64 without a variant for v8',
      { os: 'linux', architecture: 'arm64', variant: 'v8' },
      { os: 'linux', architecture: 'arm64' },
      true,
    ],
    [
      'arm64 without a variant for v9',
      { os: 'linux', architecture: 'arm64', variant: 'v9' },
      { os: 'linux', architecture: 'arm64' },
      false,
    ],
    ['another architecture', arm7, { ...arm7, architecture: 'arm64' }, false],
    ['another system', arm7, { ...arm7, os: 'windows' }, false],
    ['an unknown one', arm7, {}, false],
  ])('is matched by %s or not', (_, want, have, matches) => {
    expect(platformMatches(want, have)).toBe(matches);
  });
});
