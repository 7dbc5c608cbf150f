/** What a bundle says where the image says nothing (section 7.2 of layers-and-rootfs.md), volumes (R10), and the rootless variant. */
import { describe, expect, test } from 'vitest';
import { codeOf } from '../../formats/support.ts';
import { generate } from './generate.ts';

const own = { uids: [{ container: 0, host: 1234, size: 1 }], gids: [{ container: 0, host: 1234, size: 1 }] };
const range = {
  uids: [{ container: 0, host: 100000, size: 65536 }],
  gids: [{ container: 0, host: 200000, size: 65536 }],
};
const destinations = (mounts: readonly { readonly destination: string }[]) => mounts.map((one) => one.destination);

describe('defaults', () => {
  const { document, notes } = generate();

  test('a version that every runtime takes, a root that moves with the bundle, no terminal', () => {
    expect([document.ociVersion, document.root, document.process.terminal]).toEqual([
      '1.0.2',
      { path: 'rootfs' },
      false,
    ]);
    expect(notes).toEqual([]);
  });

  test('Docker’s fourteen capabilities, in three sets, and none that is inherited (CVE-2022-24769)', () => {
    const { bounding } = document.process.capabilities;
    const names =
      'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT';
    expect(bounding).toEqual(names.split(' ').map((name) => `CAP_${name}`));
    expect(document.process.capabilities).toEqual({ bounding, effective: bounding, permitted: bounding });
    expect(document.process.noNewPrivileges).toBe(true);
  });

  test('namespaces of its own, and no hostname without one', () => {
    expect(document.linux.namespaces.map(({ type }: { type: string }) => type)).toEqual([
      'pid',
      'ipc',
      'uts',
      'mount',
      'network',
    ]);
    expect(document.hostname).toBeUndefined();
  });

  test('masked and read-only paths as the sheet has them', () => {
    expect(document.linux.maskedPaths).toEqual([
      '/proc/acpi',
      '/proc/asound',
      '/proc/kcore',
      '/proc/keys',
      '/proc/latency_stats',
      '/proc/timer_list',
      '/proc/timer_stats',
      '/proc/sched_debug',
      '/proc/scsi',
      '/sys/firmware',
      '/sys/devices/virtual/powercap',
    ]);
    expect(document.linux.readonlyPaths).toEqual([
      '/proc/bus',
      '/proc/fs',
      '/proc/irq',
      '/proc/sys',
      '/proc/sysrq-trigger',
    ]);
  });

  test('no resources, limits, cgroup path, system call filter or hooks', () => {
    for (const key of ['resources', 'cgroupsPath', 'seccomp']) expect(document.linux[key]).toBeUndefined();
    expect([document.process.rlimits, document.hooks]).toEqual([undefined, undefined]);
  });

  test('mounts, each below one that stands before it', () => {
    expect(destinations(document.mounts)).toEqual([
      '/proc',
      '/dev',
      '/dev/pts',
      '/dev/shm',
      '/dev/mqueue',
      '/sys',
      '/sys/fs/cgroup',
    ]);
    expect(document.mounts.find((one: { destination: string }) => one.destination === '/sys').options).toContain('ro');
    expect(document.mounts.at(-1).options).toContain('ro');
  });
});

describe('R10: a mount for each volume', () => {
  const volumes = (paths: readonly string[], files = {}) => {
    const { document, notes } = generate({ volumes: paths }, files);
    return { mounts: document.mounts.slice(7), notes };
  };
  const options = ['rw', 'nosuid', 'nodev', 'relatime'];

  test('with its destination, in the order of the paths', () => {
    expect(volumes(['/srv/b', '/a']).mounts).toEqual([
      { destination: '/a', type: 'tmpfs', source: 'tmpfs', options: [...options, 'mode=755'] },
      { destination: '/srv/b', type: 'tmpfs', source: 'tmpfs', options: [...options, 'mode=755'] },
    ]);
  });

  test('with the mode and the owner of the folder that the image has there, so that its user may write', () => {
    const own = { mode: 0o2770, uid: 1000, gid: 2 ** 31, isEmpty: true };
    expect(volumes(['/data'], { 'data/': own }).mounts[0].options.slice(4)).toEqual([
      'mode=2770',
      'uid=1000',
      'gid=2147483648',
    ]);
  });

  test('in a user namespace with an owner that it has; anybody else is its root', () => {
    const files = { 'data/': { mode: 0o700, uid: 1000, gid: 70_000 } };
    const seen = (userNamespace: typeof own) =>
      generate({ volumes: ['/data'] }, files, { userNamespace })
        .document.mounts.at(-1)
        .options.slice(4);
    expect(seen(range)).toEqual(['mode=700', 'uid=1000', 'tmpcopyup']);
    expect(seen(own)).toEqual(['mode=700', 'tmpcopyup']);
  });

  test('what the image has there is copied into it, and only then', () => {
    const { mounts } = volumes(['/full', '/empty', '/none'], { 'full/': '', 'empty/': { isEmpty: true } });
    expect(mounts.map(({ destination, options }: never) => [destination, options])).toEqual([
      ['/empty', [...options, 'mode=755']],
      ['/full', [...options, 'mode=755', 'tmpcopyup']],
      ['/none', [...options, 'mode=755']],
    ]);
  });

  test('the same folder in several spellings is one mount', () => {
    expect(destinations(volumes(['/a/b', '/a/b/', '//a//b', '/a/./b']).mounts)).toEqual(['/a/b']);
  });

  test.each(['', 'data', '../../etc', '/../etc', '/a/../../etc', '/a/..', '/a\0b', './x'])(
    '%j is refused (CVE-2022-23648)',
    async (path) => {
      expect(await codeOf(() => volumes([path]))).toBe('image/config');
    },
  );

  test.each(['/', '//', '/proc', '//proc', '/./proc/sys', '/proc/sys', '/sys/fs/cgroup', '/dev', '/dev/shm', '/sys/'])(
    '%s, where the container has a file system of its own, is left out with a note',
    (path) => {
      const { mounts, notes } = volumes([path]);
      expect(mounts).toEqual([]);
      expect(notes).toEqual([expect.objectContaining({ kind: 'dropped', message: expect.stringContaining('volume') })]);
    },
  );

  test.each(['/process', '/devel', '/system', '/a/proc', '/..data', '/a..b'])('%s is like any other', (path) => {
    expect(destinations(volumes([path]).mounts)).toEqual([path]);
  });
});

describe('CVE-2024-21626: a working directory among the descriptors of the runtime', () => {
  test.each([
    '/proc/self/fd/7',
    '/proc/self/fd',
    '/proc/self/fd/8/../../etc',
    '//proc//self//fd/7',
    '/./proc/self/fd/7',
    '/x/../proc/self/fd/7',
    '/proc/thread-self/fd/7/',
    '/proc/1/task/1/fd/9',
    '/dev/fd/7',
  ])('%s is refused', async (workingDir) => {
    expect(await codeOf(() => generate({ workingDir }))).toBe('image/config');
  });

  test.each(['/proc', '/fd/7', '/srv/proc/self/fd/7', '/dev', '/proc/fdx'])('%s is not one', (workingDir) => {
    expect(generate({ workingDir }).document.process.cwd).toBe(workingDir);
  });
});

describe('without privileges', () => {
  test('there is a user namespace with both mappings, and no network that leads nowhere', () => {
    const { linux } = generate({}, {}, { userNamespace: own }).document;
    expect(linux.uidMappings).toEqual([{ containerID: 0, hostID: 1234, size: 1 }]);
    expect(linux.gidMappings).toEqual([{ containerID: 0, hostID: 1234, size: 1 }]);
    expect(linux.namespaces.map(({ type }: { type: string }) => type)).toEqual(['pid', 'ipc', 'uts', 'mount', 'user']);
  });

  test('no option names a group that is not mapped, and the host’s sysfs is shown read-only', () => {
    const { mounts } = generate({}, {}, { userNamespace: own }).document;
    expect(JSON.stringify(mounts)).not.toContain('gid=');
    expect(mounts.at(-1)).toMatchObject({
      destination: '/sys',
      source: '/sys',
      options: expect.arrayContaining(['ro', 'rbind']),
    });
  });

  const files = { 'etc/passwd': 'app:x:1000:1000::/app:\n', 'etc/group': 'a:x:44:app\nb:x:70000:app\n' };

  test('a user that the mapping lacks becomes root of the namespace, with notes; HOME stays', () => {
    const { document, notes } = generate({ user: 'app' }, files, { userNamespace: own });
    expect(document.process.user).toEqual({ uid: 0, gid: 0 });
    expect(document.process.env).toContain('HOME=/app');
    expect(notes.map(({ kind }) => kind)).toEqual(['defaulted', 'dropped']);
    const options = '--uid-map 0:1234:1 --uid-map 1:100000:65536 --gid-map 0:1234:1 --gid-map 1:100000:65536';
    for (const { message } of notes)
      expect(message).toContain(`/etc/subuid and /etc/subgid grant can be mapped, for example ${options}`);
  });

  test('a mapping that holds the user keeps him, and the groups that it holds', () => {
    const { document, notes } = generate({ user: 'app' }, files, { userNamespace: range });
    expect(document.process.user).toEqual({ uid: 1000, gid: 1000, additionalGids: [44] });
    expect(notes).toEqual([expect.objectContaining({ kind: 'dropped', message: expect.stringContaining('70000') })]);
  });

  test('root needs no note', () => {
    expect(generate({ user: '0:0' }, {}, { userNamespace: own }).notes).toEqual([]);
  });
});
