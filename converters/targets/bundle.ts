/**
 * Runtime bundles: a root filesystem and the `config.json` that runs it; and the root filesystem alone. Layers go from the
 * source onto the disk in one step, without a compressed image in between.
 * https://github.com/opencontainers/runtime-spec/blob/v1.0.2/bundle.md
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../formats/base/context.ts';
import { digestOf } from '../../formats/bytes/digest.ts';
import { outputError } from '../../formats/bytes/output-error.ts';
import { utf8Bytes } from '../../formats/bytes/text.ts';
import type { Json } from '../../formats/json/parse.ts';
import type { Image, Item } from '../../formats/model/image.ts';
import type { Extractor } from '../../formats/rootfs/extract.ts';
import { type HeldFolder, holdFolder } from '../../formats/rootfs/held-folder.ts';
import type { FolderInRoot } from '../../formats/rootfs/root-folder.ts';
import type { Tree } from '../../formats/rootfs/tree.ts';
import { blobStore } from '../../formats/store/blobs.ts';
import { destination, occupied, type Staging, stageFor } from '../../formats/store/staging.ts';
import { theImage } from '../passes/select.ts';
import { type RootView, type RuntimeOptions, runtimeConfig } from '../runtime/config.ts';
import { type Carries, FIELDS, IMAGE_FIELDS } from './carries.ts';
import { type ExtractionOptions, extractImage, isRootless } from './extraction.ts';
import type { WrittenImage } from './oci-documents.ts';
import { plainKeeper } from './stream-keeper.ts';
import type { Target, TargetOptions, TargetSink } from './target.ts';

export const bundle: Target = {
  name: 'bundle',
  what: 'a bundle',
  carries: {
    ...IMAGE_FIELDS,
    names: '-',
    platform: { as: 'annotations' },
    created: { as: 'annotation' },
    author: { as: 'annotation' },
    runtimeEnv: 'yes',
    user: { as: 'as numbers' },
    supplementaryGroups: 'yes',
    stopSignal: { as: 'annotation' },
    exposedPorts: { as: 'annotation' },
    volumes: { as: 'a mount each' },
    mountPoints: 'yes',
    isolation: { as: 'what a runtime can be told' },
    labels: { as: 'annotations' },
    healthcheck: { as: 'annotation `io.ocix.healthcheck`' },
    onBuild: '-',
    shell: '-',
    other: '-',
    history: '-',
    annotations: '-',
    layers: { as: 'as one tree' },
  },
  summary: 'an OCI runtime bundle: rootfs/ and config.json',
  open: (out, options, context) => openFolder(out, options, context, writeBundle),
};

/** The root filesystem alone, for `unpack`; it is no target that a user can name. */
export const rootfsFolder = {
  name: 'rootfs',
  what: 'a folder',
  carries: Object.fromEntries(FIELDS.map((field) => [field, '-'])) as Carries,
  summary: 'the root filesystem as a folder',
  open: (out: string, options: TargetOptions, context: Context): Promise<TargetSink> =>
    openFolder(out, options, context, async (image, folder, { extraction = {} }, own) => {
      await extractImage(image, { folder, scratch: folder }, extraction, () => {}, own);
      return 'rootfs';
    }),
};

/** Writes below the private folder; gives the name of what is to be put in place. */
type Write = (image: Image, folder: HeldFolder, options: TargetOptions, context: Context) => Promise<string>;

async function openFolder(out: string, options: TargetOptions, context: Context, write: Write): Promise<TargetSink> {
  const there = await destination(out);
  if (!options.replace && (there.state === 'file' || there.state === 'folder'))
    throw occupied(out, there.state === 'file' ? 'is a file' : 'is a folder with something in it');
  const staging = await stageFor(there);
  const folder = await held(staging);
  let made = '';
  return {
    keep: plainKeeper(blobStore(join(staging.path, 'blobs'))),
    async write(items: readonly Item[]): Promise<readonly WrittenImage[]> {
      const image = theImage(items, context.host);
      made = await write(image, folder, options, context);
      return [
        {
          image,
          digest: image.original.manifest?.digest ?? digestOf(image.original.config?.bytes ?? new Uint8Array(0)),
          layers: [],
        },
      ];
    },
    async commit() {
      folder.empty(made);
      await put(staging, made, out, options);
      folder.release();
    },
    async discard() {
      const removed = emptied(folder);
      folder.release();
      // What somebody keeps putting there stays in a hidden folder: removing it by its path could lead anywhere.
      if (removed) await staging.discard();
    },
  };
}

async function held(staging: Staging): Promise<HeldFolder> {
  try {
    return holdFolder(staging.path);
  } catch (error) {
    await staging.discard();
    throw error;
  }
}

function emptied(folder: HeldFolder): boolean {
  try {
    folder.empty();
    return true;
  } catch {
    return false;
  }
}

async function put(staging: Staging, made: string, out: string, { replace }: TargetOptions): Promise<void> {
  if (replace) return staging.replace(made);
  if (!(await staging.place(made))) throw occupied(out, 'has appeared meanwhile');
}

async function writeBundle(
  image: Image,
  scratch: HeldFolder,
  options: TargetOptions,
  context: Context,
): Promise<string> {
  const { extraction = {}, runtime = { terminal: false, readOnly: false } } = options;
  const folder = scratch.make('bundle');
  try {
    const config = await extractImage(
      image,
      { folder, scratch },
      extraction,
      (tree) => runtimeConfig(image.config, viewOf(tree), withNamespace(runtime, extraction), context),
      context,
    );
    await writeFile(`${folder.path}/config.json`, configBytes(config), { flag: 'wx' }).catch((cause: unknown) => {
      throw outputError('config.json', cause);
    });
    return 'bundle';
  } finally {
    folder.release();
  }
}

/** For people, who edit it. */
export const configBytes = (config: Json): Uint8Array => utf8Bytes(`${JSON.stringify(config, null, 2)}\n`);

/** Without privileges a bundle needs a user namespace; a mapping that the user gives is always one. */
export function withNamespace(runtime: RuntimeOptions, extraction: ExtractionOptions): RuntimeOptions {
  const { uidMap = [], gidMap = [] } = extraction;
  if (!isRootless(extraction) && !uidMap.length && !gidMap.length) return runtime;
  const own = (id: number | undefined) => [{ container: 0, host: id ?? 0, size: 1 }];
  return {
    ...runtime,
    userNamespace: {
      uids: uidMap.length ? uidMap : own(process.getuid?.()),
      gids: gidMap.length ? gidMap : own(process.getgid?.()),
    },
  };
}

/** User databases are small; one that is not is an attack on the memory of whoever reads it. */
export const MOST_DATABASE = 10 * 2 ** 20;

const viewOf = (tree: Extractor): RootView => ({
  file: (path) => tree.read(path, MOST_DATABASE),
  folder: (path) => folderInTree(tree.tree, path),
});

/** The folder at a path of a merged tree, links followed; one that no entry names is root's. */
export function folderInTree(tree: Tree, path: string): FolderInRoot | undefined {
  const real = tree.real(path);
  const node = real === undefined ? undefined : tree.lookup(real);
  if (!node?.children) return undefined;
  const { mode = 0o755, uid = 0, gid = 0 } = node.inode.entry ?? {};
  return { mode, uid, gid, isEmpty: node.children.size === 0 };
}
