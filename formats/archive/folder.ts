/** A folder as an archive. Names that a document gives are looked up below it and nowhere else. */
import { readdir, realpath } from 'node:fs/promises';
import type { Context } from '../base/context.ts';
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
  const names = top === undefined ? [] : await readdir(top).catch(() => []);
  checkLimit(context.limits, 'members', names.length, 'the number of names in the folder');
  return names.sort();
}

async function listBelow(root: string, folder: string, context: Context): Promise<readonly string[]> {
  const top = await realFolder(root, folder);
  if (top === undefined) return [];
  const names = await readdir(top, { recursive: true, withFileTypes: true }).catch(() => []);
  checkLimit(context.limits, 'members', names.length, 'the number of names in the folder');
  return names
    .filter((entry) => entry.isFile())
    .map((entry) => `${folder}${entry.parentPath.slice(top.length)}/${entry.name}`)
    .sort();
}
