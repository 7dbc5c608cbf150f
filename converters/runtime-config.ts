/** `config.json` alone: users are looked up in a root filesystem that is there, or in the layers. */
import { type Context, type ContextOptions, createContext } from '../formats/base/context.ts';
import { within } from '../formats/base/errors.ts';
import { digestOf } from '../formats/bytes/digest.ts';
import type { Json } from '../formats/json/parse.ts';
import type { Image } from '../formats/model/image.ts';
import { containerId, type UserNamespace } from '../formats/rootfs/owners.ts';
import { folderInRoot, readInRoot } from '../formats/rootfs/root-folder.ts';
import { type Inode, mergedTree } from '../formats/rootfs/tree.ts';
import { tarScanner } from '../formats/tar/scanner.ts';
import { scratchKeeper } from './keepers.ts';
import { contentsAt } from './layer-content.ts';
import { openSource, type Source, type SourceOptions } from './open.ts';
import { parsePlatform, selectItems, selectPlatform, theImage } from './passes/select.ts';
import { type Report, refuseNotes, reportOf } from './report.ts';
import { checkConfig, type RootView, type RuntimeOptions, runtimeConfig } from './runtime/config.ts';
import { configBytes, folderInTree, MOST_DATABASE } from './targets/bundle-folder.ts';

export interface RuntimeConfigOptions extends ContextOptions, SourceOptions {
  readonly platform?: string | undefined;
  /** A root filesystem to look users up in, instead of the image's layers. */
  readonly rootfs?: string | undefined;
  readonly runtime?: RuntimeOptions | undefined;
  /** Refuses where anything would be lost, guessed or repaired. */
  readonly strict?: boolean | undefined;
  /** For the report: where the document goes. */
  readonly out?: string | undefined;
}

export interface DescribedRuntime {
  /** `config.json`. */
  readonly config: Json;
  readonly report: Report;
}

/** What `bundle` would write as `config.json`. @throws OcixError as `convert` does */
export async function configOf(source: Source, options: RuntimeConfigOptions = {}): Promise<Json> {
  return (await describeRuntime(source, options)).config;
}

/** The same, with what was lost on the way. @throws OcixError as `convert` does; strict/notes where anything was and nothing may be */
export async function describeRuntime(source: Source, options: RuntimeConfigOptions = {}): Promise<DescribedRuntime> {
  const context = createContext(options);
  const scratch = scratchKeeper();
  try {
    const opened = await openSource(source, options, scratch.keep, context);
    try {
      const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
      const image = theImage(selectPlatform(selectItems(opened.items, opened.selector), platform), context.host);
      checkConfig(image.config);
      const { rootfs, runtime = { terminal: false, readOnly: false } } = options;
      const root =
        rootfs === undefined ? await viewOfLayers(image, context) : viewOfFolder(rootfs, runtime.userNamespace);
      const config = runtimeConfig(image.config, root, runtime, context);
      const written = { image, digest: digestOf(configBytes(config)), layers: [] };
      const target = { format: 'runtime-config', out: options.out ?? '-' };
      const report = reportOf(opened, target, [written], () => image.names, context);
      if (options.strict) refuseNotes(report);
      return { config, report };
    } finally {
      await opened.close();
    }
  } finally {
    await scratch.remove();
  }
}

const viewOfFolder = (root: string, namespace: UserNamespace | undefined): RootView => ({
  file: (path) => readInRoot(root, path, MOST_DATABASE),
  folder: (path) => {
    const found = folderInRoot(root, path);
    if (!found || !namespace) return found;
    return { ...found, uid: containerId(found.uid, namespace.uids), gid: containerId(found.gid, namespace.gids) };
  },
});

const DATABASES = ['etc/passwd', 'etc/group'];

/** The layers are read for their names, and those that hold a user database once more. */
export async function viewOfLayers(image: Image, context: Context): Promise<RootView> {
  const tree = mergedTree();
  /** The layer that each file came with. */
  const origin = new Map<Inode, number>();
  for (const [i, layer] of image.layers.entries()) {
    await within(`layer ${i + 1}`, async () => {
      tree.nextLayer();
      const scanner = tarScanner(context.limits, {
        entry(entry) {
          const inode = tree.apply(entry);
          if (inode && entry.type === 'file') origin.set(inode, i);
        },
      });
      for await (const chunk of layer.open(context)) scanner.push(chunk);
      scanner.finish();
      tree.finishLayer();
    });
  }
  const contents = new Map<Inode, Uint8Array>();
  for (const path of DATABASES) {
    const inode = inodeAt(path);
    const layer = inode && origin.get(inode);
    if (layer === undefined || inode!.entry!.size > MOST_DATABASE) continue;
    const { offset } = inode!.entry!;
    const content = (await contentsAt(image.layers[layer]!, new Set([offset]), context)).get(offset);
    if (content) contents.set(inode!, content);
  }
  return {
    file: (path) => contents.get(inodeAt(path)!),
    folder: (path) => folderInTree(tree, path),
  };

  function inodeAt(path: string): Inode | undefined {
    const real = tree.real(path);
    return real === undefined ? undefined : tree.lookup(real)?.inode;
  }
}
