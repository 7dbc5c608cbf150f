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
  /** Names of packages that a system cannot be without, sorted. */
  readonly essential: readonly string[];
}

export interface IndexInput {
  /** Uncompressed. */
  readonly chunks: Chunks;
  /** For errors. */
  readonly name: string;
}

const KEPT: ReadonlySet<string> = new Set(
  'package version architecture multi-arch essential priority depends pre-depends conflicts breaks provides filename size sha256'.split(
    ' ',
  ),
);
/** Bytes of one stanza. Debian's largest has some 30 kB. */
const MOST_STANZA = 2 ** 20;

/** @throws OcixError apt/index, debian/…, limit/members */
export async function readIndexes(inputs: readonly IndexInput[], context: Context): Promise<PackageIndex> {
  const real = new Map<string, IndexedPackage[]>();
  const virtual = new Map<string, Provided<IndexedPackage>[]>();
  const essential = new Set<string>();
  let size = 0;
  for (const [origin, { chunks, name }] of inputs.entries()) {
    await eachStanza(chunks, context, (text) =>
      withinSync(name, () => {
        const one = indexed(text, origin, size);
        checkLimit(context.limits, 'members', ++size, 'the number of packages');
        add(real, one.name, one);
        if (/^Essential:[ \t]*yes/im.test(text)) essential.add(one.name);
        for (const provided of providedBy(text, one)) add(virtual, provided.name, provided);
      }),
    );
  }
  const sorted = new Set<string>();
  return {
    size,
    essential: [...essential].sort(),
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
    if (!continues) keeping = KEPT.has(text.slice(0, Math.max(text.indexOf(':'), 0)).toLowerCase());
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

const NAME_FIELD = /^Package:[ \t]*(.*)$/im;
const PROVIDES_FIELD = /^Provides:(.*(?:\n[ \t].*)*)/im;

function indexed(text: string, origin: number, place: number): IndexedPackage {
  const name = NAME_FIELD.exec(text)?.[1]?.trim() ?? '';
  if (isPackageName(name)) return new LazyPackage(name, text, { origin, place });
  throw new OcixError('apt/index', `${JSON.stringify(printable(name.slice(0, 100)))} names no package`);
}

/**
 * What is asked of few packages is read only of these. A class, since sixty thousand objects share its accessors: as functions of
 * each object they took more memory than the texts.
 */
class LazyPackage implements IndexedPackage {
  readonly name: string;
  readonly origin: number;
  readonly place: number;
  readonly #text: string;
  #control: Stanza | undefined;
  #version: Version | undefined;

  constructor(name: string, text: string, { origin, place }: { readonly origin: number; readonly place: number }) {
    this.name = name;
    this.origin = origin;
    this.place = place;
    this.#text = text;
  }

  get control(): Stanza {
    return (this.#control ??= parseControl(this.#text));
  }

  get version(): Version {
    return (this.#version ??= parseVersion(this.versionText));
  }

  get versionText(): string {
    return this.#get('version');
  }

  get architecture(): string {
    return this.#get('architecture');
  }

  get path(): string {
    return checkedPath(this.#get('filename'));
  }

  get size(): number {
    return checkedSize(this.#get('size'));
  }

  get digest(): Digest {
    const digest = `sha256:${this.#get('sha256').toLowerCase()}`;
    if (isDigest(digest)) return digest;
    throw new OcixError('apt/index', `the index gives no digest of ${this.name}`);
  }

  #get(field: string): string {
    const value = fieldOf(this.control, field);
    if (value) return value;
    throw new OcixError('apt/index', `the index does not say the ${field} of ${this.name}`);
  }
}

function providedBy(text: string, candidate: IndexedPackage) {
  const provides = PROVIDES_FIELD.exec(text)?.[1];
  if (provides === undefined) return [];
  return parseRelations(provides, 'all').flatMap(([relation]) =>
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
