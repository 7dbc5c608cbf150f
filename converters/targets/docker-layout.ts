/**
 * The image layout that a docker archive is besides, as `docker save` writes one since version 25, over the same members: engines whose images are in
 * containerd's store, podman and everybody who reads layouts start from its `index.json`.
 * https://github.com/moby/moby/blob/v27.0.0/image/tarexport/save.go
 *
 * Docker writes the tag alone into `ref.name`, so that two repositories clash there; here it is the whole of what `manifest.json` says.
 */
import { bytesMember, folderMember, type PackedMember } from '../../formats/archive/envelope.ts';
import { type Digest, digestOf, hexOf } from '../../formats/bytes/digest.ts';
import { utf8Bytes } from '../../formats/bytes/text.ts';
import type { Json } from '../../formats/json/parse.ts';
import { jsonBytes } from '../../formats/json/write.ts';
import type { ImageConfig } from '../../formats/model/config.ts';
import { dockerLayerMediaType, layerMediaType, MEDIA, REF_NAME } from '../../formats/model/media-types.ts';
import { canonicalName } from '../../formats/model/reference.ts';
import { MARKER } from './layout-sink.ts';

export interface LayoutImage {
  readonly config: ImageConfig;
  readonly platform: Json;
  /** The configuration document that is written. */
  readonly document: Uint8Array;
  readonly tags: readonly string[];
  readonly layers: readonly { readonly diffId: Digest; readonly plainSize: number; readonly foreign: boolean }[];
}

export const blobName = (digest: Digest): string => `blobs/sha256/${hexOf(digest)}`;

/** `oci-layout` and `index.json`, and the folders and manifests that go with them; configurations and layers are the archive's own members. */
export function layoutMembers(images: readonly LayoutImage[]): {
  readonly top: readonly PackedMember[];
  readonly blobs: readonly PackedMember[];
} {
  const entries: Json[] = [];
  const manifests: PackedMember[] = [];
  for (const image of images) {
    const { mediaType, bytes } = manifestOf(image);
    const digest = digestOf(bytes);
    manifests.push(bytesMember(blobName(digest), bytes));
    const descriptor = { mediaType, digest, size: bytes.length, platform: image.platform };
    if (!image.tags.length) entries.push(descriptor);
    for (const tag of image.tags)
      entries.push({
        ...descriptor,
        annotations: { 'io.containerd.image.name': canonicalName(tag), [REF_NAME]: tag },
      });
  }
  return {
    top: [
      bytesMember('oci-layout', utf8Bytes(MARKER)),
      bytesMember('index.json', jsonBytes({ schemaVersion: 2, mediaType: MEDIA.index, manifests: entries })),
    ],
    blobs: [folderMember('blobs/'), folderMember('blobs/sha256/'), ...manifests],
  };
}

function manifestOf(image: LayoutImage): { readonly mediaType: string; readonly bytes: Uint8Array } {
  const { document, layers } = image;
  const docker = saysWhatOnlyDockerReads(image.config);
  const mediaType = docker ? MEDIA.dockerManifest : MEDIA.manifest;
  const layerType = docker ? dockerLayerMediaType : layerMediaType;
  const bytes = jsonBytes({
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: docker ? MEDIA.dockerConfig : MEDIA.config,
      digest: digestOf(document),
      size: document.length,
    },
    layers: layers.map(({ diffId, plainSize, foreign }) => ({
      mediaType: layerType('none', foreign),
      digest: diffId,
      size: plainSize,
    })),
  });
  return { mediaType, bytes };
}

/**
 * Podman looks at `index.json` first, and has no eye for these in an image whose manifest is of OCI's type, though the configuration is the same
 * document in both. See docs/decisions/0016-docker-archives.md.
 */
const saysWhatOnlyDockerReads = ({ healthcheck, onBuild, shell }: ImageConfig): boolean =>
  healthcheck !== undefined || onBuild.length > 0 || shell.length > 0;
