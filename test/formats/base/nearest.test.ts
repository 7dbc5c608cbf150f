/** The likely word for a mistyped one. */
import { expect, test } from 'vitest';
import { didYouMean, nearest } from '../../../formats/base/nearest.ts';

const words = ['convert', 'diff', 'ls', 'zstd', 'oci', 'oci-archive', '--compress'];

test.each([
  ['cnvert', 'convert'],
  ['converts', 'convert'],
  ['CONVERT', 'convert'],
  ['zsdt', 'zstd'],
  ['dif', 'diff'],
  ['ocii', 'oci'],
  ['oci-archve', 'oci-archive'],
  ['--compres', '--compress'],
])('of %s is %s', (word, meant) => expect(nearest(word, words)).toBe(meant));

test('of what is far from everything is nothing', () => {
  for (const word of ['', 'x', 'floppy', 'convalescent', 'a'.repeat(100_000)])
    expect(nearest(word, words)).toBeUndefined();
  expect(didYouMean('floppy', words)).toBe('');
  expect(didYouMean('cnvert', words)).toBe('Did you mean convert? ');
});
