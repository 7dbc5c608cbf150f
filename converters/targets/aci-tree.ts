/** The layers of an image as one tree, with what has to be looked up in it: who its users are. */
import type { Context } from '../../formats/base/context.ts';
import { concat, equalBytes, utf8Bytes } from '../../formats/bytes/text.ts';
import type { Layer } from '../../formats/model/layer.ts';
import { type Inode, mergedTree, type Tree, userPath } from '../../formats/rootfs/tree.ts';
import type { TarEntry } from '../../formats/tar/entry.ts';
import { MOST_DATABASE } from './bundle-folder.ts';
import { applyLayer, type FoundFiles } from './flat-tree.ts';

export interface AciTree {
  readonly tree: Tree;
  readonly found: FoundFiles;
  /** A user database; undefined where there is no such file. */
  file(path: string): Uint8Array | undefined;
  /** The owner of what is at an absolute path; links are followed inside the root. */
  owner(path: string): { readonly uid: number; readonly gid: number } | undefined;
}

const DATABASES = ['passwd', 'group'].map(utf8Bytes);

/** Under whatever folder: a link may lead to it. */
const mayBeDatabase = (path: Uint8Array): boolean =>
  DATABASES.some((name) => equalBytes(path.subarray(-name.length), name));

/**
 * Reads every layer once.
 *
 * @param after is called with the tree when a layer has been applied
 * @throws OcixError what reading the layers throws, path/…
 */
export async function aciTree(
  layers: readonly Layer[],
  context: Context,
  after: (so: Pick<AciTree, 'tree' | 'found'>, layer: number) => void = () => {},
): Promise<AciTree> {
  const tree = mergedTree();
  const found: Map<number, Inode>[] = [];
  const databases = new Map<Inode, Uint8Array[]>();
  let held = 0;
  const content = (entry: TarEntry, inode: Inode): ((bytes: Uint8Array) => void) | undefined => {
    if (!mayBeDatabase(entry.path) || held + entry.size > MOST_DATABASE) return undefined;
    held += entry.size;
    const parts: Uint8Array[] = [];
    databases.set(inode, parts);
    return (bytes) => void parts.push(new Uint8Array(bytes));
  };
  for (const [i, layer] of layers.entries()) {
    const files = new Map<number, Inode>();
    const total = layer.size;
    await applyLayer(layer, i, { tree, files, content }, context, (done) =>
      context.progress({ type: 'reading', name: `layer ${i + 1}`, done, ...(total === undefined ? {} : { total }) }),
    );
    found.push(files);
    after({ tree, found }, i);
  }
  const at = (path: string) => {
    const real = tree.real(userPath(path));
    return real === undefined ? undefined : tree.lookup(real)?.inode;
  };
  return {
    tree,
    found,
    file(path) {
      const inode = at(path);
      const parts = inode && databases.get(inode);
      return parts && concat(parts);
    },
    owner(path) {
      const { entry } = (userPath(path) === '' ? tree.root.inode : at(path)) ?? {};
      return entry && { uid: entry.uid, gid: entry.gid };
    },
  };
}
