/**
 * Image layouts, as a folder or as one tar: every descriptor is followed from `index.json` on, and every blob held against it.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
import { type Archive, readDocument } from '../../formats/archive/archive.ts';
import { OcixError } from '../../formats/base/errors.ts';
import { isDigest } from '../../formats/bytes/digest.ts';
import { printable } from '../../formats/bytes/text.ts';
import type { Json } from '../../formats/json/parse.ts';
import { isConfigType, isIndexType, isManifestType, layerType, REF_NAME } from '../../formats/model/media-types.ts';
import type { Selector } from '../../formats/model/reader.ts';
import { type Blobs, blobsOf } from './blobs.ts';
import { attempt, type Run, selectorText } from './findings.ts';
import { checkConfig, checkIndex, checkLayerCount, checkManifest, checkPlatform, formOf } from './image-documents.ts';
import { layoutFile } from './image-shapes.ts';
import { foundAt, parseDocument } from './json-document.ts';
import type { ReadLayer } from './layer.ts';
import { checkLinks } from './layer-entries.ts';
import type { RuleId } from './rules/index.ts';
import { listOf, member } from './shape.ts';
import { shortened } from './texts.ts';

interface Walk {
  readonly blobs: Blobs;
  readonly run: Run;
  /** Digests of the documents that were looked into. */
  readonly met: Set<string>;
}

const TOP = 'index.json';

export async function checkLayout(archive: Archive, chosen: Selector | undefined, run: Run): Promise<void> {
  await checkVersion(archive, run);
  if (!hasBlobs(archive)) run.findings.add('oci/layout-blobs', ['blobs'], 'there is no folder blobs');
  const walk: Walk = { blobs: blobsOf(archive, run), run, met: new Set() };
  const value = await readTop(archive, run);
  if (!value) return;
  checkIndex(value.value, { described: undefined, place: TOP }, foundAt([TOP], run));
  const manifests = listOf(member(value.value, 'manifests'));
  const wanted = select(manifests, chosen);
  for (const [number, descriptor] of manifests.entries()) {
    const at = [TOP, nameOf(descriptor) ?? `/manifests/${number}`];
    if (wanted.includes(descriptor)) await follow(descriptor, { at, depth: 0, missing: 'oci/blob-missing' }, walk);
  }
  await checkSubject(value.value, [TOP], walk);
  await walk.blobs.finish(chosen === undefined);
}

async function checkVersion(archive: Archive, run: Run): Promise<void> {
  const at = ['oci-layout'];
  const bytes = await attempt(run, 'oci/layout-file', [], () => readDocument(archive, at[0]!, run.context));
  const value = bytes && parseDocument(bytes, at, run);
  if (value) layoutFile(value.value, '', formOf('oci/layout-version', foundAt(at, run)));
}

async function readTop(archive: Archive, run: Run): Promise<{ readonly value: Json } | undefined> {
  const there = await attempt(run, 'oci/layout-index', [], async () => ({ file: await archive.get(TOP) }));
  if (!there) return undefined;
  if (!there.file) {
    const old = (await archive.list('refs')).length > 0;
    run.findings.add(old ? 'oci/layout-refs' : 'oci/layout-index', [TOP], 'there is no index.json');
    return undefined;
  }
  const bytes = await attempt(run, 'oci/layout-index', [], () => readDocument(archive, TOP, run.context));
  return bytes && parseDocument(bytes, [TOP], run);
}

const hasBlobs = (archive: Archive): boolean =>
  archive.names().some((name) => name === 'blobs' || name.startsWith('blobs/'));

const nameOf = (descriptor: Json): string | undefined => {
  const name = member(member(descriptor, 'annotations'), REF_NAME);
  return typeof name === 'string' ? printable(name.slice(0, 200)) : undefined;
};

/** @throws OcixError image/select where the user names an image that is not there */
function select(manifests: readonly Json[], chosen: Selector | undefined): readonly Json[] {
  if (!chosen) return manifests;
  const found = manifests.filter((descriptor, number) =>
    chosen.kind === 'index'
      ? number === chosen.index
      : chosen.kind === 'reference' && nameOf(descriptor) === chosen.name,
  );
  if (found.length) return found;
  throw new OcixError('image/select', `index.json has no image ${selectorText(chosen)}`, {
    hint: 'ocix inspect shows the names.',
  });
}

interface Place {
  readonly at: readonly string[];
  /** How many indexes are around it. */
  readonly depth: number;
  /** What it means that the blob is absent. */
  readonly missing: RuleId;
}

async function follow(descriptor: Json, place: Place, walk: Walk): Promise<void> {
  const { blobs, run, met } = walk;
  const type = member(descriptor, 'mediaType');
  const digest = member(descriptor, 'digest');
  if (typeof type !== 'string' || typeof digest !== 'string') return;
  const isDocument = isIndexType(type) || isManifestType(type);
  // Documents name one another many times over in a hostile layout; each is looked into once.
  if (!isDocument || met.has(`${type} ${digest}`)) {
    await blobs.opaque(descriptor, place.at, place.missing);
    return;
  }
  met.add(`${type} ${digest}`);
  const at = [...place.at, `${isIndexType(type) ? 'index' : 'manifest'} ${shortened(digest)}`];
  if (place.depth > run.context.limits['index-depth'])
    return run.findings.add('oci/index-depth', at, `more than ${run.context.limits['index-depth']} indexes are nested`);
  const bytes = await blobs.document(descriptor, at, place.missing);
  const parsed = bytes && parseDocument(bytes, at, run);
  if (!parsed) return;
  if (isIndexType(type)) await checkChildren(parsed.value, type, { ...place, at }, walk);
  else await checkImage(parsed.value, descriptor, at, walk);
}

async function checkChildren(value: Json, type: string, { at, depth }: Place, walk: Walk): Promise<void> {
  const { blobs, run } = walk;
  checkIndex(value, { described: type, place: 'elsewhere' }, foundAt(at, run));
  const manifests = listOf(member(value, 'manifests'));
  // Platforms that were not copied along are the habit of several tools; with none of them the index is of no use.
  const missing = (await someAreThere(manifests, blobs)) ? 'oci/platform-missing' : 'oci/blob-missing';
  for (const [number, descriptor] of manifests.entries())
    await follow(descriptor, { at: [...at, `/manifests/${number}`], depth: depth + 1, missing }, walk);
  await checkSubject(value, at, walk);
}

async function someAreThere(descriptors: readonly Json[], blobs: Blobs): Promise<boolean> {
  for (const descriptor of descriptors) if (await blobs.isThere(descriptor)) return true;
  return false;
}

/** A subject may be somewhere else. */
async function checkSubject(value: Json, at: readonly string[], { blobs }: Walk): Promise<void> {
  const subject = member(value, 'subject');
  if (subject !== undefined) await blobs.mention(subject, [...at, '/subject']);
}

async function checkImage(value: Json, descriptor: Json, at: readonly string[], walk: Walk): Promise<void> {
  const { blobs, run } = walk;
  const described = member(descriptor, 'mediaType');
  checkManifest(value, typeof described === 'string' ? described : undefined, foundAt(at, run));
  await checkSubject(value, at, walk);
  const config = member(value, 'config');
  const layers = listOf(member(value, 'layers'));
  const configType = member(config, 'mediaType');
  if (config !== undefined && !(typeof configType === 'string' && isConfigType(configType)))
    await blobs.opaque(config, [...at, '/config']);
  const isImage = config !== undefined && typeof configType === 'string' && isConfigType(configType);
  const document = isImage ? await configOf(value, descriptor, at, walk) : undefined;
  const diffIds = listOf(member(member(document, 'rootfs'), 'diff_ids'));
  const read: (ReadLayer | undefined)[] = [];
  for (const [number, layer] of layers.entries()) {
    const mediaType = member(layer, 'mediaType');
    const type = typeof mediaType === 'string' ? layerType(mediaType) : undefined;
    const place = [...at, `/layers/${number}`];
    const diffId = diffIds[number];
    if (!isImage || !type) await blobs.opaque(layer, place);
    else read[number] = await blobs.layer(layer, type, diffId, place);
    checkDiffId(read[number], diffId, [...at, `/config`, `/rootfs/diff_ids/${number}`], 'oci/config-diff-id', run);
  }
  checkStack(read, at, run);
}

async function configOf(
  manifest: Json,
  descriptor: Json,
  at: readonly string[],
  walk: Walk,
): Promise<Json | undefined> {
  const { blobs, run } = walk;
  const place = [...at, '/config'];
  const bytes = await blobs.document(member(manifest, 'config')!, place);
  const parsed = bytes && parseDocument(bytes, place, run);
  if (!parsed) return undefined;
  checkConfig(parsed.value, foundAt(place, run));
  checkLayerCount(manifest, parsed.value, foundAt(place, run));
  checkPlatform(descriptor, parsed.value, foundAt(at, run));
  return parsed.value;
}

export function checkDiffId(
  read: ReadLayer | undefined,
  promised: Json | undefined,
  at: readonly string[],
  rule: RuleId,
  run: Run,
): void {
  if (read?.diffId === undefined || !isDigest(promised) || read.diffId === promised) return;
  run.findings.add(
    rule,
    at,
    `the layer is ${shortened(read.diffId)} when uncompressed, and the diffID is ${shortened(promised)}`,
  );
}

/** Hard links into the layers below, which only the whole image can resolve. A layer that was not read leaves them open. */
export function checkStack(read: readonly (ReadLayer | undefined)[], at: readonly string[], run: Run): void {
  for (const [number, layer] of read.entries()) {
    if (!layer) return;
    if (!layer.entries.links.length) continue;
    const below = read.slice(0, number).flatMap((one) => (one ? [one.entries] : []));
    checkLinks(layer.entries, below, [...at, `/layers/${number}`], run);
  }
}
