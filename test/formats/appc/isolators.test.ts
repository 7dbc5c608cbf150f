/** Isolators, row by row of the specification. */
import { describe, expect, test } from 'vitest';
import { isolationOf } from '../../../formats/appc/isolators.ts';
import type { Json } from '../../../formats/json/parse.ts';
import { contextWith, refusalOf } from '../support.ts';
import { notesOf } from './images.ts';

type Isolator = readonly [name: string, value: Json];

function isolation(...isolators: readonly Isolator[]) {
  const context = contextWith();
  const read = isolationOf(
    isolators.map(([name, value], i) => ({ name, value, pointer: `/app/isolators/${i}` })),
    { architecture: 'amd64', context },
  );
  return { read, notes: notesOf(context) };
}

const RETAIN = 'os/linux/capabilities-retain-set';
const REMOVE = 'os/linux/capabilities-remove-set';
const SECCOMP_RETAIN = 'os/linux/seccomp-retain-set';
const SECCOMP_REMOVE = 'os/linux/seccomp-remove-set';
const SELINUX = { user: 'system_u', role: 'system_r', type: 'container_t', level: 's0:c1,c2' };

test('none say nothing', () => {
  expect(isolation()).toEqual({ read: undefined, notes: [] });
});

describe('is read', () => {
  test.each<[string, Json, object]>([
    ['resource/cpu', { request: '250m', limit: '1.5' }, { cpu: { request: 250, limit: 1500 } }],
    ['resource/cpu', { limit: 2 }, { cpu: { limit: 2000 } }],
    ['resource/memory', { request: '64Mi', limit: '1G' }, { memory: { request: 67108864, limit: 1e9 } }],
    ['resource/memory', { LIMIT: '1k', default: false }, { memory: { limit: 1000 } }],
    ['os/linux/cpu-shares', 2, { cpu: { shares: 2 } }],
    ['os/linux/cpu-shares', 262144, { cpu: { shares: 262144 } }],
    ['os/linux/oom-score-adj', -1000, { oomScoreAdj: -1000 }],
    ['os/linux/oom-score-adj', 1000, { oomScoreAdj: 1000 }],
    ['os/linux/no-new-privileges', true, { noNewPrivileges: true }],
    ['os/linux/no-new-privileges', false, { noNewPrivileges: false }],
    ['os/linux/selinux-context', SELINUX, { selinuxLabel: 'system_u:system_r:container_t:s0:c1,c2' }],
    ['os/linux/apparmor-profile', { profile: 'docker-default' }, { apparmorProfile: 'docker-default' }],
    ['os/unix/sysctl', { 'net.core.somaxconn': '128' }, { sysctl: { 'net.core.somaxconn': '128' } }],
    [RETAIN, { set: ['CAP_NET_ADMIN', 'CAP_CHOWN', 'CAP_CHOWN'] }, { capabilities: ['CAP_CHOWN', 'CAP_NET_ADMIN'] }],
    [SECCOMP_RETAIN, { set: ['write', 'read'] }, { seccomp: { mode: 'retain', calls: ['read', 'write'] } }],
    [
      SECCOMP_REMOVE,
      { set: ['mount'], errno: 'ENOSYS' },
      { seccomp: { mode: 'remove', calls: ['mount'], errno: 'ENOSYS' } },
    ],
  ])('%s: %j', (name, value, wanted) => {
    expect(isolation([name, value])).toEqual({ read: wanted, notes: [] });
  });

  test('a set of capabilities to remove counts from the fourteen that rkt gave', () => {
    const { read } = isolation([REMOVE, { set: ['CAP_KILL', 'CAP_MKNOD', 'CAP_SYS_ADMIN'] }]);
    expect(read?.capabilities).toHaveLength(12);
    expect(read?.capabilities).not.toContain('CAP_KILL');
    expect(read?.capabilities).toEqual([...read!.capabilities!].sort());
    expect(read?.capabilities).toContain('CAP_SYS_CHROOT');
  });

  test('shares and limits of the processor stand beside each other, in either order', () => {
    const limit = ['resource/cpu', { limit: '1' }] as const;
    const shares = ['os/linux/cpu-shares', 512] as const;
    for (const order of [
      [limit, shares],
      [shares, limit],
    ])
      expect(isolation(...order).read).toEqual({ cpu: { limit: 1000, shares: 512 } });
  });

  test('of two of one name the last counts', () => {
    expect(isolation([RETAIN, { set: ['CAP_KILL'] }], [RETAIN, { set: ['CAP_CHOWN'] }]).read).toEqual({
      capabilities: ['CAP_CHOWN'],
    });
  });
});

describe('system calls', () => {
  test('that are a known set are expanded', () => {
    const { read, notes } = isolation([SECCOMP_REMOVE, { set: ['@docker/default-blacklist', 'chdir'] }]);
    expect(notes).toEqual([]);
    expect(read?.seccomp?.calls).toHaveLength(51);
    expect(read?.seccomp?.calls).toEqual(expect.arrayContaining(['chdir', 'mount', 'ptrace']));
  });

  test('of systemd are only near to what a pod had, and that is said', () => {
    const { notes } = isolation([SECCOMP_RETAIN, { set: ['@systemd/clock', 'read'] }]);
    expect(notes).toEqual([expect.stringContaining('guessed: @systemd/clock')]);
  });

  test('that nobody defined are named', () => {
    const { read, notes } = isolation([SECCOMP_RETAIN, { set: ['@nobody/knows', '@docker/nothing', 'read'] }]);
    expect(read?.seccomp?.calls).toEqual(['read']);
    expect(notes).toHaveLength(2);
    expect(notes[0]).toContain('@docker/nothing is no system call');
  });

  test('all retained means no filter', () => {
    expect(isolation([SECCOMP_RETAIN, { set: ['@appc.io/all'] }])).toEqual({ read: undefined, notes: [] });
  });

  test('none removed means the list that rkt applied', () => {
    const { read } = isolation([SECCOMP_REMOVE, { set: ['@appc.io/empty'] }]);
    expect(read?.seccomp?.mode).toBe('retain');
    expect(read?.seccomp?.calls).toHaveLength(309);
  });

  test('are more on ARM, where a set of rkt’s is meant', () => {
    const isolator = { name: SECCOMP_REMOVE, value: { set: ['@appc.io/empty'] }, pointer: '' };
    for (const architecture of ['arm', 'arm64'])
      expect(isolationOf([isolator], { architecture, context: contextWith() })?.seccomp?.calls).toHaveLength(315);
  });

  test('all removed has no meaning; the others of the set are removed all the same', () => {
    const { read, notes } = isolation([SECCOMP_REMOVE, { set: ['@appc.io/all', 'mount'] }]);
    expect(read).toEqual({ seccomp: { mode: 'remove', calls: ['mount'] } });
    expect(notes).toEqual([expect.stringContaining('@appc.io/all')]);
  });
});

describe('is kept whole', () => {
  test.each<[string, Json]>([
    ['resource/block-bandwidth', { default: true, limit: '2M' }],
    ['resource/block-iops', { default: true, limit: '1000' }],
    ['resource/network-bandwidth', { default: true, limit: '1G' }],
    ['example.com/own', [1, { a: null }]],
    ['constructor', 'x'],
    ['__proto__', 1],
  ])('%s, which no runtime can be told', (name, value) => {
    expect(isolation([name, value]).read).toEqual({ unsupported: [{ name, value }] });
  });
});

describe('is refused', () => {
  test.each<[string, readonly Isolator[], string]>([
    [
      'both sets of capabilities',
      [
        [RETAIN, { set: ['CAP_KILL'] }],
        [REMOVE, { set: ['CAP_KILL'] }],
      ],
      'appc/manifest',
    ],
    [
      'both sets of system calls',
      [
        [SECCOMP_REMOVE, { set: ['a'] }],
        [SECCOMP_RETAIN, { set: ['b'] }],
      ],
      'appc/manifest',
    ],
    ['an empty set of capabilities', [[RETAIN, { set: [] }]], 'appc/manifest'],
    ['an empty set of system calls', [[SECCOMP_RETAIN, { set: [] }]], 'appc/manifest'],
    ['no set', [[REMOVE, {}]], 'json/type'],
    ['a capability that is none', [[RETAIN, { set: ['NET_ADMIN'] }]], 'appc/manifest'],
    ['an errno that is none', [[SECCOMP_REMOVE, { set: ['a'], errno: '1' }]], 'appc/manifest'],
    ['a default for the processor', [['resource/cpu', { default: true, limit: '1' }]], 'appc/manifest'],
    ['a default for memory', [['resource/memory', { default: true, limit: '1G' }]], 'appc/manifest'],
    ['an amount that is none', [['resource/memory', { limit: 'much' }]], 'image/config'],
    ['an amount below nothing', [['resource/cpu', { limit: '-1' }]], 'image/config'],
    ['one share', [['os/linux/cpu-shares', 1]], 'appc/manifest'],
    ['shares above the most', [['os/linux/cpu-shares', 262145]], 'appc/manifest'],
    ['a fraction of a share', [['os/linux/cpu-shares', 2.5]], 'appc/manifest'],
    ['an oom score below the least', [['os/linux/oom-score-adj', -1001]], 'appc/manifest'],
    ['an oom score that is a string', [['os/linux/oom-score-adj', '5']], 'appc/manifest'],
    ['privileges that are a string', [['os/linux/no-new-privileges', 'true']], 'json/type'],
    ['a colon in a user of SELinux', [['os/linux/selinux-context', { ...SELINUX, user: 'a:b' }]], 'appc/manifest'],
    ['no level of SELinux', [['os/linux/selinux-context', { ...SELINUX, level: null }]], 'json/type'],
    ['a profile that is a number', [['os/linux/apparmor-profile', { profile: 1 }]], 'json/type'],
    ['a kernel parameter that is a number', [['os/unix/sysctl', { a: 1 }]], 'json/type'],
  ])('%s', async (_, isolators, code) => {
    const refusal = await refusalOf(() => isolation(...isolators));
    expect(refusal?.code).toBe(code);
    expect(refusal?.at.join(' ')).toContain('/app/isolators/');
  });
});
