/** Sources that are several files or folders of them, and sources that are names of what is somewhere else. */
import type { Context } from '../formats/base/context.ts';
import { type FolderSource, folderSource } from '../formats/bytes/folder.ts';
import { type ByteSource, fileSource, pathKind } from '../formats/bytes/source.ts';
import type { FilesReader, NameReader, Reading } from '../formats/model/reader.ts';
import type { OpenedSource } from './open.ts';
import type { SourceText } from './source-text.ts';

/** As deep as pools of packages are, and a little deeper. */
const DEPTH = 8;

/** All of them, or none. @throws OcixError source/…, limit/members */
export async function allOf(
  paths: readonly string[],
  { limits }: Context,
): Promise<readonly (ByteSource | FolderSource)[]> {
  const sources: (ByteSource | FolderSource)[] = [];
  try {
    for (const path of paths) {
      const isFolder = (await pathKind(path)) === 'folder';
      sources.push(
        isFolder ? await folderSource(path, { depth: DEPTH, names: limits.members }) : await fileSource(path),
      );
    }
    return sources;
  } catch (error) {
    for (const source of sources) if (source.kind !== 'folder') await source.close();
    throw error;
  }
}

export async function filesSource(
  reader: FilesReader,
  sources: readonly (ByteSource | FolderSource)[],
  { path, selector }: SourceText,
  reading: Reading,
  context: Context,
): Promise<OpenedSource> {
  const { items, close } = await reader.read(sources, context, reading);
  const size = sources.reduce((sum, source) => sum + (source.kind === 'random' ? source.size : Number.NaN), 0);
  return {
    name: path,
    format: reader.name,
    title: sources.length === 1 || Number.isNaN(size) ? reader.summary : `${sources.length} ${reader.summary}`,
    compression: [],
    size: Number.isNaN(size) ? undefined : size,
    items,
    selector,
    close,
  };
}

export async function namedSource(
  reader: NameReader,
  { path, selector }: SourceText,
  reading: Reading,
  context: Context,
): Promise<OpenedSource> {
  const { items, close } = await reader.read(path, context, reading);
  const { name: format, summary: title } = reader;
  return { name: path, format, title, compression: [], size: undefined, items, selector, close };
}
