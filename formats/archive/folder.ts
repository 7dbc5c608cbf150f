/** A folder as an archive. Names that a document gives are looked up below it and nowhere else. */
import type { Dirent } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { type Context, checkAbort } from '../base/context.ts';
import { checkLimit } from '../base/limits.ts';
import type { Chunks } from '../bytes/chunks.ts';
import { fileBelow, type RandomSource, sourceError } from '../bytes/source.ts';
import { isStaged } from '../store/staging.ts';
import type { Archive, Member } from './archive.ts';

export async function folderArchive(path: string, context: Context): Promise<Archive> {
  const all = await readdir(path).catch((cause: unknown) => {
    throw sourceError(path, cause);
  });
  // What a run is writing, or left when it was killed, is nobody's input.
  const names = all.filter((name) => !isStaged(name));
  checkLimit(context.limits, 'members', names.length, 'the number of names in the folder');
  return {
    kind: 'folder',
    name: path,
    compression: [],
    names: () => names,
    list: (folder) => listBelow(path, folder, context),
    namesIn: (folder) => namesIn(path, folder, context),
    get: (name) => memberBelow(path, name),
    close: async () => {},
  };
}

async function memberBelow(root: string, name: string): Promise<Member | undefined> {
  const file = await fileBelow(root, name);
  if (!file) return undefined;
  await file.close();
  return {
    name,
    type: 'file',
    link: '',
    size: file.size,
    modified: file.modified,
    open: () => reopened(root, name, (again) => again.window(0, again.size)),
    openReusing: () => reopened(root, name, (again) => again.reusingWindow(0, again.size)),
    head: (size) => reopened(root, name, (again) => again.window(0, size)),
  };
}

/** Opened anew, so that a layout of ten thousand blobs does not need as many descriptors. */
async function* reopened(root: string, name: string, read: (file: RandomSource) => Chunks): AsyncGenerator<Uint8Array> {
  const file = await fileBelow(root, name);
  if (!file) return;
  try {
    yield* read(file);
  } finally {
    await file.close();
  }
}

/** A folder that is a link may lead anywhere, and listing a whole disk has no end. */
async function realFolder(root: string, folder: string): Promise<string | undefined> {
  const top = `${(await realpath(root)).replace(/\/$/, '')}/${folder}`;
  return (await realpath(top).catch(() => undefined)) === top ? top : undefined;
}

async function namesIn(root: string, folder: string, context: Context): Promise<readonly string[]> {
  const top = await realFolder(root, folder);
  const names = top === undefined ? [] : (await entriesOf(top)).map(({ name }) => name);
  checkLimit(context.limits, 'members', names.length, 'the number of names in the folder');
  return names.sort();
}

async function listBelow(root: string, folder: string, context: Context): Promise<readonly string[]> {
  const top = await realFolder(root, folder);
  const found: string[] = [];
  let seen = 0;
  const waiting = top === undefined ? [] : [''];
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    checkAbort(context);
    const entries = await entriesOf(`${top}${below}`);
    seen += entries.length;
    checkLimit(context.limits, 'members', seen, 'the number of names in the folder');
    for (const entry of entries) {
      if (entry.isDirectory()) waiting.push(`${below}/${entry.name}`);
      else if (entry.isFile()) found.push(`${folder}${below}/${entry.name}`);
    }
  }
  return found.sort();
}

/** A file has none, and neither has what is gone meanwhile; what may not be read has some that nobody would miss. @throws OcixError source/unreadable */
async function entriesOf(path: string): Promise<readonly Dirent[]> {
  return readdir(path, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return [];
    throw sourceError(path, cause);
  });
}
