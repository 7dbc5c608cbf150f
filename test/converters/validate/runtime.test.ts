/** Rules of runtime bundles, each broken once in a bundle that is sound otherwise. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type HostFacts, type RuleId, validate } from '../../../converters/index.ts';
import { scratch } from '../../fixtures/peers.ts';
import { bundleWith, expectUnconditional, patched, rulesIn, runtimeConfig, validateDocument } from './inputs.ts';

test('a sound bundle has no finding', async () => {
  const found = await validate(bundleWith());
  expectUnconditional(found);
  expect(found).toMatchObject({ format: 'bundle', findings: [] });
});

test('a sound config.json has none alone', async () => {
  expectUnconditional(await validateDocument(runtimeConfig, 'runtime-config'));
});

const SECCOMP = '/linux/seccomp';
const MAPPING = { containerID: 0, hostID: 1000, size: 1 };
const hook = (more: object) => ({ createRuntime: [{ path: '/bin/true', ...more }] });
const user = { namespaces: [...runtimeConfig.linux.namespaces, { type: 'user' }] };

const BREACHES: readonly (readonly [rule: RuleId, pointer: string, value: unknown])[] = [
  ['runtime/form', '', []],
  ['runtime/form', '/process/cwd', 7],
  ['runtime/form', '/linux/namespaces/0/type', 'pids'],
  ['runtime/form', '/freebsd', { jail: { vnet: 'disable' } }],
  ['runtime/version', '/ociVersion', '1.0'],
  ['runtime/version', '/ociVersion', undefined],
  ['runtime/root', '/root', undefined],
  ['runtime/platform', '/solaris', {}],
  ['runtime/process-start', '/process/args', undefined],
  ['runtime/process-args', '/process/args', []],
  ['runtime/process-start', '/process', undefined],
  ['runtime/process-cwd', '/process/cwd', 'srv'],
  ['runtime/process-cwd-host', '/process/cwd', '/proc/self/fd/7/../..'],
  ['runtime/process-args', '/process/args', ['']],
  ['runtime/process-args', '/process/args', ['/a', 'b\0c']],
  ['runtime/process-env', '/process/env', ['PATH']],
  ['runtime/process-env-twice', '/process/env', ['A=1', 'A=2']],
  ['runtime/process-user', '/process/user', { uid: 0 }],
  ['runtime/process-user', '/process/user/uid', 4294967295],
  ['runtime/process-user-mapped', '/linux', { ...user, uidMappings: [MAPPING], gidMappings: [MAPPING] }],
  ['runtime/process-console', '/process/consoleSize', { height: 1, width: 1 }],
  ['runtime/rlimits', '/process/rlimits/0/type', 'RLIMIT_HOPE'],
  ['runtime/form', '/process/rlimits/0/hard', 2 ** 64],
  ['runtime/form', '/process/ioPriority', { class: 'IOPRIO_CLASS_BE' }],
  ['runtime/form', '/linux/personality', { flags: [] }],
  ['runtime/form', '/linux/resources/blockIO', { throttleReadBpsDevice: [{ major: 8, minor: 0 }] }],
  ['runtime/resources', '/linux/resources/blockIO', { weightDevice: [{ major: 8, minor: 0 }] }],
  ['runtime/resources', '/linux/resources/rdma', { mlx5_1: {} }],
  ['runtime/resources', '/linux/resources/cpu', { quota: 1000, burst: 2000 }],
  ['runtime/seccomp-listener', '/linux/seccomp', { defaultAction: 'SCMP_ACT_NOTIFY' }],
  ['runtime/mount-mappings', '/mounts/4', { destination: '/x', source: '/', options: ['rbind', 'ridmap'] }],
  [
    'runtime/mount-idmap',
    '/mounts/4',
    { destination: '/x', source: '/', options: ['bind'], uidMappings: [MAPPING], gidMappings: [MAPPING] },
  ],
  ['runtime/annotations-reserved', '/annotations', { 'org.opencontainers.mine': 'x' }],
  ['runtime/rlimits', '/process/rlimits/0/soft', 3],
  ['runtime/rlimits', '/process/rlimits/1', { type: 'RLIMIT_NOFILE', soft: 1, hard: 1 }],
  ['runtime/oom-score', '/process/oomScoreAdj', 1001],
  ['runtime/io-priority', '/process/ioPriority', { class: 'IOPRIO_CLASS_BE', priority: 8 }],
  ['runtime/capability-name', '/process/capabilities/bounding', ['CAP_FLY']],
  ['runtime/capability-sets', '/process/capabilities/effective', ['CAP_CHOWN']],
  ['runtime/capability-ambient', '/process/capabilities/ambient', ['CAP_KILL']],
  ['runtime/devices-mode', '/linux/devices/0/fileMode', 0o20644],
  ['runtime/form', '/linux/devices/0/fileMode', 2 ** 32],
  ['runtime/capability-inheritable', '/process/capabilities/inheritable', ['CAP_KILL']],
  ['runtime/hostname', '/linux/namespaces', [{ type: 'mount' }]],
  ['runtime/mount-destination-1.0', '/mounts/0/destination', 'proc'],
  ['runtime/mount-climbs', '/mounts/0/destination', '/../proc'],
  ['runtime/mount-source', '/mounts/4', { destination: '/x', type: 'bind', options: ['bind'] }],
  ['runtime/mount-type', '/mounts/4', { destination: '/x', source: 'x' }],
  ['runtime/mount-type', '/mounts/4', { destination: '/x', source: '/', type: 'bind', options: ['ro'] }],
  ['runtime/mount-mappings', '/mounts/4', { destination: '/x', type: 'tmpfs', uidMappings: [MAPPING] }],
  ['runtime/mount-twice', '/mounts/4', { destination: '/proc', type: 'tmpfs' }],
  ['runtime/default-filesystems', '/mounts', []],
  ['runtime/hook-path', '/hooks', hook({ path: 'bin/true' })],
  ['runtime/hook-timeout', '/hooks', hook({ timeout: 0 })],
  ['runtime/hook-prestart', '/hooks', { prestart: [{ path: '/bin/true' }] }],
  ['runtime/hooks', '/hooks', hook({})],
  ['runtime/annotations-key', '/annotations', { '': 'x' }],
  ['runtime/annotations-domain', '/annotations', { key: 'x' }],
  ['runtime/annotations-steering', '/annotations', { 'run.oci.handler': 'x' }],
  ['runtime/namespace-twice', '/linux/namespaces/3', { type: 'pid' }],
  ['runtime/namespace-path', '/linux/namespaces/0/path', 'ns/pid'],
  ['runtime/namespace-mount', '/linux/namespaces', [{ type: 'uts' }]],
  ['runtime/mappings', '/linux', { ...user, uidMappings: [MAPPING, MAPPING], gidMappings: [MAPPING] }],
  ['runtime/mappings', '/linux', { ...user, uidMappings: [{ ...MAPPING, size: 0 }], gidMappings: [MAPPING] }],
  [
    'runtime/mappings',
    '/linux',
    { ...user, uidMappings: [{ ...MAPPING, hostID: 4294967295, size: 2 }], gidMappings: [MAPPING] },
  ],
  ['runtime/mappings-together', '/linux', { ...user, uidMappings: [MAPPING] }],
  ['runtime/mappings-together', '/linux/uidMappings', [MAPPING]],
  ['runtime/mappings-missing', '/linux/namespaces/3', { type: 'user' }],
  ['runtime/time-offsets', '/linux/timeOffsets', { boottime: { secs: 1 } }],
  ['runtime/devices', '/linux/devices/0/path', 'dev/fuse'],
  ['runtime/devices', '/linux/devices/0/major', undefined],
  ['runtime/devices-twice', '/linux/devices/1', { type: 'c', path: '/dev/other', major: 10, minor: 229 }],
  ['runtime/device-rules', '/linux/resources/devices/0/type', 'p'],
  ['runtime/device-rules', '/linux/resources/devices/0/access', 'rx'],
  ['runtime/paths', '/linux/maskedPaths', ['proc/kcore']],
  ['runtime/resources', '/linux/resources/cpu/shares', 1],
  ['runtime/resources', '/linux/resources/memory', { limit: 10, swap: 5 }],
  ['runtime/seccomp-name', `${SECCOMP}/syscalls/0/names/0`, 'raed'],
  ['runtime/seccomp-errno', `${SECCOMP}/defaultAction`, 'SCMP_ACT_ALLOW'],
  ['runtime/seccomp-errno', `${SECCOMP}/syscalls/0/errnoRet`, 1],
  ['runtime/seccomp-listener', `${SECCOMP}/listenerMetadata`, 'x'],
  ['runtime/seccomp-listener', `${SECCOMP}/syscalls/0/action`, 'SCMP_ACT_NOTIFY'],
  ['runtime/seccomp-args', `${SECCOMP}/syscalls/0/args/0/index`, 6],
  ['bundle/root', '/root/path', 'elsewhere'],
  ['bundle/root-place', '/root/path', '/'],
];

test.each(BREACHES.map((row) => [...row]))('breaks %s by %s being %j', async (rule, pointer, value) => {
  const found = await validate(bundleWith(patched(runtimeConfig, pointer, value)), { from: 'bundle' });
  expect(rulesIn(found)).toContain(rule);
});

test('a bundle without config.json, or with a file for a root filesystem, is no bundle', async () => {
  expect(rulesIn(await validate(bundleWith(null)))).toEqual(['bundle/config']);
  const folder = scratch();
  writeFileSync(join(folder, 'config.json'), JSON.stringify(runtimeConfig));
  writeFileSync(join(folder, 'rootfs'), '');
  expect(rulesIn(await validate(folder))).toEqual(['bundle/root']);
});

describe('the machine at hand', () => {
  const machine: HostFacts = {
    os: 'linux',
    architecture: 'amd64',
    uid: 0,
    filesystems: new Set(['proc', 'sysfs', 'devpts', 'tmpfs']),
    capabilities: new Set(['CAP_KILL']),
    namespaces: new Set(['pid', 'mount', 'uts', 'user']),
    cgroups: 'v2',
    security: new Set(['seccomp']),
  };
  const found = async (pointer: string, value: unknown, facts: Partial<HostFacts> = {}) => {
    const folder = bundleWith(patched(runtimeConfig, pointer, value));
    mkdirSync(join(folder, 'data'));
    return rulesIn(await validate(folder, { machine: { ...machine, ...facts } }));
  };
  const bind = (source: string) => ({ destination: '/x', type: 'bind', source, options: ['rbind'] });

  test('that can run a bundle is not mentioned', async () => {
    expect(await found('/hostname', 'app')).toEqual([]);
    expect(await found('/mounts/4', bind('data'))).toEqual([]);
  });

  test.each<readonly [RuleId, string, unknown, Partial<HostFacts>]>([
    ['host/platform', '/hostname', 'x', { os: 'darwin' }],
    ['host/version', '/ociVersion', '1.2.0', {}],
    ['host/filesystem', '/mounts/4', { destination: '/x', type: 'zfs', source: 'x' }, {}],
    ['host/mount-source', '/mounts/4', bind('/nothing/here'), {}],
    ['host/hook', '/hooks', { poststop: [{ path: '/nothing/here' }] }, {}],
    ['host/capability', '/process/capabilities/bounding', ['CAP_SYS_ADMIN'], {}],
    ['host/namespace', '/linux/namespaces/3', { type: 'time' }, {}],
    ['host/mappings', '/hostname', 'x', { uid: 1000 }],
    ['host/cgroup', '/hostname', 'x', { cgroups: 'hybrid' }],
    ['host/security', '/process/apparmorProfile', 'docker-default', {}],
    ['host/security', '/hostname', 'x', { security: new Set() }],
  ])('is noted with %s by %s being %j, and breaks nothing', async (rule, pointer, value, facts) => {
    expect(await found(pointer, value, facts)).toContain(rule);
  });
});

describe('a config.json with what is no fault', () => {
  test.each<readonly [string, unknown]>([
    ['/process/consoleSize', { height: 0, width: 0 }],
    // As runc and crun write it when they are asked for a config.json.
    ['/process/capabilities', { bounding: ['CAP_KILL'], permitted: ['CAP_KILL'], ambient: ['CAP_KILL'] }],
    // As podman writes them.
    ['/linux/devices/0/fileMode', 0o20644],
    ['/linux/seccomp/syscalls/0/names', ['syscall', 'timerfd']],
    ['/annotations', { 'org.opencontainers.image.base.name': 'debian' }],
    [
      '/mounts/4',
      { destination: '/x', source: '/', options: ['bind', 'idmap'], uidMappings: [MAPPING], gidMappings: [MAPPING] },
    ],
  ])('is compliant with %s being %j', async (pointer, value) => {
    expectUnconditional(await validateDocument(patched(runtimeConfig, pointer, value), 'runtime-config'));
  });

  test('is compliant with an empty host name and no namespace for it', async () => {
    const linux = { ...runtimeConfig.linux, namespaces: [{ type: 'mount' }] };
    expectUnconditional(await validateDocument({ ...runtimeConfig, hostname: '', linux }, 'runtime-config'));
  });

  test('is compliant with a limit that is none, which no double holds', async () => {
    const text = JSON.stringify(runtimeConfig).replace('"hard":2', '"hard":18446744073709551615');
    expectUnconditional(await validateDocument(text, 'runtime-config'));
    const more = text.replace('18446744073709551615', '18446744073709551616');
    expect(rulesIn(await validateDocument(more, 'runtime-config'))).toEqual(['runtime/form']);
  });
});

describe('a destination that is relative', () => {
  const mounts = [...runtimeConfig.mounts, { destination: 'x', type: 'tmpfs', source: 'x' }];

  test.each([
    ['1.0.2', 'runtime/mount-destination-1.0'],
    ['1.1.0', 'runtime/mount-destination-1.0'],
    ['1.2.0', 'runtime/mount-destination'],
  ])('breaks, in version %s, %s', async (ociVersion, rule) => {
    expect(rulesIn(await validateDocument({ ...runtimeConfig, ociVersion, mounts }, 'runtime-config'))).toEqual([rule]);
  });
});

describe('a config.json for Windows', () => {
  const sound = {
    ociVersion: '1.2.0',
    root: { path: '\\\\?\\Volume{ec84d99e-3f02-11e7-ac6c-00155d7682cf}\\' },
    process: { cwd: 'C:\\', args: ['app.exe'], user: { username: 'ContainerUser' } },
    mounts: [
      { destination: 'C:\\data', source: 'C:\\a' },
      { destination: 'C:\\data2', source: 'C:\\b' },
    ],
    windows: { layerFolders: ['C:\\layer'] },
  };

  test('that is sound has no finding', async () => {
    expectUnconditional(await validateDocument(sound, 'runtime-config'));
  });

  test.each<readonly [RuleId, string, unknown]>([
    ['runtime/root', '/root', undefined],
    ['runtime/root', '/root/readonly', true],
    ['runtime/root', '/windows/hyperv', {}],
    ['runtime/process-args', '/process/args', undefined],
    ['runtime/mount-nested', '/mounts/1/destination', 'c:\\Data\\inner'],
    ['runtime/mount-destination-1.0', '/mounts/1/destination', 'data'],
  ])('breaks %s by %s being %j', async (rule, pointer, value) => {
    expect(rulesIn(await validateDocument(patched(sound, pointer, value), 'runtime-config'))).toEqual([rule]);
  });
});
