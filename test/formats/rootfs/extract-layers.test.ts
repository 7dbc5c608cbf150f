/** Links, layers over one another, and what an image may not do: on the disk, for root. Skipped for anybody else. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type TarEntry, tar } from '../../../fixtures/tar.ts';
import { codeOf } from '../support.ts';
import { asRoot, type Found, ns, realSyscalls, unpack, xattr } from './disk.ts';

const names = (...layers: readonly (readonly TarEntry[])[]): readonly string[] =>
  [...unpack(layers).tree]
    .filter(([path]) => path !== '.')
    .map(([path, { type }]) => (type === 'dir' ? `${path}/` : path));

describe('hard links', () => {
  const same = (tree: ReadonlyMap<string, Found>, name: string) => tree.get(name)?.same;

  asRoot('within a layer, before and behind their target, to links, pipes and devices too', () => {
    const { tree } = unpack([
      [
        { name: 'early', type: '1', link: 'z/file' },
        { name: 'z/file', body: 'x' },
        { name: 'late', type: '1', link: './z//file' },
        { name: 'sym', link: '/etc/shadow' },
        { name: 'symtoo', type: '1', link: 'sym' },
        { name: 'pipe', type: '6' },
        { name: 'pipetoo', type: '1', link: 'pipe' },
      ],
    ]);
    expect(['late', 'z/file', 'symtoo', 'pipetoo'].map((name) => same(tree, name))).toEqual([
      'early',
      'early',
      'sym',
      'pipe',
    ]);
    expect(tree.get('symtoo')).toMatchObject({ type: 'symlink', link: '/etc/shadow' });
  });

  asRoot('across layers, and their own metadata counts for nothing', () => {
    const { tree } = unpack([
      [{ name: 'a', body: 'x', mode: 0o600, uid: 5, mtime: 100, pax: [xattr('user.a', 'x')] }],
      [{ name: 'b', type: '1', link: 'a', mode: 0o4777, uid: 0, mtime: 999, pax: [xattr('user.b', 'x')] }],
    ]);
    expect(tree.get('b')).toMatchObject({
      same: 'a',
      mode: '0600',
      uid: 5,
      mtime: ns(100),
      xattrs: { 'user.a': '78' },
    });
  });

  asRoot('a file over one name leaves the others with the old content', () => {
    const disk = unpack([
      [
        { name: 'a', body: 'old' },
        { name: 'b', type: '1', link: 'a' },
      ],
      [{ name: 'b', body: 'new!' }],
    ]);
    expect(['a', 'b'].map((name) => readFileSync(disk.at(name), 'utf8'))).toEqual(['old', 'new!']);
  });

  asRoot('a whiteout of one name leaves the others', () => {
    expect(names([{ name: 'a' }, { name: 'b', type: '1', link: 'a' }], [{ name: '.wh.a' }])).toEqual(['b']);
  });

  asRoot('into what AUFS kept aside resolve there, and it is no part of the tree', () => {
    const disk = unpack([
      [
        { name: '.wh..wh.plnk/' },
        { name: '.wh..wh.plnk/12.34', body: 'kept', mode: 0o640, uid: 3 },
        { name: '.wh..wh.aufs' },
        { name: 'x', type: '1', link: '.wh..wh.plnk/12.34' },
        { name: 'y', type: '1', link: '.wh..wh.plnk/12.34' },
      ],
    ]);
    expect([...disk.tree.keys()]).toEqual(['.', 'x', 'y']);
    expect(disk.tree.get('y')).toMatchObject({ same: 'x', mode: '0640', uid: 3, size: 4 });
  });

  test.each(['missing', '../../../../etc/passwd', '/etc/passwd', 'd', '.', ''])('to %j are refused', async (link) => {
    expect(await codeOf(() => unpack([[{ name: 'd/' }, { name: 'x', type: '1', link }]]))).toBe('path/link');
  });
});

describe('layers over one another', () => {
  asRoot(
    'whiteouts on the disk: of lower layers only, in either order, opaque too, before their parents, of nothing',
    () => {
      const low = [{ name: 'd/a', body: 'x' }, { name: 'd/e/f', body: 'x' }, { name: 'g' }, { name: 'o/low' }];
      const high: TarEntry[] = [
        { name: 'd/e/own' },
        { name: '.wh.d' },
        { name: 'late/.wh.x' },
        { name: '.wh.nothing' },
        { name: 'o/high' },
        { name: 'o/.wh..wh..opq' },
        { name: '.wh.g', type: '3' },
      ];
      const wanted = ['d/', 'd/e/', 'd/e/own', 'o/', 'o/high'];
      expect(names(low, high)).toEqual(wanted);
      expect(names(low, [...high].reverse())).toEqual(wanted);
    },
  );

  asRoot('every type over every other', () => {
    const kinds: Readonly<Record<string, readonly TarEntry[]>> = {
      file: [{ name: 'x', body: 'f' }],
      dir: [{ name: 'x/' }, { name: 'x/in/side' }],
      symlink: [{ name: 'x', link: 'target' }],
      fifo: [{ name: 'x', type: '6' }],
      char: [{ name: 'x', type: '3', major: 1, minor: 3 }],
    };
    for (const [before, low] of Object.entries(kinds))
      for (const [after, high] of Object.entries(kinds)) {
        const { tree } = unpack([[{ name: 'target/' }, { name: 'target/keep' }, ...low], high]);
        expect([before, after, tree.get('x')?.type]).toEqual([before, after, after]);
        expect(tree.has('target/keep')).toBe(true);
        expect(tree.has('x/in/side')).toBe(before === 'dir' && after === 'dir' ? true : after === 'dir');
      }
  });

  asRoot('a folder named again takes the new metadata and keeps what is in it', () => {
    const { tree } = unpack([
      [{ name: 'd/', mode: 0o700, uid: 1, mtime: 1 }, { name: 'd/f' }],
      [{ name: 'd/', mode: 0o1777, uid: 2, mtime: 2 }],
    ]);
    expect(tree.get('d')).toMatchObject({ mode: '1777', uid: 2, mtime: ns(2) });
    expect(tree.has('d/f')).toBe(true);
  });

  asRoot('the last of several entries of a name counts', () => {
    const { tree } = unpack([
      [
        { name: 'f', body: 'a long text', mode: 0o777 },
        { name: 'f', body: 'b', mode: 0o600 },
      ],
    ]);
    expect(tree.get('f')).toMatchObject({ size: 1, mode: '0600' });
  });

  asRoot.each(['.', './', '/', ''])('the root as the entry %j has its metadata', (name) => {
    const entry: TarEntry = {
      name,
      type: '5',
      mode: 0o1711,
      uid: 7,
      gid: 8,
      mtime: '9.5',
      pax: [xattr('user.r', 'x')],
    };
    expect(unpack([[{ name: 'f' }, entry]]).tree.get('.')).toMatchObject({
      mode: '1711',
      uid: 7,
      gid: 8,
      mtime: ns(9, 500_000_000),
      xattrs: { 'user.r': '78' },
    });
  });

  asRoot('a file in the way of a parent makes room for a folder', () => {
    expect(names([{ name: 'a' }], [{ name: 'a/b' }])).toEqual(['a/', 'a/b']);
  });

  const low = [{ name: 'real/' }, { name: 'real/old' }, { name: 'way', link: 'real' }];
  const high = [{ name: 'way/', mode: 0o700 }, { name: 'way/new' }];

  asRoot('a folder over a symlink replaces it', () => {
    expect(names(low, high)).toEqual(['real/', 'real/old', 'way/', 'way/new']);
  });

  asRoot('and with --keep-dirlinks is the folder that the link leads to', () => {
    const { tree } = unpack([low, high], { syscalls: realSyscalls, keepDirlinks: true });
    expect([...tree.keys()]).toEqual(['.', 'real', 'real/new', 'real/old', 'way']);
    expect([tree.get('way')?.type, tree.get('real')?.mode]).toEqual(['symlink', '0700']);
  });

  asRoot.each(['file', 'nothing'])('--keep-dirlinks keeps no link that leads to %s', (link) => {
    const { tree } = unpack([[{ name: 'file' }, { name: 'way', link }], [{ name: 'way/' }]], {
      syscalls: realSyscalls,
      keepDirlinks: true,
    });
    expect(tree.get('way')?.type).toBe('dir');
  });

  asRoot('many folders, more than stay open at once, each found again', () => {
    const folders = Array.from({ length: 300 }, (_, i) => `f${i}/sub`);
    const { tree } = unpack([
      folders.map((name) => ({ name: `${name}/a`, body: name })),
      folders.map((name) => ({ name: `${name}/b`, type: '1', link: `${name}/a` })),
    ]);
    expect(folders.filter((name) => tree.get(`${name}/b`)?.same !== `${name}/a`)).toEqual([]);
  });
});

describe('limits by name', () => {
  test('entries, and the size of one', async () => {
    const many = Array.from({ length: 11 }, (_, i) => ({ name: String(i) }));
    expect(await codeOf(() => unpack([many], { syscalls: realSyscalls, limits: { entries: 10 } }))).toBe(
      'limit/entries',
    );
    expect(
      await codeOf(() =>
        unpack([[{ name: 'f', body: 'x'.repeat(11) }]], { syscalls: realSyscalls, limits: { 'entry-bytes': 10 } }),
      ),
    ).toBe('limit/entry-bytes');
    const hole = { name: 'f', sparse: { form: 'pax-1.0' as const, size: 11, extents: [] } };
    expect(await codeOf(() => unpack([[hole]], { syscalls: realSyscalls, limits: { 'entry-bytes': 10 } }))).toBe(
      'limit/entry-bytes',
    );
  });
});

test('a symlink to nothing at all, or longer than a path, is the fault of the image', async () => {
  expect(await codeOf(() => unpack([[{ name: 'l', type: '2', link: '' }]]))).toBe('path/invalid');
  expect(await codeOf(() => unpack([[{ name: 'l', link: 'x'.repeat(4096) }]]))).toBe('path/invalid');
});

test('a truncated layer is refused, also in the middle of a file', async () => {
  const bytes = tar([{ name: 'f', body: 'x'.repeat(5000) }]);
  expect(await codeOf(() => unpack([bytes.subarray(0, 3000)]))).toBe('tar/truncated');
});
