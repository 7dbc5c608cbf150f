/**
 * Members packed as one tar, for archives that other tools open by their members' names. The same members give the same bytes:
 * no times, no owners, fixed modes, the order that is given.
 *
 * tar-stream is right here, where it would not be for a layer: an envelope has short ASCII names, files and folders only,
 * no owners and no times, and nothing of what tar-stream loses: large ids, fractions of seconds, bytes that are not UTF-8.
 * Sizes over 8 GiB it writes in base 256, which every reader of images takes.
 */
import type { Pack } from 'tar-stream';
import { OcixError } from '../base/errors.ts';
import { type Chunks, chunksOf } from '../bytes/chunks.ts';

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
  // Loaded when something is packed: most runs write no envelope.
  const { pack } = await import('tar-stream');
  const tar = pack();
  const output = (tar as Chunks)[Symbol.asyncIterator]();
  // Taken as soon as it is put in: nothing waits in a queue, so the memory of a chunk may be used again.
  const taken = async (): Promise<Uint8Array> => (await output.next()).value;
  try {
    for (const member of members) {
      const entry = tar.entry(headerOf(member));
      entry.on('error', () => {}); // the output ends with it too
      yield await taken();
      let size = 0;
      for await (const chunk of member.open()) {
        size += chunk.length;
        if (size > member.size) throw otherSize(member, `more than ${member.size}`);
        if (!chunk.length) continue;
        entry.write(chunk);
        yield await taken();
      }
      if (size !== member.size) throw otherSize(member, `${size}`);
      entry.end(null);
      if (size % BLOCK) yield await taken();
      await done?.(member);
    }
    tar.finalize();
    yield await taken();
  } finally {
    tar.destroy();
  }
}

/** After a file comes what fills its last block. */
const BLOCK = 512;
const EPOCH = new Date(0);

function headerOf({ name, size, link }: PackedMember): Parameters<Pack['entry']>[0] {
  const common = { name, size, mtime: EPOCH, uid: 0, gid: 0 };
  if (link !== undefined) return { ...common, type: 'symlink', mode: 0o777, linkname: link };
  return name.endsWith('/') ? { ...common, type: 'directory', mode: 0o755 } : { ...common, type: 'file', mode: 0o644 };
}

const otherSize = ({ name, size }: PackedMember, found: string): OcixError =>
  new OcixError('size/mismatch', `${name} has changed while it was packed`, {
    expected: `${size} bytes`,
    found,
    hint: 'Nothing was written. Try again when nobody writes to the source.',
  });
