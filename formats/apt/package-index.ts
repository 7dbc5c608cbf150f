/**
 * The packages of repositories, as their indexes list them. Debian's has some 60,000 in 50 MB: an index is read as a stream, and of each
 * package only what decides about it is kept, as text, until somebody asks.
 * https://wiki.debian.org/DebianRepository/Format#A.22Packages.22_Indices
 */
import { type Context, checkAbort } from '../base/context.ts';
import { OcixError, withinSync } from '../base/errors.ts';
import { checkLimit } from '../base/limits.ts';
import type { Chunks } from '../bytes/chunks.ts';
import { type Digest, isDigest } from '../bytes/digest.ts';
import { binaryString, printable } from '../bytes/text.ts';
import { fieldOf, parseControl, type Stanza } from '../debian/control.ts';
import { isPackageName, parseRelations } from '../debian/relation.ts';
import { add, type Candidate, type Catalogue, type Provided } from '../debian/satisfaction.ts';
import { compareVersions, parseVersion, type Version } from '../debian/version.ts';

/** A package of a repository. */
export interface IndexedPackage extends Candidate {
  /** Below the root of its repository. */
  readonly path: string;
  /** Bytes of the file. */
  readonly size: number;
  readonly digest: Digest;
  /** Which of the indexes it stands in. */
  readonly origin: number;
  /** Its place among all, which decides where nothing else does. */
  readonly place: number;
}

export interface PackageIndex extends Catalogue<IndexedPackage> {
  /** The newest first. */
  real(name: string): readonly IndexedPackage[];
  readonly size: number;
}

export interface IndexInput {
  /** Uncompressed. */
  readonly chunks: Chunks;
  /** For errors. */
  readonly name: string;
}

const KEPT =
  /^(?:Package|Version|Architecture|Multi-Arch|Essential|Priority|Depends|Pre-Depends|Conflicts|Breaks|Provides|Replaces|Filename|Size|SHA256|SHA512):/i;
/** Bytes of one stanza. Debian's largest has some 30 kB. */
const MOST_STANZA = 2 ** 20;

/** @throws OcixError apt/index, debian/…, limit/members */
export async function readIndexes(inputs: readonly IndexInput[], context: Context): Promise<PackageIndex> {
  const real = new Map<string, IndexedPackage[]>();
  const virtual = new Map<string, Provided<IndexedPackage>[]>();
  let size = 0;
  for (const [origin, { chunks, name }] of inputs.entries()) {
    await eachStanza(chunks, context, (text) =>
      withinSync(name, () => {
        const one = indexed(text, origin, size);
        checkLimit(context.limits, 'members', ++size, 'the number of packages');
        add(real, one.name, one);
        for (const provided of providedBy(text, one)) add(virtual, provided.name, provided);
      }),
    );
  }
  const sorted = new Set<string>();
  return {
    size,
    virtual: (name) => virtual.get(name) ?? [],
    real(name) {
      const list = real.get(name) ?? [];
      if (!sorted.has(name)) list.sort((a, b) => compareVersions(b.version, a.version) || a.place - b.place);
      sorted.add(name);
      return list;
    },
  };
}

/** Calls back with each stanza, of which only the lines that count are left. */
async function eachStanza(chunks: Chunks, context: Context, take: (text: string) => void): Promise<void> {
  let rest = '';
  let kept: string[] = [];
  let keeping = false;
  let held = 0;
  const line = (text: string): void => {
    if (text === '') {
      // Joined into a string of its own: a part of a chunk would keep the whole of it.
      if (kept.length) take(kept.join('\n'));
      kept = [];
      held = 0;
      return;
    }
    const continues = text.startsWith(' ') || text.startsWith('\t');
    if (!continues) keeping = KEPT.test(text);
    if (!keeping) return;
    kept.push(text);
    held += text.length;
    if (held > MOST_STANZA) throw new OcixError('apt/index', 'what is said of one package has no end');
  };
  for await (const chunk of chunks) {
    checkAbort(context);
    const text = rest + binaryString(chunk);
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      line(text.slice(start, end));
      start = end + 1;
    }
    rest = text.slice(start);
    if (rest.length > MOST_STANZA) throw new OcixError('apt/index', 'a line of the index has no end');
  }
  if (rest) line(rest);
  line('');
}

const simple = (text: string, field: string): string | undefined =>
  new RegExp(`^${field}:[ \\t]*(.*)$`, 'im').exec(text)?.[1]?.trim();
const NAME_FIELD = /^Package:[ \t]*(.*)$/im;

function indexed(text: string, origin: number, place: number): IndexedPackage {
  const name = NAME_FIELD.exec(text)?.[1]?.trim() ?? '';
  if (!isPackageName(name))
    throw new OcixError('apt/index', `${JSON.stringify(printable(name.slice(0, 100)))} names no package`);
  return lazily(name, text, origin, place);
}

/** What is asked of few packages is read only of these. */
function lazily(name: string, text: string, origin: number, place: number): IndexedPackage {
  let control: Stanza | undefined;
  let version: Version | undefined;
  const get = (field: string): string => {
    const value = fieldOf(one.control, field);
    if (value) return value;
    throw new OcixError('apt/index', `the index does not say the ${field} of ${name}`);
  };
  const one: IndexedPackage = {
    name,
    origin,
    place,
    get control() {
      return (control ??= parseControl(text));
    },
    get version() {
      return (version ??= parseVersion(get('version')));
    },
    get versionText() {
      return get('version');
    },
    get architecture() {
      return get('architecture');
    },
    get path() {
      return checkedPath(get('filename'));
    },
    get size() {
      return checkedSize(get('size'));
    },
    get digest() {
      const digest = `sha256:${get('sha256').toLowerCase()}`;
      if (isDigest(digest)) return digest;
      throw new OcixError('apt/index', `the index gives no digest of ${name}`);
    },
  };
  return one;
}

function providedBy(text: string, candidate: IndexedPackage) {
  const provides = /^Provides:/im.test(text) ? parseRelations(simple(text, 'Provides') ?? '', 'all') : [];
  return provides.flatMap(([relation]) =>
    relation ? [{ name: relation.name, candidate, version: relation.version?.version }] : [],
  );
}

/** A path is asked for below the root of the repository, and nowhere else. */
export function checkedPath(path: string): string {
  const parts = path.replace(/^(?:\.\/)+/, '').split('/');
  if (
    path.length < 1000 &&
    !parts.includes('..') &&
    !parts.includes('') &&
    /^[\x21-\x7e]+$/.test(path) &&
    !/[\\?#]/.test(path)
  )
    return parts.join('/');
  throw new OcixError('path/escape', `${JSON.stringify(printable(path.slice(0, 100)))} is no path in a repository`, {
    hint: 'Do not trust this repository.',
  });
}

export function checkedSize(text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new OcixError('apt/index', `${JSON.stringify(printable(text.slice(0, 40)))} is no size`);
}
