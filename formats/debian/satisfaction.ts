/**
 * Which packages satisfy what others ask for.
 * https://www.debian.org/doc/debian-policy/ch-relationships.html
 * https://wiki.ubuntu.com/MultiarchSpec
 */
import { fieldOf, type Stanza } from './control.ts';
import { type Alternatives, parseRelations, type Relation, versionFits } from './relation.ts';
import type { Version } from './version.ts';

/** As much of a package as others can ask for. */
export interface Candidate {
  readonly name: string;
  readonly version: Version;
  readonly versionText: string;
  readonly architecture: string;
  readonly control: Stanza;
}

export type RelationField = 'pre-depends' | 'depends' | 'conflicts' | 'breaks' | 'replaces' | 'provides' | 'recommends';

/** What a field of a package says. @throws OcixError debian/relation, debian/version */
export function relationsOf({ control, architecture }: Candidate, field: RelationField): readonly Alternatives[] {
  const text = fieldOf(control, field);
  return text === undefined ? [] : parseRelations(text, architecture);
}

/** What has to be there: Pre-Depends first. */
export const needsOf = (one: Candidate): readonly Alternatives[] => [
  ...relationsOf(one, 'pre-depends'),
  ...relationsOf(one, 'depends'),
];

export interface Satisfaction<T extends Candidate> {
  /** All that satisfy a relation of a package: real ones first, then those that provide it. */
  candidates(relation: Relation, asking: Candidate): readonly T[];
}

export interface Provided<T> {
  readonly candidate: T;
  /** The version that is provided, if one is. */
  readonly version: Version | undefined;
}

/** Packages by what they are called, and by what they provide. */
export interface Catalogue<T> {
  real(name: string): readonly T[];
  virtual(name: string): readonly Provided<T>[];
}

/** @param native the architecture that packages for all belong to; where it is not known, they go with any */
export const satisfaction = <T extends Candidate>(
  packages: readonly T[],
  native: string | undefined,
): Satisfaction<T> => satisfiedBy(catalogueOf(packages), native);

/** Packages of a name are in the order in which they are given. */
export function catalogueOf<T extends Candidate>(packages: readonly T[]): Catalogue<T> {
  const real = new Map<string, T[]>();
  const virtual = new Map<string, Provided<T>[]>();
  for (const one of packages) {
    add(real, one.name, one);
    for (const [provided] of relationsOf(one, 'provides'))
      if (provided) add(virtual, provided.name, { candidate: one, version: provided.version?.version });
  }
  return { real: (name) => real.get(name) ?? [], virtual: (name) => virtual.get(name) ?? [] };
}

export function satisfiedBy<T extends Candidate>(catalogue: Catalogue<T>, native: string | undefined): Satisfaction<T> {
  return {
    candidates(relation, asking) {
      const fitting = catalogue
        .real(relation.name)
        .filter((one) => versionFits(one.version, relation.version) && fitsArchitecture(one, relation, asking, native));
      for (const { candidate, version } of catalogue.virtual(relation.name)) {
        // What is provided without a version satisfies nobody who asks for one.
        const fits = !relation.version || (version !== undefined && versionFits(version, relation.version));
        if (fits && !fitting.includes(candidate) && fitsArchitecture(candidate, relation, asking, native))
          fitting.push(candidate);
      }
      return fitting;
    },
  };
}

export function add<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

function fitsArchitecture(one: Candidate, relation: Relation, asking: Candidate, native: string | undefined): boolean {
  const multi = fieldOf(one.control, 'multi-arch') ?? 'no';
  const own = (architecture: string) => (architecture === 'all' ? native : architecture);
  if (relation.architecture === 'any') return multi === 'allowed';
  if (relation.architecture !== undefined) return own(one.architecture) === relation.architecture;
  if (multi === 'foreign') return true;
  const [have, want] = [own(one.architecture), own(asking.architecture)];
  return have === undefined || want === undefined || have === want;
}
