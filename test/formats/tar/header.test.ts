import { describe, expect, test } from 'vitest';
import { type TarEntry, tar } from '../../../fixtures/tar.ts';
import type { Dialect } from '../../../fixtures/tar-header.ts';
import { binaryString } from '../../../formats/bytes/text.ts';
import { checksumHolds, isZero, parseHeader } from '../../../formats/tar/header.ts';
import { codeOf } from '../support.ts';

const block = (entry: Partial<TarEntry>): Uint8Array =>
  tar([{ name: 'a', dialect: 'ustar', ...entry }], { end: false }).subarray(0, 512);
const nameIn = (entry: Partial<TarEntry>): string => binaryString(parseHeader(block(entry)).name);

describe('the dialect', () => {
  test.each([
    ['pax', 'ustar'],
    ['ustar', 'ustar'],
    ['gnu', 'gnu'],
    ['star', 'star'],
    ['v7', 'v7'],
  ] as const)('of a header that is written as %s is %s', (dialect, found) => {
    expect(parseHeader(block({ dialect })).dialect).toBe(found);
  });

  test.each(['ustar\0\0\0', 'ustar\x0010', 'ustar\x00  '])('is ustar whatever its version says: %j', (magic) => {
    expect(parseHeader(block({ magic })).dialect).toBe('ustar');
  });

  test.each(['ustar', 'USTAR\x0000', 'ustar 00', 'garbage!'])('is v7 where the magic is %j', (magic) => {
    expect(parseHeader(block({ magic: magic.padEnd(8, ' ') })).dialect).toBe('v7');
  });
});

describe('the name', () => {
  const long = 'n'.repeat(100);

  test.each(['ustar', 'gnu', 'star', 'v7'] as const)('may fill its field to the last byte in %s', (dialect) => {
    expect(nameIn({ name: long, dialect })).toBe(long);
  });

  test.each([
    ['ustar', 'p'.repeat(155), `${'p'.repeat(155)}/a`],
    ['star', 'p'.repeat(131), `${'p'.repeat(131)}/a`],
    ['v7', 'prefix', 'a'],
  ] as const)('has its prefix in front in %s', (dialect, prefix, name) => {
    expect(nameIn({ dialect, prefix })).toBe(name);
  });

  test('has no prefix in GNU, where two times stand', () => {
    expect(nameIn({ dialect: 'gnu', atime: 0o11111111111, ctime: 0o11111111111 })).toBe('a');
  });

  test('has a prefix in a GNU header as Go before 1.8 wrote it by mistake', () => {
    expect(nameIn({ dialect: 'gnu', prefix: 'some/folder' })).toBe('some/folder/a');
  });

  test('has none where that field of a GNU header is neither times nor ASCII', () => {
    expect(nameIn({ dialect: 'gnu', prefix: Uint8Array.of(0x61, 0xe4) })).toBe('a');
  });

  test('is bytes', () => {
    expect(nameIn({ name: Uint8Array.of(0xff, 0x2f, 0x80) })).toBe('\xff/\x80');
  });
});

describe('the fields', () => {
  test('are read as they are written', () => {
    const header = parseHeader(
      block({ type: '3', link: 'to', mode: 0o4755, uid: 7, gid: 8, size: 9, mtime: 10, major: 11, minor: 12 }),
    );
    const { flag, mode, size, mtime } = header;
    expect({ flag, mode, size, mtime }).toEqual({ flag: '3', mode: 0o4755, size: 9, mtime: { seconds: 10, nanos: 0 } });
    expect([header.uid(), header.gid(), header.major(), header.minor()]).toEqual([7, 8, 11, 12]);
    expect(binaryString(header.link)).toBe('to');
  });

  test('of the mode are twelve bits; the type of file that some writers add is not among them', () => {
    expect(parseHeader(block({ mode: 0o106755 })).mode).toBe(0o6755);
  });

  test.each(['uid', 'gid'] as const)('of %s reach to 4294967294, and are refused above and below', async (key) => {
    expect(parseHeader(block({ [key]: 2 ** 32 - 2 }))[key]()).toBe(4294967294);
    for (const value of [2 ** 32 - 1, 2 ** 40, -1, -2])
      expect(await codeOf(() => parseHeader(block({ [key]: value }))[key]()), String(value)).toBe('tar/header');
  });

  test.each(['major', 'minor'] as const)('of the %s number are 32 bits', async (key) => {
    expect(parseHeader(block({ type: '4', [key]: 2 ** 32 - 1 }))[key]()).toBe(2 ** 32 - 1);
    expect(await codeOf(() => parseHeader(block({ type: '4', [key]: 2 ** 32 }))[key]())).toBe('tar/header');
  });

  test('of a v7 header hold no device numbers, whatever stands there', () => {
    const header = parseHeader(block({ dialect: 'v7', type: '3', major: 5, minor: 6 }));
    expect([header.major(), header.minor()]).toEqual([0, 0]);
  });

  test.each([-1, -(2 ** 40), 2 ** 53])('of the size cannot be %d', async (size) => {
    expect(await codeOf(() => parseHeader(block({ size })))).toBe('tar/header');
  });

  test('of time may lie before 1970 and after 2242', () => {
    expect(parseHeader(block({ mtime: -86400 })).mtime.seconds).toBe(-86400);
    expect(parseHeader(block({ mtime: 2 ** 40 })).mtime.seconds).toBe(2 ** 40);
  });
});

describe('the checksum', () => {
  const high = Buffer.alloc(50, 0xe4);

  test('may be the sum of unsigned bytes, or of signed ones as old writers took it', () => {
    expect(checksumHolds(block({ name: high }))).toBe(true);
    expect(checksumHolds(block({ name: high, checksum: 'signed' }))).toBe(true);
    expect(block({ name: high })).not.toEqual(block({ name: high, checksum: 'signed' }));
  });

  test.each([0, 1, 0o777777])('may not be %d', async (checksum) => {
    expect(await codeOf(() => parseHeader(block({ checksum })))).toBe('tar/checksum');
  });

  test('covers every byte of the block', () => {
    for (const at of [0, 99, 124, 147, 156, 257, 345, 511]) {
      const changed = Buffer.from(block({ name: 'abc' }));
      changed[at] = changed[at]! ^ 1;
      expect(checksumHolds(changed), String(at)).toBe(false);
    }
  });

  test('that is no number is a wrong one', async () => {
    const broken = Buffer.from(block({}));
    broken.write('nonsense', 148, 'latin1');
    expect(await codeOf(() => parseHeader(broken))).toBe('tar/checksum');
  });
});

test('a block of zeros is told from one that is zeros but for its last byte', () => {
  const almost = new Uint8Array(512);
  almost[511] = 1;
  expect([isZero(new Uint8Array(512)), isZero(almost)]).toEqual([true, false]);
});

const dialects: readonly Dialect[] = ['ustar', 'gnu', 'star', 'v7'];
test.each(dialects)('the link of %s may fill its field', (dialect) => {
  const link = 'l'.repeat(100);
  expect(binaryString(parseHeader(block({ dialect, link })).link)).toBe(link);
});
