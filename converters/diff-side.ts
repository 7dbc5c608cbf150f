/** One of the two things that are compared: an image, a bundle, or a root filesystem on the disk. */
import { readDocument } from '../formats/archive/archive.ts';
import { folderArchive } from '../formats/archive/folder.ts';
import { type Context, createContext } from '../formats/base/context.ts';
import { OcixError, within } from '../formats/base/errors.ts';
import { pathKind } from '../formats/bytes/source.ts';
import { printable } from '../formats/bytes/text.ts';
import { offersFor } from '../formats/detect.ts';
import { decode, type JsonNode } from '../formats/json/decode.ts';
import { type Json, parseJson } from '../formats/json/parse.ts';
import type { Image } from '../formats/model/image.ts';
import type { Layer } from '../formats/model/layer.ts';
import { plainTar } from '../formats/plain/index.ts';
import { type DiskRoot, readDiskFile, readDiskTree, type Unseen } from '../formats/rootfs/disk-tree.ts';
import type { IdMapping, UserNamespace } from '../formats/rootfs/owners.ts';
import { type Inode, userPath } from '../formats/rootfs/tree.ts';
import { contentsAt } from './layer-content.ts';
import { imageTree, type TreeName } from './listing.ts';
import { type OpenOptions, open } from './look.ts';
import type { Source } from './open.ts';
import { theImage } from './passes/select.ts';
import { isBundle } from './validate/bundle.ts';
import { climbs } from './validate/texts.ts';

export interface Side {
  /** As the user named it. */
  readonly name: string;
  readonly configuration: SideConfiguration;
  /** Base first; none of a folder. */
  readonly layers: readonly Layer[];
  tree(options: { readonly digest: boolean }, context: Context): Promise<SideTree>;
  /** The contents of files of the tree; whoever asks bounds their number and sizes. What is gone meanwhile is left out. */
  contents(names: readonly TreeName[], context: Context): Promise<ReadonlyMap<Inode, Uint8Array>>;
  close(): Promise<void>;
}

export type SideConfiguration =
  | { readonly kind: 'image'; readonly image: Image }
  /** `config.json`. */
  | { readonly kind: 'runtime'; readonly document: { readonly [name: string]: Json } }
  | { readonly kind: 'none'; readonly why: string };

export interface SideTree {
  /** Where somebody names it. */
  readonly root: Inode | undefined;
  readonly names: readonly TreeName[];
  readonly unseen: readonly Unseen[];
}

export interface SideOptions extends OpenOptions {
  /** Of a folder: ids on the disk are these of the host. */
  readonly namespace?: UserNamespace | undefined;
}

const NO_MAPPING: UserNamespace = { uids: [], gids: [] };

/** A source as everywhere; and `bundle:DIR`, `rootfs:DIR`, or a folder that is no image. @throws OcixError as `open` does */
export async function openSide(source: Source, options: SideOptions): Promise<Side> {
  const name = printable(
    typeof source === 'string'
      ? source
      : 'files' in source
        ? source.files.join(',')
        : (source.name ?? 'standard input'),
  );
  const folder = typeof source === 'string' ? await folderOf(source, options) : undefined;
  if (!folder) return { name, ...(await imageSide(source, options)) };
  const { path, kind } = folder;
  if (kind === 'bundle') return { name, ...(await within(name, () => bundleSide(path, options))) };
  const why = `${printable(path)} is a root filesystem, and has no configuration`;
  return { name, ...diskSide({ folder: path, below: '' }, options.namespace ?? NO_MAPPING, { kind: 'none', why }) };
}

type Unnamed = Omit<Side, 'name'>;

interface Folder {
  readonly kind: 'bundle' | 'rootfs';
  readonly path: string;
}

async function folderOf(text: string, options: SideOptions): Promise<Folder | undefined> {
  const match = /^(bundle|rootfs):(.+)$/s.exec(text);
  if (match && (await pathKind(text)) === 'absent') return { kind: match[1] as Folder['kind'], path: match[2]! };
  if (options.from !== undefined || (await pathKind(text)) !== 'folder') return undefined;
  const archive = await folderArchive(text, createContext(options));
  const [names, offers] = [archive.names(), await offersFor(archive)];
  await archive.close();
  if (offers.length) return undefined;
  return { kind: isBundle(names) && names.includes(CONFIG) ? 'bundle' : 'rootfs', path: text };
}

async function imageSide(source: Source, options: OpenOptions): Promise<Unnamed> {
  const { format, items, close } = await open(source, options);
  try {
    const image = theImage(items, createContext(options).host);
    let origin: ReadonlyMap<Inode, number> = new Map();
    return {
      configuration:
        format === plainTar.name
          ? { kind: 'none', why: 'a root filesystem tar has no configuration' }
          : { kind: 'image', image },
      layers: image.layers,
      async tree(wanted, context) {
        const tree = await imageTree(image, wanted, context);
        origin = tree.origin;
        return { ...tree, unseen: [] };
      },
      contents: (names, context) => layerContents(image, origin, names, context),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function layerContents(
  image: Image,
  origin: ReadonlyMap<Inode, number>,
  names: readonly TreeName[],
  context: Context,
): Promise<ReadonlyMap<Inode, Uint8Array>> {
  const found = new Map<Inode, Uint8Array>();
  for (const [i, layer] of image.layers.entries()) {
    const here = names.filter(({ inode }) => origin.get(inode) === i);
    if (!here.length) continue;
    const contents = await contentsAt(layer, new Set(here.map(({ inode }) => inode.entry!.offset)), context);
    for (const { inode } of here) {
      const content = contents.get(inode.entry!.offset);
      if (content) found.set(inode, content);
    }
  }
  return found;
}

function diskSide(root: DiskRoot, namespace: UserNamespace, configuration: SideConfiguration): Unnamed {
  return {
    configuration,
    layers: [],
    async tree({ digest }, context) {
      const tree = await readDiskTree(root, { digest, namespace }, context);
      const firsts = new Map<Inode, string>();
      const names = tree.names.map(({ path, inode }): TreeName => {
        const first = firsts.get(inode);
        if (first === undefined) firsts.set(inode, path);
        return { path, inode, first, layer: undefined };
      });
      return { ...tree, names };
    },
    async contents(names) {
      const found = new Map<Inode, Uint8Array>();
      for (const { path, inode } of names) {
        const content = await readDiskFile(root, path, inode.entry!.size);
        if (content) found.set(inode, content);
      }
      return found;
    },
    close: async () => {},
  };
}

const CONFIG = 'config.json';

async function bundleSide(path: string, options: SideOptions): Promise<Unnamed> {
  const context = createContext(options);
  const archive = await folderArchive(path, context);
  const bytes = await readDocument(archive, CONFIG, context);
  const { document, root, namespace } = await within(CONFIG, async () => {
    const value = decode(parseJson(bytes, context)).object();
    const linux = value.get('linux')?.object();
    return {
      document: value.value,
      root: value.require('root').object().require('path'),
      namespace: { uids: mappings(linux?.get('uidMappings')), gids: mappings(linux?.get('gidMappings')) },
    };
  });
  const text = root.string();
  const below = userPath(text);
  if (below === '' || text.startsWith('/') || climbs(text) || text.includes('\0')) {
    throw new OcixError(
      'path/escape',
      `the root filesystem ${JSON.stringify(printable(text))} is no folder in the bundle`,
      { at: [CONFIG, root.pointer], hint: 'If you trust it, compare the folder itself: rootfs:DIR.' },
    );
  }
  const own = options.namespace ?? namespace;
  return diskSide({ folder: path, below }, own, { kind: 'runtime', document });
}

const mappings = (node: JsonNode | undefined): readonly IdMapping[] =>
  node?.array().map((one) => {
    const mapping = one.object();
    const [container, host] = [mapping.require('containerID'), mapping.require('hostID')];
    return { container: container.count(), host: host.count(), size: mapping.require('size').count() };
  }) ?? [];
