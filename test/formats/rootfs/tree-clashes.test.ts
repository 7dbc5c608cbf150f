/** The rows about entries in one another's way of layers-and-rootfs.md, section 2. */
import { describe, expect, test } from 'vitest';
import { treePaths, userPath } from '../../../formats/rootfs/tree.ts';
import { codeOf } from '../support.ts';
import { listed, merge } from './merged.ts';

describe('a clash', () => {
  test.each([
    ['a folder over a folder keeps its children', ['d/', 'd/a'], ['d/'], ['d/', 'd/a']],
    ['a file over a folder removes all below it', ['d/', 'd/a'], ['d:1'], ['d:1']],
    ['a symlink over a folder removes all below it', ['d/', 'd/a', 'e/'], ['d -> e'], ['d -> e', 'e/']],
    ['a folder over a file replaces it', ['d:1'], ['d/', 'd/a'], ['d/', 'd/a']],
    ['a folder over a symlink to a folder replaces the link', ['e/', 'e/f', 'd -> e'], ['d/'], ['d/', 'e/', 'e/f']],
    ['a file over a symlink replaces the link', ['e:1', 'd -> e'], ['d:2'], ['d:2', 'e:1']],
    ['a file in a parent path makes room for a folder', ['p:1'], ['p/a'], ['p/', 'p/a']],
    ['a symlink in a parent path is followed', ['e/', 'd -> e'], ['d/a'], ['d -> e', 'e/', 'e/a']],
    [
      'an absolute symlink in a parent path is followed inside the root',
      ['d -> /e'],
      ['d/a'],
      ['d -> /e', 'e/', 'e/a'],
    ],
    [
      'a climbing symlink in a parent path is followed inside the root',
      ['d -> ../../e'],
      ['d/a'],
      ['d -> ../../e', 'e/', 'e/a'],
    ],
    ['the last of two entries of one name counts', [], ['a:1', 'a:2'], ['a:2']],
    ['of a folder and a file of one name the last counts', [], ['a/', 'a/b', 'a:2'], ['a:2']],
    ['missing parents are made', [], ['x/y/z'], ['x/', 'x/y/', 'x/y/z']],
    ['names are cleaned into the root', [], ['/abs', '../up', './x/../dot'], ['abs', 'dot', 'up']],
  ])('%s', (_, lower, upper, result) => {
    expect(listed(lower, upper)).toEqual(result);
  });

  test('a folder over a folder brings its attributes', () => {
    const tree = merge([[{ name: 'd/', mode: 0o700 }], [{ name: 'd/', mode: 0o755 }]]);
    expect(tree.lookup('d')!.inode.entry?.mode).toBe(0o755);
  });

  test('folders that no entry names have no entry', () => {
    expect(merge([['x/y']]).lookup('x')!.inode.entry).toBeUndefined();
  });

  test('names that differ in case or composition stay apart', () => {
    expect(listed(['A:1', 'a:2', 'u\u0308:3', '\u00fc:4'])).toHaveLength(4);
  });
});

describe('the root', () => {
  test.each(['.', './', '/', 'a/..'])('may be given as %j, for its attributes', (name) => {
    const tree = merge([[{ name, type: '5', mode: 0o711 }]]);
    expect(tree.root.inode.entry?.mode).toBe(0o711);
    expect(treePaths(tree)).toEqual([]);
  });

  test.each([
    ['.', '2'],
    ['./', '0'],
    ['/', '2'],
    ['..', '3'],
    ['a/..', '1'],
    ['', '0'],
  ])('given as %j of type %s is refused (CVE-2021-29136)', async (name, type) => {
    expect(await codeOf(() => listed([{ name, type, link: '/' }]))).toBe('path/root');
  });
});

describe('symlinks', () => {
  test('that lead to one another are refused once something is written through them', async () => {
    expect(listed(['a -> b', 'b -> a'])).toHaveLength(2);
    expect(await codeOf(() => listed(['a -> b', 'b -> a', 'a/x']))).toBe('path/link');
    expect(await codeOf(() => listed(['a -> a/a', 'a/x']))).toBe('path/link');
  });

  test('are followed up to 255 in a row', async () => {
    const chain = (length: number) => ['d/', ...Array.from({ length }, (_, i) => `l${i} -> ${i ? `l${i - 1}` : 'd'}`)];
    expect(listed([...chain(255), 'l254/x'])).toContain('d/x');
    expect(await codeOf(() => listed([...chain(256), 'l255/x']))).toBe('path/link');
  });

  test('are looked up through, but for the last part', () => {
    const tree = merge([['d/', 'd/f:3', 'l -> d', 'm -> l/f']]);
    expect(tree.lookup('l/f')!.inode.entry?.size).toBe(3);
    expect(tree.lookup('m')!.inode.entry?.type).toBe('symlink');
    expect(tree.lookup('d/nothing')).toBeUndefined();
    expect(tree.lookup('d/f/below')).toBeUndefined();
    expect(tree.lookup('')).toBe(tree.root);
  });
});

test('paths are listed in the order of their bytes', () => {
  expect(listed(['b', 'a/', 'a/z', 'a.b', 'a-b', '\u00e9'])).toEqual(['a/', 'a-b', 'a.b', 'a/z', 'b', '\xc3\xa9']);
});

test('a path as a user writes it is cleaned, and its text is UTF-8', () => {
  expect(userPath('/etc/../etc/grün/')).toBe('etc/gr\xc3\xbcn');
});
