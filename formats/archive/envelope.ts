/**
 * Members packed as one tar, for archives that other tools open by their members' names. The same members give the same bytes:
 * no times, no owners, fixed modes, the order that is given.
 */
import { OcixError } from '../base/errors.ts';
import { type Chunks, chunksOf } from '../bytes/chunks.ts';
import { utf8Bytes } from '../bytes/text.ts';
import { END_OF_TAR, encodeHeader, paddingAfter } from '../tar/encoder.ts';

export interface PackedMember {
  /** Short and ASCII; a folder's ends in a slash. */
  readonly name: string;
  /** Bytes; 0 for a folder or a link. */
  readonly size: number;
  /** Where a symbolic link leads, for one that is. */
  readonly link?: string;
  /** Called once. Closed where the consumer stops early. */
  open(): Chunks;
}

export const folderMember = (name: string): PackedMember => ({ name, size: 0, open: () => chunksOf() });

export const linkMember = (name: string, link: string): PackedMember => ({
  name,
  size: 0,
  link,
  open: () => chunksOf(),
});

export const bytesMember = (name: string, bytes: Uint8Array): PackedMember => ({
  name,
  size: bytes.length,
  open: () => chunksOf(bytes),
});

/**
 * The bytes of the tar, in chunks that stay as they are as long as those of the members do. `done` is called when a member's bytes have been taken over.
 * @throws OcixError size/mismatch where a member is not as long as it says; and what opening and reading it throws
 */
export async function* packed(
  members: readonly PackedMember[],
  done?: (member: PackedMember) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  for (const member of members) {
    yield headerOf(member);
    let size = 0;
    for await (const chunk of member.open()) {
      size += chunk.length;
      if (size > member.size) throw otherSize(member, `more than ${member.size}`);
      yield chunk;
    }
    if (size !== member.size) throw otherSize(member, `${size}`);
    if (size) yield paddingAfter(size);
    await done?.(member);
  }
  yield END_OF_TAR;
}

function headerOf({ name, size, link }: PackedMember): Uint8Array {
  const isFolder = name.endsWith('/');
  const type = isFolder ? 'dir' : link === undefined ? 'file' : 'symlink';
  return encodeHeader({
    type,
    path: utf8Bytes(name),
    link: utf8Bytes(link ?? ''),
    mode: { dir: 0o755, file: 0o644, symlink: 0o777 }[type],
    uid: 0,
    gid: 0,
    size,
    mtime: { seconds: 0, nanos: 0 },
    major: 0,
    minor: 0,
    xattrs: new Map(),
  });
}

const otherSize = ({ name, size }: PackedMember, found: string): OcixError =>
  new OcixError('size/mismatch', `${name} has changed while it was packed`, {
    expected: `${size} bytes`,
    found,
    hint: 'Nothing was written. Try again when nobody writes to the source.',
  });
