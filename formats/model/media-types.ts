/**
 * Media types of the image specification, and Docker's that mean the same.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md
 */
export const MEDIA = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  nondistributable: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
} as const;

export const REF_NAME = 'org.opencontainers.image.ref.name';

export type LayerCompression = 'none' | 'gzip' | 'zstd';

/** What a layer's media type says. */
export interface LayerType {
  readonly compression: LayerCompression;
  /** It may not be distributed, or was not meant to be: a base that its vendor serves. */
  readonly foreign: boolean;
  /** It is OCI's own, so it can stand in an OCI manifest as it is. */
  readonly native: boolean;
}

const LAYER_TYPES: ReadonlyMap<string, LayerType> = new Map([
  [MEDIA.layer, { compression: 'none', foreign: false, native: true }],
  [`${MEDIA.layer}+gzip`, { compression: 'gzip', foreign: false, native: true }],
  [`${MEDIA.layer}+zstd`, { compression: 'zstd', foreign: false, native: true }],
  [MEDIA.nondistributable, { compression: 'none', foreign: true, native: true }],
  [`${MEDIA.nondistributable}+gzip`, { compression: 'gzip', foreign: true, native: true }],
  [`${MEDIA.nondistributable}+zstd`, { compression: 'zstd', foreign: true, native: true }],
  ['application/vnd.docker.image.rootfs.diff.tar', { compression: 'none', foreign: false, native: false }],
  ['application/vnd.docker.image.rootfs.diff.tar.gzip', { compression: 'gzip', foreign: false, native: false }],
  ['application/vnd.docker.image.rootfs.diff.tar.zstd', { compression: 'zstd', foreign: false, native: false }],
  ['application/vnd.docker.image.rootfs.foreign.diff.tar', { compression: 'none', foreign: true, native: false }],
  ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', { compression: 'gzip', foreign: true, native: false }],
]);

export const layerType = (mediaType: string): LayerType | undefined => LAYER_TYPES.get(mediaType);

export function layerMediaType(compression: LayerCompression, foreign: boolean): string {
  const base = foreign ? MEDIA.nondistributable : MEDIA.layer;
  return compression === 'none' ? base : `${base}+${compression}`;
}

/** The same in a manifest of Docker's schema 2. */
export function dockerLayerMediaType(compression: LayerCompression, foreign: boolean): string {
  const base = `application/vnd.docker.image.rootfs${foreign ? '.foreign' : ''}.diff.tar`;
  return compression === 'none' ? base : `${base}.${compression}`;
}

export const isIndexType = (mediaType: string): boolean => mediaType === MEDIA.index || mediaType === MEDIA.dockerList;
export const isManifestType = (mediaType: string): boolean =>
  mediaType === MEDIA.manifest || mediaType === MEDIA.dockerManifest;
export const isConfigType = (mediaType: string): boolean =>
  mediaType === MEDIA.config || mediaType === MEDIA.dockerConfig;
