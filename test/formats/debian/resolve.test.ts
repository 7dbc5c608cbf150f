/** What belongs to the packages that were asked for. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readIndexes } from '../../../formats/apt/package-index.ts';
import { chunksOf } from '../../../formats/bytes/chunks.ts';
import { chainOf, resolve } from '../../../formats/debian/resolve.ts';
import { codeOf, contextWith, refusalOf, sliced } from '../support.ts';

const context = contextWith();

/** `NAME VERSION`, and fields behind bars. */
function index(...lines: readonly string[]) {
  const text = lines
    .map((line) => {
      const [head = '', ...fields] = line.split(' | ').map((part) => part.trim());
      const [name, version = '1'] = head.split(' ');
      return `Package: ${name}\nVersion: ${version}\nArchitecture: amd64\nDescription: not\n kept\n${fields.map((field) => `${field.replaceAll(';', '|')}\n`).join('')}`;
    })
    .join('\n');
  return readIndexes([{ name: 'Packages', chunks: sliced(Buffer.from(text), 17) }], context);
}

async function closure(wanted: string, ...lines: readonly string[]): Promise<string> {
  const catalogue = await index(...lines);
  const roots = wanted.split(',').map((name) => ({ name, alternatives: [{ name }] }));
  return resolve(roots, catalogue, 'amd64', context)
    .packages.map(({ name, versionText }) => (versionText === '1' ? name : `${name}=${versionText}`))
    .sort()
    .join(' ');
}

describe('resolve()', () => {
  test('takes the first alternative, the newest version, and nothing that is not needed', async () => {
    expect(await closure('a', 'a | Depends: b ; c, d (>= 2) | Recommends: x', 'b', 'c', 'd 1', 'd 3', 'd 2', 'x')).toBe(
      'a b d=3',
    );
  });

  test('takes what is in already rather than the first alternative, wherever it comes from', async () => {
    expect(await closure('a', 'a | Depends: b ; c, d', 'b', 'c', 'd | Depends: c')).toBe('a c d');
    expect(await closure('a,c', 'a | Depends: b ; c', 'b', 'c')).toBe('a c');
  });

  test('takes an older version where a need asks for one', async () => {
    expect(await closure('a', 'a | Depends: b (<< 2)', 'b 1', 'b 2')).toBe('a b');
  });

  test('of providers takes the one with the highest priority, then the first of the index', async () => {
    expect(await closure('a', 'a | Depends: mta', 'z | Provides: mta', 'b | Provides: mta')).toBe('a z');
    expect(await closure('a', 'a | Depends: mta', 'z | Provides: mta', 'b | Provides: mta | Priority: important')).toBe(
      'a b',
    );
  });

  test('goes back where a choice ends in a conflict', async () => {
    expect(await closure('a', 'a | Depends: b ; c, d', 'b | Conflicts: e', 'c', 'd | Depends: e ; f', 'e', 'f')).toBe(
      'a b d f',
    );
    expect(await closure('a', 'a | Depends: b ; c, d ; x', 'b | Breaks: d', 'c', 'd', 'x | Conflicts: b')).toBe(
      'a c d',
    );
  });

  test('lets a package conflict with what it provides itself', async () => {
    expect(await closure('a', 'a | Depends: mta', 'm | Provides: mta | Conflicts: mta')).toBe('a m');
  });

  test('goes round in circles once', async () => {
    expect(await closure('a', 'a | Depends: b', 'b | Depends: a')).toBe('a b');
  });

  test('says who needs what cannot be had, and why', async () => {
    const refusal = await refusalOf(() => closure('a', 'a | Depends: b', 'b | Pre-Depends: c (>= 2)', 'c 1'));
    expect(refusal).toMatchObject({
      code: 'debian/unmet',
      message: 'b depends on c (>= 2), which cannot be had',
      at: ['a 1', 'b 1'],
      found: 'c is there as 1 amd64',
    });
    expect((await refusalOf(() => closure('x')))?.found).toBe('there is no x');
    expect((await refusalOf(() => closure('a,b', 'a | Conflicts: b', 'b')))?.found).toBe('b 1: a conflicts with it');
  });

  test('gives up where the ways to try have no end', async () => {
    const lines = Array.from({ length: 40 }, (_, i) => [
      `x${i} | Depends: y${i} ; z${i}`,
      `y${i} | Conflicts: w`,
      `z${i} | Conflicts: w`,
    ]);
    const root = `a | Depends: ${lines.map((_, i) => `x${i}`).join(', ')}, w ; v`;
    expect(await codeOf(() => closure('a', root, ...lines.flat(), 'w', 'v | Depends: w'))).toBe('debian/unmet');
  });

  test('can tell why a package is in', async () => {
    const catalogue = await index('a | Depends: b', 'b | Depends: c', 'c');
    const { packages, reasons } = resolve([{ name: 'a', alternatives: [{ name: 'a' }] }], catalogue, 'amd64', context);
    expect(chainOf(packages.find(({ name }) => name === 'c')!, reasons)).toEqual(['a 1', 'b 1', 'c 1']);
  });
});

describe('readIndexes()', () => {
  const read = (text: string) => readIndexes([{ name: 'Packages', chunks: chunksOf(Buffer.from(text)) }], context);
  const one = async (fields: string) =>
    (await read(`Package: a\nVersion: 1\nArchitecture: all\n${fields}`)).real('a')[0]!;

  test('gives what is said of a package', async () => {
    const found = await one(`Provides: b,\n c (= 2)\nFilename: ./pool/a.deb\nSize: 12\nSHA256: ${'A'.repeat(64)}\n`);
    expect([found.path, found.size, found.digest]).toEqual(['pool/a.deb', 12, `sha256:${'a'.repeat(64)}`]);
  });

  test.each<[string, string, string]>([
    ['a path that climbs', 'Filename: ../x', 'path/escape'],
    ['an absolute path', 'Filename: /x', 'path/escape'],
    ['a path with a query', 'Filename: a?b', 'path/escape'],
    ['a size that is none', 'Filename: a\nSize: -1', 'apt/index'],
    ['a digest that is none', 'Filename: a\nSize: 1\nSHA256: 00', 'apt/index'],
    ['no digest', 'Filename: a\nSize: 1\nMD5sum: 00', 'apt/index'],
  ])('refuses %s', async (_, fields, code) => {
    const found = await one(`${fields}\n`);
    expect(await codeOf(() => [found.path, found.size, found.digest])).toBe(code);
  });

  test('refuses names that are none, and text without an end', async () => {
    expect(await codeOf(() => read('Package: ../a\n'))).toBe('apt/index');
    expect(await codeOf(() => read(`Package: ${'a'.repeat(2_000_000)}`))).toBe('apt/index');
    expect(await codeOf(() => read(`Depends: ${'a,\n '.repeat(500_000)}`))).toBe('apt/index');
  });
});

const CORPUS = join(import.meta.dirname, '../../../../shared/corpus/debian/apt-repo');

test.skipIf(!existsSync(CORPUS))('closures are those of apt', async () => {
  const text = readFileSync(join(CORPUS, 'dists/stable/main/binary-amd64/Packages'));
  const catalogue = await readIndexes([{ name: 'Packages', chunks: chunksOf(text) }], context);
  const cases: { ask: string[]; installs?: string[] }[] = JSON.parse(
    readFileSync(join(CORPUS, 'closures.json'), 'utf8'),
  );
  for (const { ask, installs } of cases) {
    const roots = ask.map((name) => ({ name, alternatives: [{ name }] }));
    const work = () => resolve(roots, catalogue, 'amd64', context);
    if (!installs) expect(await codeOf(work)).toBe('debian/unmet');
    else
      expect(
        work()
          .packages.map(({ name, versionText }) => `${name}=${versionText}`)
          .sort(),
      ).toEqual([...installs].sort());
  }
});
