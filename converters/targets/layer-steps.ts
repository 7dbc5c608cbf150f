/** Layers stored one after the other, over all images of a conversion, with progress. */
import type { Context } from '../../formats/base/context.ts';
import type { LayerProgress } from '../../formats/base/progress.ts';
import type { Layer } from '../../formats/model/layer.ts';
import type { LayerStore } from './layer-store.ts';
import type { StoredLayer } from './store-layer.ts';

export interface LayerSteps {
  /** @throws OcixError what `LayerStore.store` throws */
  store(layer: Layer): Promise<StoredLayer>;
  /** Counts a layer that is not stored. */
  pass(): void;
}

/** @param count all layers of the conversion, stored or not */
export function layerSteps(layers: LayerStore, count: number, context: Context): LayerSteps {
  let number = 0;
  return {
    pass() {
      number++;
    },
    async store(layer) {
      const digest = layer.diffId ?? layer.blob.digest;
      const progress: LayerProgress = {
        number: ++number,
        count,
        ...(digest ? { digest } : {}),
        ...(layer.size === undefined ? {} : { size: layer.size }),
      };
      context.progress({ type: 'layer-start', layer: progress });
      const stored = await layers.store(layer, (done) =>
        context.progress({ type: 'layer-progress', layer: progress, done }),
      );
      context.progress({
        type: 'layer-end',
        layer: progress,
        size: stored.plainSize,
        stored: { compression: stored.compression, size: stored.size },
      });
      return stored;
    },
  };
}
