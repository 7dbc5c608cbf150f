/** Pods on the disk: a manifest, and the images that it names in a folder beside it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type AciRecipe, aci, leastApp, rktStore } from '../../../fixtures/aci.ts';
import type { JsonObject } from '../../../fixtures/image-recipe.ts';
import { scratch } from '../../fixtures/peers.ts';

export const leastPod: JsonObject = {
  acKind: 'PodManifest',
  acVersion: '0.8.11',
  apps: [{ name: 'web', image: { name: 'example.com/app' } }],
};

/** An image that runs something, called `example.com/app` unless it says otherwise. */
export const runnable = (manifest: JsonObject = {}, rootfs: AciRecipe['rootfs'] = []): AciRecipe => ({
  manifest: { app: leastApp(), labels: [{ name: 'version', value: '1.0' }], ...manifest },
  rootfs,
});

export interface PodFiles {
  /** The manifest. */
  readonly pod: string;
  /** The folder with the images. */
  readonly images: string;
  readonly folder: string;
}

export function podFiles(pod: JsonObject, images: readonly AciRecipe[] = [runnable()]): PodFiles {
  const folder = scratch();
  const files = { folder, pod: join(folder, 'pod.json'), images: join(folder, 'images') };
  writeFileSync(files.pod, JSON.stringify({ ...leastPod, ...pod }));
  mkdirSync(files.images);
  for (const [i, image] of images.entries()) writeFileSync(join(files.images, `${i}.aci`), aci(image));
  return files;
}

/** The data folder of an rkt host that ran pods; those are by their place below `pods/`. */
export function hostWith(images: readonly AciRecipe[], pods: Readonly<Record<string, JsonObject>>): string {
  const folder = scratch();
  const manifests = Object.entries(pods).map(
    ([place, pod]) => [`pods/${place}/pod`, JSON.stringify({ ...leastPod, ...pod })] as const,
  );
  for (const [path, bytes] of [...rktStore(images), ...manifests]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  return folder;
}
