/** An image as data for looking at: what `ocix inspect` prints. Nothing of a layer is read but its first bytes. */
import type { Context } from '../formats/base/context.ts';
import type { Note } from '../formats/base/notes.ts';
import { digestOf } from '../formats/bytes/digest.ts';
import { type ImageConfig, platformText } from '../formats/model/config.ts';
import { type Image, type Item, imagesOf } from '../formats/model/image.ts';
import type { Pod, PodMount, PodVolume } from '../formats/model/pod.ts';
import type { OpenedSource } from './open.ts';

export interface SourceSummary {
  readonly source: { readonly name: string; readonly format: string; readonly title: string; readonly size?: number };
  readonly images: readonly ImageSummary[];
  /** Manifests of other kinds, by their media type. */
  readonly artifacts: readonly {
    readonly names: readonly string[];
    readonly mediaType: string;
    readonly digest: string;
  }[];
  /** Absent where there is none. Their images are among `images`. */
  readonly pods?: readonly PodSummary[];
  readonly notes: readonly Note[];
}

export interface PodSummary {
  readonly names: readonly string[];
  readonly apps: readonly {
    readonly name: string;
    /** Names of the image. */
    readonly image: readonly string[];
    readonly command: readonly string[];
    readonly user?: string;
    readonly mounts: readonly PodMount[];
    readonly readOnlyRoot: boolean;
  }[];
  readonly volumes: readonly PodVolume[];
}

export interface ImageSummary {
  readonly names: readonly string[];
  readonly platform: string;
  /** Of the configuration as it came; absent where the source has none whole. */
  readonly id?: string;
  readonly manifest?: string;
  readonly config: Omit<ImageConfig, 'labels' | 'platform'> & { readonly labels: Readonly<Record<string, string>> };
  readonly layers: readonly LayerSummary[];
  readonly history: Image['history'];
  readonly dependencies?: Image['dependencies'];
  readonly packages?: Image['packages'];
  /** Of the manifest, for a source that has none of its own. */
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface LayerSummary {
  readonly diffId?: string;
  readonly digest?: string;
  /** Bytes as they are in the source. */
  readonly size: number;
  /** Uncompressed bytes, where they are known without reading the layer. */
  readonly plainSize?: number;
  readonly compression: string;
  readonly foreign: boolean;
  /** The step of the history that made it. */
  readonly createdBy?: string;
}

export function summaryOf(opened: OpenedSource, items: readonly Item[], context: Context): SourceSummary {
  const { name, format, title, size } = opened;
  const pods = items.flatMap((item) => (item.kind === 'pod' ? [podSummary(item)] : []));
  return {
    source: { name, format, title, ...(size === undefined ? {} : { size }) },
    images: items.flatMap((item) =>
      imagesOf([item]).map((image) => imageSummary(image, image.names.length ? image.names : item.names)),
    ),
    artifacts: items.flatMap((item) =>
      item.kind === 'artifact'
        ? [{ names: item.names, mediaType: item.descriptor.mediaType, digest: item.descriptor.digest }]
        : [],
    ),
    ...(pods.length ? { pods } : {}),
    notes: context.notes.all(),
  };
}

const podSummary = ({ names, apps, volumes }: Pod): PodSummary => ({
  names,
  apps: apps.map(({ name, image, config, mounts, readOnlyRoot }) => ({
    name,
    image: image.names,
    command: [...config.entrypoint, ...config.cmd],
    ...(config.user === undefined ? {} : { user: config.user }),
    mounts,
    readOnlyRoot,
  })),
  volumes,
});

function imageSummary(image: Image, names: readonly string[]): ImageSummary {
  const { config, original } = image;
  const { labels, platform, ...rest } = config;
  const steps = image.history.filter(({ emptyLayer }) => !emptyLayer);
  return {
    names,
    platform: platformText(platform),
    ...(original.config ? { id: digestOf(original.config.bytes) } : {}),
    ...(original.manifest ? { manifest: original.manifest.digest } : {}),
    config: { ...rest, labels: Object.fromEntries(labels) },
    layers: image.layers.map((layer, i) => {
      // Paired only where every layer has its step: otherwise one would be given another's line.
      const createdBy = steps.length === image.layers.length ? steps[i]!.createdBy : undefined;
      return {
        ...(layer.diffId ? { diffId: layer.diffId } : {}),
        ...(layer.blob.digest ? { digest: layer.blob.digest } : {}),
        size: layer.blob.size,
        ...(layer.size === undefined ? {} : { plainSize: layer.size }),
        compression: layer.elsewhere ? 'elsewhere' : (layer.blob.codec?.name ?? 'none'),
        foreign: layer.foreign,
        ...(createdBy ? { createdBy } : {}),
      };
    }),
    history: image.history,
    ...(image.dependencies ? { dependencies: image.dependencies } : {}),
    ...(image.packages ? { packages: image.packages } : {}),
    ...(image.annotations ? { annotations: Object.fromEntries(image.annotations) } : {}),
  };
}
