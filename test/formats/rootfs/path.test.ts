import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { binaryString } from '../../../formats/bytes/text.ts';
import {
  baseOf,
  cleanPath,
  cleanText,
  joinPath,
  parentOf,
  shownPath,
  whiteoutOf,
} from '../../../formats/rootfs/path.ts';
import { codeOf } from '../support.ts';

describe('a path', () => {
  test.each([
    ['a', 'a', false],
    ['a/b', 'a/b', false],
    ['./a', 'a', false],
    ['a/', 'a', false],
    ['a//b', 'a/b', false],
    ['a/./b/.', 'a/b', false],
    ['', '', false],
    ['.', '', false],
    ['./', '', false],
    ['...', '...', false],
    ['..a/.b/c..', '..a/.b/c..', false],
    ['/', '', true],
    ['/a', 'a', true],
    ['//a', 'a', true],
    ['..', '', true],
    ['../../a', 'a', true],
    ['a/../b', 'b', true],
    ['a/../../../b', 'b', true],
    ['/../a/..', '', true],
    ['a\\..\\b', 'a\\..\\b', false],
  ])('%j becomes %j inside the root (changed: %j)', (text, path, changed) => {
    expect(cleanText(text)).toEqual({ path, changed });
  });

  test('is bytes, whatever they are', () => {
    expect(cleanPath(Uint8Array.of(0x2e, 0x2f, 0xff, 0x2f, 0x80))).toEqual({ path: '\xff/\x80', changed: false });
  });

  test('once clean stays as it is, and never leaves the root', () => {
    const part = fc.constantFrom('', '.', '..', 'a', 'b', '...', '.wh.x', '\xff');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const { path } = cleanText(parts.join('/'));
        expect(cleanText(path)).toEqual({ path, changed: false });
        for (const one of path === '' ? [] : path.split('/')) expect(['', '.', '..']).not.toContain(one);
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  test('is taken apart and put together', () => {
    expect([parentOf('a/b/c'), parentOf('a'), baseOf('a/b/c'), baseOf('a')]).toEqual(['a/b', '', 'c', 'a']);
    expect([joinPath('a/b', 'c'), joinPath('', 'c')]).toEqual(['a/b/c', 'c']);
  });

  test('is shown without control characters, and the root as a dot', () => {
    expect(shownPath(binaryString(Buffer.from('grün\u001b[0m')))).toBe('grün\\x1b[0m');
    expect(shownPath('\xff')).toBe('\ufffd');
    expect(shownPath('')).toBe('.');
  });
});

describe('a whiteout', () => {
  test.each([
    ['.wh.a', { kind: 'path', path: 'a' }],
    ['x/y/.wh.a', { kind: 'path', path: 'x/y/a' }],
    ['x/.wh..hidden', { kind: 'path', path: 'x/.hidden' }],
    ['x/.wh....', { kind: 'path', path: 'x/...' }],
    ['x/.wh..wh.a', { kind: 'path', path: 'x/.wh.a' }],
    ['.wh..wh..opq', { kind: 'opaque', folder: '' }],
    ['x/y/.wh..wh..opq', { kind: 'opaque', folder: 'x/y' }],
    ['.wh..wh.aufs', { kind: 'leftover' }],
    ['.wh..wh.orph', { kind: 'leftover' }],
    ['.wh..wh.plnk', { kind: 'leftover' }],
    ['.wh..wh.plnk/12.34', { kind: 'leftover' }],
  ])('%j is read', (path, whiteout) => {
    expect(whiteoutOf(path)).toEqual(whiteout);
  });

  test.each(['a', '.wha', 'x.wh.a', '.wh.x/a', 'wh.a'])('%j is none', (path) => {
    expect(whiteoutOf(path)).toBeUndefined();
  });

  test.each(['.wh.', 'x/.wh.', '.wh..', 'x/.wh..', '.wh...', 'x/.wh...'])('%j is refused', async (path) => {
    expect(await codeOf(() => whiteoutOf(path))).toBe('path/invalid');
  });
});
