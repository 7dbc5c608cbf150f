/**
 * One image of some packages. What it is made of is decided from control data alone; the data archives are read when somebody
 * opens a layer, all of them, once.
 */
import { type Context, note } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { lossyUtf8 } from '../bytes/text.ts';
import { jsonBytes } from '../json/write.ts';
import type { Image } from '../model/image.ts';
import { layerFromParts } from '../model/layer.ts';
import type { Packaging } from '../model/reader.ts';
import { platformOf } from './architecture.ts';
import { COMPLETION } from './completion.ts';
import { type Contents, type LayerPlan, packageContents } from './contents.ts';
import { fieldOf } from './control.ts';
import { scriptsOf } from './database.ts';
import { changesOf, factsOf } from './facts.ts';
import { layerGroups } from './groups.ts';
import { deferred, layerTar } from './layer-stream.ts';
import { neededBy, unpackOrder } from './order.ts';
import { type DebPackage, hasPolicyVersion, packageText } from './package.ts';
import { alternativesText } from './relation.ts';
import { needsOf, relationsOf, type Satisfaction, satisfaction } from './satisfaction.ts';

export const PACKAGES_LABEL = 'io.ocix.deb.packages';

export interface PackagesImage {
  readonly image: Image;
  close(): Promise<void>;
}

/** @throws OcixError debian/conflict, debian/relation; and when a layer is opened what `packageContents` throws */
export function imageOfPackages(
  packages: readonly DebPackage[],
  packaging: Packaging,
  context: Context,
): PackagesImage {
  const native = nativeArchitecture(packages, context);
  const satisfied = satisfaction(packages, native);
  refuseSame(packages);
  refuseConflicts(packages, satisfied);
  noteUnmet(packages, satisfied, context);
  for (const one of packages) noteOddities(one, packaging, context);
  const needs = neededBy(packages, satisfied);
  const order = unpackOrder(needs);
  const groups = layerGroups(order, needs, packaging.layers);
  const contents = packageContents({ order: order.flat(), groups, packaging }, context);
  return { image: assembled(groups, contents, native, packaging, context), close: contents.close };
}

function assembled(
  groups: readonly (readonly DebPackage[])[],
  contents: Contents,
  native: string | undefined,
  packaging: Packaging,
  context: Context,
): Image {
  const plans: readonly LayerPlan[] = contents.plans;
  const packages = groups.flat();
  const list = listOf(packages);
  const built = Math.max(0, ...packages.map((one) => one.built));
  return {
    kind: 'image',
    names: [],
    config: {
      platform: (native === undefined ? undefined : platformOf(native)) ?? { os: 'linux' },
      // SOURCE_DATE_EPOCH, where it is given, is when the image was created.
      ...(packaging.latest === undefined && built > 0
        ? { created: new Date(built * 1000).toISOString().replace('.000Z', 'Z') }
        : {}),
      entrypoint: [],
      cmd: [],
      env: [],
      exposedPorts: [],
      volumes: [],
      labels: new Map([[PACKAGES_LABEL, list]]),
      onBuild: [],
      shell: [],
      other: {},
    },
    layers: plans.map((plan) =>
      layerFromParts(plan.size, () => deferred(async () => layerTar(await contents.entries(plan), context))),
    ),
    history: plans.map(({ title }) => ({ createdBy: title, emptyLayer: false })),
    annotations: new Map([[PACKAGES_LABEL, list], ...(packaging.annotated ? ownAnnotations(packages) : [])]),
    packages: packages.map(factsOf),
    ...(!packaging.distroless && packages.some((one) => scriptsOf(one).length) ? { completion: COMPLETION } : {}),
    original: {},
  };
}

/**
 * `debian.org/deb/NAME` = `ARCHITECTURE/VERSION`, as deb2aci wrote them: with `_` for what no identifier has, and one where it wrote two, which the specification
 * does not allow. A name that would end in one has none, since actool refuses it; the list has them all.
 */
function ownAnnotations(packages: readonly DebPackage[]): readonly (readonly [string, string])[] {
  const names = packages.map(({ name }) => name);
  return packages.flatMap(({ name, architecture, versionText }) => {
    // No package has a ~ in its name.
    const own = names.indexOf(name) === names.lastIndexOf(name) ? name : `${name}~${architecture}`;
    return own.endsWith('+')
      ? []
      : [[`debian.org/deb/${own.replace(/\++/g, '_')}`, `${architecture}/${versionText}`] as const];
  });
}

/** Versions by name, the name with its architecture where that is not the only one of its kind. */
function listOf(packages: readonly DebPackage[]): string {
  const several = new Set(packages.map(({ name }) => name)).size < packages.length;
  const rows = packages.map(({ name, architecture, versionText }) => [
    several ? `${name}:${architecture}` : name,
    versionText,
  ]);
  return lossyUtf8(jsonBytes(Object.fromEntries(rows.sort(([a], [b]) => (a! < b! ? -1 : 1)))));
}

/** The one architecture that packages are for; undefined where all of them are for any. */
function nativeArchitecture(packages: readonly DebPackage[], context: Context): string | undefined {
  const counts = new Map<string, number>();
  for (const { architecture } of packages)
    if (architecture !== 'all') counts.set(architecture, (counts.get(architecture) ?? 0) + 1);
  const [best, ...others] = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([name]) => name);
  if (others.length)
    note(
      context,
      'guessed',
      `the packages are for ${[best, ...others].join(' and ')}: the image says ${best}`,
      'packages',
    );
  return best;
}

function refuseSame(packages: readonly DebPackage[]): void {
  const known = new Map<string, DebPackage>();
  for (const one of packages) {
    const multi = fieldOf(one.control, 'multi-arch') === 'same';
    const key = multi ? `${one.name}:${one.architecture}` : one.name;
    const other = known.get(key);
    if (other)
      throw new OcixError(
        'debian/conflict',
        `${one.name} is there twice: ${packageText(other)} and ${packageText(one)}`,
        {
          hint: 'Leave one of them out.',
        },
      );
    known.set(key, one);
  }
}

function refuseConflicts(packages: readonly DebPackage[], satisfied: Satisfaction<DebPackage>): void {
  for (const one of packages) {
    for (const field of ['conflicts', 'breaks'] as const) {
      for (const [relation] of relationsOf(one, field)) {
        // What it provides itself is how a package says that it is the only one of its kind.
        const other = relation && satisfied.candidates(relation, one).find(({ name }) => name !== one.name);
        if (!other) continue;
        throw new OcixError(
          'debian/conflict',
          `${packageText(one)} ${field === 'breaks' ? 'breaks' : 'conflicts with'} ${packageText(other)}`,
          {
            at: [field],
            hint: 'dpkg would refuse them too. Leave one of them out.',
          },
        );
      }
    }
  }
}

function noteUnmet(packages: readonly DebPackage[], satisfied: Satisfaction<DebPackage>, context: Context): void {
  for (const one of packages) {
    for (const alternatives of needsOf(one)) {
      if (alternatives.some((relation) => satisfied.candidates(relation, one).length)) continue;
      note(
        context,
        'dropped',
        `it depends on ${alternativesText(alternatives)}, which is not among the packages`,
        packageText(one),
      );
    }
  }
}

function noteOddities(one: DebPackage, { distroless }: Packaging, context: Context): void {
  const scripts = scriptsOf(one);
  if (scripts.length) {
    const changes = changesOf(one);
    const what = `${scripts.join(', ')}${changes.length ? `, which call ${changes.join(', ')}` : ''}`;
    const how = distroless ? '' : ' (dpkg --configure -a runs them in the image)';
    note(context, 'dropped', `its maintainer scripts were not run: ${what}${how}`, packageText(one));
  }
  if (!hasPolicyVersion(one)) note(context, 'repaired', 'its version does not start with a digit', packageText(one));
}
