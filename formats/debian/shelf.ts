/**
 * Folders of packages: where the packages that were given find what they need. Where none were given the folder is meant as a whole, the newest
 * version of each.
 *
 * Files are packages where they are called `.deb`, as for `dpkg --recursive`. Only their control data is read, and what is not chosen is
 * closed again: a folder may hold more than a process can keep open.
 */
import { type Context, checkAbort, note } from '../base/context.ts';
import { OcixError, within } from '../base/errors.ts';
import type { FolderSource } from '../bytes/folder.ts';
import type { RandomSource } from '../bytes/source.ts';
import { printable } from '../bytes/text.ts';
import type { Repositories } from '../model/reader.ts';
import { debianName } from './architecture.ts';
import { fieldOf } from './control.ts';
import { type DebPackage, packageText, readPackage } from './package.ts';
import { resolve, type Wanted, whyIn } from './resolve.ts';
import { type Candidate, catalogueOf } from './satisfaction.ts';
import { compareVersions } from './version.ts';

/** A package of a folder. */
export interface Shelved extends Candidate {
  /** The file, for people. */
  readonly file: string;
  /** Others of the same name, version and architecture. */
  readonly twins: readonly string[];
  open(): Promise<RandomSource>;
}

/** Newest first, each version once. @throws OcixError what reading a package throws */
export async function readShelves(folders: readonly FolderSource[], context: Context): Promise<readonly Shelved[]> {
  const found = new Map<string, Shelved & { readonly twins: string[] }>();
  for (const folder of folders) {
    for (const path of folder.paths.filter((name) => name.endsWith('.deb'))) {
      checkAbort(context);
      const one = await within(printable(`${folder.name} > ${path}`), () => shelved(folder, path, context));
      const known = found.get(packageText(one));
      if (known) known.twins.push(one.file);
      else found.set(packageText(one), one);
    }
  }
  return [...found.values()].sort((a, b) => compareVersions(b.version, a.version));
}

async function shelved(
  folder: FolderSource,
  path: string,
  context: Context,
): Promise<Shelved & { readonly twins: string[] }> {
  const open = async (): Promise<RandomSource> => {
    const file = await folder.open(path);
    if (file) return file;
    throw new OcixError('source/missing', `${printable(path)} is gone`, { hint: 'Try again.' });
  };
  const source = await open();
  try {
    const { name, version, versionText, architecture, control, file } = await readPackage(source, context);
    return { name, version, versionText, architecture, control, file, twins: [], open };
  } finally {
    await source.close();
  }
}

type Wishes = Pick<Repositories, 'architecture' | 'essential' | 'decided'>;

/**
 * What has to be opened beside the packages that were given.
 * @throws OcixError debian/unmet
 */
export function chosenFrom(
  shelf: readonly Shelved[],
  given: readonly DebPackage[],
  wishes: Wishes,
  context: Context,
): readonly Shelved[] {
  const native = nativeOf(shelf, given, wishes, context);
  const architectures = new Set([native, 'all', ...given.map(({ architecture }) => architecture)]);
  const fitting = shelf.filter(({ architecture }) => architectures.has(architecture));
  const chosen = given.length ? needed(fitting, given, native, wishes, context) : newest(fitting);
  const left = shelf.length - fitting.length;
  if (!given.length && left)
    note(context, 'dropped', `packages for other architectures than ${native} are left out: ${left}`, 'packages');
  for (const one of chosen)
    if (one.twins.length)
      note(context, 'guessed', `${one.file} is taken, and not ${one.twins.join(', ')}`, packageText(one));
  return chosen;
}

/** What the user says; else what the given packages are for; else this machine's, or the first there is. */
function nativeOf(
  shelf: readonly Shelved[],
  given: readonly DebPackage[],
  { architecture }: Wishes,
  { host }: Context,
): string {
  if (architecture !== undefined) return debianName(architecture) ?? architecture;
  const own = debianName(host.architecture) ?? host.architecture;
  const real = (given.length ? given : shelf).map((one) => one.architecture).filter((name) => name !== 'all');
  return real.includes(own) ? own : ([...real].sort()[0] ?? own);
}

function newest(shelf: readonly Shelved[]): readonly Shelved[] {
  const first = new Map<string, Shelved>();
  for (const one of shelf) if (!first.has(one.name)) first.set(one.name, one);
  return [...first.values()];
}

/** Of a package that was given no other version comes into question. */
function needed(
  shelf: readonly Shelved[],
  given: readonly DebPackage[],
  native: string,
  { essential, decided }: Wishes,
  context: Context,
): readonly Shelved[] {
  const names = new Set(given.map(({ name }) => name));
  const rest = shelf.filter(({ name }) => !names.has(name));
  const catalogue = catalogueOf<DebPackage | Shelved>([...given, ...rest]);
  const roots: Wanted[] = given.map(({ name, architecture }) => ({
    name,
    alternatives: [{ name, architecture: architecture === 'all' ? native : architecture }],
  }));
  if (essential)
    for (const { name, control } of newest(rest))
      if (fieldOf(control, 'essential') === 'yes') roots.push({ name, alternatives: [{ name }] });
  const resolution = resolve(roots, catalogue, native, context);
  const missing = given.find((one) => !resolution.packages.includes(one));
  if (missing)
    throw new OcixError('debian/unmet', `${packageText(missing)} cannot be installed with the others`, {
      hint: 'Leave it out, or what stands in its place.',
    });
  decided?.({ why: (name) => whyIn(resolution, name) });
  return resolution.packages.filter((one): one is Shelved => 'open' in one);
}
