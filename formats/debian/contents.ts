/**
 * What stands in which layer: the files of packages, merged, and dpkg's database. Everything of one package, records included, is in the
 * layer of that package; what speaks of all of them is in a layer of its own, so that the others can be the same in other images.
 */
import type { Context } from '../base/context.ts';
import { endIdleThreads } from '../codec/decompress-aside.ts';
import type { Packaging } from '../model/reader.ts';
import { type Spool, spool } from '../store/spool.ts';
import { commonRecords, distrolessRecords, packageRecords } from './database.ts';
import { type Owner, type PackageTree, type PlacedEntry, packageTree } from './merge.ts';
import { installerLinks, mergedLinks } from './merged-usr.ts';
import { type DebPackage, packageText } from './package.ts';
import { versionFits } from './relation.ts';
import { relationsOf } from './satisfaction.ts';
import { type Surveyed, surveyPackage } from './survey.ts';

export interface LayerPlan {
  /** For people. */
  readonly title: string;
  readonly packages: readonly DebPackage[];
  /** It holds what speaks of all packages. */
  readonly common: boolean;
  /** Bytes of the data archives, as they came. */
  readonly size: number;
}

export interface Contents {
  /** Base first. */
  readonly plans: readonly LayerPlan[];
  /** @throws OcixError what reading the packages throws, debian/conflict, path/… */
  entries(plan: LayerPlan): Promise<readonly PlacedEntry[]>;
  close(): Promise<void>;
}

export interface ContentsOptions {
  /** The order of unpacking. */
  readonly order: readonly DebPackage[];
  readonly groups: readonly (readonly DebPackage[])[];
  readonly packaging: Packaging;
}

/** Packages that are read at a time. Each lane puts content aside in a place of its own, so that a file's is in one piece. */
const LANES = 2;

export function packageContents({ order, groups, packaging }: ContentsOptions, context: Context): Contents {
  const plans = plansFor(groups, packaging);
  const spools: Spool[] = [];
  let placing: Promise<ReadonlyMap<LayerPlan, readonly PlacedEntry[]>> | undefined;
  return {
    plans,
    async entries(plan) {
      placing ??= place();
      return (await placing).get(plan)!;
    },
    async close() {
      await placing?.catch(() => {});
      for (const one of spools.splice(0)) await one.close();
    },
  };

  async function place(): Promise<ReadonlyMap<LayerPlan, readonly PlacedEntry[]>> {
    const surveyed = new Map<DebPackage, Surveyed>();
    // The largest first, so that no lane has to wait for one at the end.
    const rest = [...order].sort((a, b) => b.data.size - a.data.size);
    const lane = async (): Promise<void> => {
      const aside = await spool();
      spools.push(aside);
      for (let one = rest.shift(); one; one = rest.shift()) surveyed.set(one, await surveyPackage(one, aside, context));
    };
    const lanes = await Promise.allSettled(Array.from({ length: LANES }, lane));
    await endIdleThreads(); // what follows compresses, on as many threads
    for (const one of lanes) if (one.status === 'rejected') throw one.reason;
    return new Map(
      arranged(
        order.map((one) => surveyed.get(one)!),
        plans,
        packaging,
      ),
    );
  }
}

function plansFor(groups: readonly (readonly DebPackage[])[], { layers, distroless }: Packaging): readonly LayerPlan[] {
  const alone = layers === 'one' || distroless;
  const plans = groups.map((packages) => ({
    title: titleOf(packages),
    packages,
    common: alone && !distroless,
    size: packages.reduce((sum, { data }) => sum + data.size, 0),
  }));
  return alone ? plans : [...plans, { title: 'package database', packages: [], common: true, size: 0 }];
}

const MOST_NAMED = 8;

function titleOf(packages: readonly DebPackage[]): string {
  const named = packages.slice(0, MOST_NAMED).map(({ name, versionText }) => `${name}=${versionText}`);
  const more = packages.length - named.length;
  return `packages: ${named.join(' ')}${more ? ` and ${more} more` : ''}`;
}

function arranged(
  surveyed: readonly Surveyed[],
  plans: readonly LayerPlan[],
  packaging: Packaging,
): readonly (readonly [LayerPlan, readonly PlacedEntry[]])[] {
  const tree = packageTree();
  const owners = new Map(surveyed.map((one) => [one.package, ownerOf(one.package)]));
  const clamped = surveyed.map((one) => clamp(one, packaging.latest));
  const installer: Owner = { title: 'merged /usr', replaces: () => false, shares: () => false };
  const time = Math.min(surveyed[0]?.package.built ?? 0, packaging.latest ?? Number.MAX_SAFE_INTEGER);
  if (packaging.mergedUsr)
    tree.add(
      installer,
      installerLinks(
        clamped.map(({ entries }) => entries),
        time,
      ),
    );
  for (const { package: one, entries } of clamped) tree.add(owners.get(one)!, mergedLinks(entries));
  for (const { package: one, entries } of clamped) tree.add(owners.get(one)!, entries);
  const records = addRecords(clamped, tree, owners, packaging);
  return plans.map((plan, i) => {
    const first = i === 0 ? tree.placed(installer) : [];
    const placed = plan.packages.flatMap((one) => [
      ...tree.placed(owners.get(one)!),
      ...tree.placed(records.get(one)!),
    ]);
    return [plan, once([...first, ...placed, ...(plan.common ? tree.placed(records.get(undefined)!) : [])])];
  });
}

/** Each package's records belong to it; those of nobody are for all. */
function addRecords(
  surveyed: readonly Surveyed[],
  tree: PackageTree,
  owners: ReadonlyMap<DebPackage, Owner>,
  { distroless, latest }: Packaging,
): ReadonlyMap<DebPackage | undefined, Owner> {
  const timeOf = (built: number): number => Math.min(built, latest ?? built);
  const records = new Map<DebPackage | undefined, Owner>();
  for (const one of surveyed) {
    const time = timeOf(one.package.built);
    const owner = databaseOwner();
    records.set(one.package, owner);
    tree.add(
      owner,
      distroless ? distrolessRecords(one, time) : packageRecords(one, tree.listed(owners.get(one.package)!), time),
    );
  }
  const common = databaseOwner();
  records.set(undefined, common);
  const newest = timeOf(Math.max(0, ...surveyed.map((one) => one.package.built)));
  if (!distroless) tree.add(common, commonRecords(surveyed, newest));
  return records;
}

/** A package that brings parts of the database itself is refused: one of both would be lost. */
const databaseOwner = (): Owner => ({ title: 'the package database', replaces: () => false, shares: () => false });

function ownerOf(one: DebPackage): Owner & { readonly one: DebPackage } {
  const relations = relationsOf(one, 'replaces').flat();
  return {
    one,
    title: packageText(one),
    replaces: (other) =>
      isPackageOwner(other) &&
      relations.some(({ name, version }) => name === other.one.name && versionFits(other.one.version, version)),
    shares: (other) =>
      isPackageOwner(other) && other.one.name === one.name && other.one.versionText === one.versionText,
  };
}

const isPackageOwner = (owner: Owner): owner is Owner & { readonly one: DebPackage } => 'one' in owner;

/** Nothing is later than the time that the user gives. https://reproducible-builds.org/specs/source-date-epoch/ */
function clamp(surveyed: Surveyed, latest: number | undefined): Surveyed {
  if (latest === undefined) return surveyed;
  const entries = surveyed.entries.map((entry) =>
    entry.fields.mtime.seconds < latest
      ? entry
      : { ...entry, fields: { ...entry.fields, mtime: { seconds: latest, nanos: 0 } } },
  );
  return { ...surveyed, entries };
}

/** A folder that several packages have is in a layer once. */
function once(entries: readonly PlacedEntry[]): readonly PlacedEntry[] {
  const folders = new Set<string>();
  return entries.filter(({ fields: { type, path } }) => {
    if (type !== 'dir') return true;
    const key = String.fromCharCode(...path);
    return !folders.has(key) && folders.add(key);
  });
}
