/**
 * Media types that the release candidates of the image specification used in 2016, before 1.0.0 renamed them.
 * https://github.com/opencontainers/image-spec/blob/v1.0.0-rc1/media-types.md
 * https://github.com/opencontainers/image-spec/blob/v1.0.0-rc2/media-types.md
 */
import type { LayerType } from '../model/media-types.ts';

const CONFIG = 'application/vnd.oci.image.serialization.config.v1+json';

const LAYERS: ReadonlyMap<string, LayerType> = new Map([
  ['application/vnd.oci.image.serialization.rootfs.tar.gzip', { compression: 'gzip', foreign: false, native: false }],
  ['application/vnd.oci.image.layer.tar', { compression: 'none', foreign: false, native: false }],
  ['application/vnd.oci.image.layer.tar+gzip', { compression: 'gzip', foreign: false, native: false }],
  ['application/vnd.oci.image.layer.nondistributable.tar', { compression: 'none', foreign: true, native: false }],
  ['application/vnd.oci.image.layer.nondistributable.tar+gzip', { compression: 'gzip', foreign: true, native: false }],
]);

export const candidateConfigType = (mediaType: string): boolean => mediaType === CONFIG;
export const candidateLayerType = (mediaType: string): LayerType | undefined => LAYERS.get(mediaType);
