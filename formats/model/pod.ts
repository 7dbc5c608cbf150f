/**
 * A pod: apps that run together, each in an image of its own, with volumes and namespaces that they share. It is an item of a source
 * beside images and indexes; a target that does not know pods is given their images (`converters/passes/pods.ts`).
 * https://github.com/appc/spec/blob/v0.8.11/spec/pods.md
 */
import type { ImageConfig } from './config.ts';
import type { Image } from './image.ts';
import type { Isolation, Volume } from './isolation.ts';

export interface Pod {
  readonly kind: 'pod';
  /** What the pod is called where it came from; none for most. */
  readonly names: readonly string[];
  /** At least one, with names that differ. */
  readonly apps: readonly PodApp[];
  /** With names that differ. */
  readonly volumes: readonly PodVolume[];
  /** What holds for the namespaces that the apps share; what holds for each app is in its configuration. */
  readonly isolation: Isolation;
  readonly ports: readonly PodPort[];
  readonly annotations: ReadonlyMap<string, string>;
}

export interface PodApp {
  /** Lower-case letters, digits and `-`: safe in a path, a script, and wherever else. */
  readonly name: string;
  /** As it is on its own. */
  readonly image: Image;
  /** What runs in it, with what the pod says otherwise. Mount points that a mount stands for are left out. */
  readonly config: ImageConfig;
  /** The pod has an app in the place of the image's. */
  readonly replaced: boolean;
  readonly mounts: readonly PodMount[];
  readonly ports: readonly AppPort[];
  readonly readOnlyRoot: boolean;
  readonly annotations: ReadonlyMap<string, string>;
}

export interface PodMount {
  /** The name of one of the pod's volumes. */
  readonly volume: string;
  /** Absolute, in the image. */
  readonly path: string;
  readonly readOnly: boolean;
}

export interface PodVolume {
  readonly name: string;
  readonly volume: Exclude<Volume, { readonly kind: 'beside' }>;
}

export interface AppPort {
  readonly name: string;
  /** As the app has it, in lower case. */
  readonly protocol: string;
  readonly port: number;
  readonly count: number;
}

/** A port of the host that leads to one of an app. */
export interface PodPort {
  /** Of the app's port. */
  readonly name: string;
  readonly hostPort: number;
  readonly hostIp: string | undefined;
  /** The port in the pod, where it differs from the app's. */
  readonly podPort: number | undefined;
}

/** Apps may share an image: each once, in the order of the apps. */
export const imagesOfPod = ({ apps }: Pod): readonly Image[] => [...new Set(apps.map(({ image }) => image))];

/** The pod with other images. @param images in the order of `imagesOfPod` */
export function withImages(pod: Pod, images: readonly Image[]): Pod {
  const changed = new Map(imagesOfPod(pod).map((image, i) => [image, images[i]!]));
  return { ...pod, apps: pod.apps.map((app) => ({ ...app, image: changed.get(app.image)! })) };
}
