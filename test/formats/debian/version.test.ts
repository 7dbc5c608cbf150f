/** Versions as dpkg orders them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compareVersions, isPolicyVersion, parseVersion } from '../../../formats/debian/version.ts';
import { codeOf } from '../support.ts';

const CORPUS = join(import.meta.dirname, '../../../../shared/corpus/debian');
const compare = (a: string, b: string): number => Math.sign(compareVersions(parseVersion(a), parseVersion(b)));
const rows = (name: string): readonly (readonly string[])[] =>
  existsSync(join(CORPUS, name))
    ? readFileSync(join(CORPUS, name), 'utf8')
        .split('\n')
        .filter((line) => line && !line.startsWith('#'))
        .map((line) => line.split('\t'))
    : [];

describe('compareVersions()', () => {
  test.each([
    ['1.0', '=', '1.0-0'],
    ['1.0', '=', '0:1.00'],
    ['1.0', '<', '1.0-1'],
    ['1.0~rc1', '<', '1.0'],
    ['1.0-~', '<', '1.0'],
    ['1.0', '<', '1.0a'],
    ['1.0a', '<', '1.0+'],
    ['1.0', '<', '1.0.0'],
    ['1.0-1~bpo1', '<', '1.0-1'],
    ['1:0', '>', '9'],
    ['99999999999999999999999', '<', '100000000000000000000000'],
    ['1.0-1-2', '>', '1.0-1'],
    ['1:2:3', '>', '1:2'],
  ])('%s %s %s', (a, order, b) => {
    expect(compare(a, b)).toBe({ '<': -1, '=': 0, '>': 1 }[order]);
    expect(compare(b, a)).toBe({ '<': 1, '=': 0, '>': -1 }[order]);
  });

  test.skipIf(!rows('version-order.tsv').length)('agrees with dpkg in every pair of its table', () => {
    const wrong = rows('version-order.tsv').filter(
      ([a, order, b]) => compare(a!, b!) !== { '<': -1, '=': 0, '>': 1 }[order!],
    );
    expect(wrong).toEqual([]);
  });
});

describe('parseVersion()', () => {
  test.each(['', ':1', '1:', '1-', 'a:1', '2147483648:1', '1 0', '1_0', '1.0-1_1', '1/2'])(
    'refuses %j',
    async (text) => {
      expect(await codeOf(() => parseVersion(text))).toBe('debian/version');
    },
  );

  test('takes what dpkg only warns about, and says so', () => {
    expect(isPolicyVersion(parseVersion('v1.0'))).toBe(false);
    expect(isPolicyVersion(parseVersion('1.0'))).toBe(true);
  });

  test.skipIf(!rows('version-invalid.tsv').length)('agrees with dpkg about what is a version', async () => {
    for (const [text = '', verdict] of rows('version-invalid.tsv')) {
      const code = await codeOf(() => parseVersion(text));
      const valid = code === 'no refusal' && isPolicyVersion(parseVersion(text));
      expect([text, valid ? 'valid' : 'invalid']).toEqual([text, verdict]);
    }
  });
});
