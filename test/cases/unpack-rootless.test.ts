/** As an ordinary user that the test makes up; root is needed to become him. Skipped for anybody else. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { greeting, greetingText } from '../../fixtures/images.ts';
import { type TarEntry, tar } from '../../fixtures/tar.ts';
import { deepScratch, diskTree, isRoot, ns } from '../formats/rootfs/disk.ts';
import { ocix } from './command.ts';

const ID = 54_321;
const OCIX = join(import.meta.dirname, '../../dist/ocix.js');
const asUser = ['--reuid', String(ID), '--regid', String(ID), '--clear-groups'];

const canBeUser = isRoot && spawnSync('setpriv', [...asUser, process.execPath, OCIX, '--version']).status === 0;
const rootless = canBeUser ? test : test.skip;
const namespaces = canBeUser && spawnSync('setpriv', [...asUser, 'unshare', '-r', 'true']).status === 0;

function home(): string {
  const folder = deepScratch();
  chmodSync(folder, 0o755);
  const own = join(folder, 'home');
  mkdirSync(own);
  chownSync(own, ID, ID);
  onTestFinished(() => void spawnSync('chmod', ['-R', 'u+rwx', own]));
  return own;
}

function run(folder: string, ...command: readonly string[]) {
  const env = { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder, LC_ALL: 'C' };
  const { status, stdout, stderr } = spawnSync('setpriv', [...asUser, ...command], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const ocixAs = (folder: string, ...args: readonly string[]) => run(folder, process.execPath, OCIX, ...args);

const file = (entries: readonly TarEntry[], folder: string): string => {
  const path = join(folder, 'in.tar');
  writeFileSync(
    path,
    dockerSave({ layers: [tar(entries)], config: { config: { Cmd: ['/x'] } } }, { generation: '1.10' }),
    { mode: 0o644 },
  );
  return path;
};

describe(`as an ordinary user (setpriv works: ${canBeUser})`, () => {
  rootless(
    'owners are recorded in user.rootlesscontainers, as a protocol buffer, whatever the mode lets him write',
    () => {
      const folder = home();
      const entries = [
        { name: 'a', uid: 1000, gid: 44, mode: 0o644 },
        { name: 'read-only', uid: 1, mode: 0o444 },
        { name: 'closed', gid: 300, mode: 0 },
        { name: 'd/', uid: 2 ** 32 - 2, gid: 2 ** 32 - 2, mode: 0o555 },
        { name: 'd/in', uid: 127, gid: 128 },
        { name: 'root', pax: [['SCHILY.xattr.user.own', 'x']] as const, mode: 0o400 },
      ];
      const { status, stderr } = ocixAs(folder, 'unpack', '-q', '--strict', file(entries, folder), 'out');
      expect([status, stderr]).toEqual([0, '']);
      const tree = diskTree(join(folder, 'out'));
      const record = (path: string) => tree.get(path)?.xattrs?.['user.rootlesscontainers'];
      expect(record('a')).toBe('08e807102c');
      expect(record('read-only')).toBe('0801');
      expect(record('closed')).toBe('10ac02');
      expect(record('d')).toBe('08feffffff0f10feffffff0f');
      expect(record('d/in')).toBe('087f108001');
      expect(tree.get('root')?.xattrs).toEqual({ 'user.own': '78' });
      expect(['a', 'read-only', 'closed', 'd', 'root'].map((path) => tree.get(path)?.mode)).toEqual([
        '0644',
        '0444',
        '0000',
        '0555',
        '0400',
      ]);
      for (const found of tree.values()) expect([found.uid, found.gid]).toEqual([ID, ID]);
    },
  );

  rootless(
    'devices are empty files, capabilities and owners of links are lost, each noted; --strict refuses with 5',
    () => {
      const folder = home();
      const entries = [
        { name: 'null', type: '3', major: 1, minor: 3 },
        { name: 'pipe', type: '6', mode: 0o640 },
        {
          name: 'cap',
          pax: [
            ['SCHILY.xattr.security.capability', Buffer.from('0100000200040000000000000000000000000000', 'hex')],
          ] as const,
        },
        { name: 'link', link: 'x', uid: 5 },
      ];
      const source = file(entries, folder);
      const { status, stderr } = ocixAs(folder, 'unpack', source, 'out');
      expect(status).toBe(0);
      const tree = diskTree(join(folder, 'out'));
      expect(tree.get('null')).toMatchObject({ type: 'file', mode: '0000', size: 0 });
      expect(tree.get('pipe')).toMatchObject({ type: 'fifo', mode: '0640' });
      expect(stderr).toMatch(/note: dropped: a device is an empty file, since it cannot be made without privileges/);
      expect(stderr).toMatch(/note: dropped: the extended attribute security\.capability is not kept: no permission/);
      expect(stderr).toMatch(/note: dropped: the owner is not kept without privileges \(one file, first link\)/);
      expect(ocixAs(folder, 'unpack', '-q', '--strict', source, 'strict').status).toBe(5);
      expect(readdirSync(folder).sort()).toEqual(['in.tar', 'out']);
    },
  );

  const closed: readonly TarEntry[] = [
    { name: 'deep/', mode: 0, mtime: 9 },
    { name: 'deep/er/', mode: 0o111, mtime: '8.5' },
    { name: 'deep/er/file', body: 'x', mode: 0 },
    { name: 'etc/passwd', body: 'app:x:7:8::/:\n', mode: 0 },
  ];

  rootless('folders that nobody may enter are filled, and keep mode and time', () => {
    const folder = home();
    expect(ocixAs(folder, 'unpack', '-q', file(closed, folder), 'out').status).toBe(0);
    const tree = diskTree(join(folder, 'out'));
    expect(tree.get('deep')).toMatchObject({ mode: '0000', mtime: ns(9) });
    expect(tree.get('deep/er')).toMatchObject({ mode: '0111', mtime: ns(8, 500_000_000) });
    expect(tree.get('deep/er/file')).toMatchObject({ mode: '0000', size: 1 });
  });

  rootless(
    'a run that is refused when all is written leaves nothing, closed folders included; --force replaces such a tree',
    () => {
      const folder = home();
      const source = file([...closed, { name: 'null', type: '3', major: 1, minor: 3 }], folder);
      expect(ocixAs(folder, 'unpack', '-q', '--strict', source, 'out').status).toBe(5);
      expect(readdirSync(folder)).toEqual(['in.tar']);
      expect(ocixAs(folder, 'unpack', '-q', source, 'out').status).toBe(0);
      expect(ocixAs(folder, 'unpack', '-q', '--force', source, 'out').status).toBe(0);
      expect(readdirSync(folder).sort()).toEqual(['in.tar', 'out']);
    },
  );

  rootless('what a killed run of somebody else left beside OUT stays, and is no obstacle', () => {
    const folder = home();
    const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 6);
    const left = join(folder, '..', `.ocix-${host}-${2 ** 22 + 1}-0123abcd`);
    mkdirSync(join(left, 'closed'), { recursive: true, mode: 0o700 });
    chmodSync(join(folder, '..'), 0o1777);
    const { status, stderr } = ocixAs(folder, 'unpack', '-q', file([{ name: 'a' }], folder), '../out');
    expect([status, stderr, existsSync(left)]).toEqual([0, '', true]);
    // Root may remove it, and does.
    expect(ocix(['unpack', '-q', join(folder, 'in.tar'), join(folder, '../other')]).status).toBe(0);
    expect(existsSync(left)).toBe(false);
  });

  rootless('a user database that nobody may read is read, and closed again', () => {
    const folder = home();
    const path = join(folder, 'in.tar');
    const config = { config: { User: 'app', Cmd: ['/x'] } };
    writeFileSync(path, dockerSave({ layers: [tar(closed)], config }, { generation: '1.10' }));
    const { status, stderr } = ocixAs(folder, 'bundle', '-q', '--uid-map', `0:${ID}:1`, path, 'out');
    expect([status, stderr]).toEqual([0, '']);
    expect(lstatSync(join(folder, 'out/rootfs/etc/passwd')).mode & 0o7777).toBe(0);
  });

  rootless('--strict refuses a bundle whose user nobody can become, says how to map him, and takes it then', () => {
    const folder = home();
    const path = join(folder, 'in.tar');
    const config = { config: { User: '1000:1001', Cmd: ['/x'], Volumes: { '/data': {} } } };
    const layer = tar([{ name: 'data/', uid: 1000, gid: 1001, mode: 0o750 }]);
    writeFileSync(path, dockerSave({ layers: [layer], config }, { generation: '1.10' }));
    const refused = ocixAs(folder, 'bundle', '-q', '--strict', path, 'out');
    expect([refused.status, existsSync(join(folder, 'out'))]).toEqual([5, false]);
    const hint = /for example ((?:--[ug]id-map [0-9:]+ ?)+)/.exec(refused.stderr)![1]!;
    const made = ocixAs(folder, 'bundle', '-q', '--strict', ...hint.trim().split(' '), path, 'out');
    expect([made.status, made.stderr]).toEqual([0, '']);
    const { linux, process, mounts } = JSON.parse(readFileSync(join(folder, 'out/config.json'), 'utf8'));
    expect([process.user, linux.uidMappings]).toEqual([
      { uid: 1000, gid: 1001 },
      [
        { containerID: 0, hostID: ID, size: 1 },
        { containerID: 1, hostID: 100000, size: 65536 },
      ],
    ]);
    expect(mounts.at(-1).options).toEqual(expect.arrayContaining(['mode=750', 'uid=1000', 'gid=1001']));
  });

  for (const runtime of ['runc', 'crun'] as const) {
    const there = namespaces && spawnSync(runtime, ['--version']).status === 0;
    const name = `a bundle of the greeting runs under ${runtime} without privileges`;
    (there ? test : test.skip)(there ? name : `${name} (no user namespaces for users here, or no ${runtime})`, () => {
      const folder = home();
      writeFileSync(join(folder, 'g.tar'), dockerSave(greeting('amd64'), { generation: '1.10' }));
      const made = ocixAs(folder, 'bundle', 'g.tar', 'b');
      expect([made.status, made.stderr.includes('is outside of the mapping')]).toEqual([0, true]);
      const { linux, process } = JSON.parse(readFileSync(join(folder, 'b/config.json'), 'utf8'));
      expect([linux.uidMappings, process.user]).toEqual([
        [{ containerID: 0, hostID: ID, size: 1 }],
        { uid: 0, gid: 0 },
      ]);
      const start = `cd ${folder}/b && HOME=${folder} XDG_RUNTIME_DIR=${folder} exec setpriv ${asUser.join(' ')} ${runtime} --root ${folder}/state run ocix-rootless-${ID}`;
      // crun refuses a host that mixes the versions of cgroups; a mount namespace of one version is the way around.
      const script = `if [ -d /sys/fs/cgroup/unified ]; then umount /sys/fs/cgroup/unified; fi; ${start}`;
      const started = spawnSync('unshare', ['-m', 'sh', '-c', script], { encoding: 'utf8' });
      expect([started.status, started.stdout], started.stderr).toEqual([0, greetingText]);
    });
  }
});

test('koffi that cannot be loaded costs notes and no more, and --strict refuses with 5', () => {
  const folder = deepScratch();
  writeFileSync(
    join(folder, 'hook.mjs'),
    "export const resolve = (name, context, next) => { if (name === 'koffi') throw new Error('none'); return next(name, context); };",
  );
  writeFileSync(
    join(folder, 'loader.mjs'),
    `import { register } from 'node:module'; register('file://${join(folder, 'hook.mjs')}');`,
  );
  const env = { NODE_OPTIONS: `--import=${join(folder, 'loader.mjs')}` };
  const source = file(
    [
      { name: 'f', mtime: '5.123456789', pax: [['SCHILY.xattr.user.a', 'x']] },
      { name: 'p', type: '6' },
    ],
    folder,
  );
  const run = ocix(['unpack', source, join(folder, 'out')], { env });
  expect(run.status).toBe(0);
  expect(run.stderr.match(/koffi is not installed/g)).toHaveLength(3);
  expect(ocix(['unpack', '--strict', source, join(folder, 'strict')], { env }).status).toBe(5);
  expect(existsSync(join(folder, 'strict'))).toBe(false);
});

test('--rootless as root records owners too', () => {
  const folder = deepScratch();
  const out = join(folder, 'out');
  writeFileSync(join(folder, 'g.tar'), dockerSave(greeting('amd64'), { generation: '1.10' }));
  expect(ocix(['unpack', '-q', '--rootless', join(folder, 'g.tar'), out]).status).toBe(0);
  expect(diskTree(out).get('home/guest')).toMatchObject({
    uid: process.getuid?.(),
    xattrs: { 'user.rootlesscontainers': '08e80710e807' },
  });
});
