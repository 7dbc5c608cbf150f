/** Isolation in force: what a process sees of it from inside, under real runtimes. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { type RuntimeOptions, runtimeConfig } from '../../converters/runtime/config.ts';
import { type Context, createContext } from '../../formats/base/context.ts';
import type { ImageConfig } from '../../formats/model/config.ts';
import type { Isolation } from '../../formats/model/isolation.ts';
import { output } from '../cases/command.ts';
import { configWith, rootWith } from '../converters/runtime/generate.ts';
import { deepScratch } from '../formats/rootfs/disk.ts';
import { start, testsWith } from './runtimes.ts';

vi.setConfig({ testTimeout: 120_000 });

const BUSYBOX = join(import.meta.dirname, '../../../shared/corpus/docker-save/jib-busybox-docker.tar');
/** One root filesystem for all bundles, made with the first. */
let shared = '';
afterAll(() => rmSync(shared, { recursive: true, force: true }));

function bundleOf(config: Partial<ImageConfig>, script: string, options: Partial<RuntimeOptions> = {}): string {
  if (!shared) {
    shared = mkdtempSync(join(tmpdir(), 'ocix-isolation-'));
    output(['unpack', '-q', BUSYBOX, join(shared, 'rootfs')]);
    mkdirSync(join(shared, 'rootfs/seed'));
    writeFileSync(join(shared, 'rootfs/seed/file'), 'from the image');
  }
  const bundle = join(deepScratch(), 'bundle');
  mkdirSync(bundle);
  const context: Context = createContext();
  const files = { 'seed/': { mode: 0o755, uid: 0, gid: 0, isEmpty: false } };
  const document = runtimeConfig(
    configWith({ cmd: ['/bin/sh', '-c', script], ...config }),
    rootWith(files),
    { terminal: false, readOnly: false, ...options },
    context,
  ) as { readonly root: object };
  const root = { ...document.root, path: join(shared, 'rootfs') };
  writeFileSync(join(bundle, 'config.json'), JSON.stringify({ ...document, root }));
  return bundle;
}

describe.each(['runc', 'crun'])('%s', (runtime) => {
  const runs = existsSync(BUSYBOX) ? testsWith(runtime) : test.skip;
  const inside = (config: Partial<ImageConfig>, script: string) => {
    const { status, stdout, stderr } = start(runtime, bundleOf(config, script));
    return { status, stdout, stderr };
  };
  const isolated = (isolation: Isolation, script: string) => inside({ isolation }, script);

  runs('capabilities are the set of the image and no more', () => {
    const { stdout, stderr } = isolated({ capabilities: ['CAP_CHOWN', 'CAP_KILL'] }, 'grep Cap /proc/self/status');
    const masks = [...stdout.matchAll(/^Cap(\w+):\s+([0-9a-f]+)$/gm)].map(([, name, mask]) => [
      name,
      Number(`0x${mask}`),
    ]);
    expect(Object.fromEntries(masks), stderr).toEqual({ Inh: 0, Prm: 0x21, Eff: 0x21, Bnd: 0x21, Amb: 0 });
  });

  runs('a call that a filter removes fails with the error of the image', () => {
    const seccomp = { mode: 'remove', calls: ['mkdir', 'mkdirat'], errno: 'ENOSPC' } as const;
    expect(isolated({ seccomp }, 'mkdir /tmp/x 2>&1; echo end').stdout).toMatch(/No space left on device\nend\n$/);
  });

  runs('without an error such a call ends the process by SIGSYS', () => {
    const seccomp = { mode: 'remove', calls: ['mkdir', 'mkdirat'] } as const;
    expect(isolated({ seccomp }, 'exec mkdir /tmp/x').status).toBe(128 + 31);
  });

  // What busybox itself calls; the runtime's own are not among them.
  const CALLS =
    'arch_prctl brk clone fork vfork fstat newfstatat getcwd geteuid getppid getuid getgid getegid ioctl mmap mprotect munmap poll prctl prlimit64 read readlink rseq rt_sigaction rt_sigprocmask set_robust_list set_tid_address setgid setuid stat uname wait4 dup2 fcntl getrandom pread64 access lseek open writev'.split(
      ' ',
    );

  runs('a filter that retains lets the program start and work, and refuses the rest', () => {
    const seccomp = { mode: 'retain', calls: CALLS, errno: 'ENOTSUP' } as const;
    const { status, stdout, stderr } = isolated({ seccomp }, 'echo start; /bin/mkdir /tmp/y 2>&1; echo end');
    expect([status, stdout], stderr).toEqual([0, expect.stringMatching(/^start\n.*not supported\nend\n$/i)]);
  });

  runs('and ends the process with the same list and no error', () => {
    const seccomp = { mode: 'retain', calls: CALLS } as const;
    expect(isolated({ seccomp }, 'exec /bin/mkdir /tmp/y').status).toBe(128 + 31);
  });

  runs('no new privileges, unless the image says that it needs them', () => {
    const shown = (isolation: Isolation) => isolated(isolation, 'grep NoNewPrivs /proc/self/status').stdout.trim();
    expect([shown({}), shown({ noNewPrivileges: false })]).toEqual(['NoNewPrivs:\t1', 'NoNewPrivs:\t0']);
  });

  runs('groups are those of the image, and the OOM score too', () => {
    const config = { user: '0:0', supplementaryGroups: [500, 400], isolation: { oomScoreAdj: 321 } };
    const { stdout, stderr } = inside(config, 'grep Groups /proc/self/status; cat /proc/self/oom_score_adj');
    expect(stdout, stderr).toMatch(/^Groups:\t(?:0 )?400 500 \n321\n$/);
  });

  runs('limits of memory and processor time are set', () => {
    const isolation: Isolation = { memory: { limit: 67108864 }, cpu: { limit: 500, request: 500 } };
    const files = ['memory/memory.limit_in_bytes', 'memory.max', 'cpu/cpu.cfs_quota_us', 'cpu/cpu.shares', 'cpu.max'];
    const script = files.map((path) => `cat /sys/fs/cgroup/${path} 2>/dev/null`).join('\n');
    const { stdout, stderr } = isolated(isolation, `${script}\ntrue`);
    expect(stdout, stderr).toMatch(/^67108864\n50000(?:\n512\n| 100000\n)$/);
  });

  runs('kernel parameters of the container’s own are set', () => {
    const sysctl = { 'net.ipv4.ip_forward': '1', 'kernel.shmmax': '65536', 'fs.mqueue.msg_max': '11' };
    const paths = '/proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmax /proc/sys/fs/mqueue/msg_max';
    const { stdout, stderr } = isolated({ sysctl }, `cat ${paths}`);
    expect(stdout, stderr).toBe('1\n65536\n11\n');
  });

  runs('mount points are there with their mode, owner, content and access', () => {
    const work = deepScratch();
    writeFileSync(join(work, 'file'), 'of the host');
    const host = { kind: 'host', source: work, recursive: true } as const;
    const empty = { kind: 'empty', mode: 0o1770, uid: 5, gid: 6 } as const;
    const mountPoints: ImageConfig['mountPoints'] = [
      { name: 'empty', path: '/srv/deep/empty', readOnly: false, volume: empty },
      { name: 'ro', path: '/conf', readOnly: true },
      { name: 'seed', path: '/seed', readOnly: true },
      { name: 'host', path: '/host', readOnly: false, volume: { ...host, readOnly: false } },
      { name: 'host-ro', path: '/host-ro', readOnly: false, volume: { ...host, readOnly: true } },
    ];
    const script = [
      'stat -c "%a %u %g" /srv/deep/empty',
      'for i in /srv/deep/empty /conf /seed /host /host-ro; do touch $i/x 2>/dev/null && echo rw || echo ro; done',
      'cat /seed/file; echo; cat /host-ro/file',
    ].join('\n');
    const { stdout, stderr } = inside({ mountPoints }, script);
    expect(stdout, stderr).toBe('1770 5 6\nrw\nro\nro\nrw\nro\nfrom the image\nof the host');
    expect(existsSync(join(work, 'x'))).toBe(true);
    expect(readFileSync(join(shared, 'rootfs/seed/file'), 'utf8')).toBe('from the image');
  });

  runs('in a user namespace a filter, groups, owners of volumes and an OOM score still work', () => {
    const ids = [{ container: 0, host: 0, size: 1000 }];
    const isolation: Isolation = {
      seccomp: { mode: 'remove', calls: ['mkdir', 'mkdirat'], errno: 'ENOSPC' },
      oomScoreAdj: 321,
      memory: { limit: 67108864 },
      sysctl: { 'kernel.shmmax': '65536' },
    };
    const volume = { kind: 'empty', mode: 0o700, uid: 5, gid: 6 } as const;
    const mountPoints = [{ name: 'a', path: '/srv/own', readOnly: false, volume }];
    const script = [
      'grep Groups /proc/self/status; cat /proc/self/oom_score_adj; stat -c "%a %u %g" /srv/own',
      'mkdir /tmp/x 2>&1; echo end',
    ].join('\n');
    const bundle = bundleOf({ isolation, mountPoints, supplementaryGroups: [400, 5000] }, script, {
      userNamespace: { uids: ids, gids: ids },
    });
    const { stdout, stderr } = start(runtime, bundle);
    expect(stdout, stderr).toMatch(/^Groups:\t(?:0 )?400 \n321\n700 5 6\n.*No space left on device\nend\n$/);
  });

  runs('what whoever runs it adds is in the environment', () => {
    const { stdout } = inside({ env: ['A=1'], runtimeEnv: ['A=2', 'AC_APP_NAME=app'] }, 'echo $A $AC_APP_NAME');
    expect(stdout).toBe('1 app\n');
  });
});
