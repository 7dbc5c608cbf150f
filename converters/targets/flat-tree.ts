/**
 * Layers as one tree, and the entries of it in an order in which any extractor can apply them: the files as they come out of the layers,
 * then what has no content, then hard links, whose targets are there by now, and folders last, those below before those above.
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
import { type Inode, mergedTree, type Tree, treePaths } from '../../formats/rootfs/tree.ts';
import type { TarFields } from '../../formats/tar/encoder.ts';
import { type TarHandler, tarScanner } from '../../formats/tar/scanner.ts';

export interface FlatTree {
  /** By layer, base first: the path of each file that survives, by the place of its header in the layer's tar. */
  readonly files: readonly ReadonlyMap<number, Uint8Array>[];
  /** Symlinks, devices, pipes. */
  readonly specials: readonly TarFields[];
  readonly hardlinks: readonly TarFields[];
  /** Those below first, the root itself last. */
  readonly folders: readonly TarFields[];
}

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
    tree.nextLayer();
    await within(`layer ${i + 1}`, async () => {
      const handler: TarHandler = {
        entry(entry) {
          const inode = tree.apply(entry);
          if (inode && entry.type === 'file') files.set(entry.offset, inode);
        },
      };
      await scanLayer(layer, handler, context, async (done) => onProgress(i, done));
      tree.finishLayer();
    });
    found.push(files);
  }
  return inOrder(tree, found);
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

function inOrder(tree: Tree, found: readonly Map<number, Inode>[]): FlatTree {
  const folders: TarFields[] = [];
  const specials: TarFields[] = [];
  const hardlinks: TarFields[] = [];
  const names = new Map<Inode, string>();
  const { entry: root } = tree.root.inode;
  if (root) folders.push({ ...root, path: fromBinaryString('./') });
  for (const [path, { inode, children }] of treePaths(tree)) {
    const { entry = IMPLIED } = inode;
    const first = names.get(inode);
    if (children) folders.push({ ...entry, path: fromBinaryString(`${path}/`) });
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
  return { files, specials, hardlinks, folders: folders.reverse() };
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
