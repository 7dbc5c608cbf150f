import { describe, expect, test } from 'vitest';
import { metaEntry, paxRecord, tar } from '../../../fixtures/tar.ts';
import { DEFAULT_LIMITS } from '../../../formats/base/limits.ts';
import { tarScanner } from '../../../formats/tar/scanner.ts';
import { codeOf } from '../support.ts';
import { pathsIn, scan } from './scan.ts';

const zeros = (blocks: number): Buffer => Buffer.alloc(512 * blocks);
const file = tar([{ name: 'a', body: 'x'.repeat(600) }], { end: false });
const join = (...parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);

describe('the end of an archive', () => {
  test.each([
    ['two blocks of zeros', zeros(2)],
    ['a record full of zeros', zeros(20)],
    ['one block of zeros', zeros(1)],
    ['nothing at all', zeros(0)],
  ])('may be %s', (_, end) => {
    for (const chunk of [1, 512, 100_000]) expect(pathsIn(join(file, end), { chunk })).toEqual(['a']);
  });

  test('may cut off the padding behind the last body', () => {
    expect(pathsIn(file.subarray(0, 512 + 600))).toEqual(['a']);
    expect(pathsIn(file.subarray(0, 512 + 700))).toEqual(['a']);
  });

  test.each([0, 512])('of a layer may come after %i bytes', (size) => {
    expect(scan(new Uint8Array(size))).toMatchObject({ entries: [], warnings: [], position: size });
  });

  test('is not one block of zeros with more behind it', async () => {
    expect(await codeOf(() => scan(join(file, zeros(1), file)))).toBe('tar/header');
  });

  test.each([
    ['inside a header', 100],
    ['one byte before the end of a header', 511],
    ['behind a header whose body is missing', 512],
    ['inside a body', 512 + 599],
  ])('is refused %s', async (_, size) => {
    for (const chunk of [1, 512, 100_000])
      expect(await codeOf(() => scan(file.subarray(0, size), { chunk }))).toBe('tar/truncated');
  });

  test('is refused behind an extended header, and inside one', async () => {
    const meta = tar([metaEntry('x', paxRecord('path', 'x'))], { end: false });
    expect(await codeOf(() => scan(meta))).toBe('tar/truncated');
    expect(await codeOf(() => scan(join(meta, zeros(2))))).toBe('tar/truncated');
    expect(await codeOf(() => scan(meta.subarray(0, 515)))).toBe('tar/truncated');
    expect(await codeOf(() => scan(meta.subarray(0, 512)))).toBe('tar/truncated');
  });

  test('is refused inside the map of a sparse file', async () => {
    const extents = Array.from({ length: 30 }, (_, i) => ({ offset: 1024 * i, data: 'x'.repeat(512) }));
    const archive = tar([{ name: 'a', dialect: 'gnu', sparse: { form: 'old-gnu', size: 40_000, extents } }]);
    expect(await codeOf(() => scan(archive.subarray(0, 1024)))).toBe('tar/truncated');
  });

  test('hides what stands behind it, with a word where that is not zeros', () => {
    const silent = scan(join(file, zeros(7)));
    expect(silent.warnings).toEqual([]);
    for (const chunk of [1, 512, 100_000]) {
      const { entries, warnings, position } = scan(join(file, zeros(2), file, file), { chunk });
      expect([entries.length, warnings.length, position]).toEqual([1, 1, 3 * file.length + 1024]);
    }
  });

  test('of a damaged archive is a checksum that does not hold', async () => {
    const damaged = Buffer.from(join(file, file));
    damaged[file.length + 5] = 0x7a;
    expect(await codeOf(() => scan(damaged))).toBe('tar/checksum');
    expect(await codeOf(() => scan(Buffer.alloc(512, 'not a tar')))).toBe('tar/checksum');
  });
});

describe('a limit', () => {
  test('of entries counts every entry, and no header that is none', async () => {
    const three = tar([{ name: 'a', pax: [['uid', '1']] }, { name: 'b', type: 'V' }, { name: 'c' }, { name: 'd' }]);
    expect(await codeOf(() => scan(three, { limits: { entries: 3 } }))).toBe('no refusal');
    expect(await codeOf(() => scan(three, { limits: { entries: 2 } }))).toBe('limit/entries');
  });

  test('of bytes of an entry holds before its content is seen', async () => {
    expect(await codeOf(() => scan(file, { limits: { 'entry-bytes': 600 } }))).toBe('no refusal');
    expect(await codeOf(() => scan(file, { limits: { 'entry-bytes': 599 } }))).toBe('limit/entry-bytes');
    const huge = tar([{ name: 'a', size: 2 ** 50 }]);
    expect(await codeOf(() => scan(huge))).toBe('limit/entry-bytes');
  });

  test('of bytes of an entry counts holes', async () => {
    for (const form of ['old-gnu', 'pax-0.0', 'pax-0.1', 'pax-1.0'] as const) {
      const sparse = { form, size: 2 ** 42, extents: [{ offset: 0, data: 'x' }] };
      const archive = tar([{ name: 'a', dialect: form === 'old-gnu' ? 'gnu' : 'pax', sparse }]);
      expect(await codeOf(() => scan(archive)), form).toBe('limit/entry-bytes');
    }
  });

  test.each(['x', 'X', 'g', 'L', 'K'])(
    'of bytes of an extended header holds for %s before its body comes',
    async (type) => {
      const archive = tar([{ name: 'meta', type, size: 2 ** 20 + 1 }], { end: false });
      expect(await codeOf(() => scan(archive))).toBe('limit/pax-bytes');
      const record = paxRecord('comment', 'x'.repeat(90));
      const small = tar([metaEntry(type, record), { name: 'a' }]);
      const withLimit = (size: number) => codeOf(() => scan(small, { limits: { 'pax-bytes': size } }));
      expect(await withLimit(record.length)).toBe('no refusal');
      expect(await withLimit(record.length - 1)).toBe('limit/pax-bytes');
    },
  );

  test('holds for the map of a sparse file, in each form that has one beside its header', async () => {
    const extents = Array.from({ length: 300 }, (_, i) => ({ offset: 1024 * i, data: 'x' }));
    for (const form of ['old-gnu', 'pax-1.0'] as const) {
      const archive = tar([
        { name: 'a', dialect: form === 'old-gnu' ? 'gnu' : 'pax', sparse: { form, size: 2 ** 20, extents } },
      ]);
      expect(await codeOf(() => scan(archive, { limits: { 'pax-bytes': 20_000 } })), form).toBe('no refusal');
      expect(await codeOf(() => scan(archive, { limits: { 'pax-bytes': 1000 } })), form).toBe('limit/pax-bytes');
    }
  });
});

describe('skip()', () => {
  const archive = tar([
    { name: 'a', body: 'x'.repeat(700) },
    { name: 'empty' },
    { name: 'link', link: 'x' },
    { name: 'V', type: 'V', body: 'y'.repeat(600) },
    { name: 'b', pax: [['uid', '5']], body: 'z'.repeat(512) },
  ]);

  test.each([1, 100, 512, 5000])('gives the same entries as pushing, after blocks pushed %i bytes at once', (chunk) => {
    const seen: string[] = [];
    const data: number[] = [];
    const scanner = tarScanner(DEFAULT_LIMITS, {
      entry: ({ path }) => void seen.push(`${Buffer.from(path)}`),
      data: (bytes) => void data.push(bytes.length),
      end: ({ path }) => void seen.push(`/${Buffer.from(path)}`),
    });
    let skipped = 0;
    while (scanner.position < archive.length) {
      if (scanner.skippable > 0) {
        skipped += scanner.skippable;
        scanner.skip();
        continue;
      }
      const to = scanner.position + Math.min(chunk, 512 - (scanner.position % 512));
      scanner.push(archive.subarray(scanner.position, to));
    }
    scanner.finish();
    expect(seen).toEqual(['a', '/a', 'empty', '/empty', 'link', '/link', 'b', '/b']);
    expect(data).toEqual([]);
    expect(skipped).toBeGreaterThanOrEqual(1024 + 1024 + 512);
  });

  test('tells content from padding, and neither for headers', () => {
    const scanner = tarScanner(DEFAULT_LIMITS, {});
    expect([scanner.content, scanner.skippable]).toEqual([0, 0]);
    scanner.push(archive.subarray(0, 512));
    expect([scanner.content, scanner.skippable]).toEqual([700, 1024]);
    scanner.push(archive.subarray(512, 512 + 100));
    expect([scanner.content, scanner.skippable]).toEqual([600, 924]);
    scanner.push(archive.subarray(612, 1212));
    expect([scanner.content, scanner.skippable]).toEqual([0, 324]);
    scanner.skip();
    expect([scanner.position, scanner.content, scanner.skippable]).toEqual([1536, 0, 0]);
  });

  test('never goes over an extended header or the map of a sparse file', () => {
    const sparse = { form: 'pax-1.0', size: 9000, extents: [{ offset: 0, data: 'x'.repeat(512) }] } as const;
    const bytes = tar([{ name: 'a', sparse }]);
    const seen: string[] = [];
    const scanner = tarScanner(DEFAULT_LIMITS, { entry: ({ path }) => void seen.push(`${Buffer.from(path)}`) });
    scanner.push(bytes.subarray(0, 512));
    expect(scanner.skippable).toBe(0);
    scanner.skip();
    expect(scanner.position).toBe(512);
    scanner.push(bytes.subarray(512, 1536));
    expect(scanner.skippable).toBe(0);
    scanner.push(bytes.subarray(1536, 2048));
    expect([scanner.skippable, seen]).toEqual([512, ['a']]);
  });
});
