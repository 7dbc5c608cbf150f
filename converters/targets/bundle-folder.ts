/** One bundle inside a folder that is ours: a root filesystem, and the `config.json` that belongs to it. */
import { chmodSync, chownSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Context } from '../../formats/base/context.ts';
import { outputError } from '../../formats/bytes/output-error.ts';
import { utf8Bytes } from '../../formats/bytes/text.ts';
import type { Json } from '../../formats/json/parse.ts';
import type { Image } from '../../formats/model/image.ts';
import type { Extractor } from '../../formats/rootfs/extract.ts';
import type { HeldFolder } from '../../formats/rootfs/held-folder.ts';
import type { FolderInRoot } from '../../formats/rootfs/root-folder.ts';
import type { Tree } from '../../formats/rootfs/tree.ts';
import { checkConfig, type RootView, type RuntimeOptions, runtimeConfig } from '../runtime/config.ts';
import { completeImage } from './completion.ts';
import { type ExtractionFolders, type ExtractionOptions, extractImage, isRootless } from './extraction.ts';
import type { TargetOptions } from './target.ts';

/** @throws OcixError output/write, and what extracting and describing throw */
export async function fillBundle(
  image: Image,
  folders: ExtractionFolders,
  { extraction = {}, runtime = PLAIN }: Pick<TargetOptions, 'extraction' | 'runtime'>,
  context: Context,
): Promise<void> {
  checkConfig(image.config);
  const config = await extractImage(
    image,
    folders,
    extraction,
    (tree) => runtimeConfig(image.config, viewOf(tree), withNamespace(runtime, extraction), context),
    context,
  );
  if (extraction.complete && image.completion)
    await completeImage(
      `${folders.folder.path}/rootfs`,
      image.completion,
      config as { readonly [name: string]: Json },
      context,
    );
  await writeNew(`${folders.folder.path}/config.json`, configBytes(config));
  openToMappedRoot(folders.folder, extraction);
}

/** The root of a mapping is somebody else on the host, and has to pass the folder to start; nobody else may, nor may he change it. */
export function openToMappedRoot(folder: HeldFolder, extraction: ExtractionOptions): void {
  const { gidMap = [] } = extraction;
  const root = isRootless(extraction) ? undefined : gidMap.find(({ container }) => container === 0);
  if (!root) return;
  chownSync(folder.path, process.getuid?.() ?? 0, root.host);
  chmodSync(folder.path, 0o710);
}

export const PLAIN: RuntimeOptions = { terminal: false, readOnly: false };

/** @param path of a file that does not exist yet, in a held folder @throws OcixError output/write */
export async function writeNew(path: string, bytes: Uint8Array, mode = 0o644): Promise<void> {
  const name = path.slice(path.lastIndexOf('/') + 1);
  await writeFile(path, bytes, { flag: 'wx', mode }).catch((cause: unknown) => {
    throw outputError(name, cause);
  });
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
