/**
 * From a descriptor to what it describes: an image, an index, or something that only its owner understands.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md
 */
import { type Archive, type Member, readMember } from '../archive/archive.ts';
import type { Context } from '../base/context.ts';
import { OcixError, within } from '../base/errors.ts';
import { checkLimit } from '../base/limits.ts';
import { algorithmOf, checkDigest, digestOf, hexOf, verify } from '../bytes/digest.ts';
import { decode } from '../json/decode.ts';
import { parseJson } from '../json/parse.ts';
import { parseConfigDocument } from '../model/config-document.ts';
import { decodeDescriptor } from '../model/descriptor.ts';
import type { Artifact, ArtifactBlob, Descriptor, Document, Image, Storable } from '../model/image.ts';
import { checkMemberSize, type Layer, layerElsewhere, layerFromMember } from '../model/layer.ts';
import { isConfigType, isIndexType, isManifestType, layerType } from '../model/media-types.ts';
import { checkIndexDocument, checkManifestDocument } from './documents.ts';
import { candidateConfigType, candidateLayerType } from './release-candidates.ts';

/** One walk over a layout. It counts, since indexes that name one another many times over have no end worth waiting for. */
export interface Walk {
  readonly archive: Archive;
  readonly context: Context;
  items: number;
}

export const itemOf = (descriptor: Descriptor, names: readonly string[], walk: Walk): Promise<Storable> =>
  readItem(descriptor, names, walk, 0);

async function readItem(
  descriptor: Descriptor,
  names: readonly string[],
  walk: Walk,
  depth: number,
): Promise<Storable> {
  const { archive, context } = walk;
  checkLimit(context.limits, 'index-depth', depth, 'the nesting of indexes');
  checkLimit(context.limits, 'members', ++walk.items, 'the number of manifests that the indexes list');
  const short = `${descriptor.digest.slice(0, 19)}…`;
  if (isIndexType(descriptor.mediaType))
    return within(`index ${short}`, () => readIndex(descriptor, names, walk, depth));
  if (isManifestType(descriptor.mediaType))
    return within(`manifest ${short}`, () => readManifest(descriptor, names, archive, context));
  return { kind: 'artifact', names, descriptor, blobs: [await blobOf(descriptor, archive)] };
}

async function readIndex(
  descriptor: Descriptor,
  names: readonly string[],
  walk: Walk,
  depth: number,
): Promise<Storable> {
  const { archive, context } = walk;
  const document = await readBlob(descriptor, archive, context);
  const index = decode(parseJson(document.bytes, context)).object();
  checkIndexDocument(index);
  const children: Storable[] = [];
  const absent: Descriptor[] = [];
  let first: unknown;
  for (const node of index.get('manifests')?.array() ?? []) {
    const child = await within(node.pointer, async () => decodeDescriptor(node));
    try {
      children.push(await readItem(child, [], walk, depth + 1));
    } catch (error) {
      // Platforms that were not copied along are the habit of several tools; the one that is converted must be whole.
      if (!(error instanceof OcixError) || error.code !== 'blob/missing') throw error;
      first ??= error;
      absent.push(child);
    }
  }
  if (!children.some((child) => child.kind !== 'artifact') && first) throw first;
  return { kind: 'index', names, children, document, descriptor, absent };
}

async function readManifest(
  descriptor: Descriptor,
  names: readonly string[],
  archive: Archive,
  context: Context,
): Promise<Image | Artifact> {
  const document = await readBlob(descriptor, archive, context);
  const manifest = decode(parseJson(document.bytes, context)).object();
  checkManifestDocument(manifest);
  const config = decodeDescriptor(manifest.require('config'));
  const layers = (manifest.get('layers')?.array() ?? []).map(decodeDescriptor);
  checkLimit(context.limits, 'layers', layers.length, 'the number of layers');
  const isImage =
    (isConfigType(config.mediaType) || candidateConfigType(config.mediaType)) &&
    layers.every(({ mediaType }) => typeOf(mediaType));
  if (!isImage) return artifact(descriptor, names, [descriptor, config, ...layers], archive);
  const bytes = (await within('config', () => readBlob(config, archive, context))).bytes;
  const parsed = await within('config', async () => parseConfigDocument(bytes, 'exact', context));
  if (!parsed.diffIds) throw new OcixError('image/config', 'the configuration has no rootfs', { at: ['config'] });
  if (parsed.diffIds.length !== layers.length) {
    throw new OcixError('image/layers', 'the manifest and the configuration disagree about the number of layers', {
      expected: `${parsed.diffIds.length} layers, as rootfs.diff_ids lists them`,
      found: `${layers.length}`,
    });
  }
  const { diffIds } = parsed;
  return {
    kind: 'image',
    names,
    config: parsed.config,
    history: parsed.history,
    layers: await Promise.all(
      layers.map((layer, i) => within(`layer ${i + 1}`, () => layerOf(layer, diffIds[i]!, archive))),
    ),
    original: { config: { mediaType: config.mediaType, bytes, digest: config.digest }, manifest: document, descriptor },
  };
}

async function layerOf(descriptor: Descriptor, diffId: Layer['diffId'], archive: Archive): Promise<Layer> {
  const type = typeOf(descriptor.mediaType)!;
  const member = await memberOfBlob(descriptor, archive);
  if (!member && type.foreign) return layerElsewhere(descriptor, diffId);
  if (!member) throw missing(descriptor);
  checkMemberSize(member, descriptor);
  const urls = descriptor.json['urls'];
  return layerFromMember(member, {
    descriptor,
    diffId,
    foreign: type.foreign,
    urls: Array.isArray(urls) ? urls.filter((url) => typeof url === 'string') : [],
  });
}

const typeOf = (mediaType: string) => layerType(mediaType) ?? candidateLayerType(mediaType);

/** Copied whole: every blob that it refers to has to be there. */
async function artifact(
  descriptor: Descriptor,
  names: readonly string[],
  blobs: readonly Descriptor[],
  archive: Archive,
): Promise<Artifact> {
  return { kind: 'artifact', names, descriptor, blobs: await Promise.all(blobs.map((blob) => blobOf(blob, archive))) };
}

async function blobOf(descriptor: Descriptor, archive: Archive): Promise<ArtifactBlob> {
  const member = await memberOfBlob(descriptor, archive);
  if (!member) throw missing(descriptor);
  checkMemberSize(member, descriptor);
  const { digest, size } = descriptor;
  return { digest, size, open: () => verify(member.open(), { digest, size }, 'the blob') };
}

async function readBlob(descriptor: Descriptor, archive: Archive, context: Context): Promise<Document> {
  const member = await memberOfBlob(descriptor, archive);
  if (!member) throw missing(descriptor);
  checkMemberSize(member, descriptor);
  const bytes = await readMember(member, context);
  checkDigest(digestOf(bytes, algorithmOf(descriptor.digest)), descriptor.digest, 'the document');
  return { mediaType: descriptor.mediaType, bytes, digest: descriptor.digest };
}

/** Digests have been checked before they become a path. */
async function memberOfBlob({ digest }: Descriptor, archive: Archive): Promise<Member | undefined> {
  const member = await archive.get(`blobs/${algorithmOf(digest)}/${hexOf(digest)}`);
  if (member && member.type !== 'file') throw new OcixError('member/type', `${digest} is no file`);
  return member;
}

const missing = ({ digest, mediaType }: Descriptor): OcixError =>
  new OcixError('blob/missing', `${digest} is not in the layout`, {
    expected: mediaType,
    hint: 'The layout is incomplete, or its blobs lie somewhere else. Copy the image again.',
  });
