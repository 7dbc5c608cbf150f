/**
 * Names below a folder that nothing can lead out of. The folder above each name is opened part by part without following a
 * link (in one call where the kernel has openat2), and everything is done relative to that descriptor; a process that swaps a
 * folder for a link meanwhile gets an error, never a write somewhere else.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { OcixError } from '../base/errors.ts';
import { outputError } from '../bytes/output-error.ts';
import { baseOf, parentOf, shownPath } from './path.ts';
import { type Syscalls, systemError } from './syscalls.ts';

/** A name, ready for calls of Node (`path`) and of libc (`terminated`, with a NUL behind it). */
export interface Confined {
  /** Relative to the descriptor of the folder above it. */
  readonly path: Buffer;
  readonly terminated: Uint8Array;
}

export interface ConfinedRoot {
  /** A name below the root; the folder above it must exist. The path has no link in it, no `.` and no `..`. */
  at(path: string): Confined;
  /** A descriptor of a folder, open until the next calls push it out. */
  folder(path: string): number;
  /** A folder, or what is below it, is going away. */
  forget(path: string): void;
  close(): void;
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Descriptors that stay open: entries of one folder mostly follow each other. */
const MOST_OPEN = 64;

/** @param refuse what is thrown for a folder that cannot be opened; the number is the system's error */
export function confinedRoot(
  root: string,
  syscalls: Syscalls | undefined,
  refuse: (path: string, errno: number) => OcixError = gone,
): ConfinedRoot {
  const top = openSync(root, FOLDER);
  /** Least recently used first. */
  const open = new Map<string, number>();

  const confined: ConfinedRoot = {
    at(path) {
      return confinedName(confined.folder(parentOf(path)), baseOf(path));
    },
    folder(path) {
      if (path === '') return top;
      const known = open.get(path);
      if (known !== undefined) {
        open.delete(path);
        open.set(path, known);
        return known;
      }
      const fd = openFolder(path);
      open.set(path, fd);
      if (open.size > MOST_OPEN) drop(open.keys().next().value!);
      return fd;
    },
    forget(path) {
      for (const key of [...open.keys()]) if (key === path || key.startsWith(`${path}/`)) drop(key);
    },
    close() {
      for (const key of [...open.keys()]) drop(key);
      closeSync(top);
    },
  };
  return confined;

  function drop(path: string): void {
    closeSync(open.get(path)!);
    open.delete(path);
  }

  function openFolder(path: string): number {
    if (syscalls) {
      const fd = syscalls.openFolder(top, Buffer.from(`${path}\0`, 'latin1'));
      if (fd >= 0) return fd;
      if (!UNAVAILABLE.has(-fd)) throw refuse(path, -fd);
    }
    // Part by part, without the cache: what it pushed out could be a folder that the caller is about to use.
    let above = top;
    try {
      for (const part of path.split('/')) {
        const fd = openSync(confinedName(above, part).path, FOLDER);
        if (above !== top) closeSync(above);
        above = fd;
      }
      return above;
    } catch (cause) {
      if (above !== top) closeSync(above);
      throw refuse(path, (cause as NodeJS.ErrnoException).errno ?? 0);
    }
  }
}

/** ENOSYS, EPERM (a filter of system calls), E2BIG, EINVAL: the call itself cannot be had. */
const UNAVAILABLE = new Set([38, 1, 7, 22]);

function confinedName(folder: number, name: string): Confined {
  const terminated = Buffer.from(`/proc/self/fd/${folder}/${name}\0`, 'latin1');
  return { path: terminated.subarray(0, -1), terminated };
}

/** ENOENT, EAGAIN, EXDEV, ENOTDIR, ELOOP. */
const NO_FOLDER = new Set([2, 11, 18, 20, 40]);

/** Whether an error says that what stands there is no folder, or leads to another, rather than that it cannot be opened. */
export const isNoFolder = (errno: number): boolean => NO_FOLDER.has(Math.abs(errno));

/** The extractor made this folder itself, so somebody else is changing the output; or it cannot be written to any more. */
function gone(path: string, errno: number): OcixError {
  if (!isNoFolder(errno)) return outputError(shownPath(path), systemError(Math.abs(errno)));
  return new OcixError(
    'path/escape',
    `the folder ${shownPath(path)} was changed by another process while it was written`,
    { found: `error ${Math.abs(errno)}`, hint: 'Write to a folder that nobody else uses.' },
  );
}
