/** The label that keeps what an image of Docker's or OCI's form cannot say: `docs/decisions/0011-runtime-label.md`. */
import { describe, expect, test } from 'vitest';
import type { ImageConfig } from '../../../formats/model/config.ts';
import { configDocument, parseConfigDocument } from '../../../formats/model/config-document.ts';
import {
  RUNTIME_LABEL,
  type RuntimeFields,
  readRuntimeLabel,
  runtimeLabel,
  withRuntimeLabel,
} from '../../../formats/model/runtime-label.ts';
import { configWith } from '../../converters/runtime/generate.ts';
import { contextWith } from '../support.ts';

const full: RuntimeFields = {
  supplementaryGroups: [500, 400],
  mountPoints: [
    { name: 'data', path: '/data', readOnly: false, volume: { kind: 'empty', mode: 0o750, uid: 7, gid: 8 } },
    { name: 'conf', path: '/conf', readOnly: true },
  ],
  isolation: {
    cpu: { request: 100, limit: 1500, shares: 512 },
    memory: { request: 1, limit: 2 },
    capabilities: ['CAP_CHOWN', 'CAP_MADE_UP'],
    seccomp: { mode: 'retain', calls: ['read', '_llseek', 'accept4'], errno: 'E2BIG' },
    noNewPrivileges: false,
    oomScoreAdj: -500,
    selinuxLabel: 'system_u:system_r:svirt_lxc_net_t:s0-s0:c1,c2.c5',
    apparmorProfile: '/usr/bin/app//null',
    sysctl: { 'net.ipv4.ip_forward': '1', 'kernel.sem': '1 2' },
    unsupported: [
      { name: 'vendor/custom', value: { a: [1, null] } },
      { name: 'none', value: null },
    ],
  },
  runtimeEnv: ['AC_APP_NAME=a=b', 'LINES=1\n2', 'EMPTY='],
};
const image = (fields: RuntimeFields): ImageConfig => configWith({ ...fields, volumes: ['/data', '/conf'] });

function reading(value: string, volumes: readonly string[] = ['/data', '/conf']) {
  const context = contextWith();
  const fields = readRuntimeLabel({ labels: new Map([[RUNTIME_LABEL, value]]), volumes }, context);
  return { fields, notes: context.notes.all() };
}

describe('the label', () => {
  test('gives back every field', () => {
    expect(reading(runtimeLabel(full)!)).toEqual({ fields: full, notes: [] });
  });

  test('is absent where nothing of the kind is stated', () => {
    for (const fields of [{}, { isolation: {} }, { isolation: { cpu: {}, memory: {} } }])
      expect(runtimeLabel(fields)).toBeUndefined();
    expect(withRuntimeLabel(configWith()).labels.size).toBe(0);
  });

  test('says only what is stated, and none is not the same as nothing', () => {
    expect(runtimeLabel({ supplementaryGroups: [] })).toBe('{"supplementaryGroups":[]}');
    expect(runtimeLabel({ isolation: { capabilities: [] } })).toBe('{"isolation":{"capabilities":[]}}');
    expect(reading('{"supplementaryGroups":[],"isolation":{"capabilities":[]}}').fields).toEqual({
      supplementaryGroups: [],
      isolation: { capabilities: [] },
    });
  });

  test('does not depend on the order in which the fields were filled in', () => {
    const { runtimeEnv, isolation, mountPoints, supplementaryGroups } = full;
    const { sysctl, ...others } = isolation!;
    const turned = Object.fromEntries(Object.entries(sysctl!).reverse());
    const back = Object.fromEntries(Object.entries({ ...others, sysctl: turned }).reverse());
    const again = { runtimeEnv, isolation: back, mountPoints, supplementaryGroups } as RuntimeFields;
    expect(runtimeLabel(again)).toBe(runtimeLabel(full));
  });

  test('is put beside the other labels, in place of an older one', () => {
    const labels = new Map([
      [RUNTIME_LABEL, 'old'],
      ['a', 'b'],
    ]);
    const config = withRuntimeLabel({ ...image({ supplementaryGroups: [1] }), labels });
    expect([...config.labels]).toEqual([
      ['a', 'b'],
      [RUNTIME_LABEL, '{"supplementaryGroups":[1]}'],
    ]);
    expect([...withRuntimeLabel({ ...configWith(), labels }).labels]).toEqual([['a', 'b']]);
  });

  test('survives the configuration document, so that a bundle from the image is the bundle from its source', () => {
    const config = withRuntimeLabel(image(full));
    const document = configDocument(config, { os: 'linux', architecture: 'amd64' }, [], []);
    const context = contextWith();
    const read = parseConfigDocument(Buffer.from(JSON.stringify(document)), 'any-case', context).config;
    expect(read).toMatchObject({ ...full, labels: config.labels });
    expect([runtimeLabel(read), context.notes.all()]).toEqual([runtimeLabel(full), []]);
  });
});

const isolation = (value: object) => JSON.stringify({ isolation: value });
const point = (more: object) =>
  JSON.stringify({ mountPoints: [{ name: 'a', path: '/data', readOnly: true, ...more }] });

describe('a label from an image that somebody may have changed', () => {
  test('never holds a folder of the host, and never gives one', () => {
    const volume = { kind: 'host', source: '/etc', recursive: true, readOnly: false } as const;
    const mountPoints = [{ name: 'data', path: '/data', readOnly: false, volume }];
    expect(runtimeLabel({ mountPoints })).toBe('{"mountPoints":[{"name":"data","path":"/data","readOnly":false}]}');
    const { fields, notes } = reading(JSON.stringify({ mountPoints }));
    expect(fields).toEqual({});
    expect(notes).toEqual([expect.objectContaining({ kind: 'dropped', message: expect.stringContaining('"source"') })]);
    expect(reading(point({ volume: { kind: 'host' } })).notes[0]?.message).toContain('is ignored');
  });

  test('loses the mount points whose volumes were taken out of the image', () => {
    expect(reading(runtimeLabel(full)!, ['/conf']).fields.mountPoints?.map(({ path }) => path)).toEqual(['/conf']);
  });

  test.each([
    '',
    'x',
    '[]',
    '"x"',
    '{"a":1}',
    '{"supplementaryGroups":[0],"supplementaryGroups":[1]}',
    '{"supplementaryGroups":["0"]}',
    '{"supplementaryGroups":[-1]}',
    '{"supplementaryGroups":[4294967295]}',
    '{"supplementaryGroups":[1.5]}',
    '{"supplementaryGroups":1}',
    '{"runtimeEnv":["NOVALUE"]}',
    '{"runtimeEnv":["=x"]}',
    '{"runtimeEnv":["A=\\u0000"]}',
    '{"mountPoints":[{}]}',
    point({ path: 'data' }),
    point({ path: '/data\0' }),
    point({ name: '' }),
    point({ readOnly: 'yes' }),
    point({ other: 1 }),
    point({ volume: { kind: 'empty', mode: 0o10000, uid: 0, gid: 0 } }),
    point({ volume: { kind: 'empty', mode: 0, uid: 0 } }),
    point({ volume: { kind: 'empty', mode: 0, uid: 0, gid: 0, source: '/' } }),
    isolation({ privileged: true }),
    isolation({ cpu: { limit: -1 } }),
    isolation({ cpu: { limit: 1e300 } }),
    isolation({ cpu: { shares: 1 } }),
    isolation({ cpu: { quota: 1 } }),
    isolation({ memory: { limit: '1G' } }),
    isolation({ memory: [] }),
    isolation({ capabilities: ['NET_ADMIN'] }),
    isolation({ capabilities: ['CAP_\u001b'] }),
    isolation({ seccomp: { calls: [] } }),
    isolation({ seccomp: { mode: 'log', calls: [] } }),
    isolation({ seccomp: { mode: 'remove', calls: ['@all'] } }),
    isolation({ seccomp: { mode: 'remove', calls: [''] } }),
    isolation({ seccomp: { mode: 'remove', calls: ['read'], errno: '38' } }),
    isolation({ noNewPrivileges: 'false' }),
    isolation({ oomScoreAdj: -1001 }),
    isolation({ selinuxLabel: 'a\nb' }),
    isolation({ selinuxLabel: '' }),
    isolation({ apparmorProfile: '' }),
    isolation({ sysctl: { a: 1 } }),
    isolation({ unsupported: ['x'] }),
    isolation({ unsupported: [{ name: 'x', other: 1 }] }),
    `${'['.repeat(100)}${']'.repeat(100)}`,
  ])('is ignored as a whole, with a note, where it reads %s', (value) => {
    const { fields, notes } = reading(value);
    expect(fields).toEqual({});
    expect(notes).toEqual([
      expect.objectContaining({ kind: 'dropped', message: expect.stringContaining('is ignored') }),
    ]);
  });

  test('is bounded like every JSON document', () => {
    const context = contextWith({ 'json-bytes': 100 });
    const value = JSON.stringify({ supplementaryGroups: new Array(100).fill(1) });
    expect(readRuntimeLabel({ labels: new Map([[RUNTIME_LABEL, value]]), volumes: [] }, context)).toEqual({});
    expect(context.notes.all()).toHaveLength(1);
  });

  test('cannot reach prototypes', () => {
    const { fields } = reading('{"isolation":{"sysctl":{"__proto__":"1"}}}');
    expect(Object.keys(fields.isolation?.sysctl ?? {})).toEqual(['__proto__']);
    expect(reading('{"__proto__":{"supplementaryGroups":[1]}}').fields).toEqual({});
  });
});
