/** A second reading of image layouts, with nothing of the product's: what is on the disk, held against every digest. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { sha256Digest } from '../../fixtures/bytes.ts';

export interface ReadLayer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  /** Uncompressed; absent where the blob is not in the layout. */
  readonly tar?: Buffer;
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ReadImage {
  readonly name: string | undefined;
  readonly digest: string;
  readonly platform: string;
  readonly configDigest: string;
  // biome-ignore lint/suspicious/noExplicitAny: a document as it is
  readonly config: any;
  readonly layers: readonly ReadLayer[];
  readonly diffIds: readonly string[];
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string };
  readonly annotations?: Readonly<Record<string, string>>;
  readonly urls?: readonly string[];
}

const REF = 'org.opencontainers.image.ref.name';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/**
 * The images of a layout, those of nested indexes too. Throws where a digest, a size or a diffID does not hold, where something
 * lies in the folder that does not belong there, and where a blob is referred to by nothing;
 * `spare` lets what a killed run or a moved reference left behind pass.
 */
export function readLayout(folder: string, spare: 'none' | 'spare' = 'none'): readonly ReadImage[] {
  const names = readdirSync(folder).filter((name) => spare === 'none' || !name.startsWith('.ocix-'));
  expectSame(names.sort(), ['blobs', 'index.json', 'oci-layout'], 'names in the layout');
  expectSame(JSON.parse(readFileSync(join(folder, 'oci-layout'), 'utf8')), { imageLayoutVersion: '1.0.0' }, 'version');
  const blobs = new Map(
    (readdirSync(join(folder, 'blobs')).includes('sha256') ? readdirSync(join(folder, 'blobs/sha256')) : []).map(
      (name) => {
        const bytes = readFileSync(join(folder, 'blobs/sha256', name));
        expectSame(`sha256:${name}`, sha256Digest(bytes), 'the name of a blob');
        return [`sha256:${name}` as string, bytes] as const;
      },
    ),
  );
  const used = new Set<string>();
  const get = ({ digest, size }: Descriptor): Buffer | undefined => {
    const bytes = blobs.get(digest);
    used.add(digest);
    if (bytes) expectSame(bytes.length, size, `the size of ${digest}`);
    return bytes;
  };
  const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'));
  expectSame(index.schemaVersion, 2, 'schemaVersion');
  const images = (index.manifests as Descriptor[]).flatMap((one) => read(one, one.annotations?.[REF], get));
  if (spare === 'none')
    expectSame(
      [...blobs.keys()].filter((digest) => !used.has(digest)),
      [],
      'blobs that nothing refers to',
    );
  return images;
}

type Get = (descriptor: Descriptor) => Buffer | undefined;

function read(descriptor: Descriptor, name: string | undefined, get: Get): readonly ReadImage[] {
  const bytes = get(descriptor);
  if (!bytes) throw new Error(`${descriptor.digest} is missing`);
  if (descriptor.mediaType === INDEX) {
    const children = JSON.parse(bytes.toString()).manifests as Descriptor[];
    return children.flatMap((child) => read(child, name, get));
  }
  if (descriptor.mediaType !== MANIFEST) return []; // copied whole, and nothing is known of it
  const manifest = JSON.parse(bytes.toString()) as { readonly config: Descriptor; readonly layers: Descriptor[] };
  const configBytes = get(manifest.config);
  if (!configBytes) throw new Error('the configuration is missing');
  const layers = manifest.layers.map((layer): ReadLayer => {
    const blob = get(layer);
    if (!blob && !layer.urls) throw new Error(`layer ${layer.digest} is missing`);
    return { ...layer, ...(blob ? { tar: plain(layer.mediaType, blob) } : {}) };
  });
  if (manifest.config.mediaType !== 'application/vnd.oci.image.config.v1+json') return [];
  const config = JSON.parse(configBytes.toString());
  const diffIds: string[] = config.rootfs.diff_ids;
  expectSame(diffIds.length, layers.length, 'the number of diffIDs');
  for (const [i, { tar }] of layers.entries()) if (tar) expectSame(sha256Digest(tar), diffIds[i], `diffID ${i}`);
  const platform = `${descriptor.platform?.os}/${descriptor.platform?.architecture}`;
  return [{ name, digest: descriptor.digest, platform, configDigest: manifest.config.digest, config, layers, diffIds }];
}

function plain(mediaType: string, blob: Buffer): Buffer {
  if (mediaType.endsWith('+gzip')) return zlib.gunzipSync(blob);
  if (!mediaType.endsWith('+zstd')) return blob;
  const native = (zlib as { readonly zstdDecompressSync?: (bytes: Buffer) => Buffer }).zstdDecompressSync;
  if (native) return native(blob);
  const run = spawnSync('zstd', ['-dc'], { input: blob, maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(`zstd: ${run.error ?? run.stderr}`);
  return run.stdout;
}

function expectSame(found: unknown, wanted: unknown, what: string): void {
  if (JSON.stringify(found) === JSON.stringify(wanted)) return;
  throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
}

/** Names and image ids, in the index's order. */
export const namesOf = (folder: string): readonly (string | undefined)[] => readLayout(folder).map(({ name }) => name);
