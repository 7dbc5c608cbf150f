/**
 * Path whitelists: which paths of an image are rendered, given its own list and those of the images above it.
 * https://github.com/appc/spec/blob/v0.8.11/spec/ace.md#filesystem-setup
 *
 * rkt's renderer differs from the specification: of several lists above an image it looked at one only, and that could be a sibling's.
 * https://github.com/appc/spec/blob/v0.8.11/pkg/acirenderer/acirenderer.go
 */
import type { Context } from '../base/context.ts';
import { checkAbort } from '../base/context.ts';
import { binaryString, utf8Bytes } from '../bytes/text.ts';
import { cleanPath, cleanText } from '../rootfs/path.ts';
import { tarScanner } from '../tar/scanner.ts';
import type { Rendered } from './dependencies.ts';
import type { ImageFile } from './image-file.ts';
import { EVERYTHING, type PathFilter } from './image-tar.ts';

/** Whether a path of an image is rendered. */
export type Keeps = PathFilter['keeps'];

interface Lists {
  readonly own: ReadonlySet<string> | undefined;
  readonly upper: readonly ReadonlySet<string>[];
}

const always: Keeps = () => true;

/** An image's own folders are kept whether listed or not; what lists above do not name goes, folders too. */
function keepsOf({ own, upper }: Lists): Keeps {
  if (!own && !upper.length) return always;
  return (path, isFolder) => (isFolder || !own || own.has(path)) && upper.every((list) => list.has(path));
}

const listOf = ({ manifest }: ImageFile): ReadonlySet<string> | undefined =>
  manifest.pathWhitelist &&
  new Set(manifest.pathWhitelist.map((path) => cleanText(binaryString(utf8Bytes(path))).path));

/** As the specification has it: every list on the branch counts. */
export function specifiedLists({ file, branch }: Rendered): Keeps {
  const upper = branch.slice(0, -1).flatMap((above) => listOf(above) ?? []);
  return keepsOf({ own: listOf(file), upper });
}

/** As rkt rendered: the images upper first, each with the last list that is found going up from level to level. */
export function rktLists(order: readonly Rendered[], index: number): Keeps {
  const { file, branch } = order[index]!;
  let level = branch.length;
  let upper: ReadonlySet<string> | undefined;
  // The order is base first, so that what stands above an image in rkt's list comes behind it in ours. The level is that of the image looked at
  // last, whoever's it is: that is how a sibling's list gets in.
  for (const above of order.slice(index + 1)) {
    if (above.branch.length < level) upper = listOf(above.file) ?? upper;
    level = above.branch.length;
  }
  return keepsOf({ own: listOf(file), upper: upper ? [upper] : [] });
}

/**
 * The filter for one image. A hard link whose target is not kept gets its content; therefore the names are read once before. Told by `differs`
 * is every path on which the two ways of rendering disagree.
 */
export async function filterFor(
  file: ImageFile,
  keeps: Keeps,
  other: Keeps,
  differs: (path: string) => void,
  context: Context,
): Promise<PathFilter> {
  if (keeps === always && other === always) return EVERYTHING;
  const renamed = new Map<string, string>();
  const dropped = new Set<string>();
  const scanner = tarScanner(context.limits, {
    entry(entry) {
      const path = inRoot(entry.path);
      if (path === undefined || path === '') return;
      const kept = keeps(path, entry.type === 'dir');
      if (kept !== other(path, entry.type === 'dir')) differs(path);
      if (!kept && entry.type === 'file') dropped.add(path);
      if (!kept || entry.type !== 'hardlink') return;
      const target = inRoot(entry.link);
      if (target !== undefined && dropped.has(target) && !renamed.has(target)) renamed.set(target, path);
    },
  });
  for await (const chunk of file.open()) {
    checkAbort(context);
    scanner.push(chunk);
  }
  return { keeps, renamed };
}

function inRoot(name: Uint8Array): string | undefined {
  const { path } = cleanPath(name);
  if (path === 'rootfs') return '';
  return path.startsWith('rootfs/') ? path.substring(7) : undefined;
}
