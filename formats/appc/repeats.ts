/**
 * A layer in which every path is there once, as the specification demands, of one that an image gave with some paths twice.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#distributable-format
 *
 * The last entry of a path counts, as for everybody who extracts them in order. A folder stands where it stood first, since what is in it may
 * need it there, and is what its last entry says.
 */
import { type Context, checkAbort } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import type { Chunks } from '../bytes/chunks.ts';
import { fromBinaryString } from '../bytes/text.ts';
import { cleanPath, parentOf, shownPath } from '../rootfs/path.ts';
import { END_OF_TAR, encodeHeader, paddingAfter } from '../tar/encoder.ts';
import type { TarEntry } from '../tar/entry.ts';
import { type Piece, pieceJoiner } from '../tar/pieces.ts';
import { tarScanner } from '../tar/scanner.ts';
import { linkedNames, type ResolvedNames } from './linked-names.ts';

/** What is known of the entries before they are written; by the places of their headers in the layer. */
interface Plan extends ResolvedNames {
  /** Whether an entry is the one that stays of its path. */
  stays(entry: TarEntry, path: string): boolean;
  /** What the last entry of its path says, for one that stays and is not the last. */
  readonly said: ReadonlyMap<number, TarEntry>;
}

/**
 * Reads the layer once.
 *
 * @param open the uncompressed layer, without sparse files; can be called again
 * @throws OcixError appc/archive where what is meant depends on who extracts it, tar/…, limit/…
 */
export async function withoutRepeats(open: () => Chunks, context: Context): Promise<() => Chunks> {
  const plan = await planFor(open(), context);
  return () => rewritten(open(), plan, context);
}

const NONE = new Uint8Array(0);

/** Of one path. */
interface Stay {
  /** Of the entry that stays. */
  readonly at: number;
  readonly isFolder: boolean;
  /** It is not the first entry of its path, and not all of them are folders. */
  readonly replaces: boolean;
  repeated: boolean;
}

async function planFor(content: Chunks, context: Context): Promise<Plan> {
  const stay = new Map<string, Stay>();
  const said = new Map<number, TarEntry>();
  const linkable: { readonly path: string; readonly offset: number; readonly target: string | undefined }[] = [];
  const scanner = tarScanner(context.limits, {
    entry(entry) {
      const { path } = cleanPath(entry.path);
      const isFolder = entry.type === 'dir';
      const earlier = stay.get(path);
      const repeated = earlier !== undefined;
      if (earlier && isFolder && earlier.isFolder) {
        said.set(earlier.at, { ...entry, path: NONE, header: [] });
        earlier.repeated = true;
      } else stay.set(path, { at: entry.offset, isFolder, replaces: repeated, repeated });
      if (isFolder) return;
      const target = entry.type === 'hardlink' ? cleanPath(entry.link).path : undefined;
      if (target !== undefined && !stay.has(target)) throw ambiguous(path, 'a hard link to what comes only later');
      linkable.push({ path, offset: entry.offset, target });
    },
  });
  for await (const chunk of content) {
    checkAbort(context);
    scanner.push(chunk);
  }
  const aboveOf = obstacles(stay);
  for (const [path, { repeated }] of stay) {
    const { replaced, other } = aboveOf(parentOf(path));
    const above = replaced ?? (repeated ? other : undefined);
    if (above !== undefined) throw ambiguous(path, `below ${shownPath(above)}, which is not always a folder`);
  }
  const names = linkedNames();
  for (const { path, offset, target } of linkable) {
    const name = { path, offset, kept: stay.get(path)!.at === offset };
    if (target === undefined) names.content(name);
    else names.link(name, target);
  }
  const resolved = names.resolved();
  // Content under another name stands where it stood, and the link that the name goes through may come later.
  for (const path of resolved.renamed.values()) {
    const { other } = aboveOf(parentOf(path));
    if (other !== undefined) throw ambiguous(path, `below ${shownPath(other)}, which is not always a folder`);
  }
  return { stays: ({ offset }, path) => stay.get(path)!.at === offset, said, ...resolved };
}

interface Obstacles {
  /** The nearest that is a folder and something else besides. */
  readonly replaced?: string | undefined;
  /** The nearest that is no folder in the end. */
  readonly other?: string | undefined;
}

/** What is no plain folder of a path and those above it. Each path is looked at once, however many lie below it. */
function obstacles(stay: ReadonlyMap<string, Stay>): (path: string) => Obstacles {
  const known = new Map<string, Obstacles>([['', {}]]);
  return (path) => {
    // As deep as an archive says: more than a stack can be.
    const unknown: string[] = [];
    let above = path;
    for (; !known.has(above); above = parentOf(above)) unknown.push(above);
    let found = known.get(above)!;
    for (const one of unknown.reverse()) {
      const there = stay.get(one);
      const { replaced, other } = found;
      found = { replaced: there?.replaces ? one : replaced, other: there?.isFolder === false ? one : other };
      known.set(one, found);
    }
    return found;
  };
}

/** What such entries add up to depends on who extracts them, and a layer cannot leave it open. */
const ambiguous = (path: string, what: string): OcixError =>
  new OcixError('appc/archive', `some paths are in the archive twice, and ${shownPath(path)} is ${what}`, {
    hint: 'No tool writes such an image, and nobody can say what is meant. Build it anew.',
  });

async function* rewritten(content: Chunks, plan: Plan, context: Context): AsyncGenerator<Uint8Array> {
  const pieces: Piece[] = [];
  const joined = pieceJoiner(context);
  let takes = false;
  const scanner = tarScanner(context.limits, {
    entry(entry) {
      const own = cleanPath(entry.path).path;
      const path = plan.renamed.get(entry.offset);
      const target = plan.targets.get(entry.offset);
      takes = path !== undefined || (plan.stays(entry, own) && target !== own);
      if (!takes) return;
      pieces.push(
        encodeHeader({
          ...(plan.said.get(entry.offset) ?? entry),
          path: path === undefined ? entry.path : fromBinaryString(path),
          link: target === undefined ? entry.link : fromBinaryString(target),
        }),
      );
    },
    data: (bytes) => void (takes && pieces.push(bytes)),
    end: (entry) => void (takes && entry.type === 'file' && pieces.push(paddingAfter(entry.size))),
  });
  for await (const chunk of content) {
    checkAbort(context);
    scanner.push(chunk);
    yield* joined(pieces);
  }
  yield* joined([...pieces, END_OF_TAR]);
}
