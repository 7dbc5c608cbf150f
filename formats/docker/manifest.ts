/**
 * `manifest.json`: a list of images, each with its configuration and its layers by the names of members.
 * https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md#combined-image-json--filesystem-changeset-format
 *
 * Every check that Docker makes when it loads is made here. Members' names are never trusted for what they say: not for
 * digests, not for compression.
 */
import { type Archive, findFile, type Member, memberName, readDocument, readMember } from '../archive/archive.ts';
import type { Context } from '../base/context.ts';
import { OcixError, within } from '../base/errors.ts';
import { checkLimit } from '../base/limits.ts';
import { type Digest, digestOf, isDigest } from '../bytes/digest.ts';
import { decode, type JsonNode, type JsonObject } from '../json/decode.ts';
import { type Json, parseJson } from '../json/parse.ts';
import { type ConfigDocument, parseConfigDocument } from '../model/config-document.ts';
import { decodeDescriptor } from '../model/descriptor.ts';
import type { Descriptor, Image } from '../model/image.ts';
import { type Layer, layerElsewhere, layerFromMember } from '../model/layer.ts';
import { layerType, MEDIA } from '../model/media-types.ts';
import { checkReference } from '../model/reference.ts';

const NAME = 'manifest.json';

export async function readManifest(archive: Archive, context: Context): Promise<readonly Image[]> {
  const bytes = await readDocument(archive, NAME, context);
  return within(NAME, async () => {
    const value = parseJson(bytes, context);
    if (value === null)
      throw new OcixError('docker/manifest', 'it is null: the archive was written without an image', {
        hint: 'Save the image again.',
      });
    const images: Image[] = [];
    const read: Read = { archive, context, uses: new Map(), configs: new Map() };
    for (const entry of decode(value, 'any-case').array()) images.push(await readImage(entry, read));
    return images;
  });
}

/** The archive, and what is known of its members by now, by their names. */
interface Read {
  readonly archive: Archive;
  readonly context: Context;
  /** The diffID that each was used for. */
  readonly uses: Map<string, Digest>;
  /** A list may name one configuration a thousand times; the images have it in common. */
  readonly configs: Map<string, Configuration>;
}

interface Configuration extends ConfigDocument {
  readonly original: { readonly mediaType: string; readonly bytes: Uint8Array; readonly digest: Digest };
}

async function readImage(entry: JsonNode, read: Read): Promise<Image> {
  const object = entry.object();
  const config = object.require('Config');
  const names = object.get('RepoTags')?.array() ?? [];
  const layers = object.get('Layers')?.array() ?? [];
  checkLimit(read.context.limits, 'layers', layers.length, 'the number of layers');
  const place = config.string();
  const found = await within(config.pointer, () => findConfig(place, read));
  return within(place, async () => {
    const document = configIn(found, read);
    const { diffIds } = document;
    if (!diffIds)
      throw new OcixError(
        'docker/manifest',
        'the configuration has no rootfs, so nothing says what its layers must be',
      );
    if (diffIds.length !== layers.length) {
      throw new OcixError('image/layers', 'the configuration and manifest.json disagree about the number of layers', {
        expected: `${diffIds.length} layers, as rootfs.diff_ids lists them`,
        found: `${layers.length}`,
      });
    }
    const sources = layerSources(object);
    return {
      kind: 'image',
      names: names.map((name) => checkReference(name.string(), name.pointer)),
      config: document.config,
      history: document.history,
      layers: await Promise.all(
        layers.map((layer, i) => within(layer.pointer, () => readLayer(layer.string(), diffIds[i]!, read, sources))),
      ),
      original: { config: document.original },
    };
  });
}

interface Found {
  /** That of the member, whichever links lead to it. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

async function findConfig(place: string, { archive, context, configs }: Read): Promise<Found> {
  const member = await findFile(archive, memberName(place));
  return { name: member.name, bytes: configs.get(member.name)?.original.bytes ?? (await readMember(member, context)) };
}

function configIn({ name, bytes }: Found, { configs, context }: Read): Configuration {
  const known = configs.get(name);
  if (known) return known;
  const original = { mediaType: MEDIA.config, bytes, digest: digestOf(bytes) };
  const config = { ...parseConfigDocument(bytes, 'any-case', context), original };
  configs.set(name, config);
  return config;
}

async function readLayer(
  name: string,
  diffId: Digest,
  { archive, uses }: Read,
  sources: ReadonlyMap<string, Descriptor>,
): Promise<Layer> {
  const source = sources.get(diffId);
  const type = source && layerType(source.mediaType);
  const member = await findLayer(archive, memberName(name), type?.foreign ? source : undefined);
  if (!member) return layerElsewhere(source!, diffId);
  const used = uses.get(member.name) ?? diffId;
  if (used !== diffId) {
    throw new OcixError('image/layers', `${member.name} is named as two different layers`, {
      expected: used,
      found: diffId,
    });
  }
  uses.set(member.name, diffId);
  // A source describes the layer as it lies in a registry; here it may be stored otherwise, so only its kind and its
  // addresses are taken over.
  return layerFromMember(member, { diffId, foreign: type?.foreign ?? false, urls: source ? urlsOf(source) : [] });
}

/** A foreign layer may be absent: its vendor serves it. */
async function findLayer(archive: Archive, name: string, foreign: Descriptor | undefined): Promise<Member | undefined> {
  if (foreign && !(await archive.get(name))) return undefined;
  return findFile(archive, name);
}

/** `LayerSources`: descriptors by diffID. Docker writes it for every layer since version 25; before, for foreign ones. */
function layerSources(object: JsonObject): ReadonlyMap<string, Descriptor> {
  const sources = object.get('LayerSources')?.object();
  return new Map((sources?.names() ?? []).filter(isDigest).map((id) => [id, decodeDescriptor(sources!.require(id))]));
}

const urlsOf = ({ json }: Descriptor): readonly string[] =>
  Array.isArray(json['urls']) ? (json['urls'] as readonly Json[]).filter((url) => typeof url === 'string') : [];
