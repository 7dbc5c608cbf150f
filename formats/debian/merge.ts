/**
 * Files of many packages as one tree, by dpkg's rules, which are not those of image layers: a folder of a package goes behind a
 * symlink to a folder that is there (so `/bin/x` becomes `/usr/bin/x` where `/bin` is a link), a folder that is there keeps its mode and
 * owner, and a file that another package has is an error unless one of the two replaces the other.
 * https://www.debian.org/doc/debian-policy/ch-relationships.html#overwriting-files-and-replacing-packages-replaces
 */
import { OcixError } from '../base/errors.ts';
import { binaryString, fromBinaryString } from '../bytes/text.ts';
import { baseOf, cleanPath, joinPath, parentOf, shownPath } from '../rootfs/path.ts';
import type { TarFields } from '../tar/encoder.ts';
import type { PackageEntry, Put } from './survey.ts';

/** Whose files they are. */
export interface Owner {
  /** For people. */
  readonly title: string;
  /** Whether its files may take the place of another's. */
  replaces(other: Owner): boolean;
  /** It is the same package for another architecture, built from the same source: equal files are the same file. */
  shares(other: Owner): boolean;
}

export interface PlacedEntry {
  /** Its path leads through no link. */
  readonly fields: TarFields;
  readonly content: Put | Uint8Array | undefined;
}

/** What is added; content that is at hand may take the place of content that was put aside. */
export type NewEntry = Omit<PackageEntry, 'content' | 'md5'> & { readonly content: Put | Uint8Array | undefined };

export interface PackageTree {
  /** @throws OcixError debian/conflict, path/invalid, path/link */
  add(owner: Owner, entries: readonly NewEntry[]): void;
  /** The files of an owner that nobody replaced, in the order they came; a folder is in the list of each package that has it. */
  placed(owner: Owner): readonly PlacedEntry[];
  /** The paths of an owner's files as its package has them, without those that somebody replaced. */
  listed(owner: Owner): readonly string[];
}

interface Node {
  /** Where it is. */
  readonly path: string;
  readonly owner: Owner | undefined;
  readonly entry: NewEntry | undefined;
  readonly type: TarFields['type'];
}

interface Owned {
  readonly entry: NewEntry;
  readonly node: Node;
}

/** As many links in a row as Linux follows. */
const MOST_LINKS = 40;

export function packageTree(): PackageTree {
  const nodes = new Map<string, Node>();
  /** Folders that are there, by the way that led to them. */
  let folders = new Map<string, string>();
  const owned = new Map<Owner, Owned[]>();
  const byPath = new Map<Owner, ReadonlyMap<string, Owned>>();

  return {
    add(owner, entries) {
      const mine = owned.get(owner) ?? [];
      owned.set(owner, mine);
      byPath.delete(owner);
      for (const entry of entries) {
        const node = place(owner, entry);
        if (node) mine.push({ entry, node });
      }
    },
    placed: (owner) =>
      current(owner).map(({ entry, node }) =>
        entry.fields.type === 'hardlink'
          ? placedLink(owner, entry, node)
          : placedEntry(node.type === 'dir' ? (node.entry ?? entry) : entry, node),
      ),
    listed: (owner) => [...new Set(current(owner).map(({ entry }) => entry.path))],
  };

  /** A folder that somebody else was first with is everybody's. */
  function current(owner: Owner) {
    const mine = owned.get(owner) ?? [];
    const last = new Map(mine.map(({ entry }) => [entry.path, entry]));
    return mine.filter(
      ({ entry, node }) =>
        last.get(entry.path) === entry && (nodes.get(node.path) === node || nodes.get(node.path)?.type === 'dir'),
    );
  }

  function place(owner: Owner, entry: NewEntry): Node | undefined {
    if (baseOf(entry.path).startsWith('.wh.')) throw unsayable(owner, entry.path);
    const path = entry.path === '' ? '' : joinPath(folderAt(parentOf(entry.path), owner), baseOf(entry.path));
    const { type } = entry.fields;
    const there = nodes.get(path);
    if (type === 'dir') return placeFolder(owner, entry, path, there);
    if (path === '') throw new OcixError('path/root', `${owner.title} has a ${type} for the root of the file system`);
    if (there?.type === 'dir') {
      if (type !== 'symlink') throw conflict(path, owner, there.owner, 'a folder in one of them');
      return undefined; // dpkg leaves the folder
    }
    if (there && !mayReplace(owner, entry, there)) return undefined;
    return put({ path, owner, entry, type });
  }

  function placeFolder(owner: Owner, entry: NewEntry, path: string, there: Node | undefined): Node {
    if (there?.type === 'dir') return there.entry ? there : put({ ...there, owner, entry });
    if (there?.type === 'symlink') {
      const real = folderAt(path, owner);
      const node = nodes.get(real)!;
      return node.entry ? node : put({ ...node, owner, entry });
    }
    if (there) throw conflict(path, owner, there.owner, 'a folder in one of them');
    return put({ path, owner, entry, type: 'dir' });
  }

  function put(node: Node): Node {
    if (nodes.has(node.path) || node.type === 'symlink') folders = new Map();
    nodes.set(node.path, node);
    return node;
  }

  /** Whether what is there makes room; where it does not, the new one is not needed. */
  function mayReplace(owner: Owner, entry: NewEntry, there: Node): boolean {
    const other = there.owner;
    if (!other) return true;
    if (other === owner) {
      if (there.entry?.path === entry.path) return true; // the last of several in one archive counts
      throw conflict(there.path, owner, other, 'behind a link and in its place');
    }
    if (owner.replaces(other)) return true;
    if (other.replaces(owner)) return false;
    if (owner.shares(other) && there.entry?.fields.size === entry.fields.size) return false;
    if (there.type === 'symlink' && entry.fields.type === 'symlink' && leadsToSameFolder(there, entry)) return false;
    throw conflict(there.path, owner, other, undefined);
  }

  function leadsToSameFolder(there: Node, entry: NewEntry): boolean {
    const same = binaryString(there.entry!.fields.link) === binaryString(entry.fields.link);
    const real = same ? realFolder(there.path) : undefined;
    return real !== undefined;
  }

  function realFolder(path: string): string | undefined {
    const real = walk(path, () => undefined);
    return real !== undefined && nodes.get(real)?.type === 'dir' ? real : undefined;
  }

  /** The folder at a path, without links on the way; made where it is missing. */
  function folderAt(path: string, owner: Owner): string {
    const known = folders.get(path);
    if (known !== undefined) return known;
    const real = walk(path, (at, node) => {
      if (node) throw conflict(at, owner, node.owner, 'a folder in one of them');
      nodes.set(at, { path: at, owner: undefined, entry: undefined, type: 'dir' });
      return at;
    })!;
    folders.set(path, real);
    return real;
  }

  /** Goes down from the root, links followed inside it. `missing` says what becomes of a step that is no folder. */
  function walk(path: string, missing: (at: string, node: Node | undefined) => string | undefined): string | undefined {
    let at = '';
    let links = 0;
    const rest = path.split('/').reverse();
    while (rest.length) {
      const name = rest.pop()!;
      if (name === '' || name === '.') continue;
      if (name === '..') {
        at = parentOf(at);
        continue;
      }
      const next = joinPath(at, name);
      const node = nodes.get(next);
      if (node?.type === 'symlink') {
        if (++links > MOST_LINKS) throw new OcixError('path/link', `${shownPath(path)}: too many links in a row`);
        const target = binaryString(node.entry!.fields.link);
        if (target.startsWith('/')) at = '';
        rest.push(...target.split('/').reverse());
        continue;
      }
      const step = node?.type === 'dir' ? next : missing(next, node);
      if (step === undefined) return undefined;
      at = step;
    }
    return at;
  }

  function fileOf(owner: Owner, path: string) {
    let files = byPath.get(owner);
    if (!files) {
      const mine = owned.get(owner)!.filter(({ entry }) => entry.fields.type !== 'dir');
      byPath.set(owner, (files = new Map(mine.map((one) => [one.entry.path, one]))));
    }
    return files.get(path);
  }

  /** A hard link to a file of its own package; where another's took the place of that file, a file with the same content. */
  function placedLink(owner: Owner, entry: NewEntry, node: Node, depth = 0): PlacedEntry {
    const target = cleanPath(entry.fields.link).path;
    const file = fileOf(owner, target);
    if (!file || file.entry === entry)
      throw new OcixError('path/link', `${shownPath(entry.path)} is a hard link to nothing in its package`, {
        at: [owner.title],
        hint: 'The package is damaged or was made by hand.',
      });
    if (file.entry.fields.type === 'hardlink') {
      if (depth === MOST_LINKS) throw new OcixError('path/link', `${shownPath(entry.path)}: too many links in a row`);
      return placedLink(owner, file.entry, node, depth + 1);
    }
    if (nodes.get(file.node.path) !== file.node) return placedEntry(file.entry, node);
    return {
      fields: { ...file.entry.fields, type: 'hardlink', path: tarPath(node), link: tarPath(file.node), size: 0 },
      content: undefined,
    };
  }
}

const placedEntry = ({ fields, content }: NewEntry, node: Node): PlacedEntry => ({
  fields: { ...fields, path: tarPath(node) },
  content,
});

const tarPath = ({ path, type }: Node): Uint8Array =>
  fromBinaryString(type === 'dir' ? (path === '' ? './' : `${path}/`) : path);

function conflict(path: string, owner: Owner, other: Owner | undefined, how: string | undefined): OcixError {
  const both = other && other !== owner ? `${other.title} and ${owner.title}` : owner.title;
  return new OcixError(
    'debian/conflict',
    `/${shownPath(path)} is in ${both}${how === undefined ? ', and neither replaces the other' : `: ${how}`}`,
    {
      hint: 'dpkg would refuse them too. Leave one of them out.',
    },
  );
}

const unsayable = (owner: Owner, path: string): OcixError =>
  new OcixError(
    'path/invalid',
    `no layer of an image can hold a file called ${shownPath(path)}: it would remove another`,
    {
      at: [owner.title],
      hint: 'Leave this package out.',
    },
  );
