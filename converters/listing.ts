/** Entries of layers and of the merged tree, as data: what `ocix ls` prints. */
import { type Context, checkAbort } from '../formats/base/context.ts';
import { OcixError, within } from '../formats/base/errors.ts';
import { type Hash, hexOf, newHash } from '../formats/bytes/digest.ts';
import { base64, binaryString, fromBinaryString, lossyUtf8, strictUtf8 } from '../formats/bytes/text.ts';
import type { Image } from '../formats/model/image.ts';
import type { Layer } from '../formats/model/layer.ts';
import { cleanPath } from '../formats/rootfs/path.ts';
import { type Inode, mergedTree, treePaths, userPath } from '../formats/rootfs/tree.ts';
import type { EntryType, TarEntry, Time } from '../formats/tar/entry.ts';
import { tarScanner } from '../formats/tar/scanner.ts';

/** One line of `ocix ls --json`. Absent fields do not apply to the type. */
export interface Listed {
  /** Without a leading `/`; `.` is the root. Shown lossily where it is not UTF-8. */
  readonly path: string;
  /** The path in base64, where it is not UTF-8. */
  readonly pathBytes?: string;
  readonly type: EntryType;
  /** Four octal digits. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** Logical bytes. */
  readonly size?: number;
  /** `SECONDS.NANOSECONDS`, nine digits behind the point. */
  readonly mtime: string;
  readonly link?: string;
  readonly major?: number;
  readonly minor?: number;
  /** Values in base64. */
  readonly xattrs?: Readonly<Record<string, string>>;
  /** Of the content. */
  readonly sha256?: string;
}

export interface ListOptions {
  /** Adds the digest of each file's content. */
  readonly digest: boolean;
  /** Only what is at or below this path. */
  readonly path?: string | undefined;
}

/** A layer's entries in their order, whiteouts as they are. @throws OcixError what reading the layer throws */
export async function listLayer(
  image: Image,
  number: number,
  options: ListOptions,
  context: Context,
): Promise<readonly Listed[]> {
  const layer = image.layers[number];
  if (!layer) {
    throw new OcixError('image/select', `there is no layer ${number}`, {
      hint: image.layers.length
        ? `The image has ${image.layers.length}: 0 to ${image.layers.length - 1}.`
        : 'The image has no layers.',
    });
  }
  const listed: Listed[] = [];
  await within(`layer ${number}`, () =>
    scan(
      layer,
      options.digest,
      context,
      () => ({}),
      (entry, sha256) =>
        void listed.push(describe(cleanPath(entry.path).path, entry, binaryString(entry.link), sha256)),
    ),
  );
  return below(listed, options.path);
}

/** The merged tree, sorted by the bytes of the paths. */
export async function listTree(image: Image, options: ListOptions, context: Context): Promise<readonly Listed[]> {
  const { root, names } = await imageTree(image, options, context);
  const listed = names.map(listedName);
  return below(root?.entry ? [describe('', root.entry, '', undefined), ...listed] : listed, options.path);
}

/** A name of a merged tree, or of a folder that is like one. */
export interface TreeName {
  /** A binary string, without a leading `/`. */
  readonly path: string;
  /** What the name stands for: names of one file share it. */
  readonly inode: Inode;
  /** The first of the names of a file, where this is another one. */
  readonly first: string | undefined;
  /** The layer that brought it, from 0 on; undefined where there are none. */
  readonly layer: number | undefined;
}

export const listedName = ({ path, inode, first }: TreeName): Listed =>
  first === undefined ? node(path, inode) : { ...node(path, inode), ...hardlink(first) };

export interface ImageTree {
  /** Where a layer names it. */
  readonly root: Inode | undefined;
  /** All names below the root, sorted by their bytes. */
  readonly names: readonly TreeName[];
  /** The layer that each file came with, whatever layer gave it another name. */
  readonly origin: ReadonlyMap<Inode, number>;
}

export async function imageTree(
  image: Image,
  { digest }: Pick<ListOptions, 'digest'>,
  context: Context,
): Promise<ImageTree> {
  const tree = mergedTree();
  const origin = new Map<Inode, number>();
  for (const [i, layer] of image.layers.entries()) {
    await within(`layer ${i + 1}`, async () => {
      tree.nextLayer();
      const begin = (entry: TarEntry): Content => {
        const inode = tree.apply(entry);
        if (inode) origin.set(inode, i);
        return inode ?? {};
      };
      await scan(layer, digest, context, begin, (_, sha256, inode) => {
        if (sha256 !== undefined) inode.content = sha256;
      });
      tree.finishLayer();
    });
  }
  const firsts = new Map<Inode, string>();
  const names = treePaths(tree).map(([path, { inode, children, layer }]): TreeName => {
    const first = children ? undefined : firsts.get(inode);
    if (!children && first === undefined) firsts.set(inode, path);
    // What is written below a folder counts as the folder's layer in the tree; here it is the layer that names it.
    return { path, inode, first, layer: children ? (origin.get(inode) ?? layer) : layer };
  });
  return { root: tree.root.inode.entry && tree.root.inode, names, origin };
}

/** What a digest is attached to; an inode of the merged tree is one. */
type Content = { content?: string };

/** Reads a layer to its end; `end` is called with the digest of each file's content, where one is wanted. */
async function scan(
  layer: Layer,
  digest: boolean,
  context: Context,
  begin: (entry: TarEntry) => Content,
  end: (entry: TarEntry, sha256: string | undefined, made: Content) => void,
): Promise<void> {
  let made: Content = {};
  let hash: Hash | undefined;
  let position = 0;
  const scanner = tarScanner(context.limits, {
    entry(entry) {
      made = begin(entry);
      hash = digest && entry.type === 'file' ? newHash('sha256') : undefined;
      position = 0;
    },
    data(bytes, offset) {
      if (!hash) return;
      zeros(hash, offset - position);
      hash.update(bytes);
      position = offset + bytes.length;
    },
    end(entry) {
      if (hash) zeros(hash, entry.size - position);
      end(entry, hash && hexOf(hash.digest()), made);
    },
  });
  for await (const chunk of layer.open(context)) {
    checkAbort(context);
    scanner.push(chunk);
  }
  scanner.finish();
}

const ZEROS = new Uint8Array(1 << 20);

function zeros(hash: Hash, size: number): void {
  for (let rest = size; rest > 0; rest -= ZEROS.length)
    hash.update(rest < ZEROS.length ? ZEROS.subarray(0, rest) : ZEROS);
}

function node(path: string, { entry, content }: Inode): Listed {
  if (entry) return describe(path, entry, binaryString(entry.link), content);
  return { ...pathFields(path), type: 'dir', mode: '0755', uid: 0, gid: 0, mtime: timeText({ seconds: 0, nanos: 0 }) };
}

function describe(path: string, entry: TarEntry, link: string, sha256: string | undefined): Listed {
  const { type } = entry;
  return {
    ...pathFields(path),
    type,
    mode: entry.mode.toString(8).padStart(4, '0'),
    uid: entry.uid,
    gid: entry.gid,
    ...(type === 'file' ? { size: entry.size } : {}),
    mtime: timeText(entry.mtime),
    ...(type === 'symlink' || type === 'hardlink' ? { link: lossyUtf8(fromBinaryString(link)) } : {}),
    ...(type === 'char' || type === 'block' ? { major: entry.major, minor: entry.minor } : {}),
    ...(entry.xattrs.size
      ? {
          xattrs: Object.fromEntries(
            [...entry.xattrs].map(([name, value]) => [lossyUtf8(fromBinaryString(name)), base64(value)]),
          ),
        }
      : {}),
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}

const hardlink = (target: string): Pick<Listed, 'type' | 'link'> => ({
  type: 'hardlink',
  link: lossyUtf8(fromBinaryString(target)),
});

function pathFields(path: string): Pick<Listed, 'path' | 'pathBytes'> {
  const bytes = fromBinaryString(path || '.');
  const text = strictUtf8(bytes);
  return text === undefined ? { path: lossyUtf8(bytes), pathBytes: base64(bytes) } : { path: text };
}

/** Negative times count forward from the second before. */
const timeText = ({ seconds, nanos }: Time): string => `${seconds}.${String(nanos).padStart(9, '0')}`;

function below(listed: readonly Listed[], path: string | undefined): readonly Listed[] {
  if (path === undefined) return listed;
  const wanted = lossyUtf8(fromBinaryString(userPath(path)));
  if (wanted === '') return listed;
  const found = listed.filter((entry) => entry.path === wanted || entry.path.startsWith(`${wanted}/`));
  if (found.length) return found;
  throw new OcixError('image/select', `there is no ${path} in the image`, {
    hint: 'Without a path the whole tree is listed.',
  });
}
