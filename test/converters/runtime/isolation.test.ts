/** Rows of section 11 of the fact sheet for App Container Images: how a process is confined, as `config.json` has it. */
import { describe, expect, test } from 'vitest';
import type { RuntimeOptions } from '../../../converters/runtime/config.ts';
import { errnoOf } from '../../../converters/runtime/errno.ts';
import { RUNTIME_CALLS } from '../../../converters/runtime/seccomp.ts';
import type { Isolation } from '../../../formats/model/isolation.ts';
import { codeOf } from '../../formats/support.ts';
import { generate } from './generate.ts';

const own = { uids: [{ container: 0, host: 1234, size: 1 }], gids: [{ container: 0, host: 1234, size: 1 }] };
const isolated = (isolation: Isolation, options: Partial<RuntimeOptions> = {}, architecture = 'amd64') =>
  generate({ isolation, platform: { os: 'linux', architecture } }, {}, options);
const kinds = (notes: readonly { readonly kind: string }[]) => notes.map(({ kind }) => kind);

describe('resource/cpu', () => {
  const cpu = (value: NonNullable<Isolation['cpu']>) => isolated({ cpu: value }).document.linux.resources.cpu;

  test.each([
    [500, 50000],
    [2000, 200000],
    [1500, 150000],
    [1, 1000],
    [10, 1000],
    [15, 1500],
  ])('a limit of %d thousandths is a quota of %d in each 100000', (limit, quota) => {
    expect(cpu({ limit })).toEqual({ quota, period: 100000 });
  });

  test('a limit that the kernel would not take becomes the nearest, with a note', () => {
    expect(isolated({ cpu: { limit: 0 } }).document.linux.resources.cpu.quota).toBe(1000);
    expect(kinds(isolated({ cpu: { limit: 9 } }).notes)).toEqual(['repaired']);
    expect(kinds(isolated({ cpu: { limit: 10 } }).notes)).toEqual([]);
    const most = isolated({ cpu: { limit: Number.MAX_SAFE_INTEGER } });
    expect([most.document.linux.resources.cpu.quota, kinds(most.notes)]).toEqual([1e11, ['repaired']]);
  });

  test.each([
    [1000, 1024],
    [500, 512],
    [1, 2],
    [0, 2],
    [999, 1022],
    [10 ** 9, 262144],
  ])('a request of %d thousandths is a weight of %d', (request, shares) => {
    expect(cpu({ request })).toEqual({ shares });
  });

  test('os/linux/cpu-shares wins over the request', () => {
    expect(cpu({ request: 1000, shares: 7, limit: 100 })).toEqual({ shares: 7, quota: 10000, period: 100000 });
  });
});

test('resource/memory: the limit is the limit, the request a reservation', () => {
  const { document, notes } = isolated({ memory: { limit: 268435456, request: 134217728 } });
  expect([document.linux.resources, notes]).toEqual([{ memory: { limit: 268435456, reservation: 134217728 } }, []]);
  expect(isolated({ memory: { request: 1 } }).document.linux.resources).toEqual({ memory: { reservation: 1 } });
});

describe('os/linux/capabilities-retain-set, -remove-set', () => {
  const sets = (set: readonly string[]) => ({ bounding: set, effective: set, permitted: set });

  test('the set is the whole set, in three places', () => {
    const { document, notes } = isolated({ capabilities: ['CAP_CHOWN', 'CAP_KILL'] });
    expect([document.process.capabilities, notes]).toEqual([sets(['CAP_CHOWN', 'CAP_KILL']), []]);
    expect(isolated({ capabilities: [] }).document.process.capabilities).toEqual(sets([]));
  });

  test('--caps wins, and then there is nothing to say about what the image asks for', () => {
    const { document, notes } = isolated({ capabilities: ['CAP_SYS_ADMIN'] }, { capabilities: ['CAP_KILL'] });
    expect([document.process.capabilities, notes]).toEqual([sets(['CAP_KILL']), []]);
  });

  test('more than the default set is granted and named', () => {
    const { document, notes } = isolated({ capabilities: ['CAP_KILL', 'CAP_NET_ADMIN', 'CAP_SYS_ADMIN'] });
    expect(document.process.capabilities.bounding).toHaveLength(3);
    expect(notes).toEqual([
      expect.objectContaining({
        kind: 'defaulted',
        message: expect.stringMatching(/CAP_NET_ADMIN, CAP_SYS_ADMIN.*--caps/),
      }),
    ]);
  });

  test('one that Linux does not have is left out, with a note', () => {
    const { document, notes } = isolated({ capabilities: ['CAP_KILL', 'CAP_MADE_UP'] });
    expect([document.process.capabilities.bounding, kinds(notes)]).toEqual([['CAP_KILL'], ['dropped']]);
    expect(notes[0]?.message).toContain('CAP_MADE_UP');
  });
});

describe('os/linux/seccomp-retain-set', () => {
  const filter = (calls: readonly string[], errno?: string, architecture?: string) =>
    isolated({ seccomp: { mode: 'retain', calls, ...(errno ? { errno } : {}) } }, {}, architecture);

  test('with errno, everything else fails with its number', () => {
    const { document, notes } = filter(['mkdir', ...RUNTIME_CALLS], 'ENOSYS');
    expect(document.linux.seccomp).toEqual({
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 38,
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
      syscalls: [{ names: [...RUNTIME_CALLS, 'mkdir'].sort(), action: 'SCMP_ACT_ALLOW' }],
    });
    expect(notes).toEqual([]);
  });

  test('without, everything else ends the process', () => {
    const { seccomp } = filter(RUNTIME_CALLS).document.linux;
    expect([seccomp.defaultAction, seccomp.defaultErrnoRet]).toEqual(['SCMP_ACT_KILL_PROCESS', undefined]);
  });

  test('what a runtime calls before the program starts is allowed, and named where the image does not', () => {
    const { document, notes } = filter(['read', 'write', 'openat'], 'EPERM');
    expect(document.linux.seccomp.syscalls[0].names).toEqual([...RUNTIME_CALLS, 'read'].sort());
    expect(kinds(notes)).toEqual(['defaulted']);
    expect(notes[0]?.message).toContain('execve, exit, exit_group');
    expect(notes[0]?.message).not.toMatch(/write|openat/);
  });

  test.each([
    ['386', ['X86']],
    ['arm64', ['AARCH64', 'ARM']],
    ['ppc64le', ['PPC64LE']],
    ['s390x', ['S390X', 'S390']],
    ['mips64le', ['MIPSEL64', 'MIPSEL64N32', 'MIPSEL']],
  ])('names the architectures of %s', (architecture, names) => {
    const { seccomp } = filter(RUNTIME_CALLS, undefined, architecture).document.linux;
    expect(seccomp.architectures).toEqual(names.map((name) => `SCMP_ARCH_${name}`));
  });

  test.each(['loong64', 'constructor'])('leaves the architecture to the runtime for %s', (architecture) => {
    expect(filter(RUNTIME_CALLS, 'EPERM', architecture).document.linux.seccomp.architectures).toBeUndefined();
  });
});

describe('os/linux/seccomp-remove-set', () => {
  const filter = (calls: readonly string[], errno?: string) =>
    isolated({ seccomp: { mode: 'remove', calls, ...(errno ? { errno } : {}) } });

  test('with errno, and without the default that crun refuses beside it', () => {
    const { document, notes } = filter(['clock_settime', 'reboot'], 'EPERM');
    expect(document.linux.seccomp).toEqual({
      defaultAction: 'SCMP_ACT_ALLOW',
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
      syscalls: [{ names: ['clock_settime', 'reboot'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 }],
    });
    expect(notes).toEqual([]);
  });

  test('without errno the process ends', () => {
    const { syscalls } = filter(['reboot']).document.linux.seccomp;
    expect(syscalls).toEqual([{ names: ['reboot'], action: 'SCMP_ACT_KILL_PROCESS' }]);
  });

  test('what a runtime needs stays allowed, with a note; a filter that refuses nothing is none', () => {
    const { document, notes } = filter(['execve', 'reboot'], 'EPERM');
    expect(document.linux.seccomp.syscalls[0].names).toEqual(['reboot']);
    expect([kinds(notes), notes[0]?.message]).toEqual([['defaulted'], expect.stringContaining('execve')]);
    expect(filter(['close']).document.linux.seccomp).toBeUndefined();
    expect(filter([]).document.linux.seccomp).toBeUndefined();
  });
});

describe('errno', () => {
  test.each([
    ['EPERM', 1],
    ['EAGAIN', 11],
    ['EWOULDBLOCK', 11],
    ['EACCES', 13],
    ['ENOSPC', 28],
    ['ERANGE', 34],
    ['EDEADLK', 35],
    ['ENOSYS', 38],
    ['ENOMSG', 42],
    ['EBFONT', 59],
    ['EILSEQ', 84],
    ['ENOTSUP', 95],
    ['ETIMEDOUT', 110],
    ['ECANCELED', 125],
    ['EHWPOISON', 133],
  ])('%s is %d', (name, number) => {
    expect(errnoOf(name, 'amd64')).toEqual({ number, certain: true });
  });

  test.each(['EMADEUP', '', '-', 'eperm', 'constructor', '1'])('%j is refused', async (errno) => {
    const seccomp = { mode: 'retain', calls: RUNTIME_CALLS, errno } as const;
    expect(await codeOf(() => isolated({ seccomp }))).toBe('image/config');
  });

  test('MIPS has numbers of its own above 34: the usual one is a guess, with a note', () => {
    const notes = (errno: string) =>
      kinds(isolated({ seccomp: { mode: 'retain', calls: RUNTIME_CALLS, errno } }, {}, 'mips64le').notes);
    expect(notes('ENOSYS')).toContain('guessed');
    expect(notes('EPERM')).not.toContain('guessed');
  });
});

describe('ociVersion', () => {
  test('is raised for a seccomp filter, whose members are newer, and for nothing else', () => {
    expect(isolated({ seccomp: { mode: 'remove', calls: ['reboot'] } }).document.ociVersion).toBe('1.1.0');
    const others: Isolation = { oomScoreAdj: 1, memory: { limit: 1 }, seccomp: { mode: 'remove', calls: [] } };
    expect(isolated(others).document.ociVersion).toBe('1.0.2');
  });
});

describe('os/linux/no-new-privileges', () => {
  test('is true where nothing is said, and what the image says otherwise', () => {
    const value = (isolation: Isolation) => isolated(isolation).document.process.noNewPrivileges;
    expect([value({}), value({ noNewPrivileges: true }), value({ noNewPrivileges: false })]).toEqual([
      true,
      true,
      false,
    ]);
    expect(isolated({ noNewPrivileges: false }).notes).toEqual([]);
  });

  test('is true with a seccomp filter, as rkt forced it, with a note', () => {
    const { document, notes } = isolated({ noNewPrivileges: false, seccomp: { mode: 'remove', calls: ['reboot'] } });
    expect([document.process.noNewPrivileges, kinds(notes)]).toEqual([true, ['dropped']]);
  });
});

test('os/linux/oom-score-adj, selinux-context and apparmor-profile', () => {
  const selinuxLabel = 'system_u:system_r:svirt_lxc_net_t:s0:c1,c2';
  const { document, notes } = isolated({ oomScoreAdj: -500, selinuxLabel, apparmorProfile: 'rkt-default' });
  expect(document.process).toMatchObject({ oomScoreAdj: -500, selinuxLabel, apparmorProfile: 'rkt-default' });
  expect([document.linux.mountLabel, notes]).toEqual([selinuxLabel, []]);
});

describe('os/unix/sysctl', () => {
  test('what a container has for itself is set, in order', () => {
    const sysctl = { 'net.ipv4.ip_forward': '1', 'kernel.shmmax': '65536', 'fs.mqueue.msg_max': '100' };
    const { document, notes } = isolated({ sysctl });
    expect(Object.entries(document.linux.sysctl)).toEqual([
      ['fs.mqueue.msg_max', '100'],
      ['kernel.shmmax', '65536'],
      ['net.ipv4.ip_forward', '1'],
    ]);
    expect(notes).toEqual([]);
  });

  test.each([
    'kernel.core_pattern',
    'kernel.hostname',
    'kernel.shmmaxx',
    'vm.swappiness',
    'net',
    'net..ipv4',
    'net/../kernel/core_pattern',
    'net.ipv4/../../kernel/core_pattern',
    'net.ipv4.\0',
    '',
    '__proto__',
  ])('%j is not, with a note', (name) => {
    const { document, notes } = isolated({ sysctl: Object.fromEntries([[name, '1']]) });
    expect([document.linux.sysctl, kinds(notes)]).toEqual([undefined, ['dropped']]);
  });
});

test('an isolator that no runtime can be told is a note with its name', () => {
  const unsupported = [
    { name: 'vendor/custom', value: { a: 1 } },
    { name: 'resource/network-bandwidth', value: null },
  ];
  const { document, notes } = isolated({ unsupported });
  expect(document.linux.resources).toBeUndefined();
  expect(notes.map(({ kind, message }) => [kind, message])).toEqual([
    ['dropped', expect.stringContaining('vendor/custom')],
    ['dropped', expect.stringContaining('resource/network-bandwidth')],
  ]);
});

test('supplementaryGIDs are the groups, and /etc/group is not asked', () => {
  const files = { 'etc/passwd': 'app:x:1000:1001::/:\n', 'etc/group': 'video:x:44:app\n' };
  const groups = (supplementaryGroups: readonly number[]) =>
    generate({ user: 'app', supplementaryGroups }, files).document.process.user.additionalGids;
  expect([groups([400, 500]), groups([])]).toEqual([[400, 500], undefined]);
  const numeric = generate({ user: '1000:1001', supplementaryGroups: [400] }, files).document.process.user;
  expect(numeric).toEqual({ uid: 1000, gid: 1001, additionalGids: [400] });
});

describe('what whoever runs it adds to the environment', () => {
  const runtimeEnv = ['AC_APP_NAME=app', 'container=ocix', 'PATH=/own'];
  const env = (...lines: readonly string[]) => generate({ env: lines, runtimeEnv }).document.process.env;

  test('stands behind the image’s own, before the defaults, which it replaces', () => {
    expect(env('A=1')).toEqual(['A=1', ...runtimeEnv, 'HOME=/']);
  });

  test('gives way to a name that the image sets, whatever its value', () => {
    expect(env('container=', 'PATH=')).toEqual(['container=', 'PATH=', 'AC_APP_NAME=app', 'HOME=/']);
  });

  test.each(['NOVALUE', '=x', 'A=\0'])('%j is refused', async (line) => {
    expect(await codeOf(() => generate({ runtimeEnv: [line] }))).toBe('image/config');
  });
});

describe('without privileges', () => {
  test('limits, kernel parameters, foreign groups and a lower OOM score are left out, each with a note', () => {
    const { document, notes } = generate(
      {
        user: '0:0',
        supplementaryGroups: [5],
        isolation: {
          cpu: { limit: 1 },
          memory: { limit: 1 },
          oomScoreAdj: -1,
          sysctl: { 'kernel.sem': '1' },
        },
      },
      {},
      { userNamespace: own },
    );
    expect([document.linux.resources, document.linux.sysctl, document.process.oomScoreAdj]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(document.process.user).toEqual({ uid: 0, gid: 0 });
    expect(notes.filter(({ kind }) => kind === 'dropped')).toHaveLength(5);
  });

  test('what takes none stays', () => {
    const isolation: Isolation = {
      oomScoreAdj: 300,
      noNewPrivileges: true,
      capabilities: ['CAP_KILL'],
      seccomp: { mode: 'remove', calls: ['reboot'] },
    };
    const { document, notes } = isolated(isolation, { userNamespace: own });
    expect([document.process.oomScoreAdj, document.linux.seccomp.defaultAction, notes]).toEqual([
      300,
      'SCMP_ACT_ALLOW',
      [],
    ]);
  });
});
