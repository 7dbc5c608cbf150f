/** Control data, and what packages say about each other. */
import { describe, expect, test } from 'vitest';
import { fieldOf, parseControl, parseStanzas, stanzaText } from '../../../formats/debian/control.ts';
import { alternativesText, parseRelations, versionFits } from '../../../formats/debian/relation.ts';
import { parseVersion } from '../../../formats/debian/version.ts';
import { codeOf, cpuTime, refusalOf } from '../support.ts';

describe('parseStanzas()', () => {
  test('finds fields whatever the case of their names, and keeps continuation lines', () => {
    const [stanza] = parseStanzas('pAcKaGe:  toy \nDescription: short\n long\n .\n \tmore\n');
    expect(fieldOf(stanza!, 'package')).toBe('toy');
    expect(fieldOf(stanza!, 'description')).toBe('short\n long\n .\n \tmore');
  });

  test('separates stanzas at empty lines, however many', () => {
    expect(parseStanzas('\n\nA: 1\n\n \n\nB: 2').map((one) => [...one.keys()])).toEqual([['a'], ['b']]);
  });

  test('gives back what it read', () => {
    const text = 'Package: toy\nConffiles:\n /etc/a 00\nDescription: x\n y\n';
    expect(stanzaText(parseControl(text).values())).toBe(text);
  });

  test('keeps bytes that only Unicode calls white space, which the letters of other alphabets end in', () => {
    const text = 'Maintainer: Niccol\u00c3\u00a0\nDescription: x\n voil\u00c3\u00a0\n \u00a0\n';
    expect(stanzaText(parseControl(text).values())).toBe(text);
  });

  test.each([
    ['a line without a colon', 'Package: toy\nnothing\n'],
    ['a line that continues nothing', ' Package: toy\n'],
    ['a field twice, in another case', 'Package: a\nPACKAGE: b\n'],
    ['a name with a space in it', 'Pack age: a\n'],
    ['an empty name', ': a\n'],
    ['a comment', '# Package: a\n'],
    ['bytes that are no text', '\x00\x01\x02'],
    ['an empty file', '\n'],
    ['two stanzas', 'A: 1\n\nB: 2\n'],
  ])('refuses %s', async (_, text) => {
    expect(await codeOf(() => parseControl(text))).toBe('debian/control');
  });

  test('takes no longer for a line of a million spaces', () => {
    const started = cpuTime();
    parseStanzas(`A: ${' '.repeat(1_000_000)}x\n ${' '.repeat(1_000_000)}y\n`);
    expect(cpuTime() - started).toBeLessThan(1000);
  });
});

describe('parseRelations()', () => {
  const texts = (text: string): readonly string[] => parseRelations(text, 'amd64').map(alternativesText);

  test('reads alternatives, versions and architectures, with any white space', () => {
    expect(texts('a(>=1.0) |b:any ( << 2-1 ),\n c:i386,d')).toEqual(['a (>= 1.0) | b:any (<< 2-1)', 'c:i386', 'd']);
  });

  test('takes the old signs for what they mean', () => {
    expect(texts('a (< 1), b (> 1), c (1)')).toEqual(['a (<= 1)', 'b (>= 1)', 'c (= 1)']);
  });

  test('leaves out what concerns other architectures', () => {
    expect(texts('a [i386], b [amd64 arm64], c [!amd64], d [linux-any] | e [arm64], f <!nocheck>')).toEqual([
      'b',
      'd',
      'f',
    ]);
  });

  test('passes over a comma too many', () => {
    expect(texts('a, , b,')).toEqual(['a', 'b']);
  });

  test.each(['../a', 'a (>= )', 'a (~ 1)', 'a b', 'a (>= 1', '-a', 'a:', `${'a'.repeat(300)}`])(
    'refuses %j',
    async (text) => {
      expect(['debian/relation']).toContain(await codeOf(() => texts(text)));
    },
  );

  test('refuses a version that is none', async () => {
    expect(await codeOf(() => texts('a (>= 1_0)'))).toBe('debian/version');
  });

  test('says shortly what it refuses of a text without an end', async () => {
    const refusal = await refusalOf(() => texts(`a (${' '.repeat(1_000_000)}<>${'x'.repeat(100_000)}`));
    expect(refusal?.message.length).toBeLessThan(300);
  });
});

test('versionFits() knows every operator', () => {
  const fits = (operator: string) =>
    ['0.9', '1.0', '1.1'].filter((text) =>
      versionFits(parseVersion(text), parseRelations(`x (${operator} 1.0)`, 'all')[0]![0]!.version),
    );
  expect(['<<', '<=', '=', '>=', '>>'].map(fits)).toEqual([['0.9'], ['0.9', '1.0'], ['1.0'], ['1.0', '1.1'], ['1.1']]);
});
