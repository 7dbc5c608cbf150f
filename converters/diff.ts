/**
 * What differs between two sources, as data: their configurations field by field, and their trees name by name. Which format a source
 * came in, how its layers are cut and how they are compressed makes no difference. `docs/diff.md` says what counts, and why.
 */
import { type Context, createContext } from '../formats/base/context.ts';
import { OcixError, within } from '../formats/base/errors.ts';
import { didYouMean } from '../formats/base/nearest.ts';
import { fromBinaryString, lossyUtf8, printable } from '../formats/bytes/text.ts';
import type { Json } from '../formats/json/parse.ts';
import { configDifferences, IMAGE_FIELDS, isRuntimePlace } from './diff-config.ts';
import { openSide, type Side, type SideOptions, type SideTree } from './diff-side.ts';
import { withTexts, withValues } from './diff-text.ts';
import { layerShares, TREE_FIELDS, type TreeField, treeDifferences } from './diff-tree.ts';
import type { Listed } from './listing.ts';
import type { Source } from './open.ts';

/** What was compared, and what came of it. */
export interface Comparison {
  readonly equal: boolean;
  /** The terms in which the configurations were compared: those of images, of `config.json`, or not at all. */
  readonly configuration: 'image' | 'runtime' | 'none';
  readonly differences: readonly Difference[];
  /** Where the differences of the trees come from, side by side and base first: layers that brought none are left out. */
  readonly layers: readonly LayerShare[];
  /** What nobody can say is equal or not, and why. */
  readonly notCompared: readonly NotCompared[];
}

/** `added` is what only the second source has. */
export type Difference = ConfigDifference | TreeDifference;

export interface ConfigDifference {
  readonly part: 'config';
  readonly kind: 'added' | 'removed' | 'changed';
  /** A field of an image's configuration, or a place in `config.json`: `process.args`. */
  readonly field: string;
  readonly a?: Json;
  readonly b?: Json;
  readonly text?: TextDifference;
}

export interface TreeDifference {
  readonly part: 'tree';
  readonly kind: 'added' | 'removed' | 'changed';
  /** As in `Listed`: without a leading slash, lossy where it is not UTF-8. */
  readonly path: string;
  readonly pathBytes?: string;
  /** Which fields differ; only where the name is in both. */
  readonly fields: readonly TreeField[];
  readonly a?: Listed;
  readonly b?: Listed;
  /** The layers, from 0 on, that brought the name; absent where a side has none. */
  readonly layers: { readonly a?: number; readonly b?: number };
  readonly text?: TextDifference;
}

/** A unified diff, or why there is none. */
export type TextDifference = { readonly unified: string } | { readonly omitted: string };

export interface LayerShare {
  readonly side: 'a' | 'b';
  /** From 0 on, the base. */
  readonly layer: number;
  readonly diffId?: string;
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
}

export interface NotCompared {
  readonly side: 'a' | 'b';
  /** Absent where it concerns more than one name. */
  readonly path?: string;
  readonly why: string;
}

/** What can be ignored, beside places in `config.json` (`process.args`, or `process` for all of it). */
export const DIFF_FIELDS: readonly string[] = [...IMAGE_FIELDS, ...TREE_FIELDS];

export interface DiffOptions extends SideOptions {
  /** Names of `DIFF_FIELDS`, or places in `config.json`, that do not count. */
  readonly ignore?: readonly string[] | undefined;
  /** Also what a conversion says of itself: labels and annotations of ocix. */
  readonly all?: boolean | undefined;
  /** With a unified diff of small texts, and of configurations. */
  readonly content?: boolean | undefined;
}

/**
 * What differs between `a` and `b`: images of any formats, bundles (`bundle:DIR`), root filesystems on the disk (`rootfs:DIR`). A folder
 * that is no image is taken for one of the latter.
 *
 * @throws OcixError what opening and reading the sources throws; of an image that is compared with a bundle also what making one throws
 */
export async function diff(a: Source, b: Source, options: DiffOptions = {}): Promise<Comparison> {
  const { ignore = [], all = false, content = false } = options;
  checkIgnored(ignore);
  const before = await openSide(a, options);
  try {
    const after = await openSide(b, options);
    try {
      return await compare([before, after], { ignore, all, content }, createContext(options));
    } finally {
      await after.close();
    }
  } finally {
    await before.close();
  }
}

/** @throws OcixError usage/option for a field that does not exist */
function checkIgnored(ignore: readonly string[]): void {
  const known = (field: string): boolean => DIFF_FIELDS.includes(field) || isRuntimePlace(field);
  const unknown = ignore.find((field) => !known(field));
  if (unknown === undefined) return;
  throw new OcixError('usage/option', `${printable(unknown)} is not a field that can be ignored`, {
    hint: `${didYouMean(unknown, DIFF_FIELDS)}The fields are ${DIFF_FIELDS.join(', ')}; and places in config.json, such as process.args.`,
  });
}

type Choice = { readonly [K in 'ignore' | 'all' | 'content']-?: NonNullable<DiffOptions[K]> };

async function compare(
  sides: readonly [Side, Side],
  { ignore, all, content }: Choice,
  context: Context,
): Promise<Comparison> {
  const [a, b] = sides;
  const ignored = new Set(ignore);
  const wanted = { digest: !ignored.has('content') };
  const before = await within(a.name, () => a.tree(wanted, context));
  const after = await within(b.name, () => b.tree(wanted, context));
  const { configuration, differences } = await configDifferences(a, b, { ignored, all }, context);
  const found = treeDifferences(before, after, ignored);
  const names = (content ? await withTexts(found, sides, context) : found).map(({ difference }) => difference);
  const values = content ? await Promise.all(differences.map(withValues)) : differences;
  return {
    equal: !values.length && !names.length,
    configuration,
    differences: [...values, ...names],
    layers: layerShares(names, sides),
    notCompared: [...withoutConfiguration(sides), ...unseen('a', before), ...unseen('b', after)],
  };
}

const withoutConfiguration = ([a, b]: readonly [Side, Side]): readonly NotCompared[] => [
  ...(a.configuration.kind === 'none' ? [{ side: 'a', why: a.configuration.why } as const] : []),
  ...(b.configuration.kind === 'none' ? [{ side: 'b', why: b.configuration.why } as const] : []),
];

const unseen = (side: NotCompared['side'], tree: SideTree): readonly NotCompared[] =>
  tree.unseen.map(({ path, why }) => ({
    side,
    ...(path === undefined ? {} : { path: lossyUtf8(fromBinaryString(path)) }),
    why,
  }));
