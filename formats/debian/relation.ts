/**
 * What packages say about each other: Depends and its kin.
 * https://www.debian.org/doc/debian-policy/ch-relationships.html
 * https://manpages.debian.org/bookworm/dpkg-dev/deb-control.5.en.html
 *
 * Restrictions to architectures (`[amd64]`) and build profiles (`<!nocheck>`) belong into source packages. Some binary packages
 * have the former; an alternative that does not concern the package's own architecture is left out.
 */
import { OcixError } from '../base/errors.ts';
import { printable } from '../bytes/text.ts';
import { compareVersions, parseVersion, type Version } from './version.ts';

export type Operator = '<<' | '<=' | '=' | '>=' | '>>';

export interface Relation {
  readonly name: string;
  /** What stands behind a colon: an architecture, or `any`. */
  readonly architecture?: string;
  readonly version?: { readonly operator: Operator; readonly version: Version; readonly text: string };
}

/** One of them is enough. */
export type Alternatives = readonly Relation[];

/** As dpkg takes names; a name becomes a file's name, and none of these leads anywhere else. */
const PACKAGE_NAME = /^[A-Za-z0-9][A-Za-z0-9+._-]*$/;
const MOST_NAME = 200;
const MOST_RELATION = 1000;

export const isPackageName = (name: string): boolean => name.length <= MOST_NAME && PACKAGE_NAME.test(name);

const RELATION =
  /^([A-Za-z0-9][A-Za-z0-9+._-]*)(?::([a-z0-9][a-z0-9-]*))? ?(?:\( ?(<<|<=|=|>=|>>|<|>)? ?([^\s()<=>]+) ?\))? ?(?:\[([^\]]*)\])? ?(?:<[^>]*> ?)*$/;

/** The old signs mean what they never should have meant. */
const OPERATORS: Readonly<Record<string, Operator>> = {
  '<<': '<<',
  '<=': '<=',
  '=': '=',
  '>=': '>=',
  '>>': '>>',
  '<': '<=',
  '>': '>=',
};

/**
 * @param own the architecture of the package that says so
 * @throws OcixError debian/relation, debian/version
 */
export function parseRelations(text: string, own: string): readonly Alternatives[] {
  const items: Alternatives[] = [];
  for (const item of text.split(',')) {
    if (item.trim() === '') continue; // a comma too many, which apt passes over and dpkg refuses
    const alternatives = item.split('|').flatMap((one) => parseRelation(one, own) ?? []);
    if (alternatives.length) items.push(alternatives);
  }
  return items;
}

function parseRelation(text: string, own: string): Relation | undefined {
  const one = text.trim().replace(/\s+/g, ' ');
  const match = one.length > MOST_RELATION ? undefined : RELATION.exec(one);
  if (!match || match[1]!.length > MOST_NAME)
    throw new OcixError('debian/relation', `${JSON.stringify(printable(one.slice(0, 100)))} names no package`, {
      expected: 'NAME, NAME:ARCH or NAME (>= VERSION)',
    });
  const [, name, architecture, operator = '=', version, only] = match;
  if (only !== undefined && !concerns(only, own)) return undefined;
  return {
    name: name!,
    ...(architecture === undefined ? {} : { architecture }),
    ...(version === undefined
      ? {}
      : { version: { operator: OPERATORS[operator]!, version: parseVersion(version), text: version } }),
  };
}

function concerns(only: string, own: string): boolean {
  const names = only.trim().split(/\s+/);
  const negated = names.every((name) => name.startsWith('!'));
  const named = names.some((name) => [own, 'any', 'linux-any'].includes(name.replace('!', '')));
  return negated ? !named : named;
}

/** Whether a version is one of those that a relation wants. */
export function versionFits(version: Version, wanted: Relation['version']): boolean {
  if (!wanted) return true;
  const order = compareVersions(version, wanted.version);
  switch (wanted.operator) {
    case '<<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '=':
      return order === 0;
    case '>=':
      return order >= 0;
    case '>>':
      return order > 0;
  }
}

export const relationText = ({ name, architecture, version }: Relation): string =>
  `${name}${architecture === undefined ? '' : `:${architecture}`}${version ? ` (${version.operator} ${version.text})` : ''}`;

export const alternativesText = (alternatives: Alternatives): string => alternatives.map(relationText).join(' | ');
