/** Removes a folder with everything in it, also one that an ordinary removal cannot: too deep for a path, or closed to its owner. */
import { chmod, mkdir, readdir, rename, rm, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';

export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await removeFlattened(path);
  }
}

/** Every folder is moved to the top before it is emptied, so no path gets long however deep the tree is. */
async function removeFlattened(path: string): Promise<void> {
  await chmod(path, 0o700);
  const top = join(path, '.flat');
  await mkdir(top, { recursive: true });
  const folders = [path];
  let number = 0;
  for (let i = 0; i < folders.length; i++) {
    const folder = folders[i]!;
    await chmod(folder, 0o700);
    for (const entry of await readdir(folder, { withFileTypes: true, encoding: 'buffer' })) {
      const at = Buffer.concat([Buffer.from(`${folder}/`), entry.name]);
      if (!entry.isDirectory()) await unlink(at);
      else if (i > 0 || entry.name.toString() !== '.flat') {
        const moved = join(top, String(number++));
        await chmod(at, 0o700); // moving a folder writes to it
        await rename(at, moved);
        folders.push(moved);
      }
    }
  }
  for (const folder of folders.slice(1)) await rmdir(folder);
  await rmdir(top);
  await rmdir(path);
}
