/**
 * An input as named members, whatever holds it: a folder, a tar that can be read anywhere, or a tar that can be read once.
 * Readers ask for members by name and never know which it is.
 */
import type { Context } from '../base/context.ts';
import { OcixError, within } from '../base/errors.ts';
import { checkLimit } from '../base/limits.ts';
import { type Chunks, collect } from '../bytes/chunks.ts';
import type { Digest } from '../bytes/digest.ts';
import { printable } from '../bytes/text.ts';
import type { CompressionName } from '../codec/codec.ts';

export interface Member {
  /** Cleaned: no leading `/` or `./`, no `..`. A name that is not UTF-8 is a binary string. */
  readonly name: string;
  readonly type: 'file' | 'dir' | 'symlink' | 'hardlink' | 'other';
  /** Where a link points, as written. */
  readonly link: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970, of a member of a folder. */
  readonly modified?: number | undefined;
  /** The content. Can be called again. */
  open(): Chunks;
  /** The same, where memory can be used again: a chunk stays as it is until two more have been asked for. */
  readonly openReusing?: () => Chunks;
  /** The first bytes alone, `size` of them at most, where reading them costs less than opening the content. */
  readonly head?: (size: number) => Chunks;
  /** What is known of the content because it had to be read already. */
  readonly kept?: Kept;
}

/** A member of a stream, after it went by. */
export interface Kept {
  /** Of the bytes as they came. */
  readonly digest: Digest;
  /** The content is a layer: a tar, possibly compressed. */
  readonly layer?: KeptLayer;
  open(): Chunks;
}

export interface KeptLayer {
  readonly compression: CompressionName | undefined;
  readonly diffId: Digest;
  /** Uncompressed bytes. */
  readonly size: number;
  /** Where the keeper stored it; only the keeper knows what it means. */
  readonly stored?: unknown;
}

/**
 * Decides what becomes of content that goes by: a large member of a stream, or a layer that is made from something else. It has to read it
 * to its end. Where there is an `again`, the same bytes can be had another time, and need not be kept.
 */
export type Keeper = (content: Chunks, name: string, context: Context, again?: Repetition) => Promise<Kept>;

export interface Repetition {
  /** Having the bytes again takes longer than writing and reading them. */
  readonly costly: boolean;
  open(): Chunks;
}

export interface Archive {
  readonly kind: 'folder' | 'tar';
  /** As the user named it. */
  readonly name: string;
  /** How the whole was compressed, outermost first. */
  readonly compression: readonly CompressionName[];
  /** Size on disk in bytes, where it is known. */
  readonly size?: number;
  get(name: string): Promise<Member | undefined>;
  /** Names of members (of a folder: of its top), as many as a limit allows. */
  names(): readonly string[];
  /** Names of the files below a folder of the archive, with the folder in front. */
  list(folder: string): Promise<readonly string[]>;
  /** Names of what lies directly in a folder, without going further down; absent where the archive is no folder itself. */
  readonly namesIn?: (folder: string) => Promise<readonly string[]>;
  close(): Promise<void>;
}

const MOST_LINKS = 32;

/**
 * The file that a name stands for: symlinks are followed inside the archive from their own folder, hard links from its
 * top, never on the disk.
 *
 * @throws OcixError member/missing, member/type, member/cycle, path/escape
 */
export async function findFile(archive: Archive, name: string): Promise<Member> {
  const met = new Set<string>();
  let at = memberName(name);
  for (;;) {
    const member = await archive.get(at);
    if (!member)
      throw new OcixError(
        'member/missing',
        `${shown(at)} is not in the archive`,
        at === name ? {} : { at: [printable(name)] },
      );
    if (member.type === 'file') return member;
    if (member.type !== 'symlink' && member.type !== 'hardlink') {
      throw new OcixError('member/type', `${shown(at)} is no file`, {
        found: member.type === 'dir' ? 'a folder' : 'a special file',
      });
    }
    met.add(at);
    at = linkTarget(member);
    if (met.has(at) || met.size > MOST_LINKS)
      throw new OcixError('member/cycle', `${shown(name)} is a link that leads to itself`);
  }
}

function linkTarget({ name, type, link }: Member): string {
  if (type === 'hardlink') return memberName(link);
  if (link.startsWith('/')) throw climbs(link);
  return memberName(`${name.slice(0, name.lastIndexOf('/') + 1)}${link}`);
}

/** A name from a document or a link as the name of a member. @throws OcixError path/escape where it is absolute or climbs out */
export function memberName(name: string): string {
  if (name.startsWith('/')) throw climbs(name);
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) throw climbs(name);
  }
  return parts.join('/');
}

const climbs = (name: string): OcixError =>
  new OcixError('path/escape', `${shown(name)} leads out of the archive`, {
    hint: 'No tool writes such an archive; do not trust it.',
  });

const shown = (name: string): string => printable(name.length > 160 ? `${name.slice(0, 157)}...` : name) || '""';

/** The bytes of a document that is known to be small. @throws OcixError limit/json-bytes and what `findFile` throws */
export async function readDocument(archive: Archive, name: string, context: Context): Promise<Uint8Array> {
  return within(shown(name), async () => readMember(await findFile(archive, name), context));
}

export async function readMember(member: Member, context: Context): Promise<Uint8Array> {
  checkLimit(context.limits, 'json-bytes', member.size, 'the size of a JSON document');
  return collect(member.open(), context.limits['json-bytes']);
}
