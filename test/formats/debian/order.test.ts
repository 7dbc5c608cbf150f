/** What satisfies what, and what comes first. */
import { describe, expect, test } from 'vitest';
import { parseControl } from '../../../formats/debian/control.ts';
import { neededBy, unpackOrder } from '../../../formats/debian/order.ts';
import { parseRelations } from '../../../formats/debian/relation.ts';
import { type Candidate, satisfaction } from '../../../formats/debian/satisfaction.ts';
import { parseVersion } from '../../../formats/debian/version.ts';

function candidate(
  name: string,
  fields: Record<string, string> = {},
  architecture = 'amd64',
  versionText = '1.0',
): Candidate {
  const control = parseControl(
    Object.entries({ Package: name, ...fields })
      .map(([key, value]) => `${key}: ${value}\n`)
      .join(''),
  );
  return { name, version: parseVersion(versionText), versionText, architecture, control };
}

function satisfying(
  relation: string,
  packages: readonly Candidate[],
  asking = candidate('asking'),
  native = 'amd64',
): readonly string[] {
  const [[one] = []] = parseRelations(relation, 'amd64');
  return satisfaction(packages, native)
    .candidates(one!, asking)
    .map(({ name, architecture }) => `${name}:${architecture}`);
}

describe('a relation is satisfied', () => {
  test('by a package of that name with a fitting version', () => {
    expect(satisfying('a (>= 1)', [candidate('a')])).toEqual(['a:amd64']);
    expect(satisfying('a (>> 1.0)', [candidate('a')])).toEqual([]);
  });

  test('by what another provides: with a version only where it is provided with one', () => {
    const plain = candidate('b', { Provides: 'a' });
    const versioned = candidate('c', { Provides: 'a (= 2), x' });
    expect(satisfying('a', [plain, versioned, candidate('a')])).toEqual(['a:amd64', 'b:amd64', 'c:amd64']);
    expect(satisfying('a (>= 2)', [plain, versioned])).toEqual(['c:amd64']);
    expect(satisfying('a (>= 3)', [plain, versioned])).toEqual([]);
  });

  test('by packages of the same architecture, or for all, or foreign', () => {
    const packages = [
      candidate('a', {}, 'i386'),
      candidate('a', {}, 'all'),
      candidate('a', { 'Multi-Arch': 'foreign' }, 'arm64'),
    ];
    expect(satisfying('a', packages)).toEqual(['a:all', 'a:arm64']);
    expect(satisfying('a:i386', packages)).toEqual(['a:i386']);
    expect(satisfying('a', packages, candidate('x', {}, 'i386'))).toEqual(['a:i386', 'a:arm64']);
  });

  test('with :any only by packages that allow it', () => {
    expect(satisfying('a:any', [candidate('a'), candidate('a', { 'Multi-Arch': 'allowed' }, 'i386')])).toEqual([
      'a:i386',
    ]);
  });
});

test('what is needed comes first, circles go together, names decide the rest', () => {
  const packages = [
    candidate('app', { Depends: 'lib | other, libc' }),
    candidate('lib', { 'Pre-Depends': 'libc' }),
    candidate('libc', { Depends: 'libgcc' }),
    candidate('libgcc', { Depends: 'libc, absent' }),
    candidate('alone'),
  ];
  const names = (list: readonly Candidate[]) =>
    unpackOrder(neededBy(list, satisfaction(list, 'amd64'))).map((group) => group.map(({ name }) => name));
  const wanted = [['alone'], ['libc', 'libgcc'], ['lib'], ['app']];
  expect(names(packages)).toEqual(wanted);
  expect(names([...packages].reverse())).toEqual(wanted);
});

test('a chain of a hundred thousand packages does not exhaust the stack', () => {
  const needs = new Map<Candidate, readonly Candidate[]>();
  const all = Array.from({ length: 100_000 }, (_, i) => ({
    ...candidate('x'),
    name: `p${String(i).padStart(6, '0')}`,
  }));
  for (const [i, one] of all.entries()) needs.set(one, i + 1 < all.length ? [all[i + 1]!] : []);
  expect(unpackOrder(needs)[0]![0]!.name).toBe('p099999');
});
