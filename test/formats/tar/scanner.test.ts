import { describe, expect, test } from 'vitest';
import { type TarEntry, tar } from '../../../fixtures/tar.ts';
import type { Dialect } from '../../../fixtures/tar-header.ts';
import { codeOf } from '../support.ts';
import { one, scan } from './scan.ts';

describe.each(['pax', 'ustar', 'gnu', 'star'] as const)('in the dialect %s', (dialect: Dialect) => {
  const entries: readonly TarEntry[] = [
    { name: 'dir/', mode: 0o1777, mtime: 5 },
    { name: 'dir/file', body: 'x'.repeat(1000), mode: 0o4755, uid: 1000, gid: 2 ** 31, mtime: 1709208000 },
    { name: 'dir/full', body: 'y'.repeat(1024) },
    { name: 'dir/empty' },
    { name: 'link', link: 'dir/../dir/file' },
    { name: 'hard', type: '1', link: 'dir/file' },
    { name: 'null', type: '3', major: 1, minor: 3 },
    { name: 'disk', type: '4', major: 259, minor: 65536 },
    { name: 'pipe', type: '6' },
    { name: `${'p'.repeat(60)}/${'n'.repeat(90)}`, body: 'split' },
  ];
  const bytes = tar(entries, { dialect });

  test('every field is read as it was written', () => {
    const seen = scan(bytes).entries;
    expect(seen.map(({ type, path, size }) => [type, path, size])).toEqual([
      ['dir', 'dir/', 0],
      ['file', 'dir/file', 1000],
      ['file', 'dir/full', 1024],
      ['file', 'dir/empty', 0],
      ['symlink', 'link', 0],
      ['hardlink', 'hard', 0],
      ['char', 'null', 0],
      ['block', 'disk', 0],
      ['fifo', 'pipe', 0],
      ['file', `${'p'.repeat(60)}/${'n'.repeat(90)}`, 5],
    ]);
    expect(seen[1]).toMatchObject({ mode: 0o4755, uid: 1000, gid: 2 ** 31, mtime: '1709208000.000000000' });
    expect(seen.map(({ device }) => device).filter((device) => device !== '0:0')).toEqual(['1:3', '259:65536']);
    expect(seen.map(({ link }) => link).filter(Boolean)).toEqual(['dir/../dir/file', 'dir/file']);
    expect(seen.map(({ body }) => body)).toEqual(entries.map(({ body }) => body ?? ''));
    expect(seen.every(({ ended }) => ended)).toBe(true);
  });

  test.each([1, 3, 100, 511, 512, 513, 10_240])('chunks of %i bytes give the same as the whole', (chunk) => {
    expect(scan(bytes, { chunk })).toEqual(scan(bytes));
  });

  test('an offset points at the first header block, and the blocks follow one another', () => {
    for (const { offset, blocks, size } of scan(bytes).entries.slice(1)) {
      expect(offset % 512).toBe(0);
      const before = scan(bytes).entries.find(
        (other) => other.offset + 512 * other.blocks + padded(other.size) === offset,
      );
      expect(before, String(offset)).toBeDefined();
      expect(blocks).toBeGreaterThan(0);
      expect(size).toBeGreaterThanOrEqual(0);
    }
  });
});

const padded = (size: number): number => Math.ceil(size / 512) * 512;

describe('the type', () => {
  test.each([
    ['0', 'file'],
    ['\0', 'file'],
    ['7', 'file'],
  ])('%j is a file with a body', (type, found) => {
    expect(one({ type, body: 'content' }).entry).toMatchObject({ type: found, size: 7, body: 'content' });
  });

  test.each([
    ['0', 'file'],
    ['\0', 'dir'],
    ['7', 'file'],
  ])('%j with a slash behind the name is a %s', (type, found) => {
    expect(one({ name: 'a/', type, dialect: 'v7' }).entry.type).toBe(found);
  });

  test('NUL is a folder also where the slash comes from an extended header', () => {
    expect(one({ type: '\0', pax: [['path', 'long/']] }).entry).toMatchObject({ type: 'dir', path: 'long/' });
  });

  test.each(['1', '2', '3', '4', '5', '6'])('%s has no body, whatever its size says', (type) => {
    const { entry, paths } = one({ type, link: 'x', size: 1000 });
    expect(entry).toMatchObject({ size: 0, body: '', ended: true });
    expect(paths).toEqual(['a', 'behind']);
  });

  test('NUL of a folder has no body either, as in Go and Python', () => {
    const { entry, paths } = one({ name: 'a/', type: '\0', size: 1000 });
    expect(entry).toMatchObject({ type: 'dir', size: 0 });
    expect(paths).toEqual(['a/', 'behind']);
  });

  test.each(['1', '2', '3', '4', '5', '6'])('%s has no body either where a PAX record gives it a size', (type) => {
    expect(one({ type, link: 'x', pax: [['size', '1000']] }).paths).toEqual(['a', 'behind']);
  });

  test('D is a folder, and the list of names in its body is passed over', () => {
    const { entry, paths } = one({ type: 'D', name: 'a/', body: 'Ybehind\0\0' });
    expect(entry).toMatchObject({ type: 'dir', size: 0, body: '', ended: true });
    expect(paths).toEqual(['a/', 'behind']);
  });

  test.each(['V', 'A', 'E', 'I', '8', 'Z', '\xff'])('%j is passed over with its body, and said so', (type) => {
    const { paths, warnings, behind } = one({
      type: Buffer.from(type, 'latin1') as unknown as string,
      body: 'b'.repeat(700),
    });
    expect(paths).toEqual(['behind']);
    expect(behind.body).toBe('found');
    expect(warnings).toHaveLength(1);
  });

  test.each(['M', 'N'])('%s is refused', async (type) => {
    expect(await codeOf(() => one({ type, body: 'x' }))).toBe('tar/header');
  });

  test('of old types that could be taken for names of JavaScript is unknown', () => {
    expect(one({ type: '_' }).paths).toEqual(['behind']);
  });
});
