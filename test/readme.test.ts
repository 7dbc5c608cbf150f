/** What the README says of security is there: each test that it names exists, and the advisories are in the files that hold them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const security = /\n## Security\n([\s\S]*?)\n## /.exec(textOf('README.md'))![1]!;
/** Cells of the lines of tables. */
const rows = security
  .split('\n')
  .filter((line) => /^\| (?!---)/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()));
const testsIn = (cell: string | undefined): readonly string[] =>
  [...(cell ?? '').matchAll(/`(test\/[^`]+)`/g)].map((match) => match[1]!);
const advisoriesIn = (text: string): readonly string[] => [...new Set(text.match(/CVE-\d+-\d+/g))];
const attacks = rows.filter((cells) => advisoriesIn(cells.join()).length > 0);

test('every test that a promise or an attack names is there', () => {
  const named = rows.flatMap((cells) => testsIn(cells.at(-2)));
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test('every attack is held by a test that speaks of its advisories', () => {
  expect(attacks.length).toBeGreaterThan(15);
  for (const cells of attacks) {
    const held = testsIn(cells.at(-2)).map(textOf).join();
    expect([cells[1], advisoriesIn(cells[2]!).filter((advisory) => !held.includes(advisory))]).toEqual([cells[1], []]);
  }
});

test('no advisory that a test holds is left out', () => {
  const held = readdirSync(join(ROOT, 'test/advisories')).flatMap((name) =>
    advisoriesIn(textOf(`test/advisories/${name}`)),
  );
  const listed = advisoriesIn(security);
  expect(held.filter((advisory) => !listed.includes(advisory))).toEqual([]);
});
