/**
 * The merged tree of layers, in memory: what unpacking them in order gives, without writing anything.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#applying-changesets
 *
 * Rules where readers differ: a whiteout, opaque or not, hides lower layers only, wherever it stands in its own; parents
 * that are symlinks are followed inside the root; a folder replaces a symlink; the last of several entries of a name counts.
 */
import { OcixError } from '../base/errors.ts';
import { binaryString } from '../bytes/text.ts';
import type { TarEntry } from '../tar/entry.ts';
import { baseOf, cleanPath, cleanText, joinPath, parentOf, shownPath, type Whiteout, whiteoutOf } from './path.ts';

/** What a name points to; several names of one file share it. */
export interface Inode {
  /** Absent for folders that no entry names: 0755, owned by root. */
  readonly entry: TarEntry | undefined;
  /** For what the caller attaches, such as the digest of the content. */
  content?: string;
}

export interface TreeNode {
  inode: Inode;
  /** Present for folders. */
  children: Map<string, TreeNode> | undefined;
  /** The layer that wrote this name, or something below it. */
  layer: number;
}

export interface Tree {
  readonly root: TreeNode;
  /** The following entries belong to the next layer. */
  nextLayer(): void;
  /** Applies one entry; gives the inode it made, if it made one. @throws OcixError path/… */
  apply(entry: TarEntry): Inode | undefined;
  /** Resolves hard links that stood before their target. @throws OcixError path/link */
  finishLayer(): void;
  /** What is at a path of the root; symlinks in its parents are followed inside the root, the last part is not. */
  lookup(path: string): TreeNode | undefined;
}

/** As many links in a row as Linux follows. */
const MOST_LINKS = 255;

export function mergedTree(): Tree {
  const root: TreeNode = { inode: { entry: undefined }, children: new Map(), layer: 0 };
  let layer = -1;
  /** Files that AUFS kept aside as targets of hard links; never in the tree. */
  let aside = new Map<string, Inode>();
  let waiting: { readonly entry: TarEntry; readonly path: string }[] = [];

  return {
    root,
    nextLayer() {
      layer++;
      aside = new Map();
      waiting = [];
    },
    apply(entry) {
      const { path } = cleanPath(entry.path);
      if (path === '') return applyRoot(entry);
      const whiteout = whiteoutOf(path);
      if (whiteout) return applyWhiteout(whiteout, entry, path);
      if (entry.type === 'hardlink') {
        const target = linkTarget(entry);
        if (target) place(path, target);
        else waiting.push({ entry, path });
        return undefined;
      }
      const inode: Inode = { entry };
      place(path, inode);
      return inode;
    },
    finishLayer() {
      for (const { entry, path } of waiting) {
        const target = linkTarget(entry);
        if (!target) {
          throw new OcixError(
            'path/link',
            `${shownPath(path)} is a hard link to ${shownPath(binaryString(entry.link))}, which is no file of this image`,
          );
        }
        place(path, target);
      }
      waiting = [];
    },
    lookup(path) {
      return path === '' ? root : folderAt(parentOf(path))?.children?.get(baseOf(path));
    },
  };

  function applyRoot(entry: TarEntry): Inode {
    if (entry.type !== 'dir') {
      throw new OcixError('path/root', `the root of the file system is given as a ${entry.type}`, {
        hint: 'Do not trust this image.',
      });
    }
    root.inode = { entry };
    return root.inode;
  }

  function applyWhiteout(whiteout: Whiteout, entry: TarEntry, path: string): Inode | undefined {
    if (whiteout.kind === 'leftover') {
      if (entry.type !== 'file') return undefined;
      const inode: Inode = { entry };
      aside.set(path, inode);
      return inode;
    }
    if (whiteout.kind === 'opaque') {
      const folder = folderAt(whiteout.folder);
      if (folder) hideLower(folder.children!);
    } else {
      const folder = folderAt(parentOf(whiteout.path));
      const node = folder?.children?.get(baseOf(whiteout.path));
      if (folder && node) hideNode(folder.children!, baseOf(whiteout.path), node);
    }
    return undefined;
  }

  function hideLower(children: Map<string, TreeNode>): void {
    for (const [name, node] of children) hideNode(children, name, node);
  }

  /** Removes what lower layers put there; what this layer wrote stays, with the folders above it. */
  function hideNode(children: Map<string, TreeNode>, name: string, node: TreeNode): void {
    if (node.layer !== layer) children.delete(name);
    else if (node.children) hideLower(node.children);
  }

  function place(path: string, inode: Inode): void {
    const folder = makeFolder(parentOf(path));
    const name = baseOf(path);
    const isFolder = inode.entry?.type === 'dir';
    const old = folder.children!.get(name);
    if (old?.children && isFolder) {
      old.inode = inode;
      old.layer = layer;
    } else {
      // Removed first, so that a name that comes again stands where it came last.
      folder.children!.delete(name);
      folder.children!.set(name, { inode, children: isFolder ? new Map() : undefined, layer });
    }
  }

  function linkTarget(entry: TarEntry): Inode | undefined {
    const path = cleanPath(entry.link).path;
    const kept = aside.get(path);
    if (kept) return kept;
    const node = path === '' ? undefined : folderAt(parentOf(path))?.children?.get(baseOf(path));
    if (node?.children)
      throw new OcixError('path/link', `${shownPath(binaryString(entry.path))} is a hard link to a folder`);
    return node?.inode;
  }

  function folderAt(path: string): TreeNode | undefined {
    return resolve(path, () => undefined)?.at(-1);
  }

  /** The folder at a path, made where it is missing; a file in the way makes room for it. All above it count as this layer's. */
  function makeFolder(path: string): TreeNode {
    const trail = resolve(path, (folder, name) => {
      const made: TreeNode = { inode: { entry: undefined }, children: new Map(), layer };
      folder.children!.delete(name);
      folder.children!.set(name, made);
      return made;
    })!;
    for (const node of trail) node.layer = layer;
    return trail.at(-1)!;
  }

  /** The folders from the root down to `path`; symlinks are followed inside the root. Undefined where `missing` makes none. */
  function resolve(
    path: string,
    missing: (folder: TreeNode, name: string) => TreeNode | undefined,
  ): TreeNode[] | undefined {
    let links = 0;
    let trail: TreeNode[] = [root];
    const rest = path === '' ? [] : path.split('/').reverse();
    while (rest.length) {
      const name = rest.pop()!;
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (trail.length > 1) trail.pop();
        continue;
      }
      const folder = trail.at(-1)!;
      const node = folder.children!.get(name);
      const entry = node?.inode.entry;
      if (entry?.type === 'symlink') {
        if (++links > MOST_LINKS)
          throw new OcixError('path/link', `${shownPath(path)}: too many symlinks, one behind the other`);
        const target = binaryString(entry.link);
        if (target.startsWith('/')) trail = [root];
        rest.push(...target.split('/').reverse());
        continue;
      }
      const next = node?.children ? node : missing(folder, name);
      if (!next) return undefined;
      trail.push(next);
    }
    return trail;
  }
}

/** Every name of a tree below its root, with its path, in the order of the paths' bytes. */
export function treePaths(tree: Tree): readonly (readonly [string, TreeNode])[] {
  const found: [string, TreeNode][] = [];
  const stack: [string, TreeNode][] = [['', tree.root]];
  for (let top = stack.pop(); top; top = stack.pop()) {
    const [path, node] = top;
    for (const [name, child] of node.children ?? []) {
      const at = joinPath(path, name);
      found.push([at, child]);
      if (child.children) stack.push([at, child]);
    }
  }
  return found.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** A path as a user writes it (`/etc/passwd`, `etc/`), as a clean path. */
export const userPath = (text: string): string => cleanText(binaryString(new TextEncoder().encode(text))).path;
