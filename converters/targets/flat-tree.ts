/**
 * Layers as one tree, and the entries of it in an order in which any extractor can apply them: the files as they come out of the layers,
 * then what has no content, then hard links, whose targets are there by now, and folders last (but for those of `replacing`), those below before those above.
 *
 * Why folders last: GNU tar gives a folder its mode and time once it has left it, and does not come back, so a file that comes
 * later would change the time again, or be refused where the folder is read-only. Every extractor makes missing folders by itself. Symlinks come after
 * every file that could be led astray by them.
 *
 * The layers are read twice, and no content is kept: the first time tells what survives, the second gives it.
 */
import { type Context, checkAbort } from '../../formats/base/context.ts';
import { OcixError, within } from '../../formats/base/errors.ts';
import { fromBinaryString } from '../../formats/bytes/text.ts';
import type { Layer } from '../../formats/model/layer.ts';
import { type Inode, mergedTree, type Tree, type TreeNode, treePaths } from '../../formats/rootfs/tree.ts';
import type { TarFields } from '../../formats/tar/encoder.ts';
import type { TarEntry } from '../../formats/tar/entry.ts';
import { type TarHandler, tarScanner } from '../../formats/tar/scanner.ts';

export interface FlatTree {
  /** Folders that stand where a part below this one has something else, the outermost first: in front of all, or what is in them would go through a link. */
  readonly replacing: readonly TarFields[];
  /** By layer, base first: the path of each file that survives, by the place of its header in the layer's tar. */
  readonly files: readonly ReadonlyMap<number, Uint8Array>[];
  /** Symlinks, devices, pipes. */
  readonly specials: readonly TarFields[];
  readonly hardlinks: readonly TarFields[];
  /** Those below first, the root itself last. */
  readonly folders: readonly TarFields[];
}

/** By layer: the files that it brought, by the place of their headers in its tar. */
export type FoundFiles = readonly ReadonlyMap<number, Inode>[];

/** Reads every layer once. @throws OcixError what reading the layers throws, path/… */
export async function flatTree(
  layers: readonly Layer[],
  context: Context,
  onProgress: (layer: number, done: number) => void,
): Promise<FlatTree> {
  const tree = mergedTree();
  const found: Map<number, Inode>[] = [];
  for (const [i, layer] of layers.entries()) {
    const files = new Map<number, Inode>();
    await applyLayer(layer, i, { tree, files }, context, (done) => onProgress(i, done));
    found.push(files);
  }
  return cutOf(tree, found, { below: '', has: () => true });
}

export interface Applied {
  readonly tree: Tree;
  /** Gets the files of the layer. */
  readonly files: Map<number, Inode>;
  /** Whether somebody takes the content of a file. The bytes are valid until the call has ended. */
  readonly content?: (entry: TarEntry, inode: Inode) => ((bytes: Uint8Array) => void) | undefined;
}

export async function applyLayer(
  layer: Layer,
  index: number,
  { tree, files, content }: Applied,
  context: Context,
  onProgress: (done: number) => void,
): Promise<void> {
  tree.nextLayer();
  await within(`layer ${index + 1}`, async () => {
    let take: ((bytes: Uint8Array) => void) | undefined;
    const handler: TarHandler = {
      entry(entry) {
        const inode = tree.apply(entry);
        const isFile = inode !== undefined && entry.type === 'file';
        if (isFile) files.set(entry.offset, inode);
        take = isFile ? content?.(entry, inode) : undefined;
      },
      ...(content && { data: (bytes) => take?.(bytes) }),
    };
    await scanLayer(layer, handler, context, async (done) => onProgress(done));
    tree.finishLayer();
  });
}

/** Pushes a layer through a scanner; `after` is awaited between chunks, with the bytes so far. */
export async function scanLayer(
  layer: Layer,
  handler: TarHandler,
  context: Context,
  after: (done: number) => Promise<void>,
): Promise<void> {
  const scanner = tarScanner(context.limits, handler);
  for await (const chunk of layer.open(context)) {
    checkAbort(context);
    scanner.push(chunk);
    await after(scanner.position);
  }
  scanner.finish();
}

const NONE = new Uint8Array(0);

export interface Cut {
  /** What stands in front of every name, empty or with a slash at its end. A root that has one is always named. */
  readonly below: string;
  /** Which names are in it. */
  has(node: TreeNode): boolean;
  /** Whether a path has something other than a folder in the part below this one. */
  readonly isTaken?: (path: string) => boolean;
}

/** A part of a tree. A file whose content came with another layer than its name is there whole. */
export function cutOf(tree: Tree, found: FoundFiles, { below, has, isTaken = () => false }: Cut): FlatTree {
  const replacing: TarFields[] = [];
  const folders: TarFields[] = [];
  const specials: TarFields[] = [];
  const hardlinks: TarFields[] = [];
  const names = new Map<Inode, string>();
  const { entry: root = below ? IMPLIED : undefined } = tree.root.inode;
  if (root) folders.push({ ...root, path: fromBinaryString(below || './') });
  for (const [own, node] of treePaths(tree)) {
    if (!has(node)) continue;
    const { inode, children } = node;
    const { entry = IMPLIED } = inode;
    const path = `${below}${own}`;
    const first = names.get(inode);
    if (children) (isTaken(own) ? replacing : folders).push({ ...entry, path: fromBinaryString(`${path}/`) });
    else if (first !== undefined) hardlinks.push(hardlink(entry, path, first));
    else {
      names.set(inode, path);
      if (entry.type !== 'file') specials.push({ ...entry, path: fromBinaryString(path) });
    }
  }
  const files = found.map((layer) => {
    const surviving = [...layer].filter(([, inode]) => names.has(inode));
    return new Map(surviving.map(([offset, inode]) => [offset, fromBinaryString(names.get(inode)!)]));
  });
  return { replacing, files, specials, hardlinks, folders: folders.reverse() };
}

/** A folder that no entry names. */
const IMPLIED: TarFields = {
  type: 'dir',
  path: NONE,
  link: NONE,
  mode: 0o755,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: { seconds: 0, nanos: 0 },
  major: 0,
  minor: 0,
  xattrs: new Map(),
};

/** Carries the file's owner, mode and time, as other writers have it; its attributes belong to the file. */
const hardlink = (entry: TarFields, path: string, target: string): TarFields => ({
  ...entry,
  type: 'hardlink',
  path: fromBinaryString(path),
  link: fromBinaryString(target),
  size: 0,
  major: 0,
  minor: 0,
  xattrs: IMPLIED.xattrs,
});

/** Gives the files of one layer that survive, to be written while the layer goes by. */
export function survivors(
  files: ReadonlyMap<number, Uint8Array>,
  take: {
    readonly entry: (entry: TarFields) => void;
    readonly data: (bytes: Uint8Array) => void;
    readonly hole: (size: number) => void;
    readonly end: (size: number) => void;
  },
): { readonly handler: TarHandler; readonly finish: () => void } {
  let path: Uint8Array | undefined;
  let position = 0;
  let met = 0;
  const fillTo = (offset: number): void => {
    if (offset > position) take.hole(offset - position);
    position = offset;
  };
  const handler: TarHandler = {
    entry(entry) {
      path = entry.type === 'file' ? files.get(entry.offset) : undefined;
      if (!path) return;
      met++;
      position = 0;
      take.entry({ ...entry, path });
    },
    data(bytes, offset) {
      if (!path) return;
      fillTo(offset);
      take.data(bytes);
      position += bytes.length;
    },
    end(entry) {
      if (!path) return;
      fillTo(entry.size);
      take.end(entry.size);
      path = undefined;
    },
  };
  const finish = (): void => {
    if (met === files.size) return;
    throw new OcixError('source/unreadable', 'the source has changed while it was read', { hint: 'Try again.' });
  };
  return { handler, finish };
}
