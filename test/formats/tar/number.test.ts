import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { putNumber } from '../../../fixtures/tar-header.ts';
import { parseCount, parseDecimal, parseNumeric, parsePaxTime, parseSeconds } from '../../../formats/tar/number.ts';
import { codeOf } from '../support.ts';

const field = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const base256 = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);

describe('a numeric field', () => {
  test.each([
    ['0000644\0', 0o644n],
    ['644\0\0\0\0\0', 0o644n],
    ['   644 \0', 0o644n],
    ['\0\0 644 \0', 0o644n],
    ['00000000', 0n],
    ['77777777', 0o77777777n],
    ['\0\0\0\0\0\0\0\0', 0n],
    ['        ', 0n],
    ['', 0n],
    ['12\0garbag', 0o12n],
  ])('%j is octal', (text, value) => {
    expect(parseNumeric(field(text), 'it')).toBe(value);
  });

  test.each([
    '0000648\0',
    '0x10\0\0\0\0',
    '-1\0\0\0\0\0\0',
    '12 34\0\0\0',
    '1.5\0\0\0\0\0',
    'abc\0\0\0\0\0',
    '+7\0\0\0\0\0\0',
  ])('%j is no number', async (text) => {
    expect(await codeOf(() => parseNumeric(field(text), 'it'))).toBe('tar/header');
  });

  test.each([
    [base256(0x80, 0, 0, 0), 0n],
    [base256(0x80, 0, 1, 0), 256n],
    [base256(0xbf, 0xff), 0x3fffn],
    [base256(0xff, 0xff, 0xff, 0xff), -1n],
    [base256(0xff, 0xff, 0xff, 0), -256n],
    [base256(0xc0, 0x00), -0x4000n],
  ])('%j is base 256, in two’s complement', (bytes, value) => {
    expect(parseNumeric(bytes, 'it')).toBe(value);
  });

  test('reads back whatever the fixtures write, octal or not', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), (value) => {
        const block = Buffer.alloc(12);
        putNumber(block, { at: 0, length: 12 }, value);
        expect(parseNumeric(block, 'it')).toBe(value);
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  test('is a count only from 0 to what it may be at most', async () => {
    const negative = base256(0xff, 0xff, 0xff, 0xff);
    const huge = base256(0x80, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0);
    expect(parseCount(field('0000777\0'), 0o777, 'it')).toBe(0o777);
    expect(await codeOf(() => parseCount(field('0001000\0'), 0o777, 'it'))).toBe('tar/header');
    expect(await codeOf(() => parseCount(negative, 100, 'it'))).toBe('tar/header');
    expect(await codeOf(() => parseCount(huge, Number.MAX_SAFE_INTEGER, 'it'))).toBe('tar/header');
    expect(parseCount(base256(0x80, 0, 0, 100), 100, 'it')).toBe(100);
  });

  test('of seconds may be negative, and is clamped to what a double holds exactly', () => {
    expect(parseSeconds(base256(0xff, 0xff, 0xff, 0xff), 'it')).toEqual({ seconds: -1, nanos: 0 });
    const far = base256(0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
    expect(parseSeconds(far, 'it').seconds).toBe(Number.MAX_SAFE_INTEGER);
    const past = base256(0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    expect(parseSeconds(past, 'it').seconds).toBe(-Number.MAX_SAFE_INTEGER);
  });
});

describe('a PAX time', () => {
  test.each([
    ['0', 0, 0],
    ['1234567890.987654321', 1234567890, 987654321],
    ['1.5', 1, 500_000_000],
    ['1.', 1, 0],
    ['1.0000000019', 1, 1],
    ['-1', -1, 0],
    ['-0', 0, 0],
    ['-0.25', -1, 750_000_000],
    ['-1.5', -2, 500_000_000],
  ])('%s counts its nanoseconds forward', (text, seconds, nanos) => {
    expect(parsePaxTime(text)).toEqual({ seconds, nanos });
  });

  test.each(['', '.5', '1e3', '1,5', ' 1', '1 ', '0x1', '--1', '1.-5', 'now', '1.5.5', '1234567890123456'])(
    '%j is refused',
    async (text) => {
      expect(await codeOf(() => parsePaxTime(text))).toBe('tar/pax');
    },
  );
});

describe('a PAX number', () => {
  test('is decimal, and may have zeros in front', () => {
    expect(parseDecimal('0', 10, 'it')).toBe(0);
    expect(parseDecimal('00010', 10, 'it')).toBe(10);
  });

  test.each(['', '-1', '+1', '1.5', '0x1', '1e1', ' 1', '1 ', '11', '18446744073709551616'])(
    '%j is refused up to 10',
    async (text) => {
      expect(await codeOf(() => parseDecimal(text, 10, 'it'))).toBe('tar/pax');
    },
  );
});
