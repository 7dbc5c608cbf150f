/** Layers of images in a blob store: each is stored once, and a blob that already is what is wanted passes as it is. */
import type { Context } from '../../formats/base/context.ts';
import { checkDigest } from '../../formats/bytes/digest.ts';
import { decompressed } from '../../formats/codec/index.ts';
import type { Layer } from '../../formats/model/layer.ts';
import { layerType } from '../../formats/model/media-types.ts';
import type { BlobStore } from '../../formats/store/blobs.ts';
import { type CompressionPlan, type Form, formFor } from './compression.ts';
import { encodeLayer, passLayer, type StoredLayer } from './store-layer.ts';

export interface LayerStore {
  readonly blobs: BlobStore;
  /** @throws OcixError digest/mismatch, size/mismatch, and whatever reading the layer throws */
  store(layer: Layer, onProgress: (plainBytes: number) => void): Promise<StoredLayer>;
}

export function layerStore(blobs: BlobStore, plan: CompressionPlan, context: Context): LayerStore {
  /** By diffID and form: an image often has a layer of another image. */
  const done = new Map<string, StoredLayer>();
  return {
    blobs,
    async store(layer, onProgress) {
      const form = formFor(layer.blob.codec, isNative(layer), plan);
      const key = `${layer.diffId} ${form.pass ? layer.blob.digest : form.name}`;
      const known = layer.diffId && done.get(key);
      if (known) return known;
      const stored = keptForm(layer, form) ?? (await write(layer, form, onProgress));
      if (layer.diffId) {
        checkDigest(stored.diffId, layer.diffId, 'the content of the layer');
        done.set(key, stored);
      }
      return stored;
    },
  };

  async function write(layer: Layer, form: Form, onProgress: (plainBytes: number) => void): Promise<StoredLayer> {
    const { codec } = layer.blob;
    if (form.pass) return passLayer(layer.blob.open(), codec, blobs, context, onProgress);
    const plain = codec ? decompressed(codec, layer.blob.open(), context) : layer.blob.open();
    return encodeLayer(plain, form.name, plan, blobs, context, onProgress);
  }
}

/** An OCI layer that is not compressed may stand in a manifest as it is; one from a docker archive is only stored so. */
const isNative = (layer: Layer): boolean =>
  layer.descriptor ? layerType(layer.descriptor.mediaType)?.native === true : false;

/** What the keeper stored, where it is in the wanted form. */
function keptForm(layer: Layer, form: Form): StoredLayer | undefined {
  const stored = layer.kept?.stored as StoredLayer | undefined;
  return stored && stored.compression === form.name && (!form.pass || stored.digest === layer.blob.digest)
    ? stored
    : undefined;
}
