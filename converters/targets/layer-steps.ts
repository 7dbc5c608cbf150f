/** Layers stored, or read, one after the other, over all images of a conversion, with progress. */
import type { Context } from '../../formats/base/context.ts';
import type { LayerProgress } from '../../formats/base/progress.ts';
import type { Chunks } from '../../formats/bytes/chunks.ts';
import { algorithmOf } from '../../formats/bytes/digest.ts';
import type { Layer } from '../../formats/model/layer.ts';
import type { LayerStore } from './layer-store.ts';
import { layerCheck, type StoredLayer } from './store-layer.ts';

export interface LayerSteps {
  /** @throws OcixError what `LayerStore.store` throws */
  store(layer: Layer): Promise<StoredLayer>;
  /** Counts a layer that is not stored. */
  pass(): void;
  /** The bytes of a layer that goes into its place as it lies in the source. They stay as they are until two more chunks have been asked for. */
  read(layer: Layer, stored: StoredLayer): Chunks;
}

/** @param count all layers of the conversion, stored or not */
export function layerSteps(layers: LayerStore, count: number, context: Context): LayerSteps {
  let number = 0;
  const begin = (layer: Layer) => {
    const digest = layer.diffId ?? layer.blob.digest;
    const progress: LayerProgress = {
      number: ++number,
      count,
      ...(digest ? { digest } : {}),
      ...(layer.size === undefined ? {} : { size: layer.size }),
    };
    context.progress({ type: 'layer-start', layer: progress });
    return {
      onProgress: (done: number) => context.progress({ type: 'layer-progress', layer: progress, done }),
      end: ({ plainSize, compression, size }: StoredLayer) =>
        context.progress({ type: 'layer-end', layer: progress, size: plainSize, stored: { compression, size } }),
    };
  };
  return {
    pass() {
      number++;
    },
    async store(layer) {
      const { onProgress, end } = begin(layer);
      const stored = await layers.store(layer, onProgress);
      end(stored);
      return stored;
    },
    async *read(layer, stored) {
      const { onProgress, end } = begin(layer);
      // Its digest is checked where it is opened.
      const check = layerCheck(context, onProgress, undefined);
      for await (const chunk of layer.open(context)) {
        check.take(chunk);
        yield chunk;
      }
      check.finish(stored.diffId);
      end(stored);
    },
  };
}

/**
 * What a plain layer is, where that is known without reading it, so that it can go into its place straight from the source. One that went by in a stream is
 * stored already.
 */
export function asItLies({ diffId, size, blob, kept, elsewhere }: Layer): StoredLayer | undefined {
  if (elsewhere || kept || blob.codec || size === undefined) return undefined;
  if (diffId === undefined || algorithmOf(diffId) !== 'sha256') return undefined;
  return { digest: diffId, size, compression: 'none', diffId, plainSize: size };
}
