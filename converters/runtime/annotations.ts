/**
 * Annotations of a bundle: what the image says about itself, and its labels, which win.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/conversion.md#annotation-fields
 */
import { type Context, note } from '../../formats/base/context.ts';
import type { ImageConfig } from '../../formats/model/config.ts';

/** Annotations that a runtime acts on, by how they begin. */
export const STEERING = [
  'run.oci.',
  'org.criu.',
  'cdi.k8s.io/',
  'containerd.io/',
  'io.kubernetes.cri',
  'io.cri-containerd',
  'org.systemd.property.',
];

export function annotationsOf(config: ImageConfig, context: Context): Readonly<Record<string, string>> {
  const { platform, labels } = config;
  const own = {
    os: platform.os,
    architecture: platform.architecture,
    variant: platform.variant,
    'os.version': platform.osVersion,
    'os.features': platform.osFeatures?.join(','),
    author: config.author,
    created: config.created,
    stopSignal: config.stopSignal,
    exposedPorts: [...config.exposedPorts].sort().join(','),
  };
  const annotations = new Map<string, string>();
  for (const [name, value] of Object.entries(own))
    if (value) annotations.set(`org.opencontainers.image.${name}`, value);
  if (config.healthcheck) annotations.set('io.ocix.healthcheck', JSON.stringify(config.healthcheck));
  for (const [name, value] of labels) {
    if (STEERING.some((start) => name.startsWith(start))) {
      note(
        context,
        'defaulted',
        `the label ${name} tells some runtimes what to do; it is an annotation now, as the specification asks`,
        'configuration',
        '/config/Labels',
      );
    }
    annotations.set(name, value);
  }
  return Object.fromEntries(annotations);
}
