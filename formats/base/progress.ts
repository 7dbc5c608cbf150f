/** What happens while it happens. Sizes are bytes; `done` counts uncompressed bytes. */

export type ProgressEvent =
  | {
      readonly type: 'source';
      readonly format: string;
      readonly images: number;
      readonly layers: number;
      readonly size?: number;
    }
  | { readonly type: 'reading'; readonly name: string; readonly done: number; readonly total?: number }
  | { readonly type: 'layer-start'; readonly layer: LayerProgress }
  | { readonly type: 'layer-progress'; readonly layer: LayerProgress; readonly done: number }
  | {
      readonly type: 'layer-end';
      readonly layer: LayerProgress;
      readonly size: number;
      readonly stored: StoredProgress;
    };

export interface LayerProgress {
  /** Counted from 1, over all images. */
  readonly number: number;
  readonly count: number;
  /** The diffID or blob digest, where it is known before the layer has been read. */
  readonly digest?: string;
  /** Uncompressed size, where it is known. */
  readonly size?: number;
}

export interface StoredProgress {
  readonly compression: string;
  readonly size: number;
}
