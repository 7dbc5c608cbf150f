/** What comes onto the disk, for root (the rows of layers-and-rootfs.md, sections 2 and 4). Skipped for anybody else. */
import { spawnSync } from 'node:child_process';
import { lstatSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import type { TarEntry } from '../../../fixtures/tar.ts';
import { codeOf, refusalOf } from '../support.ts';
import { asRoot, type Found, isRoot, ns, realSyscalls, unpack, xattr } from './disk.ts';

const one = (entry: TarEntry, name: string = String(entry.name).replace(/\/$/, '')): Found =>
  unpack([[entry]]).tree.get(name)!;
const names = (...layers: readonly (readonly TarEntry[])[]): readonly string[] =>
  [...unpack(layers).tree]
    .filter(([path]) => path !== '.')
    .map(([path, { type }]) => (type === 'dir' ? `${path}/` : path));

test(`this host has root (${isRoot}) and koffi (${realSyscalls !== undefined}), without which the tests below are skipped or fail`, () => {
  expect(typeof isRoot).toBe('boolean');
});

describe('owners', () => {
  asRoot.each([0, 1, 65534, 65535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2])(
    'the id %d is kept, of every kind of thing',
    (id) => {
      const { tree, notes } = unpack([
        [
          { name: 'file', uid: id, gid: id },
          { name: 'dir/', uid: id, gid: id },
          { name: 'link', link: 'x', uid: id, gid: id },
          { name: 'pipe', type: '6', uid: id, gid: id },
          { name: 'device', type: '3', major: 1, minor: 3, uid: id, gid: id },
        ],
      ]);
      for (const name of ['file', 'dir', 'link', 'pipe', 'device'])
        expect([name, tree.get(name)]).toEqual([name, expect.objectContaining({ uid: id, gid: id })]);
      expect(notes).toEqual([]);
    },
  );

  asRoot(
    'a mapping moves ids into its range, and one outside is an error that names the entry and the option',
    async () => {
      const owners = {
        uids: [
          { container: 0, host: 100000, size: 10 },
          { container: 50, host: 7, size: 1 },
        ],
        gids: [{ container: 0, host: 200000, size: 100 }],
      };
      const entries = [
        { name: 'a', uid: 9, gid: 99 },
        { name: 'b', uid: 50, gid: 0 },
        { name: 'implied/c', uid: 0, gid: 0 },
      ];
      const { tree } = unpack([entries], { syscalls: realSyscalls, owners });
      expect(['a', 'b', 'implied', '.'].map((name) => [tree.get(name)?.uid, tree.get(name)?.gid])).toEqual([
        [100009, 200099],
        [7, 200000],
        [100000, 200000],
        [100000, 200000],
      ]);
      const refusal = await refusalOf(() => unpack([[{ name: 'out', uid: 10 }]], { syscalls: realSyscalls, owners }));
      expect(refusal).toMatchObject({ code: 'path/invalid', at: ['out'], hint: expect.stringContaining('--uid-map') });
    },
  );
});

describe('modes', () => {
  const before = process.umask();
  afterEach(() => void process.umask(before));

  asRoot.each([0, 0o022, 0o077, 0o777])('all twelve bits come out under the mask %o, with any owner', (mask) => {
    process.umask(mask);
    const modes = [0o7777, 0o4755, 0o2755, 0o1777, 0o6711, 0o000, 0o001, 0o200, 0o444];
    const { tree } = unpack([
      modes.flatMap((mode): TarEntry[] => [
        { name: `f${mode}`, mode, uid: 7, gid: 8, body: 'x' },
        { name: `d${mode}/`, mode, uid: 7, gid: 8 },
        { name: `d${mode}/inside`, mode, uid: 7, gid: 8 },
        { name: `p${mode}`, type: '6', mode, uid: 7, gid: 8 },
        { name: `c${mode}`, type: '3', major: 1, minor: 5, mode, uid: 7, gid: 8 },
      ]),
    ]);
    for (const mode of modes)
      for (const name of [`f${mode}`, `d${mode}`, `d${mode}/inside`, `p${mode}`, `c${mode}`])
        expect([name, tree.get(name)?.mode]).toEqual([name, mode.toString(8).padStart(4, '0')]);
  });

  asRoot('a folder that no entry names is 0755 of root, whatever the mask', () => {
    process.umask(0o077);
    const { tree } = unpack([[{ name: 'a/b/c', mode: 0o600, uid: 9, mtime: 5 }]]);
    for (const path of ['.', 'a', 'a/b'])
      expect(tree.get(path)).toMatchObject({ type: 'dir', mode: '0755', uid: 0, gid: 0, mtime: 0n });
  });

  asRoot('file type bits that some writers add to the mode are no part of it', () => {
    expect(one({ name: 'f', mode: 0o104750 }).mode).toBe('4750');
  });
});

describe('times', () => {
  asRoot('nanoseconds are kept, of files, folders, links, pipes and devices', () => {
    const mtime = '1234567890.987654321';
    const { tree } = unpack([
      [
        { name: 'dir/', mtime },
        { name: 'dir/file', mtime, body: 'x' },
        { name: 'dir/link', link: '/nowhere', mtime },
        { name: 'dir/pipe', type: '6', mtime },
        { name: 'dir/device', type: '4', major: 7, minor: 200, mtime },
      ],
    ]);
    for (const name of ['dir', 'dir/file', 'dir/link', 'dir/pipe', 'dir/device'])
      expect([name, tree.get(name)?.mtime]).toEqual([name, ns(1234567890, 987654321)]);
  });

  asRoot.each(['-1.5', '-86400', '0', '0.000000001', '2147483647.999999999', '2147483648', '4102444800'])(
    'the second %s is kept',
    (mtime) => {
      const [whole = '', part = ''] = mtime.replace('-', '').split('.');
      const size = ns(BigInt(whole), Number(part.padEnd(9, '0')));
      const { tree, notes } = unpack([
        [
          { name: 'f', pax: [['mtime', mtime]] },
          { name: 'd/', pax: [['mtime', mtime]] },
        ],
      ]);
      expect([tree.get('f')?.mtime, tree.get('d')?.mtime, notes]).toEqual(
        mtime.startsWith('-') ? [-size, -size, []] : [size, size, []],
      );
    },
  );

  asRoot('one that the file system cannot hold is noted, since it stores another without a word', () => {
    const { tree, notes } = unpack([[{ name: 'late', mtime: 2 ** 36 }]]);
    if (tree.get('late')?.mtime === ns(2 ** 36)) return expect(notes).toEqual([]);
    expect(notes).toEqual([expect.stringContaining('time is not kept')]);
  });

  asRoot('a folder keeps its time although later entries and layers write into it and remove from it', () => {
    const { tree } = unpack([
      [
        { name: 'd/', mtime: 1000 },
        { name: 'd/e/', mtime: 2000 },
        { name: 'd/e/a', mtime: 1 },
        { name: 'd/gone', mtime: 1 },
      ],
      [{ name: 'd/e/b', mtime: 1 }, { name: 'd/.wh.gone' }, { name: 'd/e/hard', type: '1', link: 'd/e/a' }],
    ]);
    expect([tree.get('d')?.mtime, tree.get('d/e')?.mtime]).toEqual([ns(1000), ns(2000)]);
  });
});

describe('extended attributes', () => {
  asRoot('binary values, empty ones, names of any name space, on files and folders', () => {
    const value = Buffer.from([0, 1, 0xff, 0x0a, 0x3d, 0]);
    const pax = [
      xattr('user.bytes', value),
      xattr('user.empty', ''),
      xattr('trusted.mark', 'x'),
      xattr('user.ünï', 'y'),
    ];
    for (const name of ['f', 'd/'])
      expect(one({ name, pax, mode: 0o444, uid: 5 }).xattrs).toMatchObject({
        'user.bytes': '0001ff0a3d00',
        'trusted.mark': '78',
      });
  });

  asRoot('a file capability survives the owner, the mode and the content', () => {
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    const { tree } = unpack([
      [
        {
          name: 'ping',
          body: 'x'.repeat(3000),
          mode: 0o4755,
          uid: 3,
          gid: 4,
          pax: [xattr('security.capability', capability), xattr('user.later', 'x')],
        },
      ],
    ]);
    expect(tree.get('ping')).toMatchObject({
      mode: '4755',
      uid: 3,
      xattrs: { 'security.capability': capability.toString('hex'), 'user.later': '78' },
    });
  });

  asRoot('labels of the host and marks of overlay are left out without a word, as every unpacker does', () => {
    const pax = [xattr('security.selinux', 'x'), xattr('trusted.overlay.opaque', 'y'), xattr('user.kept', 'z')];
    const { tree, notes } = unpack([[{ name: 'f', pax }]]);
    expect([tree.get('f')?.xattrs, notes]).toEqual([{ 'user.kept': '7a' }, []]);
  });

  asRoot('what a link or a pipe cannot carry is one note a name, counted', () => {
    const pax = [xattr('user.a', 'x')];
    const { notes } = unpack([
      [
        { name: 'l', link: 'x', pax },
        { name: 'p', type: '6', pax },
      ],
    ]);
    expect(notes).toEqual([expect.stringMatching(/user\.a is not kept: no permission \(2 files, first l\)/)]);
  });

  asRoot('a file written again, and a folder named again, have the attributes of the last entry alone', () => {
    const { tree } = unpack([
      [
        { name: 'f', pax: [xattr('user.a', '1')] },
        { name: 'd/', pax: [xattr('user.a', '1')] },
      ],
      [
        { name: 'f', pax: [xattr('user.b', '2')] },
        { name: 'd/', pax: [xattr('user.b', '2')] },
      ],
    ]);
    expect([tree.get('f')?.xattrs, tree.get('d')?.xattrs]).toEqual([{ 'user.b': '32' }, { 'user.b': '32' }]);
  });
});

describe('special files', () => {
  asRoot.each([
    ['3', 1, 3],
    ['4', 7, 0],
    ['3', 0, 0],
    ['3', 4095, 255],
    ['4', 511, 1048575],
    ['3', 300, 256],
  ])('a device of type %s, %d:%d', (type, major, minor) => {
    expect(one({ name: 'dev', type, major, minor, mode: 0o660, gid: 6 })).toMatchObject({
      type: type === '3' ? 'char' : 'block',
      device: `${major}:${minor}`,
      mode: '0660',
      gid: 6,
    });
  });

  asRoot('a pipe, which nothing opens on the way', () => {
    expect(one({ name: 'p', type: '6', mode: 0o622, mtime: 7 })).toMatchObject({
      type: 'fifo',
      mode: '0622',
      mtime: ns(7),
    });
  });
});

describe('sparse files', () => {
  asRoot.each(['old-gnu', 'pax-0.0', 'pax-0.1', 'pax-1.0'] as const)('of the form %s are holes on the disk', (form) => {
    const data = Buffer.alloc(4096, 'd');
    const size = 64 * 2 ** 20;
    const disk = unpack([
      [
        {
          name: 's',
          mtime: 9,
          sparse: {
            form,
            size,
            extents: [
              { offset: 2 ** 20, data },
              { offset: 33 * 2 ** 20, data },
              { offset: size, data: '' },
            ],
          },
        },
      ],
    ]);
    const stat = lstatSync(disk.at('s'));
    expect([stat.size, stat.mtimeMs]).toEqual([size, 9000]);
    expect(stat.blocks * 512).toBeLessThan(256 * 1024);
    const bytes = readFileSync(disk.at('s'));
    expect(bytes.indexOf('d')).toBe(2 ** 20);
    expect(bytes.reduce((sum, byte) => sum + byte, 0)).toBe(2 * 4096 * 'd'.charCodeAt(0));
  });

  asRoot('that are one hole have their size', () => {
    const disk = unpack([[{ name: 's', sparse: { form: 'pax-1.0', size: 10 ** 11, extents: [] } }]]);
    const { size, blocks } = lstatSync(disk.at('s'));
    expect([size, blocks]).toEqual([10 ** 11, 0]);
  });
});

describe('names', () => {
  asRoot('of any bytes, of 255 of them, and paths of nearly 4096', () => {
    const odd = Buffer.from([0xff, 0xfe, 0x0a, 0x5c, 0x20, 0x2a, 0xc3]);
    const deep = `${'d/'.repeat(2046)}end`;
    const few = unpack([[{ name: odd, body: 'x' }, { name: 'l', link: odd }, { name: 'n'.repeat(255) }]]);
    expect(few.tree.get(odd.toString('latin1'))?.type).toBe('file');
    expect(few.tree.get('l')?.link).toBe(odd.toString('latin1'));
    expect(few.tree.has('n'.repeat(255))).toBe(true);
    expect(deep.length).toBe(4095);
    const far = unpack([[{ name: deep, dialect: 'gnu', body: 'x' }]]);
    const found = spawnSync('find', ['.', '-type', 'f'], { cwd: `${far.root}/.`, encoding: 'utf8' }).stdout;
    expect(found).toBe(`./${deep}\n`);
  });

  test.each([
    ['a name of 256 bytes', 'n'.repeat(256)],
    ['a folder of 256 bytes', `${'n'.repeat(256)}/x`],
    ['a path of 4096 bytes', `${'d/'.repeat(2047)}ab`],
    ['five thousand folders', `${'d/'.repeat(5000)}x`],
  ])('%s is refused by its name, and not by the disk', async (_, name) => {
    expect(await codeOf(() => unpack([[{ name }]]))).toBe('path/invalid');
  });

  test('one that only links make too long is refused as well', async () => {
    const long = 'd/'.repeat(2000);
    expect(
      await codeOf(() => unpack([[{ name: long }, { name: 'l', link: long }, { name: `l/${'e/'.repeat(100)}x` }]])),
    ).toBe('path/invalid');
  });

  asRoot('capitals, ß and the two forms of é are different names', () => {
    expect(
      names([
        { name: 'A', link: 'ss' },
        { name: 'a' },
        { name: '\u00df' },
        { name: 'ss' },
        { name: '\u00e9' },
        { name: 'e\u0301' },
      ]),
    ).toHaveLength(6);
  });
});
