/**
 * Layers onto a disk. This is the only code that creates files from entries.
 *
 * The merged tree decides where an entry goes and what it replaces; here that is mirrored, name by name, below a root that
 * nothing can lead out of (see confined.ts). Files get their metadata when their content is complete, folders at the very
 * end, deepest first, since writing into a folder changes its time and may need permissions that it will not have.
 */
import {
  closeSync,
  constants,
  existsSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import type { Context } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { outputError } from '../bytes/output-error.ts';
import type { EntryType, TarEntry } from '../tar/entry.ts';
import type { TarHandler } from '../tar/scanner.ts';
import { type ConfinedRoot, confinedRoot } from './confined.ts';
import { lossList } from './losses.ts';
import { metadataWriter } from './metadata.ts';
import { setMode } from './mode.ts';
import type { Owners } from './owners.ts';
import { baseOf, cleanPath, joinPath, NAME_MAX, PATH_MAX, shownPath } from './path.ts';
import { type Syscalls, systemError } from './syscalls.ts';
import { mergedTree, type Tree, type TreeNode } from './tree.ts';

export interface Extractor {
  readonly tree: Tree;
  /** Takes the entries of the layer that comes next. */
  readonly handler: TarHandler;
  nextLayer(): void;
  /** @throws OcixError path/link for a hard link whose target never came */
  finishLayer(): void;
  /** Gives folders their metadata, and the context notes of what could not be kept. */
  finish(context: Context): void;
  /** A regular file of at most `most` bytes, links followed inside the root; undefined where there is none. */
  read(path: string, most: number): Uint8Array | undefined;
  /** Closes what is open, also after a failure. */
  close(): void;
}

export interface ExtractOptions {
  /** An empty folder that belongs to us alone. */
  readonly root: string;
  /** Another one on the same file system, for what is never part of the tree. */
  readonly aside: string;
  readonly owners: Owners;
  readonly syscalls: Syscalls | undefined;
  readonly keepDirlinks: boolean;
}

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const TYPE_BITS: Partial<Record<EntryType, number>> = {
  char: constants.S_IFCHR,
  block: constants.S_IFBLK,
  fifo: constants.S_IFIFO,
};
/** What a folder gets that no entry names. */
const IMPLIED = {
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: { seconds: 0, nanos: 0 },
  xattrs: new Map(),
} as unknown as TarEntry;

/** @throws OcixError path/…, output/write */
export function extractor(options: ExtractOptions): Extractor {
  const { syscalls, owners } = options;
  const root = attempt('', () => confinedRoot(options.root, syscalls));
  const aside = attempt('', () => confinedRoot(options.aside, syscalls));
  const losses = lossList();
  const metadata = metadataWriter({ owners, syscalls, losses });
  /** The file whose content comes now; it may be hidden already, and is written all the same. */
  let current: { readonly fd: number; readonly path: string } | undefined;
  let asideCount = 0;
  const asideNames = new Map<string, string>();

  const tree = mergedTree(
    {
      remove: (path, node) => attempt(path, () => remove(path, node)),
      imply: (path) => attempt(path, () => mkdirSync(root.at(checked(path)).path, 0o700)),
      create: (path, entry) => attempt(path, () => create(checked(path), entry)),
      link: (path, target) => attempt(path, () => linkSync(root.at(target).path, root.at(checked(path)).path)),
      aside: (name) =>
        attempt(name, () => {
          const own = String(asideCount++);
          asideNames.set(name, own);
          current = { fd: openSync(aside.at(own).path, CREATE, 0o600), path: name };
        }),
      linkAside: (path, name) =>
        attempt(path, () => linkSync(aside.at(asideNames.get(name)!).path, root.at(checked(path)).path)),
    },
    { keepDirlinks: options.keepDirlinks },
  );
  attempt('', () => probeCase(root));

  return {
    tree,
    nextLayer: () => tree.nextLayer(),
    finishLayer: () => tree.finishLayer(),
    handler: {
      entry(entry) {
        // Before thousands of folders are made above it. Cleaning makes no name longer.
        if (entry.path.length > NAME_MAX) checked(cleanPath(entry.path).path);
        tree.apply(entry);
      },
      data(bytes, offset) {
        if (current) writeAll(current, bytes, offset);
      },
      end(entry) {
        if (!current) return;
        const { fd, path } = current;
        current = undefined;
        attempt(path, () => finishFile(fd, entry, path));
      },
    },
    read(path, most) {
      const real = tree.real(path);
      const entry = real === undefined ? undefined : tree.lookup(real)?.inode.entry;
      // A device acts when it is opened, and a pipe blocks.
      return entry?.type === 'file' ? readSmall(real!, entry, most) : undefined;
    },
    finish(own) {
      finishFolder('', tree.root);
      losses.report(own);
    },
    close() {
      if (current) closeSync(current.fd);
      current = undefined;
      root.close();
      aside.close();
    },
  };

  function create(path: string, entry: TarEntry): void {
    const name = root.at(path);
    switch (entry.type) {
      case 'dir':
        mkdirSync(name.path, 0o700);
        return;
      case 'file':
        current = { fd: openSync(name.path, CREATE, 0o600), path };
        return;
      case 'symlink':
        if (entry.link.length === 0 || entry.link.length >= PATH_MAX)
          throw new OcixError('path/invalid', 'a symlink points to nothing, or to a longer path than Linux allows');
        symlinkSync(Buffer.from(entry.link), name.path);
        metadata.ofName(name, entry, path);
        return;
      default:
        if (makeNode(name.terminated, entry, path)) metadata.ofName(name, entry, path);
    }
  }

  /** Without privileges a device becomes an empty file without permissions, as rootless tools have it. */
  function makeNode(terminated: Uint8Array, entry: TarEntry, path: string): boolean {
    const device = entry.type !== 'fifo';
    const errno =
      syscalls && (owners.privileged || !device)
        ? syscalls.makeNode(terminated, TYPE_BITS[entry.type]! | entry.mode, entry.major, entry.minor)
        : EPERM;
    if (errno === 0) return true;
    const lost = NODE_LOSSES.get(errno);
    if (lost === undefined) throw systemError(errno);
    const reason = syscalls ? lost : 'koffi is not installed';
    losses.add(`${device ? 'a device' : 'a named pipe'} is an empty file, since ${reason}`, path);
    writeFileSync(root.at(path).path, '', { flag: 'wx', mode: 0 });
    return false;
  }

  function finishFile(fd: number, entry: TarEntry, path: string): void {
    try {
      if (entry.extents) ftruncateSync(fd, entry.size); // the holes at its end
      metadata.ofOpen(fd, entry, path);
    } finally {
      closeSync(fd);
    }
  }

  function writeAll({ fd, path }: NonNullable<typeof current>, bytes: Uint8Array, offset: number): void {
    attempt(path, () => {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
    });
  }

  function remove(path: string, node: TreeNode): void {
    if (!node.children) return unlinkSync(root.at(path).path);
    for (const [name, child] of node.children) remove(joinPath(path, name), child);
    root.forget(path);
    rmdirSync(root.at(path).path);
  }

  function finishFolder(path: string, node: TreeNode): void {
    for (const [name, child] of node.children!) if (child.children) finishFolder(joinPath(path, name), child);
    attempt(path, () => metadata.ofOpen(root.folder(path), node.inode.entry ?? IMPLIED, path));
  }

  function readSmall(path: string, { mode, size }: TarEntry, most: number): Uint8Array {
    if (size > most) {
      throw new OcixError('path/invalid', `the file is larger than the ${most} bytes that such a file may have`, {
        at: [shownPath(path)],
        hint: 'Do not trust this image.',
      });
    }
    return attempt(path, () => {
      const name = root.at(path).path;
      const closed = !owners.privileged && !(mode & constants.S_IRUSR);
      if (closed) setMode(name, mode | constants.S_IRUSR);
      const fd = openSync(name, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        return readFileSync(fd);
      } finally {
        closeSync(fd);
        if (closed) setMode(name, mode);
      }
    });
  }

  function checked(path: string): string {
    if (path.length < PATH_MAX && baseOf(path).length <= NAME_MAX) return path;
    throw new OcixError('path/invalid', 'a name is longer than Linux allows', {
      at: [shownPath(path.slice(0, 100))],
      expected: `names of ${NAME_MAX} bytes, paths of ${PATH_MAX - 1}`,
    });
  }
}

const EPERM = 1;
/** Errors that a disk which can be written to has for a device or a pipe. */
const NODE_LOSSES: ReadonlyMap<number, string> = new Map([
  [EPERM, 'it cannot be made without privileges'],
  [22, 'the file system does not take it'], // EINVAL
  [95, 'the file system does not take it'], // ENOTSUP
]);

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw cause instanceof OcixError ? cause.within(shownPath(path)) : outputError(shownPath(path), cause);
  }
}

/** A file system that takes `A` for `a` cannot hold the tree of a Linux image (CVE-2021-37713). */
function probeCase(root: ConfinedRoot): void {
  const probe = root.at('.ocix-Case').path;
  writeFileSync(probe, '', { flag: 'wx' });
  const same = existsSync(root.at('.ocix-cASE').path);
  unlinkSync(probe);
  if (same)
    throw new OcixError('output/write', 'the file system does not tell upper from lower case', {
      hint: 'Write to a file system that does: images hold names that differ in case only.',
    });
}
