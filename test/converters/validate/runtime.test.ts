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
  ['runtime/process-start', '/process/args', []],
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
  ['runtime/rlimits', '/process/rlimits/0/soft', 3],
  ['runtime/rlimits', '/process/rlimits/1', { type: 'RLIMIT_NOFILE', soft: 1, hard: 1 }],
  ['runtime/oom-score', '/process/oomScoreAdj', 1001],
  ['runtime/io-priority', '/process/ioPriority', { class: 'IOPRIO_CLASS_BE', priority: 8 }],
  ['runtime/capability-name', '/process/capabilities/bounding', ['CAP_FLY']],
  ['runtime/capability-sets', '/process/capabilities/effective', ['CAP_CHOWN']],
  ['runtime/capability-sets', '/process/capabilities/ambient', ['CAP_KILL']],
  ['runtime/capability-inheritable', '/process/capabilities/inheritable', ['CAP_KILL']],
  ['runtime/hostname', '/linux/namespaces', [{ type: 'mount' }]],
  ['runtime/mount-destination-1.0', '/mounts/0/destination', 'proc'],
  ['runtime/mount-climbs', '/mounts/0/destination', '/../proc'],
  ['runtime/mount-source', '/mounts/4', { destination: '/x', type: 'bind', options: ['bind'] }],
  ['runtime/mount-type', '/mounts/4', { destination: '/x', source: 'x' }],
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

test('a relative destination is deprecated from version 1.1 on', async () => {
  const later = patched(patched(runtimeConfig, '/ociVersion', '1.1.0'), '/mounts/0/destination', 'proc');
  expect(rulesIn(await validate(bundleWith(later)))).toContain('runtime/mount-destination');
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
