/**
 * A lock file that excludes other processes from a short critical section. It names its owner, so that the lock of a process
 * that was killed is recognised and broken.
 */
import { link, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { OcixError } from '../base/errors.ts';
import { outputError } from '../bytes/output-error.ts';
import { printable } from '../bytes/text.ts';
import { isRunning } from './process.ts';

/** Milliseconds. The section holds for a few renames; a minute is a process in trouble. */
const PATIENCE = 60_000;
const PAUSE = 20;

/** Runs `work` while no other process holds the lock at `path`. @throws OcixError output/locked, output/write */
export async function withLock<T>(path: string, work: () => Promise<T>, patience = PATIENCE): Promise<T> {
  const own = `${path}-${process.pid}-${Math.random().toString(36).slice(2)}`;
  try {
    await writeFile(own, `${process.pid} ${hostname()}\n`, { flag: 'wx' });
  } catch (cause) {
    throw outputError(path, cause);
  }
  try {
    await acquire(own, path, patience);
    try {
      return await work();
    } finally {
      await rm(path, { force: true });
    }
  } finally {
    await rm(own, { force: true });
  }
}

/** Linking is atomic, and the lock is complete the moment it exists. */
async function acquire(own: string, path: string, patience: number): Promise<void> {
  for (let waited = 0; ; waited += PAUSE) {
    try {
      return await link(own, path);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw outputError(path, cause);
    }
    if (await abandoned(path)) await breakLock(own, path);
    else if (waited >= patience) {
      throw new OcixError(
        'output/locked',
        `another process has been writing here for ${Math.round(patience / 1000)} s`,
        {
          hint: `If none is running, remove ${printable(path)} and try again.`,
        },
      );
    } else await sleep(PAUSE);
  }
}

/**
 * Only one process at a time may break a lock, and it looks once more before it does: otherwise the second would take away
 * the lock that the first has just got.
 */
async function breakLock(own: string, path: string): Promise<void> {
  const breaking = `${path}-breaking`;
  try {
    await link(own, breaking);
  } catch {
    if (await abandoned(breaking)) await unlink(breaking).catch(() => {});
    return sleep(PAUSE);
  }
  try {
    if (await abandoned(path)) await unlink(path).catch(() => {});
  } finally {
    await rm(breaking, { force: true });
  }
}

async function abandoned(path: string): Promise<boolean> {
  const before = await stat(path).catch(() => undefined);
  const [pid, host] = (await readFile(path, 'utf8').catch(() => '')).trim().split(' ');
  if (!before || !pid || host !== hostname() || isRunning(Number(pid))) return false;
  // Somebody else may have broken it and taken it meanwhile; then it is another file.
  const now = await stat(path).catch(() => undefined);
  return now !== undefined && now.ino === before.ino;
}
