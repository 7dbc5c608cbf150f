/** Bytes by name: a file that can be read anywhere, or a stream that can be read once, from front to back. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, realpath, stat } from 'node:fs/promises';
import { relative } from 'node:path';
import { OcixError } from '../base/errors.ts';
import type { Chunks } from './chunks.ts';
import { printable } from './text.ts';

export interface RandomSource {
  readonly kind: 'random';
  /** As the user named it. */
  readonly name: string;
  /** Where the file lies, for a reader that opens it by itself; absent where a name could lead elsewhere. */
  readonly path?: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970, of a file. */
  readonly modified?: number;
  /** The bytes from `start` on, `length` of them at most. May be called any number of times, also side by side. */
  window(start: number, length: number): Chunks;
  /** The same in memory that is used again: a chunk stays as it is until two more have been asked for. */
  reusingWindow(start: number, length: number): Chunks;
  close(): Promise<void>;
}

export interface ForwardSource {
  readonly kind: 'forward';
  readonly name: string;
  readonly chunks: Chunks;
  close(): Promise<void>;
}

export type ByteSource = RandomSource | ForwardSource;

/** Read sizes: small enough that a few in flight do not show in the memory, large enough to keep a disk busy. */
const READ = 512 * 1024;

/**
 * A regular file, or what can only be read once: a named pipe, a character device.
 * @throws OcixError source/missing, source/unreadable
 */
export async function fileSource(path: string): Promise<ByteSource> {
  const handle = await openFile(path);
  const stat = await handle.stat();
  if (stat.isFile()) return { ...randomSource(path, stat, handle), path };
  if (stat.isDirectory()) {
    await handle.close();
    throw new OcixError('source/unreadable', `${printable(path)} is a folder where a file is wanted`);
  }
  return {
    kind: 'forward',
    name: path,
    chunks: handle.createReadStream({ highWaterMark: READ }),
    close: () => closeOnce(handle),
  };
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    throw sourceError(path, cause);
  }
}

function randomSource(name: string, { size, mtimeMs }: Stats, handle: FileHandle): RandomSource {
  const file = { handle, name };
  const within = (start: number, length: number): number => Math.min(length, size - start);
  return {
    kind: 'random',
    name,
    size,
    modified: mtimeMs,
    window: (start, length) => readWindow(file, start, within(start, length), fresh),
    reusingWindow: (start, length) => readWindow(file, start, within(start, length), ring(within(start, length))),
    close: () => closeOnce(handle),
  };
}

async function closeOnce(handle: FileHandle): Promise<void> {
  if (handle.fd >= 0) await handle.close();
}

/** A window of this many bytes is worth that another thread hashes it; fewer and larger reads make fewer messages to it. */
const SHARED = 4 * 2 ** 20;
const SHARED_READ = 2 ** 20;

/** Reads that a hash on another thread may lag behind: it loses ground on large files, and regains it on small ones. */
export const HASH_BEHIND = 4;

/**
 * Buffers in turn: one is being read into, one is at the consumer, and the consumer may still be busy with two. Those of
 * a long window are shared with the thread that hashes, which may be busy with more.
 */
function ring(length: number): ReadMemory {
  const shared = length >= SHARED;
  const count = shared ? HASH_BEHIND + 2 : 4;
  const make = () => (shared ? Buffer.from(new SharedArrayBuffer(SHARED_READ)) : Buffer.allocUnsafeSlow(READ));
  const buffers: Buffer[] = [];
  let turn = 0;
  return (left) => {
    const buffer = (buffers[turn] ??= make());
    turn = (turn + 1) % count;
    return buffer.subarray(0, left);
  };
}

/** New memory for every read. */
const fresh: ReadMemory = (left) => Buffer.allocUnsafeSlow(Math.min(READ, left));

/** What to read into next, where so many bytes are left. */
type ReadMemory = (left: number) => Buffer;

/** One read is always under way while the consumer works on the one before. */
async function* readWindow(
  { handle, name }: OpenFile,
  start: number,
  length: number,
  memory: ReadMemory,
): AsyncGenerator<Uint8Array> {
  const end = start + length;
  const read = async (at: number): Promise<Uint8Array> => {
    const buffer = memory(end - at);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    return bytesRead === buffer.length ? buffer : buffer.subarray(0, bytesRead);
  };
  let at = start;
  let ahead = at < end ? read(at) : undefined;
  try {
    while (ahead) {
      const chunk = await ahead;
      if (!chunk.length) {
        throw new OcixError('source/unreadable', `${printable(name)} has become shorter while it was read`);
      }
      at += chunk.length;
      ahead = at < end ? read(at) : undefined;
      yield chunk;
    }
  } catch (cause) {
    throw cause instanceof OcixError ? cause : sourceError(name, cause);
  } finally {
    await ahead?.catch(() => {}); // a consumer that stops early must not leave a rejection behind
  }
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly name: string;
}

export function streamSource(name: string, chunks: Chunks): ForwardSource {
  return { kind: 'forward', name, chunks, close: async () => {} };
}

export function bytesSource(name: string, bytes: Uint8Array): RandomSource {
  async function* window(start: number, length: number): AsyncGenerator<Uint8Array> {
    const part = bytes.subarray(start, start + length);
    if (part.length) yield part;
  }
  return { kind: 'random', name, size: bytes.length, window, reusingWindow: window, close: async () => {} };
}

/** The same for a file that nobody has written to or replaced: the system keeps the time of its last change, which its owner cannot set. */
export async function fileState(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (cause) {
    throw sourceError(path, cause);
  }
}

export async function pathKind(path: string): Promise<'file' | 'folder' | 'absent'> {
  try {
    return (await lstat(await realpath(path))).isDirectory() ? 'folder' : 'file';
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT' || (cause as NodeJS.ErrnoException).code === 'ENOTDIR')
      return 'absent';
    throw sourceError(path, cause);
  }
}

/** What is at `path`, as a name below `folder`; undefined where it lies elsewhere, or is not there. */
export async function nameBelow(folder: string, path: string): Promise<string | undefined> {
  try {
    const name = relative(await realpath(folder), await realpath(path));
    return name === '' || name === '..' || name.startsWith('../') ? undefined : name;
  } catch {
    return undefined;
  }
}

/**
 * A regular file below a folder, for reading a layout that somebody else wrote: links must stay inside, and nothing that
 * blocks or answers for ever (a pipe, a device) is opened.
 */
export async function fileBelow(root: string, path: string): Promise<RandomSource | undefined> {
  const full = `${root}/${path}`;
  try {
    const real = await realpath(full);
    const base = await realpath(root);
    if (real !== base && !real.startsWith(base.endsWith('/') ? base : `${base}/`)) {
      throw new OcixError('path/escape', `${printable(path)} is a link that leads out of ${printable(root)}`);
    }
    const handle = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const stat = await handle.stat();
    if (stat.isFile()) return randomSource(path, stat, handle);
    await handle.close();
    throw new OcixError('member/type', `${printable(path)} is not a file`);
  } catch (cause) {
    if (NOTHING_THERE.has((cause as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw cause instanceof OcixError ? cause : sourceError(path, cause);
  }
}

/** Also for names that no file can have, which a document may well give: too long, or with a NUL. */
const NOTHING_THERE = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE']);

export function sourceError(path: string, cause: unknown): OcixError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT') {
    return new OcixError('source/missing', `there is no ${printable(path)}`, {
      cause,
      hint: 'Check the path. A transport in front of it, such as docker-archive: or oci:, is optional.',
    });
  }
  return new OcixError('source/unreadable', `${printable(path)} cannot be read (${code ?? String(cause)})`, { cause });
}
