/**
 * A folder that is held open: its path leads to it, and to nothing else, whatever another process does to its name. What is
 * below it is removed without following a link, by descriptors, so a folder that is swapped for a link meanwhile costs an
 * error, never somebody else's files (the class of CVE-2022-21658).
 */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { OcixError } from '../base/errors.ts';
import { outputError } from '../bytes/output-error.ts';

export interface HeldFolder {
  /** Good until `release`. */
  readonly path: string;
  /** A new folder in it, which only we may enter. */
  make(name: string): HeldFolder;
  /** Removes everything in it, or everything but one name. @throws OcixError output/write */
  empty(kept?: string): void;
  release(): void;
}

const O_PATH = 0o10000000;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** @param path a folder that we made just now. @throws OcixError path/escape where it is not ours any more, output/write */
export function holdFolder(path: string): HeldFolder {
  const fd = attempt(() => openSync(path, FOLDER));
  const own = `/proc/self/fd/${fd}`;
  let held = true;
  const folder: HeldFolder = {
    path: own,
    make: (name) => {
      attempt(() => mkdirSync(`${own}/${name}`, { mode: 0o700 }));
      return holdFolder(`${own}/${name}`);
    },
    empty: (kept) => attempt(() => emptyFolder(own, kept)),
    release() {
      if (held) closeSync(fd);
      held = false;
    },
  };
  if (fstatSync(fd).uid !== process.geteuid?.()) {
    folder.release();
    throw new OcixError('path/escape', 'another process took the place of the folder that we write to', {
      hint: 'Write to a folder that nobody else uses.',
    });
  }
  try {
    // Setuid files of an image must not be within the reach of others, also while they are being written.
    attempt(() => fchmodSync(fd, 0o700));
  } catch (error) {
    folder.release();
    throw error;
  }
  return folder;
}

/**
 * Removes what is at a path, if something is: a folder with everything in it. It need not be ours; who may change folders of it
 * meanwhile can make this fail, and cannot lead it out.
 *
 * @throws what the system says
 */
export function removeHeld(path: string): void {
  if (removedName(path)) return;
  opened(path, false, (folder) => emptyFolder(folder, undefined));
  rmdirSync(path);
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw outputError('the folder for what is not complete yet', cause);
  }
}

/** Every folder is moved to the top before it is emptied, so no path gets long however deep the tree is. */
function emptyFolder(top: string, kept: string | undefined): void {
  const folders = [top];
  const prefix = `${top}/.flat-${randomBytes(8).toString('hex')}-`;
  for (let i = 0; i < folders.length; i++) {
    const path = folders[i]!;
    // Between being looked at and being moved, a folder may have been swapped for something else.
    if (i > 0 && removedName(path)) continue;
    opened(path, i === 0, (folder) => {
      for (const name of readdirSync(folder, { encoding: 'buffer' })) {
        if (i === 0 && name.toString() === kept) continue;
        const at = Buffer.concat([Buffer.from(`${folder}/`), name]);
        if (removedName(at)) continue;
        const moved = `${prefix}${folders.length}`;
        opened(at, false, () => renameSync(at, moved)); // moving a folder writes to it
        folders.push(moved);
      }
    });
    if (i > 0) rmdirSync(path);
  }
}

/** Gives a path that leads to the folder itself, with permission to read and change it. */
function opened(path: string | Buffer, held: boolean, work: (folder: string) => void): void {
  if (held) return work(String(path));
  const fd = openSync(path, O_PATH | FOLDER);
  try {
    const folder = `/proc/self/fd/${fd}`;
    openedToUs(folder);
    work(folder);
  } finally {
    closeSync(fd);
  }
}

/** What is somebody else's may be open to us all the same. */
function openedToUs(folder: string): void {
  try {
    chmodSync(folder, 0o700);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EPERM') throw cause;
  }
}

/** Removes what is no folder; false where there is one. */
function removedName(path: string | Buffer): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EISDIR') return false;
    if (code === 'ENOENT') return true;
    throw cause;
  }
}
