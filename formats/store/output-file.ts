/**
 * One file as output, visible as a whole or not at all: it grows in a private folder beside its destination, and gets its name
 * when it is complete. Where the output is a stream nothing can be taken back, so nothing is sent before everything is there.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, link, lstat, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { OcixError } from '../base/errors.ts';
import type { Chunks } from '../bytes/chunks.ts';
import { outputError } from '../bytes/output-error.ts';
import { printable } from '../bytes/text.ts';
import { destination, occupied, type Staging, stageFor } from './staging.ts';

export interface OutputFile {
  /** The private folder. Other things may be kept in it until the file is committed. */
  readonly folder: string;
  /** Appends. The bytes must stay as they are until the promise is kept; calls follow one another. @throws OcixError output/write */
  write(parts: readonly Uint8Array[]): Promise<void>;
  /** Goes on `size` bytes further; what is left out reads as zeros and takes no space. Something must be written behind it. */
  skip(size: number): void;
  /** What has been written so far, from the beginning. */
  read(): Chunks;
  /** Ends the file and gives it its name, or sends it. @throws OcixError output/exists, output/write */
  commit(): Promise<void>;
  discard(): Promise<void>;
}

/** Sent to a stream where there is one, otherwise a file at `out`. */
export const openOutput = (
  out: string,
  options: { readonly replace: boolean; readonly stream?: Writable | undefined },
): Promise<OutputFile> => (options.stream ? outputToStream(options.stream) : outputFile(out, options.replace));

/**
 * @param replacing takes the place of a file or folder that is there; a device or a pipe is never replaced
 * @throws OcixError output/exists, output/write
 */
async function outputFile(out: string, replacing: boolean): Promise<OutputFile> {
  const there = await destination(out);
  if (there.state === 'file' && !(await isPlain(there.path)))
    throw new OcixError('output/exists', `${printable(out)} is a device or a pipe, and not a file`, {
      hint: 'Write to standard output instead: -.',
    });
  if (there.state !== 'absent' && !replacing) throw occupied(out, there.state === 'file' ? 'exists' : 'is a folder');
  const staging = await stageFor(there);
  return growingFile(staging.path, (made) => (replacing ? replace(staging) : place(made, there.path, staging, out)));
}

/** A file, or a link that leads to nothing and can be replaced as one. */
async function isPlain(path: string): Promise<boolean> {
  const stat = await lstat(path);
  return stat.isFile() || stat.isSymbolicLink();
}

/** The file goes to a stream, whole, when it is committed. The stream stays open. */
async function outputToStream(stream: Writable): Promise<OutputFile> {
  const folder = await mkdtemp(join(tmpdir(), 'ocix-')).catch((cause: unknown) => {
    throw outputError(tmpdir(), cause);
  });
  return growingFile(folder, async (made) => {
    const handle = await open(made, 'r');
    // Open files outlive their names: whatever becomes of the reader, or of us, nothing is left behind.
    await rm(folder, { recursive: true, force: true });
    const sent = pipeline(handle.createReadStream({ highWaterMark: READ }), stream, { end: false });
    await sent.catch((cause: unknown) => {
      throw outputError('the output', cause);
    });
  });
}

const NAME = 'file';
const READ = 512 * 1024;

async function growingFile(folder: string, publish: (made: string) => Promise<void>): Promise<OutputFile> {
  const path = join(folder, NAME);
  const discard = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const handle = await open(path, 'wx', 0o644).catch(async (cause: unknown) => {
    await discard();
    throw outputError(path, cause);
  });
  let position = 0;
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await handle.close();
  };
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (cause) {
      throw cause instanceof OcixError ? cause : outputError(path, cause);
    }
  };
  return {
    folder,
    write: (parts) =>
      attempt(async () => {
        position += await writeAll(handle, parts, position);
      }),
    read: () => createReadStream(path, { highWaterMark: READ }),
    skip(size) {
      position += size;
    },
    commit: () =>
      attempt(async () => {
        await close();
        await publish(path);
      }),
    async discard() {
      await close();
      await discard();
    },
  };
}

/** One call for a header, its content and its padding; the system may take fewer bytes than it is given. */
async function writeAll(handle: FileHandle, parts: readonly Uint8Array[], position: number): Promise<number> {
  let { bytesWritten: done } = await handle.writev(parts, position);
  let start = 0;
  for (const part of parts) {
    for (let at = done - start; at < part.length; at = done - start)
      done += (await handle.write(part, at, part.length - at, position + done)).bytesWritten;
    start += part.length;
  }
  return done;
}

/** Unlike renaming, linking fails where a file has come to stand there meanwhile. */
async function place(made: string, target: string, staging: Staging, out: string): Promise<void> {
  const taken = (): OcixError => occupied(out, 'has appeared meanwhile');
  try {
    await link(made, target);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw taken();
    if (!NO_LINKS.has(code ?? '')) throw outputError(target, cause);
    if (!(await staging.place(NAME))) throw taken();
  }
  await staging.discard();
}

/** One rename where a file is replaced, so that there is one at any moment; a folder has to be moved out of the way first. */
async function replace(staging: Staging): Promise<void> {
  if (!(await staging.place(NAME))) await staging.replace(NAME);
}

/** What file systems without hard links answer. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);
