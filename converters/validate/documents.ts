/** Single documents: which kind one is, by its members, and what is wrong with it on its own. */
import type { Json } from '../../formats/json/parse.ts';
import { isIndexType, isManifestType } from '../../formats/model/media-types.ts';
import { dataFault } from './blobs.ts';
import { checkDockerManifest } from './docker.ts';
import { checkSchema1 } from './docker-schema1.ts';
import type { Run } from './findings.ts';
import { checkConfig, checkIndex, checkManifest, formOf } from './image-documents.ts';
import { descriptor, layoutFile } from './image-shapes.ts';
import { foundAt } from './json-document.ts';
import { checkRuntimeConfig } from './runtime.ts';
import { type Found, isObject, member } from './shape.ts';
import { isBase64 } from './texts.ts';

export interface DocumentKind {
  /** As `--from` has it. */
  readonly name: string;
  readonly title: string;
  /** Whether a document is of this kind, where nobody says so. The first kind of the table that takes one is it. */
  is(value: Json): boolean;
  /** Whether its specification wants it to be I-JSON. */
  readonly interchange: boolean;
  check(value: Json, at: readonly string[], run: Run): void;
}

const has = (value: Json, ...names: readonly string[]): boolean =>
  names.every((name) => member(value, name) !== undefined);
const typed = (value: Json, is: (type: string) => boolean): boolean => {
  const type = member(value, 'mediaType');
  return typeof type === 'string' && is(type);
};

/** A document of its own shape, without what would have to be read besides. */
const plain =
  (check: (value: Json, found: Found) => void): DocumentKind['check'] =>
  (value, at, run) =>
    check(value, foundAt(at, run));

export const DOCUMENT_KINDS: readonly DocumentKind[] = [
  {
    name: 'docker-manifest',
    title: 'manifest.json of a docker archive',
    interchange: true,
    is: (value) => Array.isArray(value),
    check: checkDockerManifest,
  },
  {
    name: 'layout-file',
    title: 'oci-layout file',
    interchange: true,
    is: (value) => has(value, 'imageLayoutVersion'),
    check: plain((value, found) => layoutFile(value, '', formOf('oci/layout-version', found))),
  },
  {
    name: 'runtime-config',
    title: 'config.json of a runtime bundle',
    interchange: false,
    is: (value) => has(value, 'ociVersion'),
    check: plain(checkRuntimeConfig),
  },
  {
    name: 'schema1',
    title: 'manifest of Docker’s schema 1',
    interchange: true,
    is: (value) => has(value, 'fsLayers') || member(value, 'schemaVersion') === 1,
    check: plain(checkSchema1),
  },
  {
    name: 'index',
    title: 'image index',
    interchange: true,
    is: (value) => has(value, 'manifests') || (has(value, 'schemaVersion') && typed(value, isIndexType)),
    check: plain((value, found) => {
      const type = member(value, 'mediaType');
      checkIndex(
        value,
        { described: typeof type === 'string' && isIndexType(type) ? type : undefined, place: 'index.json' },
        found,
      );
    }),
  },
  {
    name: 'manifest',
    title: 'image manifest',
    interchange: true,
    is: (value) =>
      has(value, 'layers') || (has(value, 'schemaVersion') && (typed(value, isManifestType) || has(value, 'config'))),
    check: plain((value, found) => checkManifest(value, undefined, found)),
  },
  {
    name: 'config',
    title: 'image configuration',
    interchange: true,
    is: (value) => has(value, 'rootfs') || has(value, 'architecture', 'os') || has(value, 'history', 'config'),
    check: plain(checkConfig),
  },
  {
    name: 'descriptor',
    title: 'descriptor',
    interchange: true,
    is: (value) => isObject(value) && (has(value, 'digest') || has(value, 'mediaType', 'size')),
    check: plain((value, found) => {
      descriptor('index.json')(value, '', formOf('oci/descriptor-form', found));
      const data = member(value, 'data');
      const fault =
        typeof data === 'string' && isBase64(data)
          ? dataFault(data, member(value, 'digest'), member(value, 'size'))
          : undefined;
      if (fault) found('/data', fault, 'oci/descriptor-data');
    }),
  },
];
