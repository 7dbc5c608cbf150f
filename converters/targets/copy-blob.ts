/** A blob that nobody looks into, as it is. */
import type { ArtifactBlob } from '../../formats/model/image.ts';
import type { BlobStore } from '../../formats/store/blobs.ts';

/** @throws OcixError size/mismatch, digest/mismatch */
export async function copyBlob(blob: ArtifactBlob, blobs: BlobStore): Promise<void> {
  if (await blobs.has(blob.digest)) return;
  const writer = await blobs.create();
  try {
    for await (const chunk of blob.open()) await writer.write(chunk);
    await writer.finish(blob.digest);
  } catch (error) {
    await writer.discard();
    throw error;
  }
}
