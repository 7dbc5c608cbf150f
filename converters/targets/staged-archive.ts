/**
 * Blobs of a staging folder into an archive. They are staged first, since a tar wants to know how long each is; they are given up one
 * by one while they are packed, so the disk holds one of them twice and never all.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type PackedMember, packed } from '../../formats/archive/envelope.ts';
import { type Context, checkAbort } from '../../formats/base/context.ts';
import { algorithmOf, type Digest, hexOf } from '../../formats/bytes/digest.ts';
import type { BlobStore } from '../../formats/store/blobs.ts';
import type { OutputFile } from '../../formats/store/output-file.ts';

/** A blob of the staging folder as a member. It is gone from there once it has been packed. */
export interface StagedMember extends PackedMember {
  readonly digest: Digest;
}

export async function stagedMember(name: string, digest: Digest, blobs: BlobStore): Promise<StagedMember> {
  const { size } = await stat(join(blobs.path, algorithmOf(digest), hexOf(digest)));
  return { name, size, digest, open: () => blobs.open(digest) };
}

/** @throws OcixError interrupted, output/write */
export async function packInto(
  file: OutputFile,
  members: readonly PackedMember[],
  blobs: BlobStore,
  context: Context,
): Promise<void> {
  const giveUp = async (member: PackedMember): Promise<void> => {
    if ('digest' in member) await blobs.remove((member as StagedMember).digest);
  };
  // One write is under way while the next bytes are made.
  let pending = Promise.resolve();
  try {
    for await (const chunk of packed(members, giveUp)) {
      checkAbort(context);
      await pending;
      pending = file.write([chunk]);
      pending.catch(() => {}); // reported by the next turn, or at the end
    }
  } finally {
    await pending;
  }
}
