/**
 * Images as OCI documents in a blob store: configuration, manifest, index. What a source already has in OCI's form passes byte
 * for byte, so that digests survive; only what has to change is written anew.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
 */
import { type Context, note } from '../../formats/base/context.ts';
import { within } from '../../formats/base/errors.ts';
import type { Digest } from '../../formats/bytes/digest.ts';
import type { Json } from '../../formats/json/parse.ts';
import { jsonBytes } from '../../formats/json/write.ts';
import { platformText } from '../../formats/model/config.ts';
import { annotationsOf } from '../../formats/model/descriptor.ts';
import type { Artifact, Descriptor, Document, Image, ImageIndex, Storable } from '../../formats/model/image.ts';
import type { Layer } from '../../formats/model/layer.ts';
import { type LayerCompression, layerMediaType, layerType, MEDIA } from '../../formats/model/media-types.ts';
import { completePlatform, configBytes } from './config-bytes.ts';
import { copyBlob } from './copy-blob.ts';
import { layerSteps } from './layer-steps.ts';
import type { LayerStore } from './layer-store.ts';
import type { StoredLayer } from './store-layer.ts';

type JsonRecord = { readonly [name: string]: Json };

/** A layer as it was stored, or what stands for all of them. */
export interface WrittenLayer extends Omit<StoredLayer, 'compression'> {
  readonly compression: LayerCompression | 'xz';
}

/** What became of one image. */
export interface WrittenImage {
  readonly image: Image;
  /** Of what stands for the image in this target: its manifest, its configuration, or the one file there is. */
  readonly digest: Digest;
  /** Absent where the target has no place for a configuration. */
  readonly configDigest?: Digest;
  readonly layers: readonly WrittenLayer[];
}

export interface OciWriter {
  /** Stores an item with all that it refers to; gives its descriptor, without a name. */
  write(item: Storable): Promise<Descriptor>;
  readonly images: readonly WrittenImage[];
  /** Every blob that something written refers to. */
  readonly referenced: ReadonlySet<Digest>;
}

export function ociWriter(layers: LayerStore, layerCount: number, context: Context): OciWriter {
  const images: WrittenImage[] = [];
  const referenced = new Set<Digest>();
  const steps = layerSteps(layers, layerCount, context);
  return { write, images, referenced };

  async function write(item: Storable): Promise<Descriptor> {
    if (item.kind === 'image') return writeImage(item);
    return item.kind === 'index' ? writeIndex(item) : writeArtifact(item);
  }

  async function writeImage(image: Image): Promise<Descriptor> {
    const described: Descriptor[] = [];
    const stored: StoredLayer[] = [];
    for (const [i, layer] of image.layers.entries()) {
      if (layer.elsewhere) {
        steps.pass();
        described.push(elsewhere(layer));
      } else {
        const one = await within(`layer ${i + 1}`, () => steps.store(layer));
        stored.push(one);
        described.push(layerDescriptor(layer, one));
        referenced.add(one.digest);
      }
    }
    const ids = image.layers.map((layer, i) => layer.diffId ?? stored[i]!.diffId);
    const config = await put(configBytes(image, ids, context), MEDIA.config);
    const manifest = await put(manifestBytes(image, config, described), MEDIA.manifest);
    images.push({ image, digest: manifest.digest, configDigest: config.digest, layers: stored });
    return withMembers(manifest, image.original.descriptor, { platform: platformOf(image, context) });
  }

  async function writeIndex(index: ImageIndex): Promise<Descriptor> {
    for (const absent of index.absent)
      note(context, 'dropped', `${describe(absent)} is not in the source`, index.names[0] ?? 'index');
    const entries: Descriptor[] = [];
    const renamed = new Map<string, Digest>();
    for (const child of index.children) {
      const written = await write(child);
      const { descriptor } = child.kind === 'image' ? child.original : child;
      if (descriptor && descriptor.digest !== written.digest) renamed.set(descriptor.digest, written.digest);
      entries.push(written);
    }
    const kept = entries.filter((entry) => !attestsWhatChanged(entry, renamed, index));
    const same = index.document.mediaType === MEDIA.index && !renamed.size && !index.absent.length;
    const bytes = same
      ? index.document.bytes
      : jsonBytes({ schemaVersion: 2, mediaType: MEDIA.index, manifests: kept.map(({ json }) => json) });
    return withMembers(await put(bytes, MEDIA.index), index.descriptor, {});
  }

  /** An attestation speaks of an image by its digest; of an image that became another it would say something false. */
  function attestsWhatChanged(entry: Descriptor, renamed: ReadonlyMap<string, Digest>, index: ImageIndex): boolean {
    const subject = annotationsOf(entry)['vnd.docker.reference.digest'];
    if (subject === undefined || !renamed.has(subject)) return false;
    note(
      context,
      'dropped',
      `the attestation of ${subject} speaks of an image that was changed`,
      index.names[0] ?? 'index',
    );
    return true;
  }

  async function writeArtifact(artifact: Artifact): Promise<Descriptor> {
    for (const blob of artifact.blobs) {
      await within(blob.digest, () => copyBlob(blob, layers.blobs));
      referenced.add(blob.digest);
    }
    return artifact.descriptor;
  }

  async function put(bytes: Uint8Array, mediaType: string): Promise<Descriptor> {
    const digest = await layers.blobs.put(bytes);
    referenced.add(digest);
    return descriptorOf({ mediaType, digest, size: bytes.length });
  }
}

const descriptorOf = (
  json: JsonRecord & { readonly mediaType: string; readonly digest: Digest; readonly size: number },
): Descriptor => ({
  mediaType: json.mediaType,
  digest: json.digest,
  size: json.size,
  json,
});

/** The manifest as it came, where everything in it is as it came. */
function manifestBytes(image: Image, config: Descriptor, layers: readonly Descriptor[]): Uint8Array {
  const { manifest, config: was } = image.original;
  const same =
    manifest?.mediaType === MEDIA.manifest && was?.mediaType === MEDIA.config && was.digest === config.digest;
  if (same && layers.every((layer, i) => layer === image.layers[i]!.descriptor)) return manifest.bytes;
  const own = image.annotations?.size ? Object.fromEntries(image.annotations) : undefined;
  const annotations = (manifest && manifestAnnotations(manifest)) ?? own;
  return jsonBytes({
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config: config.json,
    layers: layers.map(({ json }) => json),
    ...(annotations ? { annotations } : {}),
  });
}

/** As they stand in the document, which the reader has checked. */
export const manifestAnnotations = ({ bytes }: Document): Json | undefined =>
  (JSON.parse(new TextDecoder().decode(bytes)) as { readonly annotations?: Json }).annotations;

/** The layer's own descriptor, where it is OCI's and its blob passed as it was. */
function layerDescriptor(layer: Layer, stored: StoredLayer): Descriptor {
  const own = layer.descriptor;
  const unchanged = own?.digest === stored.digest;
  if (
    own &&
    unchanged &&
    layerType(own.mediaType)?.native &&
    layerType(own.mediaType)?.compression === stored.compression
  )
    return own;
  const { urls } = layer;
  return descriptorOf({
    mediaType: layerMediaType(stored.compression, layer.foreign),
    digest: stored.digest,
    size: stored.size,
    // An address serves the blob of one digest; of a blob that was made anew it only tells where the layer came from.
    ...(urls.length && unchanged ? { urls } : {}),
    ...(urls.length && !unchanged ? { annotations: { 'io.ocix.layer.urls': urls.join(' ') } } : {}),
  });
}

const elsewhere = ({ descriptor }: Layer): Descriptor => {
  const type = layerType(descriptor!.mediaType);
  if (!type || type.native) return descriptor!;
  return descriptorOf({
    ...descriptor!.json,
    mediaType: layerMediaType(type.compression, true),
    digest: descriptor!.digest,
    size: descriptor!.size,
  });
};

/** The members of `old` (annotations, platform) around a new digest and size. */
function withMembers(made: Descriptor, old: Descriptor | undefined, more: JsonRecord): Descriptor {
  const { mediaType, digest, size } = made;
  return descriptorOf({ ...more, ...old?.json, mediaType, digest, size });
}

/** As descriptors of images have it. */
export function platformOf(image: Image, context: Context): Json {
  const { variant, osVersion, osFeatures } = image.config.platform;
  const { os, architecture } = completePlatform(image, context);
  return {
    architecture,
    os,
    ...(osVersion ? { 'os.version': osVersion } : {}),
    ...(osFeatures?.length ? { 'os.features': osFeatures } : {}),
    ...(variant ? { variant } : {}),
  };
}

function describe({ json, digest }: Descriptor): string {
  const platform = json['platform'] as
    | { readonly os?: string; readonly architecture?: string; readonly variant?: string }
    | undefined;
  return platform ? `the image for ${platformText(platform)}` : digest;
}
