/** Looking into a root filesystem that lies on the disk, with every link resolved inside it. Reads only. */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { OcixError } from '../base/errors.ts';
import { binaryString } from '../bytes/text.ts';
import { shownPath } from './path.ts';

const MOST_LINKS = 255;

/** The real path of what is at `path` below `root`; undefined where nothing is. A link never leads out. */
export function resolveInRoot(root: string, path: string): string | undefined {
  let names: string[] = [];
  const rest = path.split('/').reverse();
  for (let links = 0; rest.length; ) {
    const name = rest.pop()!;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      names.pop();
      continue;
    }
    const at = join(root, ...names, name);
    const stat = statOf(at);
    if (!stat) return undefined;
    if (!stat.isSymbolicLink()) {
      names.push(name);
      continue;
    }
    if (++links > MOST_LINKS)
      throw new OcixError('path/link', `${shownPath(path)}: too many symlinks, one behind the other`);
    const target = readlinkSync(at);
    if (target.startsWith('/')) names = [];
    rest.push(...target.split('/').reverse());
  }
  return join(root, ...names);
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined; // below a file there is nothing
    throw unreadable(path, cause);
  }
}

const unreadable = (path: string, cause: unknown): OcixError =>
  new OcixError('source/unreadable', `${shownPath(binaryString(Buffer.from(path)))} cannot be read`, {
    hint: 'Check its permissions.',
    cause,
  });

/** A regular file of at most `most` bytes; pipes and devices are not opened. @throws OcixError path/invalid for a larger one */
export function readInRoot(root: string, path: string, most: number): Uint8Array | undefined {
  const real = resolveInRoot(root, path);
  if (real === undefined || !lstatSync(real).isFile()) return undefined;
  const fd = openRead(real);
  try {
    if (!fstatSync(fd).isFile()) return undefined;
    if (fstatSync(fd).size <= most) return readFileSync(fd);
    throw new OcixError(
      'path/invalid',
      `${shownPath(path)} is larger than the ${most} bytes that such a file may have`,
    );
  } finally {
    closeSync(fd);
  }
}

function openRead(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

export interface FolderInRoot {
  /** Twelve bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly isEmpty: boolean;
}

/** The folder at a path, with its owner on this disk; undefined where there is none. */
export function folderInRoot(root: string, path: string): FolderInRoot | undefined {
  const real = resolveInRoot(root, path);
  const stat = real === undefined ? undefined : lstatSync(real);
  if (!stat?.isDirectory()) return undefined;
  return { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, isEmpty: readdirSync(real!).length === 0 };
}
