/** A folder as an archive. Names that a document gives are looked up below it and nowhere else. */
import { readdir } from 'node:fs/promises';
import type { Context } from '../base/context.ts';
import { checkLimit } from '../base/limits.ts';
import { fileBelow } from '../bytes/source.ts';
import type { Archive, Member } from './archive.ts';

export async function folderArchive(path: string, context: Context): Promise<Archive> {
  const names = await readdir(path);
  checkLimit(context.limits, 'members', names.length, 'the number of names in the folder');
  return {
    kind: 'folder',
    name: path,
    compression: [],
    names: () => names,
    list: (folder) => listBelow(path, folder, context),
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
    async *open() {
      // Opened anew, so that a layout of ten thousand blobs does not need as many descriptors.
      const again = await fileBelow(root, name);
      if (!again) return;
      try {
        yield* again.window(0, again.size);
      } finally {
        await again.close();
      }
    },
  };
}

async function listBelow(root: string, folder: string, context: Context): Promise<readonly string[]> {
  const names = await readdir(`${root}/${folder}`, { recursive: true, withFileTypes: true }).catch(() => []);
  checkLimit(context.limits, 'members', names.length, 'the number of names in the folder');
  const start = root.length + (root.endsWith('/') ? 0 : 1);
  return names
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(start))
    .sort();
}
