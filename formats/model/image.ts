/**
 * The model that all readers and targets share. An image is lazy and immutable: documents have been read and checked,
 * layers are opened when somebody asks, as often as they like.
 */

import type { Chunks } from '../bytes/chunks.ts';
import type { Digest } from '../bytes/digest.ts';
import type { Json } from '../json/parse.ts';
import type { ImageConfig } from './config.ts';
import type { Layer } from './layer.ts';
import { imagesOfPod, type Pod } from './pod.ts';

/** What a source holds: trees that a registry could hold, and pods. */
export type Item = Storable | Pod;

/** Images, indexes of them, and what only its owner understands. */
export type Storable = Image | ImageIndex | Artifact;

export interface Image {
  readonly kind: 'image';
  /** Its references, as the source writes them; none for an unnamed image. */
  readonly names: readonly string[];
  readonly config: ImageConfig;
  /** Base first. */
  readonly layers: readonly Layer[];
  /** Oldest step first; empty where the source has none. */
  readonly history: readonly HistoryStep[];
  /** The images that it is made of, as a source of that kind tells. */
  readonly dependencies?: readonly ImageDependency[];
  /** The packages that it is made of, for a source that is packages. */
  readonly packages?: readonly PackageFacts[];
  /** What stands beside the configuration, for a source without a manifest of its own. */
  readonly annotations?: ReadonlyMap<string, string>;
  /** What completes it, run inside of it, for whoever wants that; it is usable without. */
  readonly completion?: readonly string[];
  readonly original: OriginalDocuments;
}

export interface ImageDependency {
  readonly name: string;
  /** Where it was found; absent where it was not, and nothing needed its content. */
  readonly place?: string;
  readonly dependencies: readonly ImageDependency[];
}

/** A package, as it describes itself. */
export interface PackageFacts {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** All that it says, by the names of fields as it writes them; text that is not UTF-8 lossily. */
  readonly fields: Readonly<Record<string, string>>;
  /** Names of its scripts; none of them was run. */
  readonly scripts: readonly string[];
  /** Paths of the files that are an administrator's to change. */
  readonly conffiles: readonly string[];
  /** Bytes of its files, as they are in the package. */
  readonly size: number;
}

/** Documents in the forms of Docker's and OCI's images, kept so that they can be passed on byte for byte. */
export interface OriginalDocuments {
  readonly config?: Document;
  readonly manifest?: Document;
  readonly descriptor?: Descriptor;
}

export interface ImageIndex {
  readonly kind: 'index';
  readonly names: readonly string[];
  readonly children: readonly Storable[];
  readonly document: Document;
  readonly descriptor: Descriptor;
  /** Descriptors of the document whose blobs are absent: platforms that were not copied along. */
  readonly absent: readonly Descriptor[];
}

/** A manifest or blob of another kind than an image: copied whole, never unpacked. */
export interface Artifact {
  readonly kind: 'artifact';
  readonly names: readonly string[];
  readonly descriptor: Descriptor;
  /** What the descriptor points to, and what that points to. */
  readonly blobs: readonly ArtifactBlob[];
}

export interface ArtifactBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  open(): Chunks;
}

export interface HistoryStep {
  readonly created?: string;
  readonly createdBy?: string;
  readonly author?: string;
  readonly comment?: string;
  /** It changed the configuration only. */
  readonly emptyLayer: boolean;
}

export interface Document {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly digest: Digest;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** Every member, known or not, as it stood in its document. */
  readonly json: { readonly [name: string]: Json };
}

/** The images of a tree, in its order. */
export function imagesOf(items: readonly Item[]): readonly Image[] {
  return items.flatMap((item) => {
    if (item.kind === 'image') return [item];
    if (item.kind === 'index') return imagesOf(item.children);
    return item.kind === 'pod' ? imagesOfPod(item) : [];
  });
}
