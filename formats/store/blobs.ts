/**
 * Content-addressed blobs in a folder, `ALGORITHM/HEX` below it. A blob is written under a private name and gets its own
 * when its digest is known, so a name never stands for anything but its content.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OcixError } from '../base/errors.ts';
import type { Chunks } from '../bytes/chunks.ts';
import { algorithmOf, type Digest, digestOf, hexOf } from '../bytes/digest.ts';
import { outputError } from '../bytes/output-error.ts';

export interface BlobStore {
  /** The folder that holds `sha256/…`. */
  readonly path: string;
  /** A new blob; nothing is visible until it is given its digest. */
  create(): Promise<BlobWriter>;
  /** Stores bytes that are at hand. */
  put(bytes: Uint8Array): Promise<Digest>;
  has(digest: Digest): Promise<boolean>;
  open(digest: Digest): Chunks;
  /** Every blob stored through this store, in the order it came. */
  written(): readonly Digest[];
  remove(digest: Digest): Promise<void>;
}

export interface BlobWriter {
  /** The bytes must stay as they are until the promise is kept. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the blob; a store that has it already keeps the one it has. */
  finish(digest: Digest): Promise<void>;
  /** Throws away what was written. */
  discard(): Promise<void>;
}

export interface BlobOptions {
  /** How errors name the place, where its path says nothing to a person. */
  readonly shown?: string;
  /** No folders below the store's own, which may be one that is held: somebody who swapped them would lead blobs elsewhere. */
  readonly flat?: true;
}

export function blobStore(path: string, { shown = path, flat }: BlobOptions = {}): BlobStore {
  const known = new Set<Digest>();
  let number = 0;
  const pathOf = (digest: Digest): string => join(path, `${algorithmOf(digest)}${flat ? '-' : '/'}${hexOf(digest)}`);
  const store: BlobStore = {
    path,
    async create() {
      const temporary = join(path, `.new-${number++}`);
      const handle = await attempt(shown, async () => {
        await makeFolder(path);
        return open(temporary, 'wx', 0o644);
      });
      return writer({ handle, path: temporary, shown }, async (digest) => {
        if (known.has(digest)) return rm(temporary, { force: true });
        if (!flat) await makeFolder(join(path, algorithmOf(digest)));
        await rename(temporary, pathOf(digest));
        known.add(digest);
      });
    },
    async put(bytes) {
      const digest = digestOf(bytes);
      if (known.has(digest)) return digest;
      const blob = await store.create();
      await blob.write(bytes);
      await blob.finish(digest);
      return digest;
    },
    async has(digest) {
      return known.has(digest) || (await stat(pathOf(digest)).catch(() => undefined)) !== undefined;
    },
    open: (digest) => createReadStream(pathOf(digest), { highWaterMark: 512 * 1024 }),
    written: () => [...known],
    async remove(digest) {
      known.delete(digest);
      await rm(pathOf(digest), { force: true });
    },
  };
  return store;
}

/** What is above it is there. Node's `recursive` says of a full disk that a folder is missing. */
async function makeFolder(path: string): Promise<void> {
  await mkdir(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause;
  });
}

interface NewBlob {
  readonly handle: FileHandle;
  readonly path: string;
  readonly shown: string;
}

/** Writes follow one another; one may be under way while the next bytes are made. */
function writer({ handle, path, shown }: NewBlob, publish: (digest: Digest) => Promise<void>): BlobWriter {
  let position = 0;
  let open = true;
  const close = async (): Promise<void> => {
    if (!open) return;
    open = false;
    await handle.close();
  };
  return {
    write: (bytes) =>
      attempt(shown, async () => {
        let done = 0;
        while (done < bytes.length) {
          const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position);
          done += bytesWritten;
          position += bytesWritten;
        }
      }),
    finish: (digest) =>
      attempt(shown, async () => {
        await close();
        await publish(digest);
      }),
    async discard() {
      await close();
      await rm(path, { force: true });
    },
  };
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof OcixError ? cause : outputError(path, cause);
  }
}
