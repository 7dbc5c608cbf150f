/** The table of rules: every rule can be broken, and the documentation has them all. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RULES, type Rule } from '../../../converters/index.ts';

const table: readonly (readonly [string, Rule])[] = Object.entries(RULES);
const DOCS = join(import.meta.dirname, '../../../docs/validate.md');
const MARK = '<!-- rules -->\n';

test('every rule is broken by a test', () => {
  const tests = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.test.ts') && name !== 'rules.test.ts')
    .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
    .join('\n');
  // Remembering a million names takes longer than a test should: layers have the same check with links, which are fewer.
  const costly = ['appc/names-unchecked', 'deb/names-unchecked'];
  const never = table.map(([id]) => id).filter((id) => !tests.includes(`'${id}'`) && !costly.includes(id));
  expect(never, 'a rule that nothing breaks may never be checked').toEqual([]);
});

test('every rule says what holds, where that is written and what to do', () => {
  for (const [id, { level, states, section, fix }] of table) {
    expect(id).toMatch(/^[a-z]+\/[a-z0-9.-]+$/);
    expect(['must', 'should', 'note']).toContain(level);
    expect(section).toMatch(/^https:\/\/[a-z0-9.-]+\//);
    expect(states).not.toMatch(/\.$/);
    expect(fix).toMatch(/^[A-Z].*\.$/);
  }
});

test('docs/validate.md has the table as it is in the code (vitest -u writes it anew)', async () => {
  const rows = table.map(
    ([id, { level, states, section }]) => `| \`${id}\` | ${level.toUpperCase()} | [${states}](${section}) |`,
  );
  const [prose] = readFileSync(DOCS, 'utf8').split(MARK);
  const page = [`${prose}${MARK}| rule | level | what holds |`, '| --- | --- | --- |', ...rows, ''].join('\n');
  await expect(page).toMatchFileSnapshot(DOCS);
});
