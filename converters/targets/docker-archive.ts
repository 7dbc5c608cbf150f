/**
 * Docker archives, as `docker load` takes them since version 1.10, and podman and skopeo with it.
 * https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md#combined-image-json--filesystem-changeset-format
 *
 * Layers are blobs under their diffIDs, and configurations under the image id, as Docker 25 and later have them: readers take any name that
 * `manifest.json` gives, and so the archive is an image layout besides (docker-layout.ts). On request the folders of version 1 (`ID/layer.tar`, `ID/json`,
 * `VERSION`) are there instead, which Docker before 1.10 asks for and no current tool reads: those engines take every folder for one of theirs, so
 * there is no layout then. Layers are not compressed, as `docker save` has always had it, so each name is the digest of what it names; a layer that
 * occurs twice is one member that is named twice. See docs/decisions/0016-docker-archives.md.
 */
import { join } from 'node:path';
import { bytesMember, type PackedMember } from '../../formats/archive/envelope.ts';
import { type Context, note } from '../../formats/base/context.ts';
import { within, withinChunks } from '../../formats/base/errors.ts';
import type { Chunks } from '../../formats/bytes/chunks.ts';
import { type Digest, digestOf, hexOf } from '../../formats/bytes/digest.ts';
import type { Json } from '../../formats/json/parse.ts';
import { jsonBytes } from '../../formats/json/write.ts';
import type { Image } from '../../formats/model/image.ts';
import type { Layer } from '../../formats/model/layer.ts';
import { type BlobStore, blobStore } from '../../formats/store/blobs.ts';
import { openOutput } from '../../formats/store/output-file.ts';
import { IMAGE_FIELDS } from './carries.ts';
import { type CompressionPlan, refuseCompression } from './compression.ts';
import { configBytes } from './config-bytes.ts';
import { type NamedImage, onlyImages } from './docker-items.ts';
import { blobName, type LayoutImage, layoutMembers } from './docker-layout.ts';
import { type Version1Chain, version1Chain } from './docker-version1.ts';
import { asItLies, type LayerSteps, layerSteps } from './layer-steps.ts';
import { layerStore } from './layer-store.ts';
import { platformOf, type WrittenImage } from './oci-documents.ts';
import { repositoriesOf, repoTags } from './repo-tags.ts';
import { packInto, stagedMember } from './staged-archive.ts';
import type { StoredLayer } from './store-layer.ts';
import { streamKeeper } from './stream-keeper.ts';
import type { Target } from './target.ts';

const PLAIN: CompressionPlan = { name: 'none', reproducible: false };

export const dockerArchive: Target = {
  name: 'docker-archive',
  what: 'a docker archive',
  carries: { ...IMAGE_FIELDS, names: { as: 'as Docker’s grammar has them, always with a tag' }, annotations: 'no' },
  summary: 'what docker load and podman load take',
  single: true,
  takes: ['version1'],
  async open(out, options, context) {
    refuseCompression(options.compression, 'the layers of a docker archive are not compressed');
    const file = await openOutput(out, options);
    const blobs = blobStore(join(file.folder, 'blobs'));
    const straight: StraightLayers = new Map();
    let made: readonly MadeImage[] = [];
    let version1: Version1Chains | undefined;
    return {
      keep: streamKeeper(blobs, PLAIN),
      async write(items) {
        const images = onlyImages(items, context);
        const count = images.reduce((sum, { image }) => sum + image.layers.length, 0);
        const steps = layerSteps(layerStore(blobs, PLAIN, context), count, context);
        made = [];
        for (const one of images) made = joined(made, await madeImage(one, steps, straight, context));
        version1 = options.version1 && version1Chains(made, context);
        return images.map(({ image }) => writtenImage(image, made));
      },
      async commit() {
        await packInto(file, await membersOf(made, { blobs, straight }, version1), blobs, context);
        await file.commit();
      },
      discard: () => file.discard(),
    };
  },
};

/** An image as it will stand in `manifest.json`. */
interface MadeImage {
  readonly images: readonly Image[];
  readonly config: Uint8Array;
  readonly id: Digest;
  readonly platform: Json;
  readonly tags: readonly string[];
  readonly layers: readonly StoredLayer[];
  readonly sources: Readonly<Record<Digest, Json>>;
}

/** Layers whose bytes are read when they are packed, by their diffIDs. */
type StraightLayers = Map<Digest, () => Chunks>;

async function madeImage(
  { image, names }: NamedImage,
  steps: LayerSteps,
  straight: StraightLayers,
  context: Context,
): Promise<MadeImage> {
  const layers: StoredLayer[] = [];
  const sources: Record<Digest, Json> = {};
  for (const [i, layer] of image.layers.entries()) {
    const place = `layer ${i + 1}`;
    const lies = asItLies(layer);
    const stored = lies ?? (await within(place, () => steps.store(layer)));
    if (lies && straight.has(lies.diffId)) steps.pass();
    else if (lies) straight.set(lies.diffId, () => withinChunks(place, steps.read(layer, lies)));
    layers.push(stored);
    if (layer.foreign) sources[stored.diffId] = foreignSource(layer, stored);
  }
  const config = configBytes(
    image,
    layers.map(({ diffId }) => diffId),
    context,
  );
  const tags = repoTags(image, names, context);
  return { images: [image], config, id: digestOf(config), platform: platformOf(image, context), tags, layers, sources };
}

/** Where its vendor serves a layer, as Docker says it; without it a push would upload what may not be distributed. */
function foreignSource({ descriptor, urls }: Layer, stored: StoredLayer): Json {
  const compressed = descriptor !== undefined && !/\.tar$/.test(descriptor.mediaType);
  return {
    mediaType: `application/vnd.docker.image.rootfs.foreign.diff.tar${compressed ? '.gzip' : ''}`,
    size: descriptor?.size ?? stored.size,
    digest: descriptor?.digest ?? stored.digest,
    ...(urls.length ? { urls } : {}),
  };
}

/** Two references to one image are one image with both names. */
function joined(before: readonly MadeImage[], next: MadeImage): readonly MadeImage[] {
  const same = before.find(({ id }) => id === next.id);
  if (!same) return [...before, next];
  const both = {
    ...same,
    images: [...same.images, ...next.images],
    tags: [...new Set([...same.tags, ...next.tags])],
  };
  return before.map((one) => (one === same ? both : one));
}

function writtenImage(image: Image, made: readonly MadeImage[]): WrittenImage {
  const { id, layers } = made.find(({ images }) => images.includes(image))!;
  return { image, digest: id, configDigest: id, layers };
}

/** What the members are called that `manifest.json` names. */
interface Names {
  readonly layer: (layer: StoredLayer) => string;
  readonly config: (image: MadeImage) => string;
}

const BLOBS: Names = { layer: ({ diffId }) => blobName(diffId), config: ({ id }) => blobName(id) };
/** No folders. */
const FILES: Names = { layer: ({ diffId }) => `${hexOf(diffId)}.tar`, config: ({ id }) => `${hexOf(id)}.json` };

/** The documents come first, so that who reads front to back knows what the layers are when they come. */
async function membersOf(
  made: readonly MadeImage[],
  { blobs, straight }: { readonly blobs: BlobStore; readonly straight: StraightLayers },
  chains: Version1Chains | undefined,
): Promise<readonly PackedMember[]> {
  const member = async (name: string, { digest, diffId, size }: StoredLayer): Promise<PackedMember> => {
    const open = straight.get(diffId);
    return open ? { name, size, open } : stagedMember(name, digest, blobs);
  };
  const names = chains ? FILES : BLOBS;
  const layout = chains ? { top: [], blobs: [...version1Members(chains)] } : layoutMembers(made.map(inLayout));
  const repositories = repositoriesOf(
    made.map((one) => ({
      tags: one.tags,
      top: chains?.get(one)?.top ?? hexOf(one.layers.at(-1)?.diffId ?? EMPTY),
    })),
  );
  const layers = new Map(made.flatMap((one) => one.layers.map((layer) => [names.layer(layer), layer] as const)));
  return [
    ...layout.top,
    bytesMember('manifest.json', jsonBytes(made.map((one) => manifestEntry(one, names)))),
    ...(Object.keys(repositories).length ? [bytesMember('repositories', jsonBytes(repositories))] : []),
    ...layout.blobs,
    ...made.map((one) => bytesMember(names.config(one), one.config)),
    ...(await Promise.all([...layers].map(([name, layer]) => member(name, layer)))),
  ];
}

const inLayout = ({ images, config, platform, tags, layers, sources }: MadeImage): LayoutImage => ({
  config: images[0]!.config,
  platform,
  document: config,
  tags,
  layers: layers.map(({ diffId, plainSize }) => ({ diffId, plainSize, foreign: diffId in sources })),
});

type Version1Chains = ReadonlyMap<MadeImage, Version1Chain>;

/** Images that share layers have members in common. */
const version1Members = (chains: Version1Chains): Iterable<PackedMember> =>
  new Map([...chains.values()].flatMap(({ members }) => members.map((one) => [one.name, one]))).values();

function version1Chains(made: readonly MadeImage[], context: Context): Version1Chains {
  return new Map(
    made.map((one) => {
      const steps = one.images[0]!.history.filter(({ emptyLayer }) => !emptyLayer);
      const layers = one.layers.map((layer) => ({
        diffId: layer.diffId,
        member: FILES.layer(layer),
        size: layer.plainSize,
      }));
      const fitting = steps.length === layers.length ? steps : [];
      const chain = version1Chain({ config: one.config, steps: fitting, layers });
      if (chain.top === undefined)
        note(context, 'dropped', 'Docker before 1.10 has no image without layers', one.tags[0] ?? 'image');
      return [one, chain];
    }),
  );
}

/** Of an image without layers: no layer has it. */
const EMPTY: Digest = `sha256:${'0'.repeat(64)}`;

const manifestEntry = (one: MadeImage, names: Names): Json => ({
  Config: names.config(one),
  RepoTags: one.tags.length ? one.tags : null,
  Layers: one.layers.map(names.layer),
  ...(Object.keys(one.sources).length ? { LayerSources: one.sources } : {}),
});
