/**
 * Packages and all that they depend on, from apt repositories. What is fetched is trusted for one reason only: a key of the user's
 * vouches for the Release file, that one for the indexes, and these for the packages.
 */
import type { Context } from '../base/context.ts';
import { OcixError, within } from '../base/errors.ts';
import { collect } from '../bytes/chunks.ts';
import { fileSource, pathKind, type RandomSource } from '../bytes/source.ts';
import { binaryString, printable, utf8Bytes } from '../bytes/text.ts';
import { debianName } from '../debian/architecture.ts';
import { imageOfPackages } from '../debian/image.ts';
import { type DebPackage, packageText, readPackage } from '../debian/package.ts';
import { isPackageName, type Relation } from '../debian/relation.ts';
import { resolve, type Wanted, whyIn } from '../debian/resolve.ts';
import { parseVersion } from '../debian/version.ts';
import type { NameReader, OpenedFiles, Reading, Repositories } from '../model/reader.ts';
import { keysAtHand, readKeyring, type TrustedKey } from '../openpgp/keyring.ts';
import { type Downloads, downloads } from '../store/download.ts';
import { checkLock, type Lock, type LockedPackage, lockText, parseLock } from './lock.ts';
import { type IndexedPackage, readIndexes } from './package-index.ts';
import { type OpenedSuite, openSuite, type SuiteChoice } from './repository.ts';
import { type AptSource, parseSources } from './sources.ts';

export const apt: NameReader = {
  name: 'apt',
  aliases: [],
  summary: 'packages and all that they depend on, from an apt repository',
  locks: true,
  async read(text, context, reading) {
    const { repositories } = reading;
    if (!repositories?.places.length)
      throw new OcixError('usage/option', 'no repository is named', {
        hint: 'Name one with --apt-repo, a folder or an address with dists/ in it, and its keys with --apt-keyring.',
      });
    const fetched = downloads(repositories.cache, context);
    const packages = await closure(parseWanted(text), repositories, fetched, context);
    return imageOf(packages, fetched, reading, context);
  },
};

interface Request {
  readonly text: string;
  readonly suite: string;
  readonly wanted: readonly Wanted[];
}

/** `SUITE/NAME[:ARCH][=VERSION],…` */
function parseWanted(text: string): Request {
  const slash = text.lastIndexOf('/');
  const names = text
    .slice(slash + 1)
    .split(',')
    .filter((name) => name !== '');
  const suite = text.slice(0, Math.max(slash, 0));
  if (suite === '' || !names.length || !/^[A-Za-z0-9][A-Za-z0-9._~+/-]*$/.test(suite) || suite.includes('..'))
    throw new OcixError('usage/argument', `apt:${printable(text)} names no packages of a suite`, {
      hint: 'For example apt:bookworm/nginx,curl.',
    });
  return { text, suite, wanted: names.map(wantedOf) };
}

function wantedOf(text: string): Wanted {
  const [, name = '', architecture, version] = /^([^:=]*)(?::([a-z0-9-]+))?(?:=(.+))?$/.exec(text) ?? [];
  if (!isPackageName(name))
    throw new OcixError('usage/argument', `${JSON.stringify(printable(text))} names no package`, {
      hint: 'A package is NAME, NAME=VERSION or NAME:ARCH.',
    });
  const relation: Relation = {
    name,
    ...(architecture === undefined ? {} : { architecture }),
    ...(version === undefined ? {} : { version: { operator: '=', version: parseVersion(version), text: version } }),
  };
  return { name, alternatives: [relation] };
}

/** The packages, in the order in which they were chosen. */
async function closure(
  request: Request,
  repositories: Repositories,
  fetched: Downloads,
  context: Context,
): Promise<readonly LockedPackage[]> {
  const architecture = architectureOf(repositories, context);
  if (repositories.lock?.text !== undefined) {
    const lock = parseLock(repositories.lock.text, context);
    checkLock(lock, wordsOf(request, repositories), architecture);
    return lock.packages;
  }
  const suites: OpenedSuite[] = [];
  try {
    for (const choice of await choicesOf(request.suite, architecture, repositories, context))
      suites.push(await openSuite(choice, fetched, context));
    const counting = suites.filter(({ release, choice }) => !release.onlyByName || choice.suite === request.suite);
    const origins = counting.flatMap((suite) => suite.indexes.map((input) => ({ suite, input })));
    const index = await readIndexes(
      origins.map(({ input }) => input),
      context,
    );
    const essential = repositories.essential ? index.essential : [];
    const wanted = [...request.wanted, ...essential.map((name) => ({ name, alternatives: [{ name }] }))];
    const resolution = resolve(wanted, index, architecture, context);
    const packages = resolution.packages.map((one) => locked(one, origins[one.origin]!.suite.choice.base));
    const lock: Lock = {
      wanted: wordsOf(request, repositories),
      architecture,
      suites: counting.map(({ choice, release }) => ({ base: choice.base, suite: choice.suite, date: release.date })),
      packages,
    };
    repositories.decided?.({ lock: lockText(lock), why: (name) => whyIn(resolution, name) });
    return packages;
  } finally {
    for (const suite of suites) await suite.close();
  }
}

/** All that decides about a closure. */
const wordsOf = ({ text }: Request, { essential }: Repositories): string =>
  essential ? `${text} and essential` : text;

function architectureOf({ architecture }: Repositories, { host }: Context): string {
  const name = architecture ?? host.architecture;
  return debianName(name) ?? name;
}

const locked = (
  { name, versionText, architecture, digest, size, path }: IndexedPackage,
  base: string,
): LockedPackage => ({
  name,
  version: versionText,
  architecture,
  digest,
  size,
  base,
  path,
});

async function choicesOf(
  suite: string,
  architecture: string,
  { places, keyrings, components, now }: Repositories,
  context: Context,
): Promise<readonly SuiteChoice[]> {
  const keys = await readKeyring(keyrings, context);
  const choices: SuiteChoice[] = [];
  for (const place of places) {
    if (/^https?:/i.test(place) || (await pathKind(place)) === 'folder') {
      choices.push({ base: place, suite, components, architecture, trust: { keys, now, ignoreDate: false } });
      continue;
    }
    for (const source of await sourcesIn(place, suite)) {
      const own = await within(printable(place), () => keysOf(source, keys, context));
      const trust = { keys: source.signedBy.length ? own : keys, now, ignoreDate: source.ignoreDate };
      choices.push({
        base: source.uri,
        suite: source.suite,
        components: components ?? source.components,
        architecture,
        trust,
      });
    }
  }
  return choices;
}

/** The suite, and those that carry its updates. */
async function sourcesIn(file: string, suite: string): Promise<readonly AptSource[]> {
  const all = await within(printable(file), async () => parseSources(await textOf(file)));
  const fitting = all.filter(
    (one) => one.suite === suite || one.suite.startsWith(`${suite}-`) || one.suite.startsWith(`${suite}/`),
  );
  if (fitting.length) return fitting;
  throw new OcixError('usage/argument', `${printable(file)} names no repository of ${printable(suite)}`, {
    found: all.map((one) => printable(one.suite)).join(', ') || 'nothing',
  });
}

/** A list of repositories has a few lines; bytes. */
const MOST_LISTED = 2 ** 20;

async function textOf(file: string): Promise<string> {
  const source = await fileSource(file);
  try {
    const content = source.kind === 'random' ? source.window(0, source.size) : source.chunks;
    return binaryString(await collect(content, MOST_LISTED));
  } finally {
    await source.close();
  }
}

/** The keys that a source names; of fingerprints those among the user's keys. */
async function keysOf(
  { signedBy }: AptSource,
  given: readonly TrustedKey[],
  context: Context,
): Promise<readonly TrustedKey[]> {
  const keys: TrustedKey[] = [];
  for (const one of signedBy) {
    if (one.kind === 'keys') keys.push(...(await within('Signed-By', () => keysAtHand(utf8Bytes(one.text)))));
    else if (one.kind === 'file') keys.push(...(await readKeyring([one.path], context)));
    else keys.push(keyNamed(one.name, given));
  }
  return keys;
}

/** A fingerprint, as keys can have ids in common. */
function keyNamed(name: string, given: readonly TrustedKey[]): TrustedKey {
  const key = given.find(({ fingerprint }) => fingerprint === name.toLowerCase());
  if (key) return key;
  throw new OcixError('usage/argument', `${printable(name.slice(0, 100))} is no key of --apt-keyring`, {
    at: ['Signed-By'],
    expected: 'the whole path of a keyring, the fingerprint of a key that was given, or an armored key in a stanza',
  });
}

/** As many files at a time as a mirror does not mind. */
const AT_A_TIME = 6;

async function imageOf(
  wanted: readonly LockedPackage[],
  fetched: Downloads,
  { packaging }: Reading,
  context: Context,
): Promise<OpenedFiles> {
  const files: RandomSource[] = [];
  const closeFiles = async (): Promise<void> => {
    for (const file of files.splice(0)) await file.close();
  };
  try {
    const packages: DebPackage[] = new Array(wanted.length);
    const rest = [...wanted.entries()];
    const lane = async (): Promise<void> => {
      for (let next = rest.shift(); next; next = rest.shift()) {
        const [place, one] = next;
        try {
          packages[place] = await within(`${one.name} ${one.version}`, () =>
            fetchPackage(one, fetched, files, context),
          );
        } catch (error) {
          rest.length = 0; // nobody needs the others any more
          throw error;
        }
      }
    };
    const lanes = await Promise.allSettled(Array.from({ length: AT_A_TIME }, lane));
    for (const one of lanes) if (one.status === 'rejected') throw one.reason;
    const { image, close } = imageOfPackages(packages, { mergedUsr: true, ...packaging }, context);
    return {
      items: [image],
      async close() {
        await close();
        await closeFiles();
      },
    };
  } catch (error) {
    await closeFiles();
    throw error;
  }
}

/** The package is what the index says of it, not only the bytes. */
async function fetchPackage(
  one: LockedPackage,
  fetched: Downloads,
  files: RandomSource[],
  context: Context,
): Promise<DebPackage> {
  const file = await fetched.file({ base: one.base, path: one.path }, one);
  if (!file)
    throw new OcixError('apt/index', `the repository lists ${printable(one.path)} and does not have it`, {
      hint: 'Use another mirror; if there is a lock file, the package may have been replaced since it was written.',
    });
  files.push(file);
  const read = await readPackage(file, context);
  if (read.name === one.name && read.versionText === one.version && read.architecture === one.architecture) return read;
  throw new OcixError('apt/index', 'the package is another than the index says', {
    expected: `${one.name} ${one.version} ${one.architecture}`,
    found: packageText(read),
    hint: 'Do not trust this repository.',
  });
}
