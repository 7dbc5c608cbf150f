/**
 * An image as one App Container Image for each layer. Each depends on the one below it by its image id, so a resolver that has the folder finds
 * exactly what was written, and the topmost one is the image.
 *
 * Each is whole by itself: names are where the layers below lead them, and a file that a layer links to is in it, whichever layer it came from.
 * What a layer takes away is not in the `pathWhitelist` of its image; a layer that takes nothing away has no list.
 * https://github.com/appc/spec/blob/v0.8.11/spec/ace.md#filesystem-setup
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { dockerFileName } from '../../formats/appc/naming.ts';
import type { Context } from '../../formats/base/context.ts';
import { OcixError } from '../../formats/base/errors.ts';
import { digestOf, hexOf } from '../../formats/bytes/digest.ts';
import { fromBinaryString, strictUtf8, utf8Bytes } from '../../formats/bytes/text.ts';
import { type Json, parseJson } from '../../formats/json/parse.ts';
import { jsonBytes } from '../../formats/json/write.ts';
import type { Image } from '../../formats/model/image.ts';
import { treePaths } from '../../formats/rootfs/tree.ts';
import { blobStore } from '../../formats/store/blobs.ts';
import { destination, occupied, stageFor } from '../../formats/store/staging.ts';
import { type AciEngine, ROOTFS, writeAci } from './aci-file.ts';
import { aciManifest, diffIdOf, type NamedAci } from './aci-manifest.ts';
import { openSigned } from './aci-signature.ts';
import { aciTree } from './aci-tree.ts';
import { cutOf, type FlatTree } from './flat-tree.ts';
import type { WrittenLayer } from './oci-documents.ts';
import { plainKeeper } from './stream-keeper.ts';
import type { TargetOptions, TargetSink } from './target.ts';

/** What becomes of the images, for a sink that has chosen one and named it. */
export interface AciPlan {
  readonly engine: AciEngine;
  readonly choose: (
    items: Parameters<TargetSink['write']>[0],
  ) => Promise<{ readonly image: Image; readonly named: NamedAci }>;
}

/** @throws OcixError output/exists */
export async function openAciFolder(
  out: string,
  { engine, choose }: AciPlan,
  options: TargetOptions,
  context: Context,
): Promise<TargetSink> {
  const there = await destination(out);
  if (!options.replace && (there.state === 'file' || there.state === 'folder'))
    throw occupied(out, there.state === 'file' ? 'is a file' : 'is a folder with something in it');
  const staging = await stageFor(there);
  const folder = join(staging.path, 'images');
  return {
    keep: plainKeeper(blobStore(join(staging.path, 'blobs'))),
    async write(items) {
      const { image, named } = await choose(items);
      await mkdir(folder);
      const layers = await writeImages(image, { named, engine, folder, options }, context);
      return [{ image, digest: layers.at(-1)!.digest, layers }];
    },
    async commit() {
      if (options.replace) return staging.replace('images');
      if (!(await staging.place('images'))) throw occupied(out, 'has appeared meanwhile');
    },
    discard: () => staging.discard(),
  };
}

interface Writing {
  readonly named: NamedAci;
  readonly engine: AciEngine;
  readonly folder: string;
  readonly options: TargetOptions;
}

async function writeImages(
  image: Image,
  { named, engine, folder, options }: Writing,
  context: Context,
): Promise<readonly WrittenLayer[]> {
  const { cuts, manifest } = await cutImage(image, named, context);
  const base = fileNameFor(named);
  const written: WrittenLayer[] = [];
  let below: { readonly name: string; readonly id: string } | undefined;
  let chain = '';
  for (const [i, { tree, list }] of cuts.entries()) {
    const isTop = i === cuts.length - 1;
    const layer = image.layers[i];
    chain = layer ? hexOf(digestOf(utf8Bytes(`${chain} ${await diffIdOf(layer, context)}`))) : chain;
    const own = isTop ? manifest : lowerManifest(manifest, `${named.name.name}-${chain}`, chain);
    const whole = jsonBytes({
      ...own,
      ...(below ? { dependencies: [{ imageName: below.name, imageID: below.id }] } : {}),
      ...(list ? { pathWhitelist: list } : {}),
    });
    checkManifest(whole, context);
    const path = join(folder, `${base}${isTop ? '' : `-${i}`}.aci`);
    const file = await openSigned(path, options, context);
    const layers = image.layers.slice(0, i + 1);
    const stored = await writeAci({ layers, manifest: whole, tree, engine }, file, context).catch(
      async (error: unknown) => {
        await file.discard();
        throw error;
      },
    );
    await file.commit();
    written.push(stored);
    below = { name: own['name'] as string, id: stored.diffId.replace(':', '-') };
  }
  return written;
}

/** Of an image that another one is built on: what it is for, and nothing to run. */
const lowerManifest = (top: JsonObject, name: string, chain: string): JsonObject => ({
  acKind: top['acKind']!,
  acVersion: top['acVersion']!,
  name,
  labels: [
    ...(top['labels'] as readonly { readonly name: string; readonly value: string }[]),
    { name: 'layer', value: chain },
  ],
});

type JsonObject = { readonly [name: string]: Json };

interface ImageCut {
  readonly tree: FlatTree;
  /** Absent where every path of the images below is still there. */
  readonly list: readonly string[] | undefined;
}

/** What each layer brings, taken while the layers are laid over each other. */
async function cutImage(
  image: Image,
  named: NamedAci,
  context: Context,
): Promise<{ readonly cuts: readonly ImageCut[]; readonly manifest: JsonObject }> {
  const cuts: ImageCut[] = [];
  /** Whether each path is a folder. */
  let before: ReadonlyMap<string, boolean> = new Map();
  const whole = await aciTree(image.layers, context, ({ tree, found }, layer) => {
    const now = new Map(treePaths(tree).map(([path, { children }]) => [path, children !== undefined]));
    const hides = [...before.keys()].some((path) => !now.has(path));
    const isTaken = (path: string): boolean => before.get(path) === false;
    cuts.push({
      tree: cutOf(tree, found, { below: ROOTFS, has: (node) => node.layer === layer, isTaken }),
      list: hides ? pathList([...now.keys()]) : undefined,
    });
    before = now;
  });
  if (!cuts.length)
    cuts.push({ tree: cutOf(whole.tree, whole.found, { below: ROOTFS, has: () => true }), list: undefined });
  const {
    dependencies: _,
    pathWhitelist: __,
    ...manifest
  } = parseJson(aciManifest(image, whole, named, context), context) as JsonObject;
  return { cuts, manifest };
}

/** Where nothing is left the list names the root: an empty one would mean that everything is. */
function pathList(paths: readonly string[]): readonly string[] {
  const list = paths.map((path) => {
    const text = strictUtf8(fromBinaryString(path));
    if (text !== undefined) return `/${text}`;
    throw new OcixError('image/layers', 'a list of paths cannot have names that are not UTF-8', {
      hint: 'Write one flattened image: leave out --layers.',
    });
  });
  return list.length ? list : ['/'];
}

/** What is too large for a reader's patience is not written. */
function checkManifest(manifest: Uint8Array, { limits }: Context): void {
  if (manifest.length <= limits['json-bytes']) return;
  throw new OcixError('image/layers', 'the list of paths makes the manifest larger than readers take', {
    expected: `at most ${limits['json-bytes']} bytes`,
    found: `${manifest.length} bytes`,
    hint: 'Write one flattened image: leave out --layers.',
  });
}

const fileNameFor = ({ name: { name, version }, reference }: NamedAci): string =>
  reference !== undefined
    ? dockerFileName(reference).replace(/\.aci$/, '')
    : `${name}${version === undefined ? '' : `-${version}`}`.replace(/[^A-Za-z0-9._-]/g, '-');
