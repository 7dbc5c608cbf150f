/**
 * Output that becomes visible as a whole or not at all. Everything is written into a private folder beside the destination;
 * `place` puts it there with one rename. A run that fails, or is interrupted, leaves the destination as it was; one that
 * is killed leaves at most a hidden folder beside it.
 */
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, realpath, rename } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { OcixError } from '../base/errors.ts';
import { outputError } from '../bytes/output-error.ts';
import { printable } from '../bytes/text.ts';
import { removeTree } from './remove-tree.ts';

export type Destination =
  | { readonly state: 'absent'; readonly path: string }
  | { readonly state: 'empty'; readonly path: string }
  | { readonly state: 'folder'; readonly path: string; readonly names: readonly string[] }
  | { readonly state: 'file'; readonly path: string };

/** What is at a path now; links are followed, so that writing replaces what they point to. */
export async function destination(out: string): Promise<Destination> {
  try {
    const path = await realpath(out).catch(() => resolve(out));
    const stat = await lstat(path);
    if (!stat.isDirectory()) return { state: 'file', path };
    const names = await readdir(path);
    return names.length ? { state: 'folder', path, names } : { state: 'empty', path };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { state: 'absent', path: resolve(out) };
    throw outputError(out, cause);
  }
}

export interface Staging {
  /** The private folder. */
  readonly path: string;
  /** Renames `path`, or one thing inside it, to the destination. False where something has come to stand there meanwhile. */
  place(inside?: string): Promise<boolean>;
  /** The same, in the place of whatever stands there. */
  replace(inside?: string): Promise<void>;
  discard(): Promise<void>;
}

/** A private folder on the same file system as `target`, so that renaming works. @throws OcixError output/write */
export async function stageBeside(target: string): Promise<Staging> {
  return stage(dirname(target), target);
}

/** The same inside an existing folder; what belongs into it is moved one by one. */
export async function stageInside(folder: string): Promise<Staging> {
  return stage(folder, undefined);
}

async function stage(parent: string, target: string | undefined): Promise<Staging> {
  const path = join(parent, `.ocix-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    await mkdir(path, { mode: 0o755 });
  } catch (cause) {
    throw outputError(target ?? parent, cause);
  }
  const madeAt = (inside: string | undefined): string => (inside === undefined ? path : join(path, inside));
  const discard = (): Promise<void> => removeTree(path);
  return {
    path,
    async place(inside) {
      try {
        await rename(madeAt(inside), target!);
      } catch (cause) {
        if (OCCUPIED.has((cause as NodeJS.ErrnoException).code ?? '')) return false;
        throw outputError(target!, cause);
      }
      if (inside !== undefined) await discard();
      return true;
    },
    async replace(inside) {
      await swap(madeAt(inside), target!);
      if (inside !== undefined) await discard();
    },
    discard,
  };
}

const OCCUPIED = new Set(['ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EISDIR']);

/** What stands at `target` is moved aside first; if then the rename fails, it is moved back. */
async function swap(made: string, target: string): Promise<void> {
  const aside = join(dirname(target), `.ocix-${process.pid}-${randomBytes(4).toString('hex')}-old`);
  try {
    const moved = await rename(target, aside).then(
      () => true,
      (cause: NodeJS.ErrnoException) => {
        if (cause.code !== 'ENOENT') throw cause;
        return false;
      },
    );
    await rename(made, target).catch(async (cause: unknown) => {
      if (moved) await rename(aside, target);
      throw cause;
    });
  } catch (cause) {
    throw outputError(target, cause);
  }
  await removeTree(aside);
}

export function occupied(out: string, what: string): OcixError {
  return new OcixError('output/exists', `${printable(out)} ${what}`, {
    hint: `Choose another name than ${printable(basename(out))}, or replace what is there with --force.`,
  });
}
