/**
 * Path whitelists: which paths of an image are rendered, given its own list and those of the images above it.
 * https://github.com/appc/spec/blob/v0.8.11/spec/ace.md#filesystem-setup
 *
 * rkt's renderer differs from the specification: of several lists above an image it looked at one only, and that could be a sibling's.
 * https://github.com/appc/spec/blob/v0.8.11/pkg/acirenderer/acirenderer.go
 */
import { type Context, checkAbort } from '../base/context.ts';
import { digestOf } from '../bytes/digest.ts';
import { binaryString, utf8Bytes } from '../bytes/text.ts';
import { cleanPath, cleanText } from '../rootfs/path.ts';
import { tarScanner } from '../tar/scanner.ts';
import type { Rendered } from './dependencies.ts';
import type { ImageFile } from './image-file.ts';
import { EVERYTHING, type PathFilter } from './image-tar.ts';
import { linkedNames } from './linked-names.ts';

/** Which paths of an image are rendered. */
export interface Selection {
  keeps(path: string, isFolder: boolean): boolean;
  /** The same for selections that keep the same. */
  readonly key: string;
}

type PathList = ReadonlySet<string>;

const EVERY_PATH: Selection = { keeps: () => true, key: '' };

/** An image's own folders are kept whether listed or not; what lists above do not name goes, folders too. */
function selection(own: PathList | undefined, upper: readonly PathList[]): Selection {
  if (!own && !upper.length) return EVERY_PATH;
  const lists = [own, ...upper].map((list) => (list ? [...list].sort() : null));
  return {
    keeps: (path, isFolder) => (isFolder || !own || own.has(path)) && upper.every((list) => list.has(path)),
    key: digestOf(utf8Bytes(JSON.stringify(lists))),
  };
}

const listOf = ({ manifest }: ImageFile): PathList | undefined =>
  manifest.pathWhitelist &&
  new Set(manifest.pathWhitelist.map((path) => cleanText(binaryString(utf8Bytes(path))).path));

/** As the specification has it: every list on the branch counts. */
export function specifiedLists({ file, branch }: Rendered): Selection {
  const upper = branch.slice(0, -1).flatMap((above) => listOf(above) ?? []);
  return selection(listOf(file), upper);
}

/** As rkt rendered: the images upper first, each with the last list that is found going up from level to level. */
export function rktLists(order: readonly Rendered[], index: number): Selection {
  const { file, branch } = order[index]!;
  let level = branch.length;
  let upper: PathList | undefined;
  // The order is base first, so that what stands above an image in rkt's list comes behind it in ours. The level is that of the image looked at
  // last, whoever's it is: that is how a sibling's list gets in.
  for (const above of order.slice(index + 1)) {
    if (above.branch.length < level) upper = listOf(above.file) ?? upper;
    level = above.branch.length;
  }
  return selection(listOf(file), upper ? [upper] : []);
}

/** docker2aci's images have this annotation, and links that every runtime makes by itself. */
const FROM_DOCKER = 'appc.io/docker/repository';
const ADDED_LINKS: PathFilter['added'] = new Map([
  ['dev/fd', '/proc/self/fd'],
  ['dev/stdin', '/proc/self/fd/0'],
  ['dev/stdout', '/dev/console'],
  ['dev/stderr', '/dev/console'],
]);
const NO_LINKS: PathFilter['added'] = new Map();

/**
 * The filter for one image. What a hard link has as content is decided by where the content stands, which may have another name or be
 * under none that is kept; therefore the names are read once before. Told by `differs` is every path on which the two ways of rendering
 * disagree.
 */
export async function filterFor(
  file: ImageFile,
  wanted: Selection,
  other: Selection,
  differs: (path: string) => void,
  context: Context,
): Promise<PathFilter> {
  const added = file.manifest.annotations.has(FROM_DOCKER) ? ADDED_LINKS : NO_LINKS;
  if (wanted === EVERY_PATH && other === EVERY_PATH) return { ...EVERYTHING, added };
  const names = linkedNames();
  const scanner = tarScanner(context.limits, {
    entry(entry) {
      const path = inRoot(entry.path);
      if (path === undefined || path === '') return;
      const kept = wanted.keeps(path, entry.type === 'dir');
      if (kept !== other.keeps(path, entry.type === 'dir')) differs(path);
      const name = { path, kept, offset: entry.offset };
      if (entry.type === 'hardlink') names.link(name, inRoot(entry.link));
      else if (entry.type !== 'dir') names.content(name);
    },
  });
  for await (const chunk of file.open()) {
    checkAbort(context);
    scanner.push(chunk);
  }
  return { keeps: wanted.keeps, added, ...names.resolved() };
}

function inRoot(name: Uint8Array): string | undefined {
  const { path } = cleanPath(name);
  if (path === 'rootfs') return '';
  return path.startsWith('rootfs/') ? path.substring(7) : undefined;
}
