/**
 * One `.deb` file: what it says about itself, and where its files are.
 * https://manpages.debian.org/bookworm/dpkg-dev/deb.5.en.html
 * https://manpages.debian.org/bookworm/dpkg-dev/deb-old.5.en.html
 *
 * Its control archive is read whole, as it is small, and its data archive only when somebody asks. Refused: other major versions of
 * the format, members that are missing, unknown or in another order, compression other than a member's name says, control
 * data without a name, a version or an architecture, and names that could lead anywhere else when they become files' names.
 */
import { isAr } from '../ar/table.ts';
import type { Context } from '../base/context.ts';
import { OcixError, within, withinSync } from '../base/errors.ts';
import { type Chunks, collect } from '../bytes/chunks.ts';
import type { RandomSource } from '../bytes/source.ts';
import { binaryString, printable } from '../bytes/text.ts';
import type { CompressionName } from '../codec/codec.ts';
import { fieldOf, parseControl, type Stanza } from './control.ts';
import { type ControlFiles, readControlArchive } from './control-archive.ts';
import { packageMembers } from './members.ts';
import { isOldPackage, oldMembers } from './old-format.ts';
import { isPackageName } from './relation.ts';
import { isPolicyVersion, parseVersion, type Version } from './version.ts';

export interface DebPackage {
  /** The file, as the user named it. */
  readonly file: string;
  readonly name: string;
  readonly version: Version;
  readonly versionText: string;
  /** Debian's name, or `all`. */
  readonly architecture: string;
  readonly control: Stanza;
  /** The other members of the control archive, by name: md5sums, conffiles, scripts and so on. */
  readonly files: ControlFiles;
  /** When it was built, in seconds since 1970, as its archive says. */
  readonly built: number;
  readonly data: DataArchive;
}

export interface DataArchive {
  readonly compression: CompressionName | undefined;
  /** Bytes as they are in the package. */
  readonly size: number;
  /** As it is in the package. Can be called again. */
  open(): Chunks;
}

/** What a package of any format consists of. */
export interface PackageMembers {
  readonly built: number;
  readonly control: DataArchive;
  readonly data: DataArchive;
}

const HEAD = 100;

/** Whether a file that starts so can be a package. */
export const isPackage = (head: Uint8Array): boolean =>
  (isAr(head) && binaryString(head.subarray(8, 21)) === 'debian-binary') || isOldPackage(head);

/** @throws OcixError format/unknown, ar/…, debian/…, codec/…, tar/…, limit/control-bytes */
export async function readPackage(source: RandomSource, context: Context): Promise<DebPackage> {
  const head = await collect(source.window(0, HEAD), HEAD);
  if (!isPackage(head)) {
    throw new OcixError('format/unknown', `${printable(source.name)} is no Debian package`, {
      hint: isAr(head)
        ? 'It is an ar archive of another kind, such as a library.'
        : 'A package is an ar archive that starts with debian-binary.',
    });
  }
  const { built, control, data } = isAr(head)
    ? await packageMembers(source, context)
    : await oldMembers(source, head, context);
  const files = await within('control.tar', () => readControlArchive(control, context));
  return within('control', async () => ({ file: source.name, built, data, ...identity(files), files }));
}

function identity(
  files: ControlFiles,
): Pick<DebPackage, 'name' | 'version' | 'versionText' | 'architecture' | 'control'> {
  const file = files.get('control');
  if (!file) throw new OcixError('debian/package', 'the package has no control file');
  const control = parseControl(binaryString(file));
  const name = required(control, 'Package');
  if (!isPackageName(name)) throw badValue('Package', name, 'letters, digits, +, -, . and _');
  const architecture = required(control, 'Architecture');
  if (!/^[a-z0-9][a-z0-9-]*$/.test(architecture) || architecture.length > 40)
    throw badValue('Architecture', architecture, 'one architecture, such as amd64, or all');
  if (fieldOf(control, 'package-type') === 'udeb')
    throw new OcixError('format/unsupported', `${name} is a package for the installer (udeb), not for a system`);
  const versionText = required(control, 'Version');
  const version = withinSync('Version', () => parseVersion(versionText));
  return { name, version, versionText, architecture, control };
}

function required(control: Stanza, name: string): string {
  const value = fieldOf(control, name.toLowerCase());
  if (value) return value;
  throw new OcixError('debian/control', `the control file has no field ${name}`);
}

const badValue = (field: string, value: string, expected: string): OcixError =>
  new OcixError('debian/control', `${JSON.stringify(printable(value.slice(0, 100)))} cannot stand there`, {
    at: [field],
    expected,
  });

/** Whether its version is one that Debian's policy allows. */
export const hasPolicyVersion = ({ version }: DebPackage): boolean => isPolicyVersion(version);

/** `name version architecture`, for people. */
export const packageText = ({
  name,
  versionText,
  architecture,
}: Pick<DebPackage, 'name' | 'versionText' | 'architecture'>): string => `${name} ${versionText} ${architecture}`;
