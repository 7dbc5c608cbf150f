/** Layers that the images of one run share: made by one of them, taken from the layout by the others once it is there. */
import type { Kept } from '../formats/archive/archive.ts';
import type { Context } from '../formats/base/context.ts';
import { CODECS, decompressed } from '../formats/codec/index.ts';
import type { Shared } from '../formats/model/reader.ts';
import { blobStore } from '../formats/store/blobs.ts';
import type { StoredLayer } from './targets/store-layer.ts';

/** What one image of the run sees. It ends with one of the two. */
export interface SharedByImage extends Shared {
  committed(): void;
  failed(): void;
}

/** @param out the layout that all of them are written into */
export function sharedLayers(out: string, context: Context): { forImage(): SharedByImage } {
  const documents = new Map<string, Promise<unknown>>();
  const stored = new Map<string, StoredLayer>();
  const making = new Map<string, Promise<void>>();
  const blobs = blobStore(`${out}/blobs`);

  return {
    forImage() {
      const mine = new Map<string, StoredLayer | undefined>();
      let resolve = (): void => {};
      const ended = new Promise<void>((done) => {
        resolve = done;
      });
      const end = (): void => {
        for (const key of mine.keys()) making.delete(key);
        resolve();
      };
      return {
        once<T>(key: string, make: () => Promise<T>): Promise<T> {
          if (!documents.has(key)) documents.set(key, make());
          return documents.get(key) as Promise<T>;
        },
        async layer(key) {
          // Whoever waits for another must not be waited for himself: two images that need the same two layers would wait for ever.
          while (!stored.has(key) && making.has(key) && !mine.has(key) && mine.size === 0) await making.get(key);
          const known = stored.get(key);
          if (known) return keptOf(known);
          if (!making.has(key)) {
            mine.set(key, undefined);
            making.set(key, ended);
          }
          return undefined;
        },
        made(key, { layer }) {
          if (mine.has(key)) mine.set(key, layer?.stored as StoredLayer | undefined);
        },
        committed() {
          for (const [key, layer] of mine) if (layer) stored.set(key, layer);
          end();
        },
        failed: end,
      };
    },
  };

  function keptOf(layer: StoredLayer): Kept {
    const { compression, diffId, digest, plainSize: size } = layer;
    const codec = compression === 'none' ? undefined : CODECS[compression];
    return {
      digest: diffId,
      layer: { compression: undefined, diffId, size, stored: layer },
      open: () => (codec ? decompressed(codec, blobs.open(digest), context) : blobs.open(digest)),
    };
  }
}
