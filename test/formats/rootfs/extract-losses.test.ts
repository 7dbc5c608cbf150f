/** What is lost without koffi, or without privileges: never silently, and nothing else. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { TarEntry } from '../../../fixtures/tar.ts';
import type { Syscalls } from '../../../formats/rootfs/syscalls.ts';
import { codeOf } from '../support.ts';
import { asRoot, ns, realSyscalls, unpack, xattr } from './disk.ts';

const none = { syscalls: undefined };

describe('without koffi', () => {
  test('files, folders, links, modes and whole microseconds need no note', () => {
    const mtime = '1709208000.123457';
    const { tree, notes } = unpack(
      [
        [
          { name: 'd/', mode: 0o1777, mtime },
          { name: 'd/f', mode: 0o4755, mtime, body: 'x' },
          { name: 'd/l', link: 'f', mtime },
          { name: 'd/h', type: '1', link: 'd/f' },
        ],
      ],
      none,
    );
    expect(notes).toEqual([]);
    for (const name of ['d', 'd/f', 'd/l'])
      expect([name, tree.get(name)?.mtime]).toEqual([name, ns(1709208000, 123457000)]);
    expect([tree.get('d/f')?.mode, tree.get('d')?.mode, tree.get('d/h')?.same]).toEqual(['4755', '1777', 'd/f']);
  });

  test('every microsecond comes out, though Node takes a double', () => {
    const micros = Array.from({ length: 60 }, (_, i) => (i * 16661 + 1) % 1_000_000);
    const { tree, notes } = unpack(
      [micros.map((micro, i) => ({ name: `f${i}`, mtime: `1709208000.${String(micro).padStart(6, '0')}` }))],
      none,
    );
    expect(notes).toEqual([]);
    for (const [i, micro] of micros.entries()) expect(tree.get(`f${i}`)?.mtime).toBe(ns(1709208000, micro * 1000));
  });

  test('each loss is one note with its count: attributes, nanoseconds, pipes, devices', () => {
    const entries: TarEntry[] = [
      { name: 'a', pax: [xattr('user.a', 'x'), xattr('security.capability', 'x')] },
      { name: 'b', pax: [xattr('user.a', 'x')] },
      { name: 'c', mtime: '1709208000.123456789' },
      { name: 'pipe', type: '6' },
      { name: 'dev', type: '3', major: 1, minor: 3 },
    ];
    const { tree, notes } = unpack([entries], none);
    expect([...notes].sort()).toEqual([
      'a device is an empty file, since koffi is not installed (one file, first dev)',
      'a named pipe is an empty file, since koffi is not installed (one file, first pipe)',
      'nanoseconds of times are not kept: koffi is not installed (one file, first c)',
      'the extended attribute security.capability is not kept: koffi is not installed (one file, first a)',
      'the extended attribute user.a is not kept: koffi is not installed (2 files, first a)',
    ]);
    expect(['pipe', 'dev'].map((name) => tree.get(name))).toEqual([
      expect.objectContaining({ type: 'file', mode: '0000', size: 0 }),
      expect.objectContaining({ type: 'file', mode: '0000', size: 0 }),
    ]);
    expect(tree.get('c')?.mtime).toBe(ns(1709208000, 123456000));
  });

  test('a time before 1970 is kept or noted', () => {
    const { tree, notes } = unpack([[{ name: 'old', pax: [['mtime', '-1.5']] }]], none);
    const kept = tree.get('old')?.mtime === -1_500_000_000n;
    expect([kept, notes.length]).toEqual(kept ? [true, 0] : [false, 1]);
  });

  asRoot('hard links between folders deeper than descriptors stay open find the right file', () => {
    const folder = (top: string) => `${top}${'/d'.repeat(150)}`;
    const disk = unpack(
      [
        [
          { name: `${folder('a')}/file`, body: 'of a' },
          { name: `${folder('b')}/file`, body: 'of b' },
          { name: `${folder('c')}/other`, type: '1', link: `${folder('a')}/file` },
          { name: `${folder('a')}/back`, type: '1', link: `${folder('b')}/file` },
        ],
      ],
      none,
    );
    expect(readFileSync(disk.at(`${folder('c')}/other`), 'utf8')).toBe('of a');
    expect(readFileSync(disk.at(`${folder('a')}/back`), 'utf8')).toBe('of b');
  });

  asRoot.each([38, 1, 22])('openat2 that ends in error %d is done without', (errno) => {
    const without = { ...realSyscalls!, openFolder: () => -errno } satisfies Syscalls;
    const { tree, notes } = unpack(
      [
        [
          { name: 'a/b/c', body: 'x' },
          { name: 'a/l', link: 'b' },
          { name: 'a/l/d', mtime: '1.5' },
        ],
      ],
      {
        syscalls: without,
      },
    );
    expect([...tree.keys()]).toEqual(['.', 'a', 'a/b', 'a/b/c', 'a/b/d', 'a/l']);
    expect([tree.get('a/b/d')?.mtime, notes]).toEqual([ns(1, 500_000_000), []]);
  });

  asRoot('any other error of openat2 means that somebody changed the output', async () => {
    const refused = { ...realSyscalls!, openFolder: () => -40 } satisfies Syscalls;
    expect(await codeOf(() => unpack([[{ name: 'a/b' }]], { syscalls: refused }))).toBe('path/escape');
  });
});

describe('attributes that cannot be set', () => {
  asRoot.each([
    [95, 'the file system does not take it'],
    [1, 'no permission'],
    [28, 'the file system has no room for it'],
  ])('error %d is noted as “%s”', (errno, reason) => {
    const refusing = { ...realSyscalls!, setXattrOfFile: () => errno } satisfies Syscalls;
    const { notes } = unpack([[{ name: 'f', pax: [xattr('user.a', 'x')] }]], { syscalls: refusing });
    expect(notes).toEqual([`the extended attribute user.a is not kept: ${reason} (one file, first f)`]);
  });

  asRoot('a device that the kernel refuses is an empty file, and noted', () => {
    const refusing = { ...realSyscalls!, makeNode: () => 1 } satisfies Syscalls;
    const { tree, notes } = unpack([[{ name: 'dev', type: '4', major: 1, minor: 3, mode: 0o666 }]], {
      syscalls: refusing,
    });
    expect([tree.get('dev')?.type, tree.get('dev')?.mode]).toEqual(['file', '0000']);
    expect(notes).toEqual([expect.stringContaining('a device is an empty file')]);
  });
});

test('nothing of a whole tree is left beside the root', () => {
  const disk = unpack([[{ name: '.wh..wh.plnk/1', body: 'x' }, { name: 'f' }]], none);
  expect([...disk.tree.keys()]).toEqual(['.', 'f']);
  expect(existsSync(`${disk.root}/.ocix-Case`)).toBe(false);
});
