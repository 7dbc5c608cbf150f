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
          signedBy: [{ kind: 'file', path: '/k' }],
          ignoreDate: false,
        },
      ],
    );
    const text =
      '# c\nTypes: deb deb-src\nURIs: http://x\n# c\nSuites: a a-updates\nComponents: main\nSigned-By: /k\n\nTypes: deb\nURIs: http://y\nSuites: b\nEnabled: no\n';
    expect(parseSources(text).map(({ uri, suite, signedBy }) => [uri, suite, signedBy])).toEqual([
      ['http://x', 'a', [{ kind: 'file', path: '/k' }]],
      ['http://x', 'a-updates', [{ kind: 'file', path: '/k' }]],
    ]);
  });

  test('reads keys in a stanza, keyrings and fingerprints', () => {
    const of = (signedBy: string) =>
      parseSources(`Types: deb\nURIs: x\nSuites: a\nSigned-By:${signedBy}\n`)[0]!.signedBy;
    expect(of(' /k, ABC')).toEqual([
      { kind: 'file', path: '/k' },
      { kind: 'name', name: 'ABC' },
    ]);
    expect(of('\n -----BEGIN X-----\n .\n aGVsbG8=\n  -----END X-----\n')).toEqual([
      { kind: 'keys', text: '\n-----BEGIN X-----\n\naGVsbG8=\n-----END X-----' },
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
