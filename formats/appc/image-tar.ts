/**
 * The tar of an App Container Image, read once: its root filesystem comes out as a layer, and what else is in it is learnt on the way.
 * https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-layout
 *
 * Names, links, owners, times, attributes and devices pass as they are; only `rootfs/` goes from the front of names. Two members
 * have a meaning, `manifest` and `rootfs/`; names that climb or are absolute are refused, whatever they would lead to.
 */
import { type Context, checkAbort, note } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { RATIO_GRACE } from '../base/limits.ts';
import type { Chunks } from '../bytes/chunks.ts';
import { newHash } from '../bytes/digest.ts';
import { binaryString, fromBinaryString } from '../bytes/text.ts';
import { shownPath } from '../rootfs/path.ts';
import type { Inode } from '../rootfs/tree.ts';
import { END_OF_TAR, encodeHeader, paddingAfter } from '../tar/encoder.ts';
import type { TarEntry } from '../tar/entry.ts';
import { type Piece, pieceJoiner } from '../tar/pieces.ts';
import { tarScanner } from '../tar/scanner.ts';
import type { ResolvedNames } from './linked-names.ts';
import { mayBeDatabase, type RenderedRoot } from './rendered-root.ts';

/** What is learnt of an image while it goes by; complete when it has. */
export interface Learnt {
  /** `sha512-…`, of the uncompressed tar. */
  imageId?: string;
  /** Uncompressed bytes. */
  size?: number;
  /** Some path is in the layer more than once, which a layer must not have: `withoutRepeats`. */
  repeats?: true;
}

/** Which paths of an image are rendered, and under which names. */
export interface PathFilter extends ResolvedNames {
  keeps(path: string, isFolder: boolean): boolean;
  /** Symlinks that a converter added and the image it read did not have: targets by path. They are left out. */
  readonly added: ReadonlyMap<string, string>;
}

export const EVERYTHING: PathFilter = { keeps: () => true, renamed: new Map(), targets: new Map(), added: new Map() };

/** Folders to put in front of an entry, by the entry's place in the archive, found the first time an image is read. */
export type ImpliedFolders = Map<number, readonly string[]>;

export interface ImageTarOptions {
  readonly filter: PathFilter;
  /** Learns the entries; absent where an image is read again, and `implied` says what was found then. */
  readonly root?: RenderedRoot | undefined;
  readonly implied: ImpliedFolders;
  readonly learnt: Learnt;
}

const ROOT = fromBinaryString('./');
const NONE = new Uint8Array(0);

/**
 * The root filesystem of an image as an uncompressed layer. Ends only when `content` has, so that every byte of it counts for the id.
 *
 * @throws OcixError appc/archive, path/…, tar/…, limit/…
 */
export async function* layerOfImage(
  content: Chunks,
  { filter, root, implied, learnt }: ImageTarOptions,
  context: Context,
): AsyncGenerator<Uint8Array> {
  const pieces: Piece[] = [];
  const joined = pieceJoiner(context);
  const hash = newHash('sha512');
  const archive = archiveChecks(root ? context : undefined);
  const written = new Set<string>();
  let current: { readonly database: Inode | undefined; position: number } | undefined;
  let size = 0;
  let holes = 0;

  const put = (entry: TarEntry, path: string, link: Uint8Array): Inode | undefined => {
    const slash = entry.type === 'dir' ? '/' : '';
    const fields = { ...entry, path: path === '' ? ROOT : fromBinaryString(`${path}${slash}`), link };
    pieces.push(encodeHeader(fields));
    return root?.apply(fields);
  };

  const handler = {
    entry(entry: TarEntry): void {
      current = undefined;
      const place = archive.placeOf(entry);
      if (place === 'outside') return;
      const own = place.path;
      const path = filter.renamed.get(entry.offset) ?? own;
      if (path === own && own !== '' && !filter.keeps(own, entry.type === 'dir')) return;
      if (entry.type === 'symlink' && filter.added.get(own) === binaryString(entry.link)) return;
      const said = entry.type === 'hardlink' ? archive.linkTarget(entry) : undefined;
      const target = filter.targets.get(entry.offset) ?? said;
      if (target === path && filter.targets.has(entry.offset)) return; // this name has the content itself
      if (target === path) throw linkToItself(path);
      for (const folder of above(entry, path)) put(folderEntry(entry), folder, NONE);
      if (written.has(path)) learnt.repeats = true;
      written.add(path);
      const inode = put(entry, path, target === undefined ? entry.link : fromBinaryString(target));
      if (target !== undefined) return;
      current = { database: mayBeDatabase(path, entry) ? inode : undefined, position: 0 };
    },
    data(bytes: Uint8Array, offset: number): void {
      if (!current) return;
      leaveOut(offset - current.position);
      pieces.push(bytes);
      current.position = offset + bytes.length;
      if (current.database) root?.keep(current.database, bytes);
    },
    end(entry: TarEntry): void {
      if (!current || entry.type !== 'file') return;
      leaveOut(entry.size - current.position);
      pieces.push(paddingAfter(entry.size));
    },
  };

  function leaveOut(length: number): void {
    if (length <= 0) return;
    pieces.push(length);
    holes += length;
  }

  /** Lower images may have a link or a file where this one has a folder without saying so. */
  function above(entry: TarEntry, path: string): readonly string[] {
    const found = root ? root.replacedAbove(path).filter((folder) => !written.has(folder)) : implied.get(entry.offset);
    if (root && found?.length) implied.set(entry.offset, found);
    for (const folder of found ?? []) written.add(folder);
    return found ?? [];
  }

  root?.nextImage();
  const scanner = tarScanner(context.limits, handler);
  for await (const chunk of content) {
    checkAbort(context);
    size += chunk.length;
    hash.update(chunk);
    scanner.push(chunk);
    checkHoles(holes, size, context);
    yield* joined(pieces);
  }
  scanner.finish();
  if (!scanner.ended) throw withoutEnd();
  archive.finish();
  yield* joined([...pieces, END_OF_TAR]);
  root?.finishImage();
  learnt.imageId = hash.digest().replace(':', '-');
  learnt.size = size;
}

/** Nothing promises how long an image is, so one that was cut off between two files shows it by this alone. */
const withoutEnd = (): OcixError =>
  new OcixError('tar/truncated', 'the archive ends without the blocks that mark its end', {
    hint: 'It was probably cut off. Fetch it again.',
  });

const linkToItself = (path: string): OcixError =>
  new OcixError('path/link', `${shownPath(path)} is a hard link to itself`, { hint: 'Do not trust this image.' });

/** Holes are written out, so a few bytes could become a layer that fills a disk. @throws OcixError limit/ratio */
function checkHoles(holes: number, size: number, { limits }: Context): void {
  if (holes <= RATIO_GRACE || holes <= limits.ratio * size) return;
  throw new OcixError('limit/ratio', 'the image has sparse files that hold almost nothing', {
    expected: `at most ${limits.ratio} bytes of holes for each byte of the image`,
    found: `${holes} bytes of holes in ${size} bytes`,
    hint: `If you trust this input, raise the limit: --limit ratio=${2 ** Math.ceil(Math.log2(holes / size) + 1)}.`,
  });
}

/** An implied folder belongs to nobody in particular, and is as old as what made it necessary. */
const folderEntry = (entry: TarEntry): TarEntry => ({
  ...entry,
  type: 'dir',
  link: NONE,
  mode: 0o755,
  uid: 0,
  gid: 0,
  size: 0,
  xattrs: new Map(),
});

/** Where an entry stands. `outside` is passed over. */
type Place = 'outside' | { readonly path: string };

/** What the specification says of the archive as a whole. Notes are given where there is a context. */
function archiveChecks(context: Context | undefined) {
  const seen = new Set<string>();
  let manifests = 0;
  let rootEntry = false;
  const say = (kind: 'dropped' | 'repaired', message: string): void => {
    if (context) note(context, kind, message, 'rootfs');
  };
  return {
    placeOf(entry: TarEntry): Place {
      const name = cleanName(entry.path);
      if (name === 'manifest') {
        if (entry.type !== 'file') throw malformed('the manifest is no file');
        if (++manifests > 1) throw malformed('the archive has two manifests, and either could be meant');
        return 'outside';
      }
      if (name === '') return 'outside'; // an entry of the archive's own top, which some tools write
      if (name !== 'rootfs' && !name.startsWith('rootfs/')) {
        say('dropped', `${shownPath(name)} lies beside rootfs, where the specification has only the manifest`);
        return 'outside';
      }
      const path = name.length > 7 ? name.substring(7) : '';
      if (path === '') {
        if (entry.type !== 'dir') throw malformed(`rootfs is a ${entry.type}, not a folder`, 'path/root');
        rootEntry = true;
      }
      // Also below such a folder: layers had `.wh..wh.plnk/…` for themselves, and no reader has a folder that another one removes.
      if (/(?:^|\/)\.wh\./.test(path)) {
        say('dropped', `${shownPath(path)} would mean in a layer that a file is removed, so it cannot be in one`);
        return 'outside';
      }
      if (seen.has(path)) say('repaired', `${shownPath(path) || '/'} is there twice; the last one counts`);
      seen.add(path);
      return { path };
    },
    linkTarget(entry: TarEntry): string {
      const target = cleanName(entry.link);
      if (target.startsWith('rootfs/')) return target.substring(7);
      throw new OcixError(
        'path/escape',
        `${shownPath(cleanName(entry.path))} is a hard link to ${shownPath(target)}, outside of rootfs`,
        {
          hint: 'Do not trust this image.',
        },
      );
    },
    finish(): void {
      if (!manifests) throw malformed('the archive has no manifest');
      if (!seen.size) throw malformed('the archive has no rootfs');
      if (!rootEntry)
        say('repaired', 'rootfs has no entry of its own; it is taken for a folder of root with mode 0755');
    },
  };
}

const malformed = (message: string, code: 'appc/archive' | 'path/root' = 'appc/archive'): OcixError =>
  new OcixError(code, message, { hint: 'The file is damaged, or no App Container Image. Build it anew.' });

/** @throws OcixError path/escape: no tool that writes images writes such names */
function cleanName(bytes: Uint8Array): string {
  const name = binaryString(bytes);
  if (name.startsWith('/') || /(?:^|\/)\.\.(?:\/|$)/.test(name)) {
    throw new OcixError('path/escape', `${shownPath(name)} is absolute, or climbs`, {
      hint: 'No tool writes such an image; do not trust it.',
    });
  }
  return name
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}
