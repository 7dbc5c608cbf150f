/** A folder that somebody else filled: links are listed and never followed to the outside, depth and number are bounded. */
import { readdir } from 'node:fs/promises';
import { OcixError } from '../base/errors.ts';
import { fileBelow, type RandomSource, sourceError } from './source.ts';
import { printable } from './text.ts';

export interface FolderBounds {
  /** How many folders may lie one in the other; 0 lists the folder itself alone. */
  readonly depth: number;
  /** Names, folders included. */
  readonly names: number;
}

/**
 * Paths relative to `root`, with `/`, of everything below it that is no folder, sorted. Folders below the depth are left out.
 *
 * @throws OcixError source/missing, source/unreadable, limit/members past `bounds.names`
 */
export async function pathsBelow(root: string, bounds: FolderBounds): Promise<readonly string[]> {
  const found: string[] = [];
  let seen = 0;
  const walk = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(folder ? `${root}/${folder}` : root, { withFileTypes: true }).catch(
      (cause: unknown) => {
        throw sourceError(root, cause);
      },
    );
    seen += entries.length;
    if (seen > bounds.names)
      throw new OcixError('limit/members', `there are too many names in ${printable(root)}`, {
        expected: `at most ${bounds.names}`,
        hint: 'Check that this is the folder you mean.',
      });
    for (const entry of entries) {
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      if (!entry.isDirectory()) found.push(path);
      else if (depth > 0) await walk(path, depth - 1);
    }
  };
  await walk('', bounds.depth);
  return found.sort();
}

/** A folder whose files are opened one at a time. */
export interface FolderSource {
  readonly kind: 'folder';
  /** As the user named it. */
  readonly name: string;
  /** As `pathsBelow` has them. */
  readonly paths: readonly string[];
  /** Undefined where the file is gone. @throws OcixError path/escape for a link that leads out, member/type, source/unreadable */
  open(path: string): Promise<RandomSource | undefined>;
}

/** @throws OcixError source/missing, source/unreadable, limit/members */
export async function folderSource(name: string, bounds: FolderBounds): Promise<FolderSource> {
  return {
    kind: 'folder',
    name,
    paths: await pathsBelow(name, bounds),
    async open(path) {
      const file = await fileBelow(name, path);
      return file && { ...file, name: `${name.replace(/\/$/, '')}/${path}` };
    },
  };
}
