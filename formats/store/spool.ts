/**
 * Bytes put aside for a while: a file without a name, which is gone when it is closed or the process ends, however it ends.
 * Small reads from it are served out of larger ones.
 */
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OcixError } from '../base/errors.ts';
import { outputError } from '../bytes/output-error.ts';
import type { RandomSource } from '../bytes/source.ts';

export interface Spool {
  /** Bytes so far; what is appended next starts here. */
  readonly size: number;
  /** The bytes must stay as they are until the promise is kept. One at a time. @throws OcixError output/write */
  append(parts: readonly Uint8Array[]): Promise<void>;
  /** A way of reading with memory of its own. */
  reader(): SpoolReader;
  close(): Promise<void>;
}

export interface SpoolReader {
  /** `size` bytes from `offset` on, at most `MOST_READ`. They stay as they are until the next call. */
  read(offset: number, size: number): Promise<Uint8Array>;
}

export const MOST_READ: number = 2 ** 20;

/** @throws OcixError output/write */
export async function spool(): Promise<Spool> {
  const handle = await attempt(nameless);
  let size = 0;
  return {
    get size() {
      return size;
    },
    append: (parts) =>
      attempt(async () => {
        const wanted = parts.reduce((sum, { length }) => sum + length, 0);
        if (!wanted) return;
        const { bytesWritten } = await handle.writev([...parts], size);
        if (bytesWritten === wanted) size += wanted;
        else await appendRest(parts, bytesWritten);
      }),
    reader: () => bufferedReader(handle, () => size),
    close: () => handle.close(),
  };

  /** A disk that is nearly full takes a part; writing on tells why. */
  async function appendRest(parts: readonly Uint8Array[], written: number): Promise<void> {
    const rest = Buffer.concat(parts).subarray(written);
    size += written;
    for (let at = 0; at < rest.length; ) {
      const { bytesWritten } = await handle.write(rest, at, rest.length - at, size);
      at += bytesWritten;
      size += bytesWritten;
    }
  }
}

/** What was put aside, as a source. It stays open as long as the spool. */
export function spoolSource(name: string, { size, reader }: Spool): RandomSource {
  async function* window(start: number, length: number): AsyncGenerator<Uint8Array> {
    const own = reader();
    const end = Math.min(start + length, size);
    for (let at = start; at < end; at += MOST_READ)
      yield new Uint8Array(await own.read(at, Math.min(MOST_READ, end - at)));
  }
  return { kind: 'random', name, size, window, reusingWindow: window, close: async () => {} };
}

async function nameless(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'ocix-'));
  try {
    return await open(join(folder, 'spool'), 'wx+', 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function bufferedReader(handle: FileHandle, end: () => number): SpoolReader {
  const memory = Buffer.allocUnsafeSlow(MOST_READ);
  let start = 0;
  let held = 0;
  return {
    async read(offset, size) {
      if (offset < start || offset + size > start + held) {
        start = offset;
        held = 0;
        const wanted = Math.min(MOST_READ, end() - offset);
        while (held < Math.min(size, wanted)) {
          const { bytesRead } = await handle.read(memory, held, wanted - held, offset + held);
          if (!bytesRead) break;
          held += bytesRead;
        }
      }
      if (offset + size > start + held)
        throw new OcixError('source/unreadable', 'what was put aside is not there any more', { hint: 'Try again.' });
      return memory.subarray(offset - start, offset - start + size);
    },
  };
}

async function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof OcixError ? cause : outputError(tmpdir(), cause);
  }
}
