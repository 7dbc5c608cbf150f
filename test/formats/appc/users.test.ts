/** Who an app runs as, in root filesystems that are well meant and in others. */
import { describe, expect, test } from 'vitest';
import { leastApp } from '../../../fixtures/aci.ts';
import type { TarEntry } from '../../../fixtures/tar.ts';
import { configFrom, readGraph } from './images.ts';

const PASSWD = [
  'root:x:0:0::/root:/bin/sh',
  'app:x:1000:1001::/home/app:',
  '1234:x:4321:4322::/:',
  'app:x:1:1:second:/:',
  'bad:x:-1:0::/:',
  'more:x:4294967295:0::/:',
  'short:x',
  '',
].join('\n');
const GROUP = 'root:x:0:\napp:x:1001:\nstaff:x:50:app\n1234:x:4322:\n';
const databases: readonly TarEntry[] = [
  { name: 'etc/' },
  { name: 'etc/passwd', body: PASSWD },
  { name: 'etc/group', body: GROUP },
];

async function ids(user: string, group: string, rootfs: readonly TarEntry[] = databases) {
  const { config, notes } = await configFrom({ app: leastApp({ user, group }) }, rootfs);
  return [config.user, ...notes];
}

describe('a user and a group', () => {
  test.each([
    ['app', 'app', '1000:1001'],
    ['app', 'staff', '1000:50'],
    ['1000', '1001', '1000:1001'],
    ['5000', '6000', '5000:6000'],
    ['root', 'root', '0:0'],
    ['0', '0', '0:0'],
    ['4294967294', '0', '4294967294:0'],
  ])('%s and %s are %s', async (user, group, wanted) => {
    expect(await ids(user, group)).toEqual([wanted]);
  });

  test('are looked up as names first, also those of digits', async () => {
    expect(await ids('1234', '1234')).toEqual(['4321:4322']);
  });

  test('called root are 0 in an image without databases; numbers are what they are', async () => {
    expect(await ids('root', 'root', [])).toEqual(['0:0']);
    expect(await ids('1234', '1234', [])).toEqual(['1234:1234']);
  });

  test.each(['nobody', 'bad', 'more', 'short', '', '-1', '4294967295', '99999999999', '0x10', '1e3'].filter(Boolean))(
    'that cannot be resolved stay as they are, with a note, and are never root: %s',
    async (user) => {
      const [found, ...notes] = await ids(user, '0');
      expect(found).toBe(`${user}:0`);
      expect(notes).toEqual([expect.stringContaining(`guessed: the user ${user} is not in the image`)]);
    },
  );

  test('of which only the group cannot be resolved say so of the group', async () => {
    expect(await ids('app', 'nobody')).toEqual(['1000:nobody', expect.stringContaining('the group nobody')]);
  });
});

test('a group that docker2aci named after the user is the user’s number, where the image has no such group', async () => {
  const rootfs = [{ name: 'etc/' }, { name: 'etc/passwd', body: PASSWD }];
  const annotations = [{ name: 'appc.io/docker/repository', value: 'library/app' }];
  const user = async (app: object, more: object = { annotations }) =>
    (await configFrom({ app: leastApp({ user: 'app', group: 'app', ...app }), ...more }, rootfs)).config.user;
  const { notes } = await configFrom({ app: leastApp({ user: 'app', group: 'app' }), annotations }, rootfs);
  expect(await user({})).toBe('1000:1000');
  expect(notes).toEqual([expect.stringContaining('guessed: the group app is not in the image; docker2aci')]);
  expect(await user({ group: 'other' })).toBe('1000:other');
  expect(await user({}, {})).toBe('1000:app');
});

describe('a path', () => {
  const owned: readonly TarEntry[] = [
    { name: 'srv/', uid: 5, gid: 6 },
    { name: 'srv/file', body: 'x', uid: 77, gid: 88 },
    { name: 'srv/link', link: '/srv/file', uid: 1, gid: 1 },
    { name: 'srv/out', link: '../../../../srv/file' },
    { name: 'srv/loop', link: 'loop' },
    { name: 'srv/host', link: '/etc/shadow' },
    { name: 'srv/same', type: '1', link: 'srv/file' },
    { name: 'way', link: 'srv' },
  ];

  test.each([
    '/srv/file',
    '/srv/./file',
    '//srv//file',
    '/srv/link',
    '/srv/out',
    '/way/file',
    '/srv/same',
    '/../srv/file',
  ])('means who owns what is there: %s', async (path) => {
    expect(await ids(path, path, owned)).toEqual(['77:88']);
  });

  test('may be a folder, or the root', async () => {
    expect(await ids('/srv', '/srv/', owned)).toEqual(['5:6']);
    expect(await ids('/', '/', owned)).toEqual(['0:0']);
  });

  test.each(['/nothing', '/srv/loop', '/srv/host', '/srv/file/below'])(
    'that leads nowhere is nobody: %s',
    async (path) => {
      const [found, ...notes] = await ids(path, '0', owned);
      expect(found).toBe(`${path}:0`);
      expect(notes).toHaveLength(1);
    },
  );
});

describe('databases', () => {
  test('are read where links inside the root lead', async () => {
    const rootfs: readonly TarEntry[] = [
      { name: 'etc', link: 'usr/etc' },
      { name: 'usr/' },
      { name: 'usr/etc/' },
      { name: 'usr/etc/passwd', link: '/var/lib/users/passwd' },
      { name: 'usr/etc/group', body: GROUP },
      { name: 'var/lib/users/passwd', body: PASSWD },
    ];
    expect(await ids('app', 'staff', rootfs)).toEqual(['1000:50']);
  });

  test.each<[string, TarEntry]>([
    ['a link out of the root', { name: 'etc/passwd', link: '../../../../../../etc/passwd' }],
    ['an absolute link', { name: 'etc/passwd', link: '/proc/self/root/etc/passwd' }],
    ['a link to itself', { name: 'etc/passwd', link: 'passwd' }],
    ['a pipe', { name: 'etc/passwd', type: '6' }],
    ['a device', { name: 'etc/passwd', type: '3', major: 1, minor: 5 }],
    ['a folder', { name: 'etc/passwd/' }],
    [
      'a file of a gigabyte, all holes but its name',
      {
        name: 'etc/passwd',
        sparse: {
          form: 'old-gnu',
          size: 2 ** 25,
          extents: [{ offset: 2 ** 25 - 512, data: 'app:x:1:1::/:\n'.padEnd(512, '\n') }],
        },
      },
    ],
    ['a file of eleven megabytes', { name: 'etc/passwd', body: `${'#\n'.repeat(5_500_000)}app:x:1000:1000::/:\n` }],
    ['bytes that are no text', { name: 'etc/passwd', body: Buffer.alloc(1000, 0xff) }],
  ])('that are %s know nobody', async (_, entry) => {
    const [user] = await ids('app', '0', [{ name: 'etc/' }, entry]);
    expect(user).toBe('app:0');
  });

  test('are never read in part: too many of them are as good as none', async () => {
    const filler = Array.from({ length: 3 }, (_, i) => ({ name: `f${i}/passwd`, body: '#'.repeat(3_600_000) }));
    const rootfs = [...filler, { name: 'etc/' }, { name: 'etc/passwd', body: PASSWD }];
    expect((await ids('app', '0', rootfs))[0]).toBe('app:0');
  });

  test('are those of the image as it is rendered: the last one counts, and one that is gone does not', async () => {
    const app = { app: leastApp({ user: 'app', group: '0' }) };
    const base = { rootfs: databases };
    const own = { rootfs: [{ name: 'etc/passwd', body: 'app:x:7:7::/:\n' }] };
    const user = async (top: object) =>
      (await readGraph({ top: { needs: ['base'], manifest: app, ...top }, base })).image.config.user;
    expect(await user({})).toBe('1000:0');
    expect(await user(own)).toBe('7:0');
    expect(await user({ rootfs: [{ name: 'etc', body: 'a file now' }] })).toBe('app:0');
    expect(await user({ pathWhitelist: ['/which'] })).toBe('app:0');
  });
});
