/** Keeps the large members of a pipe, where nothing is converted, until the source is closed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Keeper } from '../formats/archive/archive.ts';
import { passingKeeper } from '../formats/archive/passing-keeper.ts';

export interface Scratch {
  readonly keep: Keeper;
  remove(): Promise<void>;
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
