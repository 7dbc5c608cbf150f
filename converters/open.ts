/** Opening a source: from what a user writes to the images in it. */
import type { Archive, Keeper } from '../formats/archive/archive.ts';
import { folderArchive } from '../formats/archive/folder.ts';
import { openArchive } from '../formats/archive/open.ts';
import type { Context } from '../formats/base/context.ts';
import { OcixError, within } from '../formats/base/errors.ts';
import type { Chunks } from '../formats/bytes/chunks.ts';
import { type ByteSource, fileSource, pathKind, streamSource } from '../formats/bytes/source.ts';
import { printable } from '../formats/bytes/text.ts';
import { offersFor, recognise } from '../formats/detect.ts';
import { readerNamed } from '../formats/index.ts';
import type { Item } from '../formats/model/image.ts';
import type { Bid, Reader } from '../formats/model/reader.ts';
import { plainTar, readPlainTar } from '../formats/plain/index.ts';
import type { Selector } from './passes/select.ts';
import { parseSource, type SourceText } from './source-text.ts';

/** A source as text (`docker-archive:PATH:REF`, a path), or bytes that can be read once. */
export type Source = string | { readonly stream: Chunks; readonly name?: string; readonly from?: string };

export interface Offer extends Bid {
  /** The transport of the format. */
  readonly format: string;
}

export interface OpenedSource {
  /** As the user named it. */
  readonly name: string;
  readonly format: string;
  readonly title: string;
  /** How the whole was compressed, outermost first. */
  readonly compression: readonly string[];
  /** Bytes on disk, where that is known. */
  readonly size: number | undefined;
  readonly items: readonly Item[];
  readonly selector: Selector | undefined;
  close(): Promise<void>;
}

/**
 * @param keep what becomes of the large members of a source that can be read only once
 * @throws OcixError source/…, format/…, and whatever the reader refuses
 */
export async function openSource(
  source: Source,
  from: string | undefined,
  keep: Keeper,
  context: Context,
): Promise<OpenedSource> {
  const text = await sourceText(source, from);
  return within(printable(text.path), async () => {
    if (text.transport === plainTar.name) return openPlainTar(source, text, keep, context);
    const archive = await archiveOf(source, text, keep, context);
    try {
      const { reader, title } = await readerFor(archive, text);
      const items = await reader.read(archive, context);
      const { compression, size } = archive;
      return {
        name: archive.name,
        format: reader.name,
        title,
        compression,
        size,
        items,
        selector: text.selector,
        close: archive.close,
      };
    } catch (error) {
      await archive.close();
      throw error;
    }
  });
}

/** What every reader makes of a source. @throws OcixError source/…, format/unknown where it is no archive at all */
export async function detectSource(source: Source, keep: Keeper, context: Context): Promise<readonly Offer[]> {
  const text = await sourceText(source, undefined);
  const archive = await archiveOf(source, text, keep, context);
  try {
    const offers = await offersFor(archive);
    if (!offers.length) await recognise(archive);
    return offers.map(({ reader, confidence, reason, title }) => ({
      format: reader.name,
      confidence,
      reason,
      title: withCompression(title, archive),
    }));
  } finally {
    await archive.close();
  }
}

async function readerFor(
  archive: Archive,
  { transport }: SourceText,
): Promise<{ readonly reader: Reader; readonly title: string }> {
  if (transport === undefined) {
    const offer = await recognise(archive);
    return { reader: offer.reader, title: withCompression(offer.title, archive) };
  }
  const reader = readerNamed(transport);
  if (!reader)
    throw new OcixError('format/unsupported', `${transport}: is a transport that this version of ocix does not read`);
  const bid = await reader.bid(archive);
  return { reader, title: bid ? withCompression(bid.title, archive) : reader.name };
}

const withCompression = (title: string, { compression }: Archive): string =>
  compression.length ? `${title}, ${compression.join(' in ')}` : title;

const sourceText = async (source: Source, from: string | undefined): Promise<SourceText> =>
  typeof source === 'string'
    ? parseSource(source, from)
    : { transport: from ?? source.from, path: source.name ?? 'standard input', selector: undefined };

async function archiveOf(source: Source, { path }: SourceText, keep: Keeper, context: Context): Promise<Archive> {
  if (typeof source === 'string' && (await pathKind(path)) === 'folder') return folderArchive(path, context);
  const bytes = await bytesOf(source, path);
  try {
    return await openArchive(bytes, keep, context);
  } catch (error) {
    await bytes.close();
    throw error;
  }
}

const bytesOf = async (source: Source, path: string): Promise<ByteSource> =>
  typeof source === 'string' ? fileSource(path) : streamSource(path, source.stream);

async function openPlainTar(
  source: Source,
  { path, selector }: SourceText,
  keep: Keeper,
  context: Context,
): Promise<OpenedSource> {
  const bytes = await bytesOf(source, path);
  try {
    const image = await readPlainTar(bytes, keep, context);
    const compression = image.layers.flatMap(({ blob }) => (blob.codec ? [blob.codec.name] : []));
    const size = bytes.kind === 'random' ? bytes.size : undefined;
    return {
      name: path,
      format: plainTar.name,
      title: plainTar.title,
      compression,
      size,
      items: [image],
      selector,
      close: () => bytes.close(),
    };
  } catch (error) {
    await bytes.close();
    throw error;
  }
}
