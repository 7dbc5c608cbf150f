/** Options that only some sources can follow. Any other source is refused with them, and not read as if they had not been given. */
import { OcixError } from '../formats/base/errors.ts';
import { printable } from '../formats/bytes/text.ts';
import { TRANSPORT as DISCOVERED } from '../formats/discovery/transport.ts';
import { contentReaderNamed, filesReaderNamed, nameReaderNamed, readerNamed } from '../formats/index.ts';
import { plainTar } from '../formats/plain/index.ts';

/** Options as the user wrote them, by what can follow them. */
export interface OnlyFor {
  /** Packages, as files or from a repository. */
  readonly packages?: readonly string[];
  /** Packages from a repository. */
  readonly repositories?: readonly string[];
  /** Images that others depend on, and images that do. */
  readonly dependents?: readonly string[];
  /** What is asked for at servers. */
  readonly discovered?: readonly string[];
  /** What may be encrypted. */
  readonly encrypted?: readonly string[];
}

interface Followers {
  /** After "is for". */
  readonly what: string;
  /** @param source the name of a transport, or of a format */
  readonly include: (source: string) => boolean;
}

const isRepository = (source: string): boolean => nameReaderNamed(source) !== undefined;
const isPackages = (source: string): boolean => isRepository(source) || filesReaderNamed(source) !== undefined;
const isDiscovered = (source: string): boolean => source === DISCOVERED;

const FOLLOWERS: Readonly<Record<keyof OnlyFor, Followers>> = {
  packages: { what: 'Debian packages', include: isPackages },
  repositories: { what: 'packages of a repository', include: isRepository },
  dependents: {
    what: 'images that depend on others',
    include: (source) => isDiscovered(source) || !!(readerNamed(source) ?? contentReaderNamed(source))?.depends,
  },
  discovered: { what: `images that are fetched by their names (${DISCOVERED}:)`, include: isDiscovered },
  encrypted: {
    what: 'images that are encrypted',
    include: (source) => !isPackages(source) && source !== plainTar.name,
  },
};

const GROUPS = Object.keys(FOLLOWERS) as readonly (keyof OnlyFor)[];

/**
 * @param source the transport that the user named, or the format that was found
 * @param title what it is, for a person
 * @throws OcixError usage/option
 */
export function checkOnlyFor(options: OnlyFor, source: string, title: string): void {
  const group = GROUPS.find((one) => options[one]?.length && !FOLLOWERS[one].include(source));
  if (group === undefined) return;
  throw new OcixError(
    'usage/option',
    `${options[group]![0]} is for ${FOLLOWERS[group].what}, and this is another source: ${printable(title)}`,
    { hint: 'Leave it out.' },
  );
}
