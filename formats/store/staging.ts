/**
 * Output that becomes visible as a whole or not at all. Everything is written into a private folder beside the destination;
 * `place` puts it there with one rename. A run that fails, or is interrupted, leaves the destination as it was; one that
 * is killed leaves at most a hidden folder beside it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, realpath, rename, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { OcixError } from '../base/errors.ts';
import { outputError } from '../bytes/output-error.ts';
import { printable } from '../bytes/text.ts';
import { isRunning } from './process.ts';
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
    // What a killed run left is no content; see `stage`.
    const names = (await readdir(path)).filter((name) => !name.startsWith(PREFIX));
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

const PREFIX = '.ocix-';
/** Whether what has this path is, or lies in, the private folder of a run. */
export const isStaged = (path: string): boolean => path.split('/').some((name) => name.startsWith(PREFIX));
/** Tells machines apart that share a file system, so that nobody takes another's process number for its own. */
const HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 6);

/**
 * A private folder from which `place` can rename to the destination. It lies beside it; inside it where the destination is an
 * empty folder that cannot be renamed over: a mount point, or the current folder of whoever called.
 *
 * @throws OcixError output/write
 */
export async function stageFor(there: Destination): Promise<Staging> {
  if (there.state !== 'empty' || !(await mustStay(there.path))) return stage(dirname(there.path), there.path, rename);
  return stage(there.path, there.path, moveContents);
}

async function mustStay(path: string): Promise<boolean> {
  const [own, above] = await Promise.all([stat(path), stat(dirname(path))]);
  return own.dev !== above.dev || path === process.cwd();
}

/** A private folder inside an existing folder; what belongs into it is moved one by one. */
export async function stageInside(folder: string): Promise<Staging> {
  return stage(folder, folder, moveContents);
}

async function stage(
  parent: string,
  target: string,
  move: (from: string, to: string) => Promise<void>,
): Promise<Staging> {
  const path = join(parent, `${PREFIX}${HOST}-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    await removeAbandoned(parent);
    await mkdir(path, { mode: 0o755 });
  } catch (cause) {
    throw outputError(target, cause);
  }
  const madeAt = (inside: string | undefined): string => (inside === undefined ? path : join(path, inside));
  const discard = (): Promise<void> => removeTree(path);
  return {
    path,
    async place(inside) {
      try {
        await move(madeAt(inside), target);
      } catch (cause) {
        if (OCCUPIED.has((cause as NodeJS.ErrnoException).code ?? '')) return false;
        throw outputError(target, cause);
      }
      await discard();
      return true;
    },
    async replace(inside) {
      await swap(madeAt(inside), target);
      await discard();
    },
    discard,
  };
}

/** Names that are looked at first by whoever reads the result come last. */
async function moveContents(from: string, to: string): Promise<void> {
  const names = await readdir(from);
  names.sort((a, b) => Number(a === 'index.json') - Number(b === 'index.json'));
  for (const name of names) await rename(join(from, name), join(to, name));
}

/** What runs left that were killed: their process is gone, on this machine. What somebody else left may have to stay. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const match = /^\.ocix-([0-9a-f]{6})-([0-9]+)-[0-9a-f]{8}(?:-old)?$/.exec(name);
    if (match?.[1] === HOST && !isRunning(Number(match[2]))) await removeTree(join(parent, name)).catch(() => {});
  }
}

const OCCUPIED = new Set(['ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EISDIR']);

/** What stands at `target` is moved aside first; if then the rename fails, it is moved back. */
async function swap(made: string, target: string): Promise<void> {
  const aside = join(dirname(target), `${PREFIX}${HOST}-${process.pid}-${randomBytes(4).toString('hex')}-old`);
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
