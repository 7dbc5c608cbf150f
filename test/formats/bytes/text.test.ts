import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  base64,
  binaryString,
  concat,
  equalBytes,
  fromBinaryString,
  hex,
  lossyUtf8,
  printable,
  strictUtf8,
  utf8Bytes,
} from '../../../formats/bytes/text.ts';

const every = Uint8Array.from({ length: 256 }, (_, i) => i);

describe('binary strings', () => {
  test('keep every byte, also beyond the size of one piece', () => {
    const long = Uint8Array.from({ length: 20_000 }, (_, i) => i % 251);
    for (const bytes of [new Uint8Array(0), every, long]) expect(fromBinaryString(binaryString(bytes))).toEqual(bytes);
  });

  test('sort as their bytes do', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6 }), fc.uint8Array({ maxLength: 6 }), (a, b) => {
        const [x, y] = [binaryString(a), binaryString(b)];
        expect(x < y ? -1 : x > y ? 1 : 0).toBe(Buffer.compare(a, b));
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe('UTF-8', () => {
  test('is exact or nothing, and keeps a byte order mark', () => {
    expect(strictUtf8(utf8Bytes('grün 🐟'))).toBe('grün 🐟');
    expect(strictUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa');
    for (const bad of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]])
      expect(strictUtf8(Uint8Array.from(bad))).toBeUndefined();
  });

  test('is replaced where it is only shown', () => {
    expect(lossyUtf8(Uint8Array.of(0x61, 0xff, 0x62))).toBe('a\ufffdb');
  });
});

describe('small things about bytes', () => {
  test('concat() joins, and equalBytes() compares length and content', () => {
    const joined = concat([Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)]);
    expect([...joined]).toEqual([1, 2, 3]);
    expect(equalBytes(joined, Uint8Array.of(1, 2, 3))).toBe(true);
    expect(equalBytes(joined, Uint8Array.of(1, 2, 4))).toBe(false);
    expect(equalBytes(joined, Uint8Array.of(1, 2))).toBe(false);
  });

  test('hex() and base64() are those of Node', () => {
    expect(hex(every)).toBe(Buffer.from(every).toString('hex'));
    expect(base64(every)).toBe(Buffer.from(every).toString('base64'));
  });

  test.each([
    ['\u001b[31mred\u0007', '\\x1b[31mred\\x07'],
    ['a\nb\r\u007f\u009b', 'a\\x0ab\\x0d\\x7f\\x9b'],
    ['\u202egnp.exe\u2066', '\\u202egnp.exe\\u2066'],
    ['grün 🐟', 'grün 🐟'],
  ])('printable(%j) moves no cursor', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});
