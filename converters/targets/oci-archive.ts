/** OCI image layouts as one tar. https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md */
import { join } from 'node:path';
import { bytesMember, folderMember, type PackedMember } from '../../formats/archive/envelope.ts';
import { algorithmOf, type Digest, hexOf } from '../../formats/bytes/digest.ts';
import { utf8Bytes } from '../../formats/bytes/text.ts';
import { jsonBytes } from '../../formats/json/write.ts';
import { type Descriptor, imagesOf } from '../../formats/model/image.ts';
import { MEDIA } from '../../formats/model/media-types.ts';
import { type BlobStore, blobStore } from '../../formats/store/blobs.ts';
import { openOutput } from '../../formats/store/output-file.ts';
import { IMAGE_FIELDS } from './carries.ts';
import { layerStore } from './layer-store.ts';
import { MARKER } from './layout-sink.ts';
import { ociWriter } from './oci-documents.ts';
import { namedDescriptors } from './oci-layout.ts';
import { packInto, stagedMember } from './staged-archive.ts';
import { streamKeeper } from './stream-keeper.ts';
import type { Target } from './target.ts';

export const ociArchive: Target = {
  name: 'oci-archive',
  what: 'an OCI archive',
  carries: IMAGE_FIELDS,
  summary: 'an OCI image layout as one tar',
  single: true,
  async open(out, options, context) {
    const file = await openOutput(out, options);
    const blobs = blobStore(join(file.folder, 'blobs'));
    const layers = layerStore(blobs, options.compression, context);
    const entries: Descriptor[] = [];
    let referenced: ReadonlySet<Digest> = new Set();
    return {
      keep: streamKeeper(blobs, options.compression),
      async write(items) {
        const count = imagesOf(items).reduce((sum, image) => sum + image.layers.length, 0);
        const writer = ociWriter(layers, count, context);
        for (const item of items) entries.push(...namedDescriptors(await writer.write(item), item.names));
        referenced = writer.referenced;
        return writer.images;
      },
      async commit() {
        const members = [
          bytesMember('oci-layout', utf8Bytes(MARKER)),
          bytesMember('index.json', indexBytes(entries)),
          ...(await blobMembers(blobs, referenced)),
        ];
        await packInto(file, members, blobs, context);
        await file.commit();
      },
      discard: () => file.discard(),
    };
  },
};

const indexBytes = (entries: readonly Descriptor[]): Uint8Array =>
  jsonBytes({ schemaVersion: 2, mediaType: MEDIA.index, manifests: entries.map(({ json }) => json) });

async function blobMembers(blobs: BlobStore, referenced: ReadonlySet<Digest>): Promise<readonly PackedMember[]> {
  const digests = [...referenced].sort();
  const folders = new Set(digests.map(algorithmOf));
  return [
    folderMember('blobs/'),
    ...[...folders].map((algorithm) => folderMember(`blobs/${algorithm}/`)),
    ...(await Promise.all(
      digests.map((digest) => stagedMember(`blobs/${algorithmOf(digest)}/${hexOf(digest)}`, digest, blobs)),
    )),
  ];
}
