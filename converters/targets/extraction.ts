/** The layers of an image onto a disk, in order, each read once with its digests checked. */
import { type Context, checkAbort, note } from '../../formats/base/context.ts';
import { within } from '../../formats/base/errors.ts';
import { checkLimit } from '../../formats/base/limits.ts';
import type { Digest } from '../../formats/bytes/digest.ts';
import type { Image } from '../../formats/model/image.ts';
import { type Extractor, extractor } from '../../formats/rootfs/extract.ts';
import type { HeldFolder } from '../../formats/rootfs/held-folder.ts';
import type { IdMapping } from '../../formats/rootfs/owners.ts';
import { loadSyscalls } from '../../formats/rootfs/syscalls.ts';
import { hasOneId } from '../../formats/rootfs/user-namespace.ts';
import { tarScanner } from '../../formats/tar/scanner.ts';

export interface ExtractionOptions {
  /** Owners are recorded instead of set. By default so for anybody but root, and for a root who is alone in his namespace. */
  readonly rootless?: boolean | undefined;
  readonly uidMap?: readonly IdMapping[] | undefined;
  readonly gidMap?: readonly IdMapping[] | undefined;
  readonly keepDirlinks?: boolean | undefined;
  /** What an image has to complete it is run, inside of it. */
  readonly complete?: boolean | undefined;
}

export const isRootless = ({ rootless }: ExtractionOptions): boolean =>
  rootless ?? (process.getuid?.() !== 0 || hasOneId());

/** Folders that are private to us, on one file system. */
export interface ExtractionFolders {
  /** Gets a new folder `rootfs`. */
  readonly folder: HeldFolder;
  /** Gets a new folder `aside`, which is not needed afterwards. */
  readonly scratch: HeldFolder;
}

/**
 * Unpacks into `rootfs`. `look` works with the tree when it is complete and everybody may still read it; folders get their
 * permissions after that.
 */
export async function extractImage<T>(
  image: Image,
  { folder, scratch }: ExtractionFolders,
  options: ExtractionOptions,
  look: (tree: Extractor) => T,
  context: Context,
): Promise<T> {
  folder.make('rootfs').release();
  scratch.make('aside').release();
  if (options.rootless === undefined && process.getuid?.() === 0 && isRootless(options)) {
    note(
      context,
      'defaulted',
      'the user namespace that this runs in has one id only, so owners are recorded instead of set, as with --rootless',
      'rootfs',
    );
  }
  const owners = { privileged: !isRootless(options), uids: options.uidMap ?? [], gids: options.gidMap ?? [] };
  const tree = extractor({
    root: `${folder.path}/rootfs`,
    aside: `${scratch.path}/aside`,
    owners,
    syscalls: await loadSyscalls(),
    keepDirlinks: options.keepDirlinks ?? false,
  });
  try {
    const total = { bytes: 0 };
    for (const [i] of image.layers.entries())
      await within(`layer ${i + 1}`, () => extractLayer(image, i, tree, total, context));
    const seen = look(tree);
    tree.finish(context);
    return seen;
  } finally {
    tree.close();
  }
}

async function extractLayer(
  image: Image,
  index: number,
  tree: Extractor,
  total: { bytes: number },
  context: Context,
): Promise<void> {
  const layer = image.layers[index]!;
  const digest: Digest | undefined = layer.diffId ?? layer.blob.digest;
  const progress = {
    number: index + 1,
    count: image.layers.length,
    ...(digest ? { digest } : {}),
    ...(layer.size === undefined ? {} : { size: layer.size }),
  };
  context.progress({ type: 'layer-start', layer: progress });
  tree.nextLayer();
  const scanner = tarScanner(context.limits, tree.handler);
  for await (const chunk of layer.open(context)) {
    checkAbort(context);
    total.bytes += chunk.length;
    checkLimit(context.limits, 'total-bytes', total.bytes, 'the uncompressed size');
    scanner.push(chunk);
    context.progress({ type: 'layer-progress', layer: progress, done: scanner.position });
  }
  scanner.finish();
  tree.finishLayer();
  context.progress({
    type: 'layer-end',
    layer: progress,
    size: scanner.position,
    stored: { compression: 'unpacked', size: scanner.position },
  });
}
