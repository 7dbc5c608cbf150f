/** Keeps the large members of a pipe, where nothing is converted, until the source is closed. */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Keeper } from '../formats/archive/archive.ts';
import { passingKeeper } from '../formats/archive/passing-keeper.ts';
import { type Context, checkAbort } from '../formats/base/context.ts';
import { checkLimit } from '../formats/base/limits.ts';
import type { Chunks } from '../formats/bytes/chunks.ts';
import { type Digest, newHash } from '../formats/bytes/digest.ts';
import { outputError } from '../formats/bytes/output-error.ts';
import { fileSource } from '../formats/bytes/source.ts';

export interface Scratch {
  readonly keep: Keeper;
  remove(): Promise<void>;
}

/** Keeps members in a temporary folder as they came, byte for byte: for whoever holds them against their digests. */
export function rawKeeper(): Scratch {
  let folder: Promise<string> | undefined;
  let count = 0;
  return {
    async keep(content, _name, context) {
      folder ??= mkdtemp(join(tmpdir(), 'ocix-'));
      const path = join(await folder, String(count++));
      const digest = await written(content, path, context);
      return { digest, open: () => readAgain(path) };
    },
    async remove() {
      if (folder) await rm(await folder, { recursive: true, force: true });
    },
  };
}

export interface Spool {
  readonly path: string;
  remove(): Promise<void>;
}

/** A stream as a temporary file, so that it can be read anywhere and more than once. */
export async function spool(content: Chunks, context: Context): Promise<Spool> {
  const folder = await mkdtemp(join(tmpdir(), 'ocix-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const path = join(folder, 'input');
    await written(content, path, context);
    return { path, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function written(content: Chunks, path: string, context: Context): Promise<Digest> {
  const hash = newHash('sha256');
  let size = 0;
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of content) {
      checkAbort(context);
      size += chunk.length;
      checkLimit(context.limits, 'total-bytes', size, 'the size of what is kept');
      hash.update(chunk);
      await file.writeFile(chunk).catch((cause: unknown) => {
        throw outputError(path, cause);
      });
    }
  } finally {
    await file.close();
  }
  return hash.digest();
}

async function* readAgain(path: string): AsyncGenerator<Uint8Array> {
  const file = await fileSource(path);
  try {
    if (file.kind === 'random') yield* file.window(0, file.size);
  } finally {
    await file.close();
  }
}

/** Keeps members in a temporary folder, uncompressed. The folder is made when the first one comes. */
export function scratchKeeper(): Scratch {
  let folder: Promise<string> | undefined;
  return {
    async keep(content, name, own, again) {
      if (again && !again.costly) return passingKeeper(content, name, own, again);
      folder ??= mkdtemp(join(tmpdir(), 'ocix-'));
      // Loaded when it is needed: most sources are files, and looking at one should take no longer than it must.
      const { blobStore } = await import('../formats/store/blobs.ts');
      const { streamKeeper } = await import('./targets/stream-keeper.ts');
      return streamKeeper(blobStore(await folder), { name: 'none', reproducible: false })(content, name, own);
    },
    async remove() {
      if (folder) await rm(await folder, { recursive: true, force: true });
    },
  };
}
