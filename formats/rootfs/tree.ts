/**
 * The merged tree of layers, in memory: what unpacking them in order gives, without writing anything.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#applying-changesets
 *
 * Rules where readers differ: a whiteout, opaque or not, hides lower layers only, wherever it stands in its own; parents
 * that are symlinks are followed inside the root; a folder replaces a symlink; the last of several entries of a name counts.
 */
import { OcixError } from '../base/errors.ts';
import { binaryString, withoutEnd } from '../bytes/text.ts';
import type { TarEntry } from '../tar/entry.ts';
import {
  baseOf,
  cleanPath,
  cleanText,
  joinPath,
  PATH_MAX,
  parentOf,
  shownPath,
  type Whiteout,
  whiteoutOf,
} from './path.ts';

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
  /** The path without links of what is at a path, the last part followed too; undefined where nothing is. */
  real(path: string): string | undefined;
}

export interface TreeOptions {
  /** A folder over a symlink to a folder keeps the link, and is that folder. */
  readonly keepDirlinks: boolean;
}

/**
 * What becomes of each change, for whoever mirrors the tree on a disk. Paths are real ones: no part of them is a symlink, and
 * the folder above each exists.
 */
export interface TreeEffects {
  /** A name goes away, with all below it. */
  remove(path: string, node: TreeNode): void;
  /** A folder that no entry names. */
  imply(path: string): void;
  /** A new name that is not a folder, or a new folder. */
  create(path: string, entry: TarEntry): void;
  /** A new name of a file that has the name `target`. */
  link(path: string, target: string): void;
  /** A file that is never in the tree and can be linked to by `name`. */
  aside(name: string, entry: TarEntry): void;
  /** A new name of a file that was put aside. */
  linkAside(path: string, name: string): void;
}

/** A folder of the tree, and the path that leads to it without symlinks. */
interface Place {
  readonly folder: TreeNode;
  readonly path: string;
}

type LinkTarget = { readonly inode: Inode } & ({ readonly path: string } | { readonly aside: string });

/** As many links in a row as Linux follows. */
const MOST_LINKS = 255;

/**
 * Bytes of the paths of all folders that no entry names. One entry can imply half a million of them, one in the other, whose paths
 * together have no end; what tools leave out are a few folders above a few files.
 */
const MOST_IMPLIED = 2 ** 26;

/**
 * Parts of the targets of symlinks on the ways of all paths. A chain of links may have half a million, and lead to each of a million names;
 * a system whose `/lib` is a link has two for each file in it.
 */
const MOST_FOLLOWED = 2 ** 26;

function checkFollowed(parts: number): void {
  if (parts <= MOST_FOLLOWED) return;
  throw new OcixError('path/link', 'paths upon paths lead through chains of symlinks', {
    expected: `at most ${MOST_FOLLOWED} parts of targets of symlinks on their ways`,
    hint: 'Do not trust this image.',
  });
}

function checkImplied(bytes: number): void {
  if (bytes <= MOST_IMPLIED) return;
  throw new OcixError('path/invalid', 'the entries lie in folders upon folders that no entry names', {
    expected: `at most ${MOST_IMPLIED} bytes of paths of such folders`,
    hint: 'Do not trust this image.',
  });
}

export function mergedTree(effects?: TreeEffects, options: TreeOptions = { keepDirlinks: false }): Tree {
  const root: TreeNode = { inode: { entry: undefined }, children: new Map(), layer: 0 };
  let layer = -1;
  let implied = 0;
  let followed = 0;
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
        if (target) placeLink(path, target);
        else waiting.push({ entry: lasting(entry), path });
        return undefined;
      }
      const inode: Inode = { entry: lasting(entry) };
      const real = place(path, inode);
      if (real.fresh) effects?.create(real.path, entry);
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
        placeLink(path, target);
      }
      waiting = [];
    },
    lookup(path) {
      return path === '' ? root : folderAt(parentOf(path))?.folder.children?.get(baseOf(path));
    },
    real: (path) => real(path),
  };

  function real(path: string): string | undefined {
    let at = path;
    for (let links = 0; links <= MOST_LINKS; links++) {
      const parent = folderAt(parentOf(at));
      const node = parent?.folder.children?.get(baseOf(at));
      if (!parent || !node) return undefined;
      const { entry } = node.inode;
      if (entry?.type !== 'symlink') return joinPath(parent.path, baseOf(at));
      const target = withoutEnd(binaryString(entry.link), '/');
      at = target.startsWith('/') ? target : joinPath(parent.path, target);
    }
    return undefined;
  }

  function applyRoot(entry: TarEntry): Inode {
    if (entry.type !== 'dir') {
      throw new OcixError('path/root', `the root of the file system is given as a ${entry.type}`, {
        hint: 'Do not trust this image.',
      });
    }
    root.inode = { entry: lasting(entry) };
    return root.inode;
  }

  function applyWhiteout(whiteout: Whiteout, entry: TarEntry, path: string): Inode | undefined {
    if (whiteout.kind === 'leftover') {
      if (entry.type !== 'file') return undefined;
      const inode: Inode = { entry: lasting(entry) };
      aside.set(path, inode);
      effects?.aside(path, entry);
      return inode;
    }
    if (whiteout.kind === 'opaque') {
      const place = folderAt(whiteout.folder);
      if (place) hideLower(place);
    } else {
      const place = folderAt(parentOf(whiteout.path));
      const name = baseOf(whiteout.path);
      const node = place?.folder.children?.get(name);
      const inside = place && node && hideNode(place, name, node);
      if (inside) hideLower(inside);
    }
    return undefined;
  }

  /** Removes what lower layers put into a folder; what this layer wrote stays, with the folders above it. As deep as an archive says. */
  function hideLower(place: Place): void {
    const waiting = [place];
    for (let top = waiting.pop(); top; top = waiting.pop())
      for (const [name, node] of top.folder.children!) {
        const inside = hideNode(top, name, node);
        if (inside) waiting.push(inside);
      }
  }

  /** The same for one name. Gives the folder that stays, but not with everything that is in it. */
  function hideNode({ folder, path }: Place, name: string, node: TreeNode): Place | undefined {
    const at = joinPath(path, name);
    if (node.layer === layer) return node.children && { folder: node, path: at };
    folder.children!.delete(name);
    effects?.remove(at, node);
    return undefined;
  }

  /** Gives the real path, and whether a new name was made there (a folder over a folder keeps what is in it). */
  function place(path: string, inode: Inode): { readonly path: string; readonly fresh: boolean } {
    const parent = makeFolder(parentOf(path));
    const children = parent.folder.children!;
    const name = baseOf(path);
    const at = joinPath(parent.path, name);
    const isFolder = inode.entry?.type === 'dir';
    const linked = isFolder && options.keepDirlinks ? linkedFolder(at) : undefined;
    if (linked) {
      linked.inode = inode;
      linked.layer = layer;
      return { path: at, fresh: false };
    }
    const old = children.get(name);
    if (old?.children && isFolder) {
      old.inode = inode;
      old.layer = layer;
      return { path: at, fresh: false };
    }
    if (old) {
      children.delete(name);
      effects?.remove(at, old);
    }
    children.set(name, { inode, children: isFolder ? new Map() : undefined, layer });
    return { path: at, fresh: true };
  }

  /** The folder that a symlink at a path leads to. */
  function linkedFolder(path: string): TreeNode | undefined {
    const node = folderAt(parentOf(path))?.folder.children?.get(baseOf(path));
    return node?.inode.entry?.type === 'symlink' ? folderAt(path)?.folder : undefined;
  }

  function placeLink(path: string, target: LinkTarget): void {
    const folder = makeFolder(parentOf(path));
    const node = folder.folder.children!.get(baseOf(path));
    if (node?.inode === target.inode) {
      node.layer = layer; // it is a name of that file already
      return;
    }
    // Making room for the name may take away what it is to be a name of: the file above it, or what is in a folder that it replaces.
    const at = joinPath(folder.path, baseOf(path));
    if ('path' in target && (target.path.startsWith(`${at}/`) || at.startsWith(`${target.path}/`)))
      throw new OcixError('path/link', `${shownPath(path)} is a hard link to a file that it takes the place of`);
    const real = place(path, target.inode).path;
    if ('aside' in target) effects?.linkAside(real, target.aside);
    else effects?.link(real, target.path);
  }

  function linkTarget(entry: TarEntry): LinkTarget | undefined {
    const path = cleanPath(entry.link).path;
    const kept = aside.get(path);
    if (kept) return { inode: kept, aside: path };
    const parent = path === '' ? undefined : folderAt(parentOf(path));
    const node = parent?.folder.children?.get(baseOf(path));
    if (node?.children) {
      throw new OcixError('path/link', `${shownPath(binaryString(entry.path))} is a hard link to a folder`);
    }
    return node && { inode: node.inode, path: joinPath(parent!.path, baseOf(path)) };
  }

  function folderAt(path: string): Place | undefined {
    return resolve(path, () => undefined);
  }

  /** The folder at a path, made where it is missing; a file in the way makes room for it. All above it count as this layer's. */
  function makeFolder(path: string): Place {
    return resolve(
      path,
      ({ folder, path: above }, name) => {
        const made: TreeNode = { inode: { entry: undefined }, children: new Map(), layer };
        const at = joinPath(above, name);
        checkImplied((implied += at.length));
        const old = folder.children!.get(name);
        if (old) {
          folder.children!.delete(name);
          effects?.remove(at, old);
        }
        folder.children!.set(name, made);
        effects?.imply(at);
        return made;
      },
      (node) => {
        node.layer = layer;
      },
    )!;
  }

  /**
   * Goes down from the root; symlinks are followed inside the root. Undefined where `missing` makes no folder. `passed` sees
   * each folder on the way that is found in the end.
   */
  function resolve(
    path: string,
    missing: (parent: Place, name: string) => TreeNode | undefined,
    passed: (node: TreeNode) => void = () => {},
  ): Place | undefined {
    let links = 0;
    let trail: TreeNode[] = [root];
    let names: string[] = [];
    const rest = path === '' ? [] : path.split('/').reverse();
    while (rest.length) {
      const name = rest.pop()!;
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (trail.length > 1) {
          trail.pop();
          names.pop();
        }
        continue;
      }
      const folder = trail.at(-1)!;
      const node = folder.children!.get(name);
      const entry = node?.inode.entry;
      if (entry?.type === 'symlink') {
        if (++links > MOST_LINKS) {
          throw new OcixError('path/link', `${shownPath(path)}: too many symlinks, one behind the other`);
        }
        if (entry.link.length >= PATH_MAX)
          throw new OcixError('path/link', `${shownPath(path)}: a symlink on the way is longer than Linux allows`);
        const target = binaryString(entry.link);
        if (target.startsWith('/')) {
          trail = [root];
          names = [];
        }
        const parts = target.split('/').reverse();
        checkFollowed((followed += parts.length));
        rest.push(...parts);
        continue;
      }
      const next = node?.children ? node : missing({ folder, path: names.join('/') }, name);
      if (!next) return undefined;
      trail.push(next);
      names.push(name);
    }
    for (const node of trail) passed(node);
    return { folder: trail.at(-1)!, path: names.join('/') };
  }
}

const NOTHING = new Uint8Array(0);
const NO_HEADER: TarEntry['header'] = [];
const NO_XATTRS: TarEntry['xattrs'] = new Map();

/** What has to be kept of an entry: not its header blocks, and no view of memory that holds more. Most have no link and no attributes. */
const lasting = (entry: TarEntry): TarEntry => ({
  ...entry,
  path: NOTHING,
  link: entry.link.length ? new Uint8Array(entry.link) : NOTHING,
  xattrs: entry.xattrs.size ? entry.xattrs : NO_XATTRS,
  header: NO_HEADER,
});

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
