/** Files of apt that list repositories. */
import { describe, expect, test } from 'vitest';
import { parseSources } from '../../../formats/apt/sources.ts';
import { codeOf } from '../support.ts';

describe('parseSources()', () => {
  test('reads lines and stanzas', () => {
    expect(parseSources('deb [arch=amd64,arm64 signed-by=/k] http://x/debian bookworm main contrib # why\n\n')).toEqual(
      [
        {
          uri: 'http://x/debian',
          suite: 'bookworm',
          components: ['main', 'contrib'],
          architectures: ['amd64', 'arm64'],
          signedBy: ['/k'],
          ignoreDate: false,
        },
      ],
    );
    const text =
      '# c\nTypes: deb deb-src\nURIs: http://x\n# c\nSuites: a a-updates\nComponents: main\nSigned-By: /k\n\nTypes: deb\nURIs: http://y\nSuites: b\nEnabled: no\n';
    expect(parseSources(text).map(({ uri, suite, signedBy }) => [uri, suite, ...signedBy])).toEqual([
      ['http://x', 'a', '/k'],
      ['http://x', 'a-updates', '/k'],
    ]);
  });

  test('refuses more pairs of an address and a suite than anybody has', async () => {
    const text = `Types: deb\nURIs:${' a'.repeat(200)}\nSuites:${' b'.repeat(200)}\n`;
    expect(await codeOf(() => parseSources(text))).toBe('usage/argument');
  });

  test.each(['deb\n', 'deb http://x\n', 'deb [x http://x y\n', 'Types: deb\nURIs: x\n'])('refuses %j', async (text) => {
    expect(await codeOf(() => parseSources(text))).toBe('usage/argument');
  });
});
