/** The rows about whiteouts and hard links of layers-and-rootfs.md, section 2. */
import { describe, expect, test } from 'vitest';
import { codeOf } from '../support.ts';
import { listed, merge } from './merged.ts';

describe('a whiteout', () => {
  test('removes a file, a link, and a folder with all below it, of lower layers', () => {
    expect(listed(['d/', 'd/a', 'd/e/', 'd/e/f', 'l -> d', 'x'], ['.wh.d', '.wh.l'])).toEqual(['x']);
  });

  test('is not followed through a link that it names', () => {
    expect(listed(['d/', 'd/a', 'l -> d'], ['.wh.l'])).toEqual(['d/', 'd/a']);
  });

  test('leaves what its own layer wrote, in either order', () => {
    expect(listed(['a:1'], ['a:2', '.wh.a'])).toEqual(['a:2']);
    expect(listed(['a:1'], ['.wh.a', 'a:2'])).toEqual(['a:2']);
  });

  test('leaves the folders above what its own layer wrote, and nothing else in them', () => {
    expect(listed(['d/', 'd/old', 'd/e/', 'd/e/old'], ['d/e/new', '.wh.d'])).toEqual(['d/', 'd/e/', 'd/e/new']);
    expect(listed(['d/', 'd/old', 'd/e/', 'd/e/old'], ['.wh.d', 'd/e/new'])).toEqual(['d/', 'd/e/', 'd/e/new']);
  });

  test('of what is not there, or below what is not there, is ignored', () => {
    expect(listed(['a'], ['.wh.b', 'x/y/.wh.z', 'a/.wh.c'])).toEqual(['a']);
  });

  test('counts whatever type of entry it is', () => {
    for (const type of ['2', '1', '3', '5', '6'])
      expect(listed(['a', 'b'], [{ name: '.wh.a', type, link: 'b' }]), type).toEqual(['b']);
  });

  test('is never in the tree itself, and acts once: a later layer brings the name back', () => {
    expect(listed(['a:1'], ['.wh.a'], ['a:3'])).toEqual(['a:3']);
  });

  test('works through a symlink above it, inside the root', () => {
    expect(listed(['d/', 'd/a', 'l -> /../d'], ['l/.wh.a'])).toEqual(['d/', 'l -> /../d']);
  });
});

describe('an opaque whiteout', () => {
  const base = ['d/', 'd/a', 'd/e/', 'd/e/f', 'x'];

  test('hides everything of lower layers in its folder, and not the folder', () => {
    expect(listed(base, ['d/', 'd/.wh..wh..opq'])).toEqual(['d/', 'x']);
    expect(listed(base, ['d/.wh..wh..opq'])).toEqual(['d/', 'x']);
  });

  test('leaves what its own layer wrote, in either order', () => {
    for (const layer of [
      ['d/.wh..wh..opq', 'd/e/new'],
      ['d/e/new', 'd/.wh..wh..opq'],
    ])
      expect(listed(base, layer)).toEqual(['d/', 'd/e/', 'd/e/new', 'x']);
  });

  test('at the top hides all lower layers', () => {
    expect(listed(base, ['y', '.wh..wh..opq'])).toEqual(['y']);
  });

  test('in a folder that is not there is fine', () => {
    expect(listed(base, ['nowhere/.wh..wh..opq'])).toEqual([...base].sort());
  });
});

describe('what AUFS left at the top of its branches', () => {
  test('is never in the tree', () => {
    expect(listed(['.wh..wh.aufs', '.wh..wh.orph/', '.wh..wh.plnk/', '.wh..wh.plnk/1.2', 'a'])).toEqual(['a']);
  });

  test('gives hard links their targets', () => {
    expect(listed(['.wh..wh.plnk/1.2:7', 'a = .wh..wh.plnk/1.2', 'b = ./.wh..wh.plnk/1.2'])).toEqual(['a:7', 'b:7']);
  });

  test('gives none to links of a later layer', async () => {
    expect(await codeOf(() => listed(['.wh..wh.plnk/1.2:7'], ['a = .wh..wh.plnk/1.2']))).toBe('path/link');
  });
});

describe('a hard link', () => {
  test('shares the inode of its target, also of a lower layer and of a symlink', () => {
    const tree = merge([
      ['a:1', 's -> a'],
      ['b = a', 'c = s', 'd = b'],
    ]);
    expect(tree.lookup('b')!.inode).toBe(tree.lookup('a')!.inode);
    expect(tree.lookup('d')!.inode).toBe(tree.lookup('a')!.inode);
    expect(tree.lookup('c')!.inode).toBe(tree.lookup('s')!.inode);
    expect(tree.lookup('c')!.inode.entry?.type).toBe('symlink');
  });

  test('may stand before its target, and before a link to it', () => {
    expect(listed(['b = a', 'a:1'])).toEqual(['a:1', 'b:1']);
  });

  test('keeps the old file when a new one takes the name of its target', () => {
    const tree = merge([['a:1', 'b = a'], ['a:2']]);
    expect([tree.lookup('a')!.inode.entry?.size, tree.lookup('b')!.inode.entry?.size]).toEqual([2, 1]);
  });

  test('has its target looked up inside the root', () => {
    expect(listed(['d/', 'd/f:3', 'l -> d', 'x = ../../l/f', 'y = /d/f'])).toEqual([
      'd/',
      'd/f:3',
      'l -> d',
      'x:3',
      'y:3',
    ]);
  });

  test.each([
    ['nothing', ['a = nowhere']],
    ['itself', ['a = a']],
    ['the root', ['a = .']],
    ['a folder', ['d/', 'a = d']],
    ['what its own layer only hides', ['.wh.x', 'a = .wh.x']],
  ])('to %s is refused', async (_, layer) => {
    expect(await codeOf(() => listed(['x:1'], layer))).toBe('path/link');
  });

  test('to nothing names both paths', () => {
    expect(() => listed(['some/a = gone'])).toThrow(/some\/a.*gone/);
  });
});
