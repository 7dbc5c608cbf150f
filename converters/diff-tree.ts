/** Two trees compared name by name, and the layers that the differences come from. */
import { isOfHost } from '../formats/rootfs/metadata.ts';
import { parentOf } from '../formats/rootfs/path.ts';
import type { Inode } from '../formats/rootfs/tree.ts';
import type { LayerShare, TreeDifference } from './diff.ts';
import type { Side, SideTree } from './diff-side.ts';
import { type Listed, listedName, type TreeName } from './listing.ts';

/** `content` is a file's digest, `names` which names one file has. */
export const TREE_FIELDS = [
  'type',
  'mode',
  'uid',
  'gid',
  'size',
  'mtime',
  'link',
  'names',
  'major',
  'minor',
  'xattrs',
  'content',
] as const;
export type TreeField = (typeof TREE_FIELDS)[number];

/** A difference, with the names that it is one of. */
export interface Found {
  readonly difference: TreeDifference;
  readonly a: TreeName | undefined;
  readonly b: TreeName | undefined;
}

/** One side, with what is asked of it again and again. */
interface Indexed {
  readonly byPath: ReadonlyMap<string, TreeName>;
  /** Of files with several names. */
  readonly paths: ReadonlyMap<Inode, readonly string[]>;
}

export function treeDifferences(a: SideTree, b: SideTree, ignored: ReadonlySet<string>): readonly Found[] {
  const hidden = hiddenIn([...a.unseen, ...b.unseen].flatMap(({ path }) => (path === undefined ? [] : [path])));
  const unreadable = new Set<string>([...a.unseen, ...b.unseen].flatMap(({ field }) => field ?? []));
  const fields = TREE_FIELDS.filter((field) => !ignored.has(field) && !unreadable.has(field));
  const [before, after] = [indexed(withRoot(a, b)), indexed(withRoot(b, a))];
  const found: Found[] = [];
  for (const [path, one] of before.byPath) {
    if (hidden(path)) continue;
    const other = after.byPath.get(path);
    const changed = other ? fields.filter((field) => differs(field, [one, other], [before, after])) : [];
    if (!other) found.push(difference('removed', one, undefined, []));
    else if (changed.length) found.push(difference('changed', one, other, changed));
  }
  for (const [path, other] of after.byPath)
    if (!before.byPath.has(path) && !hidden(path)) found.push(difference('added', undefined, other, []));
  return found.sort((one, other) => (pathOf(one) < pathOf(other) ? -1 : 1));
}

/** Many layers do not name the root itself, and then it is as good as any other. */
const withRoot = ({ root, names }: SideTree, other: SideTree): readonly TreeName[] =>
  root && other.root ? [{ path: '', inode: root, first: undefined, layer: undefined }, ...names] : names;

function indexed(names: readonly TreeName[]): Indexed {
  const paths = new Map<Inode, string[]>();
  for (const { inode, path } of names) {
    const known = paths.get(inode);
    if (known) known.push(path);
    else paths.set(inode, [path]);
  }
  return { byPath: new Map(names.map((name) => [name.path, name])), paths };
}

/** What one side could not see is neither there nor missing, with all below it. */
function hiddenIn(paths: readonly string[]): (path: string) => boolean {
  const unseen = new Set(paths);
  if (!unseen.size) return () => false;
  return (path) => {
    for (let at = path; at !== ''; at = parentOf(at)) if (unseen.has(at)) return true;
    return false;
  };
}

const pathOf = ({ a, b }: Found): string => (a ?? b)!.path;

function difference(
  kind: TreeDifference['kind'],
  a: TreeName | undefined,
  b: TreeName | undefined,
  fields: readonly TreeField[],
): Found {
  const [one, other] = [a && listedName(a), b && listedName(b)];
  const { path, pathBytes } = (one ?? other)!;
  const layers = {
    ...(a?.layer === undefined ? {} : { a: a.layer }),
    ...(b?.layer === undefined ? {} : { b: b.layer }),
  };
  const place = { path, ...(pathBytes === undefined ? {} : { pathBytes }) };
  const entries = { ...(one ? { a: one } : {}), ...(other ? { b: other } : {}) };
  return { difference: { part: 'tree', kind, ...place, fields, ...entries, layers }, a, b };
}

function differs(
  field: TreeField,
  [one, other]: readonly [TreeName, TreeName],
  [before, after]: readonly [Indexed, Indexed],
): boolean {
  const [a, b] = [listedName({ ...one, first: undefined }), listedName({ ...other, first: undefined })];
  switch (field) {
    // Linux gives a symlink no mode of its own.
    case 'mode':
      return a.mode !== b.mode && a.type !== 'symlink' && b.type !== 'symlink';
    // Nothing tells the time of a folder that no entry names.
    case 'mtime':
      return a.mtime !== b.mtime && one.inode.entry !== undefined && other.inode.entry !== undefined;
    case 'content':
      return a.sha256 !== b.sha256;
    case 'xattrs':
      return xattrsOf(a) !== xattrsOf(b);
    case 'names':
      return otherNames(one, before, after) !== otherNames(other, after, before);
    default:
      return a[field] !== b[field];
  }
}

/** A label of the host that a file lies on is not the image's, and is not unpacked either. */
const xattrsOf = ({ xattrs = {} }: Listed): string =>
  JSON.stringify(
    Object.entries(xattrs)
      .filter(([name]) => !isOfHost(name))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

/** A name that is only in one of the trees is a difference of its own, and not one of the names that stay. */
const otherNames = ({ inode }: TreeName, own: Indexed, other: Indexed): string =>
  JSON.stringify(own.paths.get(inode)!.filter((path) => other.byPath.has(path)));

/** How much of the differences each layer brought; layers that brought none are left out. */
export function layerShares(
  differences: readonly TreeDifference[],
  sides: readonly [Side, Side],
): readonly LayerShare[] {
  return (['a', 'b'] as const).flatMap((side, at) =>
    sides[at]!.layers.flatMap(({ diffId, blob }, layer): readonly LayerShare[] => {
      const own = differences.filter(({ layers }) => layers[side] === layer);
      const count = (kind: TreeDifference['kind']): number => own.filter((one) => one.kind === kind).length;
      const id = diffId ?? (blob.codec ? undefined : blob.digest);
      const name = id === undefined ? {} : { diffId: id };
      return own.length
        ? [{ side, layer, ...name, added: count('added'), removed: count('removed'), changed: count('changed') }]
        : [];
    }),
  );
}
