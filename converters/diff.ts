/**
 * What differs between two images, as data: their configurations field by field, and their merged trees name by name. Which format an
 * image came in, how its layers are cut and how they are compressed makes no difference.
 */
import type { Context } from '../formats/base/context.ts';
import { OcixError } from '../formats/base/errors.ts';
import { printable } from '../formats/bytes/text.ts';
import type { Json } from '../formats/json/parse.ts';
import type { ImageConfig } from '../formats/model/config.ts';
import type { Image } from '../formats/model/image.ts';
import { type Listed, listTree } from './listing.ts';

/** `added` is what only the second image has. */
export type Difference = ConfigDifference | TreeDifference;

export interface ConfigDifference {
  readonly part: 'config';
  readonly kind: 'added' | 'removed' | 'changed';
  readonly field: string;
  readonly a?: Json;
  readonly b?: Json;
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
}

const CONFIG_FIELDS = [
  'platform',
  'created',
  'author',
  'entrypoint',
  'cmd',
  'env',
  'user',
  'workingDir',
  'stopSignal',
  'exposedPorts',
  'volumes',
  'labels',
  'healthcheck',
  'onBuild',
  'shell',
  'other',
] as const satisfies readonly (keyof ImageConfig)[];

/** `content` is a file's digest, `names` which names one file has. */
const TREE_FIELDS = [
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

/** What can be ignored. */
export const DIFF_FIELDS: readonly string[] = [...CONFIG_FIELDS, ...TREE_FIELDS];

/**
 * @param ignore names of `DIFF_FIELDS`
 * @throws OcixError usage/option for a field that does not exist; and what reading the layers throws
 */
export async function diffImages(
  [a, b]: readonly [Image, Image],
  ignore: readonly string[],
  context: Context,
): Promise<readonly Difference[]> {
  const unknown = ignore.find((field) => !DIFF_FIELDS.includes(field));
  if (unknown !== undefined) {
    throw new OcixError('usage/option', `${printable(unknown)} is not a field that can be ignored`, {
      hint: `The fields are ${DIFF_FIELDS.join(', ')}.`,
    });
  }
  const ignored = new Set(ignore);
  const wanted = { digest: !ignored.has('content') };
  const [before, after] = [await listTree(a, wanted, context), await listTree(b, wanted, context)];
  return [...configDifferences(a.config, b.config, ignored), ...treeDifferences(before, after, ignored)];
}

function configDifferences(a: ImageConfig, b: ImageConfig, ignored: ReadonlySet<string>): readonly ConfigDifference[] {
  const found: ConfigDifference[] = [];
  for (const field of CONFIG_FIELDS) {
    if (ignored.has(field)) continue;
    const [one, other] = [comparable(inOrder(field, a)), comparable(inOrder(field, b))];
    if (JSON.stringify(one) === JSON.stringify(other)) continue;
    const kind = one === undefined ? 'added' : other === undefined ? 'removed' : 'changed';
    found.push({
      part: 'config',
      kind,
      field,
      ...(one === undefined ? {} : { a: one }),
      ...(other === undefined ? {} : { b: other }),
    });
  }
  return found;
}

/** Ports and volumes are sets, whatever order a document lists them in. */
const inOrder = (field: (typeof CONFIG_FIELDS)[number], config: ImageConfig): unknown =>
  field === 'exposedPorts' || field === 'volumes' ? config[field].toSorted() : config[field];

/** As JSON with sorted members; what says nothing (an empty list, an absent member) is undefined. */
function comparable(value: unknown): Json | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (Array.isArray(value)) return value.length ? value.map((one) => comparable(one) ?? one) : undefined;
  if (value instanceof Map) return comparable(Object.fromEntries(value));
  if (typeof value !== 'object') return value as Json;
  const members = Object.entries(value).flatMap(([name, member]) => {
    const one = comparable(member);
    return one === undefined ? [] : [[name, one] as const];
  });
  return members.length ? Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1))) : undefined;
}

function treeDifferences(
  a: readonly Listed[],
  b: readonly Listed[],
  ignored: ReadonlySet<string>,
): readonly TreeDifference[] {
  const [before, after] = [namesOf(a), namesOf(b)];
  const found: TreeDifference[] = [];
  for (const [key, one] of before) {
    const other = after.get(key);
    if (!other) {
      found.push({ ...place('removed', one.entry), a: one.entry });
      continue;
    }
    const fields = TREE_FIELDS.filter((field) => !ignored.has(field) && differs(field, one, other, before, after));
    if (fields.length) found.push({ ...place('changed', one.entry), fields, a: one.entry, b: other.entry });
  }
  for (const [key, { entry }] of after) if (!before.has(key)) found.push({ ...place('added', entry), b: entry });
  return found
    .filter(({ kind, path }) => kind === 'changed' || path !== ROOT)
    .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
}

/** Many layers do not name the root itself, and then it is as good as any other. */
const ROOT = '.';

const place = (kind: TreeDifference['kind'], { path, pathBytes }: Listed) => ({
  part: 'tree' as const,
  kind,
  path,
  ...(pathBytes === undefined ? {} : { pathBytes }),
  fields: [] as readonly TreeField[],
});

/** One name of a tree. Names of one file share `file`, whichever of them the listing calls a hard link. */
interface Name {
  readonly entry: Listed;
  readonly file: { readonly entry: Listed; readonly keys: string[] };
}

/** Two names that look alike because they are not UTF-8 are told apart by their bytes. */
const keyOf = ({ path, pathBytes }: Pick<Listed, 'path' | 'pathBytes'>): string =>
  pathBytes === undefined ? path : `${path}\0${pathBytes}`;

function namesOf(listed: readonly Listed[]): ReadonlyMap<string, Name> {
  const names = new Map<string, Name>();
  /** By the path as it is shown, since that is how a listing says where a hard link points. */
  const files = new Map<string, Name['file']>();
  for (const entry of listed) {
    const known = entry.type === 'hardlink' ? files.get(entry.link ?? '') : undefined;
    const file = known ?? { entry, keys: [] };
    if (!known) files.set(entry.path, file);
    file.keys.push(keyOf(entry));
    names.set(keyOf(entry), { entry, file });
  }
  return names;
}

function differs(
  field: TreeField,
  one: Name,
  other: Name,
  before: ReadonlyMap<string, Name>,
  after: ReadonlyMap<string, Name>,
): boolean {
  const [a, b] = [one.file.entry, other.file.entry];
  // Linux gives a symlink no mode of its own.
  if (field === 'mode') return a.mode !== b.mode && a.type !== 'symlink' && b.type !== 'symlink';
  if (field === 'content') return a.sha256 !== b.sha256;
  if (field === 'xattrs') return JSON.stringify(comparable(a.xattrs)) !== JSON.stringify(comparable(b.xattrs));
  if (field !== 'names') return a[field] !== b[field];
  // A name that is only in one of the trees is a difference of its own, and not one of the names that stay.
  const shared = ({ file }: Name, all: ReadonlyMap<string, Name>): string =>
    JSON.stringify(file.keys.filter((key) => all.has(key)));
  return shared(one, after) !== shared(other, before);
}
