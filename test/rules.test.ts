/** The floor plan, held. Each rule says why it is there when it is broken. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { TARGETS } from '../converters/targets/index.ts';
import { CODES } from '../formats/base/errors.ts';
import { CONTENT_READERS, READERS } from '../formats/index.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Rooms from the lowest to the highest. Rooms with the same number do not know each other. */
const ROOMS: readonly (readonly [RegExp, number])[] = [
  [/^formats\/base\//, 1],
  [/^formats\/bytes\//, 2],
  [/^formats\/(?:codec|json|openpgp)\//, 3],
  [/^formats\/(?:tar|ar)\//, 4],
  [/^formats\/rootfs\//, 5],
  [/^formats\/store\//, 6],
  // Between store and model: an input as named members, whatever holds it. Layers are made of members.
  [/^formats\/archive\//, 7],
  [/^formats\/model\//, 8],
  [/^formats\/(?:docker|appc|oci|plain|debian)\//, 9],
  // What a name leads to in a network, and whether it is what was asked for: above the format that it fetches.
  [/^formats\/(?:discovery|apt)\//, 10],
  [/^formats\/[^/]+\.ts$/, 11],
  [/^converters\/(?:passes|runtime|validate\/rules)\//, 12],
  [/^converters\/(?:targets|validate)\//, 13],
  [/^converters\/[^/]+\.ts$/, 14],
  [/^cli\//, 15],
];

const SOURCES = filesBelow('formats', 'converters', 'cli');
const TESTS = filesBelow('test').filter((path) => !path.startsWith('test/bench/') && path !== 'test/rules.test.ts');

function filesBelow(...folders: readonly string[]): readonly string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(?:ts|mjs)$/.test(entry.name))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name))),
  );
}

const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const roomOf = (path: string): number | undefined => ROOMS.find(([pattern]) => pattern.test(path))?.[1];

/** Relative imports of a file, types included, as paths from the top. */
function importsOf(path: string): readonly string[] {
  const found = textOf(path).matchAll(
    /(?:^|\n)\s*(?:import|export)[^;'"]*?from\s+'([^']+)'|import\(\s*'([^']+)'\s*\)/g,
  );
  return [...found]
    .map((match) => match[1] ?? match[2] ?? '')
    .filter((name) => name.startsWith('.'))
    .map((name) => join(dirname(path), name));
}

test('every file belongs to a room', () => {
  expect(
    SOURCES.filter((path) => roomOf(path) === undefined),
    'a file without a room means that a room is missing',
  ).toEqual([]);
});

test('a file imports its own room and rooms below it, never a room above or beside it', () => {
  const wrong = SOURCES.flatMap((path) =>
    importsOf(path)
      .filter((target) => target.endsWith('.ts') && dirname(target) !== dirname(path))
      .filter(
        (target) =>
          (roomOf(target) ?? 0) >= (roomOf(path) ?? 0) && !(path.startsWith('cli/') && target.startsWith('cli/')),
      )
      .map((target) => `${path} imports ${target}`),
  );
  expect(wrong, 'formats must not lean on each other, and a codec must be testable with an array of bytes').toEqual([]);
});

test('node: modules are imported only where the outside is touched', () => {
  const allowed =
    /^(?:formats\/(?:bytes|codec|rootfs|store|discovery|archive\/folder)|converters\/(?:keepers|targets\/)|cli\/)/;
  const wrong = SOURCES.filter((path) => !allowed.test(path) && /from 'node:|import\('node:/.test(textOf(path)));
  expect(wrong, 'readers and inspection have to run where there is no Node').toEqual([]);
});

test('nothing below cli/ prints, exits, or reads the environment, the clock or the arguments', () => {
  const wrong = SOURCES.filter(
    (path) =>
      !path.startsWith('cli/') &&
      /\bconsole\.|process\.(?:exit|env|argv|stdout|stderr)|Date\.now\(|new Date\(\)/.test(textOf(path)),
  );
  expect(wrong, 'a library that prints or exits cannot be used by another program').toEqual([]);
});

test('no file is longer than 400 lines', () => {
  const long = [...SOURCES, ...TESTS, ...filesBelow('fixtures')].filter(
    (path) => textOf(path).split('\n').length > 401,
  );
  expect(long, 'a file that long is a room that wants to be two').toEqual([]);
});

test('no file is called by a name that says nothing', () => {
  const vague = [...SOURCES, ...filesBelow('fixtures')].filter((path) =>
    /(?:^|[/-])(?:utils?|helpers?|common|manager|misc)(?:[/.-]|$)/.test(path),
  );
  expect(vague, 'something without a name is something that has not been understood').toEqual([]);
});

test('every module opens with what it is for', () => {
  const silent = SOURCES.filter((path) => !textOf(path).startsWith('/**'));
  expect(silent, 'the next reader starts at the top').toEqual([]);
});

test('exports have names', () => {
  expect(
    SOURCES.filter((path) => /^export default/m.test(textOf(path))),
    'one thing, one name, everywhere',
  ).toEqual([]);
});

test('every reader of a format folder is in a table of readers', () => {
  const declared = SOURCES.filter(
    (path) => /^formats\/[^/]+\/[^/]+\.ts$/.test(path) && !path.includes('/model/'),
  ).flatMap((path) => [...textOf(path).matchAll(/(?:: |satisfies )(?:Content)?Reader(?: = |;)/g)]);
  expect(declared.length, 'a reader outside the tables is never asked').toBe(READERS.length + CONTENT_READERS.length);
});

test('every target file is in the table of targets', () => {
  const targets = filesBelow('converters/targets').filter((path) => /export const \w+: Target = /.test(textOf(path)));
  expect(targets.length, 'a target outside the table cannot be chosen').toBe(TARGETS.length);
});

test('openpgp is loaded only when it is called for', () => {
  const wrong = SOURCES.filter((path) => /^import (?!type ).* from 'openpgp'/m.test(textOf(path)));
  expect(wrong, 'it takes as long to load as everything else together').toEqual([]);
});

test('every error code is thrown somewhere', () => {
  const code = SOURCES.filter((path) => path !== 'formats/base/errors.ts')
    .map(textOf)
    .join('\n');
  const unused = Object.keys(CODES).filter((name) => !code.includes(`'${name}'`) && !isLimit(name));
  expect(unused, 'a code that nothing throws is a promise that nothing keeps').toEqual([]);
  const limits = Object.keys(CODES)
    .filter(isLimit)
    .filter((name) => !code.includes(`'${name.slice('limit/'.length)}'`) && !code.includes(`'${name}'`));
  expect(limits, 'a limit that nothing checks protects nobody').toEqual([]);
});

test('every error code is tested', () => {
  const code = TESTS.map(textOf).join('\n');
  const untested = Object.keys(CODES).filter((name) => !code.includes(`'${name}'`) && !code.includes(name));
  expect(untested, 'a refusal that no test has seen may never happen').toEqual([]);
});

test('the lock file is complete for every platform', () => {
  const { packages } = JSON.parse(textOf('package-lock.json')) as {
    readonly packages: Readonly<Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>>;
  };
  const missing = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
    Object.keys(optionalDependencies).filter((name) => !(`node_modules/${name}` in packages)),
  );
  expect(missing, 'npm ci refuses a lock file that leaves out what another platform would install').toEqual([]);
});

test('bytes are never copied with slice()', () => {
  const wrong = SOURCES.filter((path) => /^(?:formats|converters)\//.test(path) && /\.slice\(\)/.test(textOf(path)));
  expect(wrong, 'slice() of a Buffer is a view of memory that is used again; new Uint8Array(bytes) is a copy').toEqual(
    [],
  );
});

test('the project speaks of itself alone', () => {
  const words = new RegExp(['registry\\.npm' + 'js\\.org', '/wo' + 'rk/', 'resol' + 'ved": "http'].join('|'));
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
  const all = [
    ...SOURCES,
    ...TESTS,
    ...filesBelow('fixtures'),
    ...docs,
    'README.md',
    'CHANGELOG.md',
    'Makefile',
    'package.json',
    'package-lock.json',
    'build.mjs',
  ];
  expect(
    all.filter((path) => words.test(textOf(path))),
    'a path or a host of one machine means nothing on another',
  ).toEqual([]);
});

function isLimit(name: string): boolean {
  return name.startsWith('limit/');
}
