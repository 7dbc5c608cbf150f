// Says whether an OCI layout is what the job asked for, so that a run that did less cannot count as fast.
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const DECODERS = { '+gzip': 'gzip -dc', '+zstd': 'zstd -dcq', '': 'cat' };

function blobPath(layout, digest) {
  return join(layout, 'blobs', ...digest.split(':'));
}

function sha256Of(path, decoder = 'cat') {
  const script = `set -o pipefail; ${decoder} < "$1" | sha256sum`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', path], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${path}: cannot be read by ${decoder}: ${stderr}`);
  return `sha256:${stdout.slice(0, 64)}`;
}

function readBlob(layout, { digest, size }) {
  const path = blobPath(layout, digest);
  if (statSync(path).size !== size) throw new Error(`${path}: is not of the ${size} bytes its descriptor says`);
  return JSON.parse(readFileSync(path, 'utf8'));
}

/**
 * Checks index, manifest, config and the presence, size and kind of every layer, and returns the layers' diff IDs.
 * An undefined `suffix` allows any kind.
 * With `deep` also the content of each layer, compressed and uncompressed: too slow for between every two runs.
 */
export function checkLayout(layout, { suffix, deep }) {
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
  if (index.manifests?.length !== 1) throw new Error(`${layout}: ${index.manifests?.length} manifests, not one`);
  const manifest = readBlob(layout, index.manifests[0]);
  const diffIds = readBlob(layout, manifest.config).rootfs.diff_ids;
  if (manifest.layers.length !== diffIds.length) throw new Error(`${layout}: layers and diff IDs differ in number`);
  for (const [i, layer] of manifest.layers.entries()) {
    const path = blobPath(layout, layer.digest);
    if (suffix !== undefined && layer.mediaType !== `application/vnd.oci.image.layer.v1.tar${suffix}`) {
      throw new Error(`${layout}: layer ${i} is a ${layer.mediaType}, not of a tar${suffix}`);
    }
    if (statSync(path).size !== layer.size) throw new Error(`${path}: is not of the ${layer.size} bytes it should be`);
    if (!deep) continue;
    if (sha256Of(path) !== layer.digest) throw new Error(`${path}: does not have the digest it is named after`);
    if (sha256Of(path, DECODERS[suffix]) !== diffIds[i]) throw new Error(`${path}: is not the layer of its diff ID`);
  }
  return diffIds;
}
