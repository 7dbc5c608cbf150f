import { describe, expect, test } from 'vitest';
import { paxRecord, type PaxRecord as Recipe } from '../../../fixtures/tar.ts';
import { binaryString } from '../../../formats/bytes/text.ts';
import { effective, parsePax, xattrsOf } from '../../../formats/tar/pax.ts';
import { codeOf } from '../support.ts';

const records = (...recipes: readonly Recipe[]): Uint8Array =>
  Buffer.concat(recipes.map(([key, value]) => paxRecord(key, value)));
const read = (body: Uint8Array | string) =>
  parsePax(typeof body === 'string' ? Buffer.from(body, 'latin1') : body).map(({ key, value }) => [
    key,
    binaryString(value),
  ]);
const effectiveText = (...recipes: readonly Recipe[]) =>
  Object.fromEntries([...effective(parsePax(records(...recipes)))].map(([key, value]) => [key, binaryString(value)]));
const xattrs = (...recipes: readonly Recipe[]) =>
  Object.fromEntries(
    [...xattrsOf(effective(parsePax(records(...recipes))))].map(([key, value]) => [key, binaryString(value)]),
  );

describe('records', () => {
  test('keep their order and every repetition', () => {
    const recipes = [
      ['path', 'a'],
      ['size', '1'],
      ['path', 'b'],
    ] as const;
    expect(read(records(...recipes))).toEqual(recipes);
  });

  test('have values of any bytes, with newlines, equal signs and nothing', () => {
    const value = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(read(records(['SCHILY.xattr.user.x', value], ['comment', 'a=b\n12 c=d\n'], ['gid', '']))).toEqual([
      ['SCHILY.xattr.user.x', binaryString(value)],
      ['comment', 'a=b\n12 c=d\n'],
      ['gid', ''],
    ]);
  });

  test('may be none', () => {
    expect(read('')).toEqual([]);
  });

  test('count the digits of their own length, also where that adds one', () => {
    for (const size of [85, 86, 87, 985, 986, 987, 988])
      expect(read(records(['comment', 'x'.repeat(size)]))).toEqual([['comment', 'x'.repeat(size)]]);
  });

  test.each([
    ['a length that is too long', '14 path=abcd\n'],
    ['a length that is too short', '12 path=abcd\n'],
    ['a length that ends behind the body', '99 path=abcd\n'],
    ['a length of nothing', '0 path=abcd\n'],
    ['a length that ends before its own space', '1 a=b\n'],
    ['no length', ' path=abcd\n'],
    ['a negative length', '-13 path=abcd\n'],
    ['a length in hexadecimal', '0xd path=abcd\n'],
    ['a length with a sign', '+13 path=abcd\n'],
    ['a length of twenty digits', '00000000000000000013 path=abcd\n'],
    ['no space', '13path=abcd\n'],
    ['no newline', '13 path=abcd '],
    ['no equal sign', '12 pathabcd\n'],
    ['an equal sign only in the next record', '7 abcd\n13 path=abcd\n'],
    ['an empty key', '8 =abcd\n'],
    ['garbage behind the last one', '13 path=abcd\nx'],
    ['zeros behind the last one', '13 path=abcd\n\0\0\0'],
    ['a NUL in the key', '14 pa\0th=abcd\n'],
  ])('are refused with %s', async (_, body) => {
    expect(await codeOf(() => read(body))).toBe('tar/pax');
  });

  test.each(['path', 'linkpath', 'uname', 'gname', 'GNU.sparse.name'])('are refused with a NUL in %s', async (key) => {
    expect(await codeOf(() => read(records([key, 'a\0b'])))).toBe('tar/pax');
  });
});

describe('the effective value', () => {
  test('of a key is its last', () => {
    expect(effectiveText(['path', 'a'], ['uid', '5'], ['path', 'b'])).toEqual({ path: 'b', uid: '5' });
  });

  test('is taken away by an empty one, and given again by one behind it', () => {
    expect(effectiveText(['path', 'a'], ['path', ''])).toEqual({});
    expect(effectiveText(['path', 'a'], ['path', ''], ['path', 'b'])).toEqual({ path: 'b' });
  });

  test('of an extended attribute may be empty', () => {
    expect(effectiveText(['SCHILY.xattr.user.empty', ''])).toEqual({ 'SCHILY.xattr.user.empty': '' });
  });
});

describe('extended attributes', () => {
  test('are raw bytes from SCHILY', () => {
    expect(xattrs(['SCHILY.xattr.security.capability', Buffer.from([1, 0, 0, 2, 0xff])])).toEqual({
      'security.capability': '\x01\0\0\x02\xff',
    });
  });

  test('are decoded from libarchive: the name URL-encoded, the value in base64', () => {
    expect(xattrs(['LIBARCHIVE.xattr.user.a%20b%3D', 'AP8=']), 'padded').toEqual({ 'user.a b=': '\0\xff' });
    expect(xattrs(['LIBARCHIVE.xattr.user.a', 'AP8']), 'without padding').toEqual({ 'user.a': '\0\xff' });
  });

  test('are taken from SCHILY where both say something, in any order', () => {
    const [schily, libarchive] = [
      ['SCHILY.xattr.user.a', 'raw'],
      ['LIBARCHIVE.xattr.user.a', 'b3RoZXI='],
    ] as const;
    expect(xattrs(schily, libarchive)).toEqual({ 'user.a': 'raw' });
    expect(xattrs(libarchive, schily)).toEqual({ 'user.a': 'raw' });
  });

  test('of no name are none', () => {
    expect(xattrs(['SCHILY.xattr.', 'x'], ['LIBARCHIVE.xattr.', 'eA=='])).toEqual({});
  });

  test('are refused where libarchive’s value is not base64', async () => {
    expect(await codeOf(() => xattrs(['LIBARCHIVE.xattr.user.a', '***']))).toBe('tar/pax');
  });
});
