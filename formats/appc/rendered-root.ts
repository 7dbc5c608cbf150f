/** What is known of a root filesystem while its images go by: the merged tree, and the user databases. */
import { concat } from '../bytes/text.ts';
import { baseOf, parentOf } from '../rootfs/path.ts';
import { type Inode, mergedTree, type TreeNode, userPath } from '../rootfs/tree.ts';
import type { TarEntry } from '../tar/entry.ts';

export interface RenderedRoot {
  /** The following entries belong to the next image. */
  nextImage(): void;
  /** Applies one entry. What `keep` is called with becomes the content of the file, if it is one that somebody will ask for. */
  apply(entry: TarEntry): Inode | undefined;
  keep(inode: Inode, bytes: Uint8Array): void;
  finishImage(): void;
  /** The folders above a path that lower images have something else in the place of, outermost first. */
  replacedAbove(path: string): readonly string[];
  /** A user database, wherever a link inside the root leads to it. */
  file(path: string): Uint8Array | undefined;
  /** The owner of what is at an absolute path; links are followed inside the root. */
  owner(path: string): { readonly uid: number; readonly gid: number } | undefined;
}

/** A database is small; one that is not is an attack on the memory of whoever reads it. */
const MOST_DATABASE = 10 * 2 ** 20;

/** Whether a file may be a user database, under whatever folder a link leads to. Nobody writes one with holes. */
export const mayBeDatabase = (path: string, { size, extents }: TarEntry): boolean =>
  size <= MOST_DATABASE && !extents && /^(?:passwd|group)$/.test(baseOf(path));

export function renderedRoot(): RenderedRoot {
  const tree = mergedTree();
  /** Undefined where more was to be held than may be: half a database would name other users. */
  const contents = new Map<Inode, Uint8Array[] | undefined>();
  let image = -1;
  let held = 0;

  const at = (path: string): TreeNode | undefined => {
    const real = tree.real(userPath(path));
    return real === undefined ? undefined : tree.lookup(real);
  };

  return {
    nextImage() {
      image++;
      tree.nextLayer();
    },
    apply: (entry) => tree.apply(entry),
    keep(inode, bytes) {
      held += bytes.length;
      const parts = contents.has(inode) ? contents.get(inode) : [];
      parts?.push(new Uint8Array(bytes));
      contents.set(inode, held > MOST_DATABASE ? undefined : parts);
    },
    finishImage: () => tree.finishLayer(),
    replacedAbove(path) {
      const found: string[] = [];
      let node: TreeNode | undefined = tree.root;
      let walked = '';
      for (const name of parentOf(path).split('/')) {
        node = node?.children?.get(name);
        if (name === '' || !node) return found;
        walked = walked ? `${walked}/${name}` : name;
        if (node.children) continue;
        if (node.layer < image) found.push(walked);
        return found;
      }
      return found;
    },
    file(path) {
      const node = at(path);
      const parts = node && contents.get(node.inode);
      return parts && concat(parts);
    },
    owner(path) {
      if (userPath(path) === '') return tree.root.inode.entry ?? { uid: 0, gid: 0 };
      const node = at(path);
      return node && { uid: node.inode.entry?.uid ?? 0, gid: node.inode.entry?.gid ?? 0 };
    },
  };
}
