/** Sources that are several files, and sources that are names of what is somewhere else. */
import type { Context } from '../formats/base/context.ts';
import { type ByteSource, fileSource } from '../formats/bytes/source.ts';
import type { FilesReader, NameReader, Reading } from '../formats/model/reader.ts';
import type { OpenedSource } from './open.ts';
import type { SourceText } from './source-text.ts';

/** All of them, or none. @throws OcixError source/… */
export async function allOf(paths: readonly string[] = []): Promise<readonly ByteSource[]> {
  const sources: ByteSource[] = [];
  try {
    for (const path of paths) sources.push(await fileSource(path));
    return sources;
  } catch (error) {
    for (const source of sources) await source.close();
    throw error;
  }
}

export async function filesSource(
  reader: FilesReader,
  sources: readonly ByteSource[],
  { path, selector }: SourceText,
  reading: Reading,
  context: Context,
): Promise<OpenedSource> {
  const { items, close } = await reader.read(sources, context, reading);
  const size = sources.reduce((sum, source) => sum + (source.kind === 'random' ? source.size : Number.NaN), 0);
  return {
    name: path,
    format: reader.name,
    title: sources.length === 1 ? reader.summary : `${sources.length} ${reader.summary}`,
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
