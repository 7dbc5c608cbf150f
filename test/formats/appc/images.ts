/** App Container Images from recipes, read as the reader reads them, and what is in them as plain data. */
import { type AciRecipe, aciTar, type GraphNode, graphImage } from '../../../fixtures/aci.ts';
import type { ImageCatalog } from '../../../formats/appc/dependencies.ts';
import { type ImageFile, openImage } from '../../../formats/appc/image-file.ts';
import { imageOf } from '../../../formats/appc/index.ts';
import type { Context } from '../../../formats/base/context.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../formats/base/limits.ts';
import { chunksOf } from '../../../formats/bytes/chunks.ts';
import { binaryString } from '../../../formats/bytes/text.ts';
import type { ImageConfig } from '../../../formats/model/config.ts';
import type { Image } from '../../../formats/model/image.ts';
import { type Inode, mergedTree, treePaths } from '../../../formats/rootfs/tree.ts';
import { tarScanner } from '../../../formats/tar/scanner.ts';
import { contextWith, READING, whole } from '../support.ts';

export const fileFrom = (bytes: Uint8Array, place = 'app.aci', context: Context = contextWith()): Promise<ImageFile> =>
  openImage({ place, size: bytes.length, costly: false, open: () => chunksOf(bytes) }, context);

export function catalogOf(files: readonly ImageFile[]): () => Promise<ImageCatalog> {
  const named = (name: string) => files.filter(({ manifest }) => manifest.name === name);
  return async () => ({ places: ['./images'], named, all: () => files });
}

export interface ReadOptions {
  /** Images that may be depended on. */
  readonly among?: readonly ImageFile[];
  readonly compatible?: boolean;
  readonly limits?: Partial<Limits>;
}

export interface ReadImage {
  readonly image: Image;
  /** `KIND: message`. */
  readonly notes: readonly string[];
}

export async function readAci(
  recipe: AciRecipe | Uint8Array,
  { among = [], compatible = false, limits = {} }: ReadOptions = {},
): Promise<ReadImage> {
  const context = contextWith(limits);
  const file = await fileFrom(recipe instanceof Uint8Array ? recipe : aciTar(recipe), 'app.aci', context);
  const image = await imageOf(file, catalogOf(among), { ...READING, compatible }, context);
  return { image, notes: notesOf(context) };
}

export const notesOf = (context: Context): readonly string[] =>
  context.notes.all().map(({ kind, message }) => `${kind}: ${message}`);

/** The configuration of an image whose manifest has this app, and the notes. */
export async function configFrom(
  manifest: NonNullable<AciRecipe['manifest']>,
  rootfs: AciRecipe['rootfs'] = [],
): Promise<{ readonly config: ImageConfig; readonly notes: readonly string[] }> {
  const { image, notes } = await readAci({ manifest, rootfs });
  return { config: image.config, notes };
}

/** The images of a graph; the first is the top. */
export async function readGraph(
  nodes: Readonly<Record<string, GraphNode>>,
  options: Omit<ReadOptions, 'among'> = {},
): Promise<ReadImage> {
  const [top, ...others] = Object.entries(nodes);
  const among = others.map(([key, node]) => fileFrom(aciTar(graphImage(key, node)), `${key}.aci`));
  return readAci(graphImage(...top!), { ...options, among: await Promise.all(among) });
}

export const layersOf = (image: Image): Promise<readonly Uint8Array[]> =>
  Promise.all(image.layers.map((layer) => whole(layer.open(contextWith()))));

/** What is at each path: a file's content, `dir`, `-> TARGET`, or another type. Names of one file show the same content. */
export const treeOf = async (image: Image): Promise<Tree> => treeOfLayers(await layersOf(image));

type Tree = Readonly<Record<string, string>>;

export function treeOfLayers(layers: readonly Uint8Array[]): Tree {
  const tree = mergedTree();
  for (const layer of layers) {
    let inode: Inode | undefined;
    tree.nextLayer();
    const scanner = tarScanner(DEFAULT_LIMITS, {
      entry(entry) {
        inode = tree.apply(entry);
      },
      data(bytes) {
        if (inode) inode.content = (inode.content ?? '') + binaryString(bytes);
      },
    });
    scanner.push(layer);
    scanner.finish();
    tree.finishLayer();
  }
  return Object.fromEntries(
    treePaths(tree).map(([path, { inode, children }]) => {
      if (children) return [path, 'dir'];
      const { type, link } = inode.entry!;
      return [path, type === 'symlink' ? `-> ${binaryString(link)}` : type === 'file' ? (inode.content ?? '') : type];
    }),
  );
}
