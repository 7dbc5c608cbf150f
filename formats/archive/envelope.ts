/**
 * Members packed as one tar, for archives that other tools open by their members' names. The same members give the same bytes:
 * no times, no owners, fixed modes, the order that is given.
 *
 * tar-stream is right here, where it would not be for a layer: an envelope has short ASCII names, files and folders only,
 * no owners and no times, and nothing of what tar-stream loses: large ids, fractions of seconds, bytes that are not UTF-8.
 * Sizes over 8 GiB it writes in base 256, which every reader of images takes.
 */
import type { Pack } from 'tar-stream';
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
 * The bytes of the tar. `done` is called when a member's bytes have been taken over.
 * @throws Error where a member is not as long as it says; and what opening and reading it throws
 */
export async function* packed(
  members: readonly PackedMember[],
  done?: (member: PackedMember) => Promise<void>,
): AsyncGenerator<Uint8Array> {
  // Loaded when something is packed: most runs write no envelope.
  const { pack } = await import('tar-stream');
  const tar = pack();
  let failure: unknown;
  const filling = fill(tar, members, done).catch((error: unknown) => {
    failure = error;
    tar.destroy();
  });
  try {
    for await (const chunk of tar as Chunks) yield chunk;
  } catch (error) {
    failure ??= error;
  } finally {
    tar.destroy();
    await filling;
  }
  if (failure) throw failure;
}

const EPOCH = new Date(0);

async function fill(
  tar: Pack,
  members: readonly PackedMember[],
  done: ((member: PackedMember) => Promise<void>) | undefined,
): Promise<void> {
  // A consumer that stops early destroys the pack, and then nothing drains and nothing finishes any more.
  let wake = (): void => {};
  tar.once('close', () => wake());
  const unlessClosed: Waiting = (subscribe) =>
    new Promise((resolve, reject) => {
      if (tar.destroyed) return resolve();
      wake = resolve;
      subscribe(resolve, reject);
    });
  for (const member of members) {
    if (tar.destroyed) return;
    await add(tar, member, unlessClosed);
    await done?.(member);
  }
  tar.finalize();
}

/** Waits for what is subscribed to, or the end of the pack. */
type Waiting = (subscribe: (resolve: () => void, reject: (error: unknown) => void) => void) => Promise<void>;

async function add(tar: Pack, { name, size, link, open }: PackedMember, unlessClosed: Waiting): Promise<void> {
  const isFolder = name.endsWith('/');
  const isFile = !isFolder && link === undefined;
  let finish: (error?: Error | null) => void = () => {};
  const finished = new Promise<void>((resolve, reject) => {
    finish = (error) => (error ? reject(error) : resolve());
  });
  finished.catch(() => {}); // awaited below; until then it must not count as unhandled
  const header = { name, size, mtime: EPOCH, mode: isFolder ? 0o755 : isFile ? 0o644 : 0o777, uid: 0, gid: 0 };
  const kind =
    link === undefined
      ? ({ type: isFolder ? 'directory' : 'file' } as const)
      : ({ type: 'symlink', linkname: link } as const);
  const entry = tar.entry({ ...header, ...kind }, (error) => finish(error));
  entry.on('error', () => {}); // it reaches the callback too
  if (isFile) {
    for await (const chunk of open()) {
      if (!entry.write(chunk)) await unlessClosed((resolve) => entry.once('drain', resolve));
      if (tar.destroyed) return;
    }
    entry.end(null);
  }
  await unlessClosed((resolve, reject) => finished.then(resolve, reject));
}
