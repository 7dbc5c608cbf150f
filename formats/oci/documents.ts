/**
 * What every index and manifest must be before anything in it is believed. A document that could be taken for another kind is
 * refused: two readers would see two images (CVE-2021-41190).
 */
import { OcixError } from '../base/errors.ts';
import type { JsonObject } from '../json/decode.ts';
import { MEDIA } from '../model/media-types.ts';

/** @throws OcixError oci/document, oci/media-type */
export function checkIndexDocument(index: JsonObject): void {
  checkSchemaVersion(index);
  refuseMembers(index, 'an index', ['layers', 'config', 'fsLayers']);
  checkOwnType(index, MEDIA.index, MEDIA.dockerList);
}

/** @throws OcixError oci/document, oci/media-type */
export function checkManifestDocument(manifest: JsonObject): void {
  checkSchemaVersion(manifest);
  refuseMembers(manifest, 'a manifest', ['manifests', 'fsLayers']);
  // Some writers describe Docker's manifests as OCI's; the two say the same.
  checkOwnType(manifest, MEDIA.manifest, MEDIA.dockerManifest);
}

function checkSchemaVersion(document: JsonObject): void {
  const version = document.get('schemaVersion');
  if (version?.value !== 2)
    throw new OcixError('oci/document', 'schemaVersion is not 2', {
      expected: '2',
      found: JSON.stringify(version?.value ?? null),
    });
}

function refuseMembers(document: JsonObject, what: string, names: readonly string[]): void {
  for (const name of names) {
    if (!Object.hasOwn(document.value, name)) continue;
    throw new OcixError('oci/document', `${what} must not have ${name}: it could be taken for something else`, {
      at: [`/${name}`],
      hint: 'Do not trust this image.',
    });
  }
}

/** A document that says what it is must be what it is used as. */
function checkOwnType(document: JsonObject, ...types: readonly string[]): void {
  const own = document.get('mediaType')?.string();
  if (own === undefined || types.includes(own)) return;
  throw new OcixError('oci/media-type', 'the document says that it is something else than what it is used as', {
    at: ['/mediaType'],
    expected: types.join(' or '),
    found: own,
  });
}
