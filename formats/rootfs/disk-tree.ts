/**
 * A root filesystem on the disk, read back as the entries that a layer would have for it: one that was unpacked, or that a container runs in.
 * Links are entries and nothing more; devices and pipes are not opened; what is mounted there from another file system is not entered.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
} from 'node:fs';
import { type Context, checkAbort } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { checkLimit } from '../base/limits.ts';
import { hexOf, newHash } from '../bytes/digest.ts';
import { sourceError } from '../bytes/source.ts';
import { binaryString, fromBinaryString } from '../bytes/text.ts';
import type { EntryType, TarEntry, Time } from '../tar/entry.ts';
import { type Confined, type ConfinedRoot, confinedRoot, isNoFolder } from './confined.ts';
import { isOfHost } from './metadata.ts';
import { containerId, type IdMapping, ROOTLESS_XATTR, rootlessOwner, type UserNamespace } from './owners.ts';
import { joinPath, shownPath } from './path.ts';
import { loadSyscalls, type Syscalls, systemError } from './syscalls.ts';
import type { Inode } from './tree.ts';

export interface DiskTree {
  readonly root: Inode;
  /** Below the root, sorted by the bytes of the paths. */
  readonly names: readonly DiskName[];
  /** What could not be read back, and why. */
  readonly unseen: readonly Unseen[];
}

export interface DiskName {
  /** A binary string. */
  readonly path: string;
  readonly inode: Inode;
}

export interface Unseen {
  /** A binary string; absent where a field cannot be read anywhere. */
  readonly path?: string;
  readonly field?: 'xattrs';
  readonly why: string;
}

export interface DiskTreeOptions {
  /** Of each file's content. */
  readonly digest: boolean;
  /** Ids on the disk are these of the host; without mappings they are what they are. */
  readonly namespace: UserNamespace;
}

/** Where a root filesystem lies: a folder that the user names, and the path from there, on which no link is followed. */
export interface DiskRoot {
  readonly folder: string;
  /** Empty for the folder itself. */
  readonly below: string;
}

const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const PIECE = 2 ** 20;
/** Names between two looks at what else there is to do. */
const STEP = 256;

/** @throws OcixError source/unreadable, source/missing, path/escape where a link lies on the way to the root, limit/entries, limit/total-bytes */
export async function readDiskTree(root: DiskRoot, options: DiskTreeOptions, context: Context): Promise<DiskTree> {
  const syscalls = await loadSyscalls();
  const confined = openRoot(root, syscalls);
  try {
    return await walk(confined, root.below, { ...options, syscalls }, context);
  } finally {
    confined.close();
  }
}

/** The content of a regular file of at most `most` bytes; undefined where there is none. */
export async function readDiskFile(root: DiskRoot, path: string, most: number): Promise<Uint8Array | undefined> {
  const confined = openRoot(root, await loadSyscalls());
  try {
    const fd = openSync(confined.at(joinPath(root.below, path)).path, FILE);
    try {
      if (!fstatSync(fd).isFile()) return undefined;
      const bytes = new Uint8Array(most + 1);
      let size = 0;
      for (let got = 1; got > 0 && size < bytes.length; size += got)
        got = readSync(fd, bytes, size, bytes.length - size, null);
      return size > most ? undefined : bytes.subarray(0, size);
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined; // it was there a moment ago
  } finally {
    confined.close();
  }
}

function openRoot({ folder, below }: DiskRoot, syscalls: Syscalls | undefined): ConfinedRoot {
  try {
    const confined = confinedRoot(realpathSync(folder), syscalls, unreadable);
    try {
      confined.folder(below);
      return confined;
    } catch (error) {
      confined.close();
      throw error;
    }
  } catch (cause) {
    if (cause instanceof OcixError) throw cause;
    throw sourceError(folder, cause);
  }
}

const EACCES = 13;

function unreadable(path: string, errno: number): OcixError {
  if (isNoFolder(errno))
    return new OcixError('path/escape', `${shownPath(path)} is no folder, or a link that could lead anywhere`, {
      found: `error ${Math.abs(errno)}`,
      hint: 'Name the folder itself that is to be read.',
    });
  if (Math.abs(errno) !== EACCES) return sourceError(shownPath(path), systemError(Math.abs(errno)));
  return new OcixError('source/unreadable', `${shownPath(path)} cannot be read: no permission`, {
    hint: 'Read it as root, or as the user whose it is.',
  });
}

async function walk(
  confined: ConfinedRoot,
  top: string,
  options: DiskTreeOptions & { readonly syscalls: Syscalls | undefined },
  context: Context,
): Promise<DiskTree> {
  const { syscalls, digest, namespace } = options;
  const unseen: Unseen[] = [];
  if (!syscalls)
    unseen.push({
      field: 'xattrs',
      why: 'extended attributes cannot be read: the optional package koffi is not installed',
    });
  const own = fstatSync(confined.folder(top), { bigint: true });
  const found: DiskName[] = [];
  const files = new Map<string, Inode>();
  const folders = [''];
  const buffer = new Uint8Array(PIECE);
  let bytes = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const name of namesIn(folder)) {
      const path = joinPath(folder, binaryString(name));
      const inode = look(path);
      if (!inode) continue;
      found.push({ path, inode });
      checkLimit(context.limits, 'entries', found.length, 'the number of names in the folder');
      if (found.length % STEP === 0) await pause();
      if (digest && inode.entry!.type === 'file' && inode.content === undefined) await hash(path, inode);
    }
  }
  const root: Inode = { entry: entryOf(own, 'dir', new Uint8Array(0), xattrsOf(rootName(confined, top), '')) };
  return { root, names: found.sort((a, b) => (a.path < b.path ? -1 : 1)), unseen };

  function namesIn(folder: string): readonly Uint8Array[] {
    try {
      return readdirSync(`/proc/self/fd/${confined.folder(joinPath(top, folder))}`, { encoding: 'buffer' });
    } catch (cause) {
      if (folder === '' || (cause instanceof OcixError && cause.code === 'source/unreadable')) throw cause;
      unseen.push({ path: folder, why: 'it changed while it was read' });
      return [];
    }
  }

  function look(path: string): Inode | undefined {
    const name = confined.at(joinPath(top, path));
    const stat = lstatSync(name.path, { bigint: true, throwIfNoEntry: false });
    const type = stat && typeOf(stat);
    if (!stat || !type) {
      if (stat) unseen.push({ path, why: 'a socket, which no image holds' });
      return undefined;
    }
    const key = `${stat.dev}:${stat.ino}`;
    const known = type === 'dir' || stat.nlink < 2n ? undefined : files.get(key);
    if (known) return known;
    const link = type === 'symlink' ? readlinkSync(name.path, { encoding: 'buffer' }) : new Uint8Array(0);
    const inode: Inode = { entry: entryOf(stat, type, link, xattrsOf(name, path)) };
    if (type === 'dir') {
      if (stat.dev === own.dev) folders.push(path);
      else unseen.push({ path, why: 'another file system is mounted there' });
    } else if (stat.nlink > 1n) files.set(key, inode);
    return inode;
  }

  function entryOf(stat: Stat, type: EntryType, link: Uint8Array, xattrs: Map<string, Uint8Array>): TarEntry {
    const record = xattrs.get(ROOTLESS_XATTR);
    const recorded = record && rootlessOwner(record);
    if (recorded) xattrs.delete(ROOTLESS_XATTR);
    const { uid, gid } = recorded ?? {
      uid: idOf(Number(stat.uid), namespace.uids),
      gid: idOf(Number(stat.gid), namespace.gids),
    };
    const size = type === 'file' ? Number(stat.size) : 0;
    const mode = Number(stat.mode & 0o7777n);
    const common = { path: new Uint8Array(0), header: [], offset: 0 };
    return { ...common, type, link, mode, uid, gid, size, mtime: timeOf(stat.mtimeNs), ...deviceOf(stat.rdev), xattrs };
  }

  function xattrsOf({ terminated }: Pick<Confined, 'terminated'>, path: string): Map<string, Uint8Array> {
    const read = syscalls?.xattrs(terminated) ?? 0;
    if (typeof read !== 'number') return new Map([...read].filter(([name]) => !isOfHost(name)));
    if (read !== 0 && read !== ENOTSUP)
      unseen.push({ path, why: `its extended attributes cannot be read (error ${read})` });
    return new Map();
  }

  async function hash(path: string, inode: Inode): Promise<void> {
    const fd = openFile(path);
    if (fd === undefined) return;
    try {
      const digesting = newHash('sha256');
      let size = 0;
      for (let got = readSync(fd, buffer, 0, PIECE, null); got > 0; got = readSync(fd, buffer, 0, PIECE, null)) {
        digesting.update(buffer.subarray(0, got));
        size += got;
        checkLimit(context.limits, 'total-bytes', bytes + size, 'the content of the files');
        await pause();
      }
      bytes += size;
      inode.content = hexOf(digesting.digest());
      if (size !== inode.entry!.size) unseen.push({ path, why: 'it changed while it was read' });
    } finally {
      closeSync(fd);
    }
  }

  function openFile(path: string): number | undefined {
    try {
      const fd = openSync(confined.at(joinPath(top, path)).path, FILE);
      if (fstatSync(fd).isFile()) return fd;
      closeSync(fd);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EACCES') throw unreadable(path, EACCES);
    }
    unseen.push({ path, why: 'it changed while it was read' });
    return undefined;
  }

  /** Signals are heard between two pieces of work. */
  async function pause(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    checkAbort(context);
  }
}

const ENOTSUP = 95;

type Stat = NonNullable<ReturnType<typeof statOf>>;
const statOf = (path: string) => lstatSync(path, { bigint: true, throwIfNoEntry: false });

/** Reached through itself, since nothing is above it. */
const rootName = (confined: ConfinedRoot, top: string): Pick<Confined, 'terminated'> => ({
  terminated: fromBinaryString(`/proc/self/fd/${confined.folder(top)}/.\0`),
});

function typeOf(stat: Stat): EntryType | undefined {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'dir';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'char';
  if (stat.isBlockDevice()) return 'block';
  return stat.isFIFO() ? 'fifo' : undefined;
}

/** The overflow id is what the kernel shows for somebody whom a namespace lacks. */
const OVERFLOW = 65_534;

const idOf = (id: number, mappings: readonly IdMapping[]): number => {
  if (!mappings.length) return id;
  return mappings.some(({ host, size }) => id >= host && id < host + size) ? containerId(id, mappings) : OVERFLOW;
};

/** As glibc takes them apart. */
const deviceOf = (device: bigint): { readonly major: number; readonly minor: number } => ({
  major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)),
  minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
});

function timeOf(nanoseconds: bigint): Time {
  const nanos = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { seconds: Number((nanoseconds - nanos) / 1_000_000_000n), nanos: Number(nanos) };
}
