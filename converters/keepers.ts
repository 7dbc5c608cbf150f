/** What becomes of the large members of a pipe where nothing is converted: looked at, or kept until the source is closed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Keeper } from '../formats/archive/archive.ts';
import { OcixError } from '../formats/base/errors.ts';
import { newHash } from '../formats/bytes/digest.ts';
import { concat } from '../formats/bytes/text.ts';
import { SNIFF_SIZE } from '../formats/codec/index.ts';

/** Reads a member once for its digest, and keeps only as much as tells how it is compressed. */
export const passingKeeper: Keeper = async (content) => {
  const hash = newHash('sha256');
  let head: Uint8Array = new Uint8Array(0);
  let size = 0;
  for await (const chunk of content) {
    hash.update(chunk);
    size += chunk.length;
    if (head.length < SNIFF_SIZE) head = concat([head, chunk.subarray(0, SNIFF_SIZE - head.length)]);
  }
  return {
    digest: hash.digest(),
    async *open() {
      yield head;
      if (head.length === size) return;
      throw new OcixError('source/unreadable', 'this content has gone by: the source can be read only once', {
        hint: 'Write it to a file first.',
      });
    },
  };
};

export interface Scratch {
  readonly keep: Keeper;
  remove(): Promise<void>;
}

/** Keeps members in a temporary folder, uncompressed. The folder is made when the first one comes. */
export function scratchKeeper(): Scratch {
  let folder: Promise<string> | undefined;
  return {
    async keep(content, name, own) {
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
