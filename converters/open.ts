/** Opening a source: from what a user writes to the images in it. */
import type { Archive, Keeper } from '../formats/archive/archive.ts';
import { folderArchive } from '../formats/archive/folder.ts';
import { type Unwrapped, unwrap } from '../formats/archive/open.ts';
import type { Context } from '../formats/base/context.ts';
import { OcixError, within } from '../formats/base/errors.ts';
import type { Chunks } from '../formats/bytes/chunks.ts';
import { type ByteSource, fileSource, pathKind, streamSource } from '../formats/bytes/source.ts';
import { printable } from '../formats/bytes/text.ts';
import { contentOffers, filesOffer, offersFor, recognise } from '../formats/detect.ts';
import { TRANSPORT as DISCOVERED } from '../formats/discovery/transport.ts';
import { contentReaderNamed, filesReaderNamed, nameReaderNamed, readerNamed } from '../formats/index.ts';
import type { Item } from '../formats/model/image.ts';
import {
  type Bid,
  type ContentReader,
  type FilesReader,
  HEAD_SIZE,
  type Packaging,
  type Reader,
  type Reading,
  type Repositories,
  type Selector,
  type Shared,
} from '../formats/model/reader.ts';
import { plainTar, readPlainTar } from '../formats/plain/index.ts';
import { decrypted, decryptedBytes } from './decrypted.ts';
import { type FetchedSource, fetchSource, type NetworkOptions } from './fetch.ts';
import { checkOnlyFor, type OnlyFor } from './only-for.ts';
import { allOf, filesSource, namedSource } from './open-packages.ts';
import { type ImageSettings, withSettings } from './passes/settings.ts';
import { signatureGuard, signed, type Trust } from './signed.ts';
import { namesOf, parseSource, type SourceText } from './source-text.ts';

/** A source as text (`docker-archive:PATH:REF`, a path), bytes that can be read once, or several files that make one image. */
export type Source =
  | string
  | { readonly stream: Chunks; readonly name?: string; readonly from?: string }
  | { readonly files: readonly string[]; readonly from: string };

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
  /** Asked when everything is read, before it counts. Absent where nobody had to vouch for it. @throws OcixError signature/invalid */
  readonly confirm?: (() => Promise<void>) | undefined;
  close(): Promise<void>;
}

/** What a user says of a source beside its name. */
export interface SourceOptions {
  /** The source's format, where recognising it must not be left to its bytes. */
  readonly from?: string | undefined;
  /** Where images are that others depend on. */
  readonly dependencies?: readonly string[] | undefined;
  /** As the format's own engine read it, where that differs from the specification. */
  readonly compatible?: boolean | undefined;
  /** How an image is made of packages. */
  readonly packaging?: Partial<Packaging> | undefined;
  /** Where packages come from. */
  readonly repositories?: Repositories | undefined;
  /** Options that only some sources can follow; another source is refused with them. */
  readonly onlyFor?: OnlyFor | undefined;
  /** What an image runs whose source does not say. */
  readonly settings?: ImageSettings | undefined;
  /** The passphrase of a source that is encrypted with one, as bytes of UTF-8. */
  readonly passphrase?: Uint8Array | undefined;
  /** Whose signature a source needs; without it signatures are not looked for. */
  readonly trust?: Trust | undefined;
  /** What an image needs and is not there is told, and no reason to refuse. */
  readonly looking?: true | undefined;
  /** What the sources of one run have in common. */
  readonly shared?: Shared | undefined;
  /** `OS/ARCH[/VARIANT]`: the image to ask for, where there is one for each platform. */
  readonly platform?: string | undefined;
  /** How what is somewhere in a network is fetched. */
  readonly network?: NetworkOptions | undefined;
}

const PACKAGING: Packaging = { layers: 'group', distroless: false };

/**
 * @param keep what becomes of the large members of a source that can be read only once
 * @throws OcixError source/…, format/…, and whatever the reader refuses
 */
export async function openSource(
  source: Source,
  options: SourceOptions,
  keep: Keeper,
  context: Context,
): Promise<OpenedSource> {
  const { onlyFor = {} } = options;
  const text = await sourceText(source, options.from);
  // Before anything is read, where the user said what it is.
  if (text.transport !== undefined) checkOnlyFor(onlyFor, text.transport, text.transport);
  const opened = await openUnset(source, text, options, keep, context);
  try {
    if (text.transport === undefined) checkOnlyFor(onlyFor, opened.format, opened.title);
    return { ...opened, items: withSettings(opened.items, options.settings ?? {}) };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function openUnset(
  source: Source,
  text: SourceText,
  options: SourceOptions,
  keep: Keeper,
  context: Context,
): Promise<OpenedSource> {
  if (text.transport !== DISCOVERED || typeof source !== 'string')
    return openFound(source, { text }, options, keep, context);
  const fetched = await fetchSource(text.path, options, context);
  try {
    const found = { ...text, transport: fetched.format, path: fetched.file };
    const opened = await openFound(fetched.file, { text: found, fetched }, options, keep, context);
    const close = async (): Promise<void> => {
      await opened.close();
      await fetched.remove();
    };
    return { ...opened, close };
  } catch (error) {
    await fetched.remove();
    throw fetched.explained(error);
  }
}

/** What a source is, once it is here. */
interface Found {
  readonly text: SourceText;
  /** How it came here, where it was somewhere else. */
  readonly fetched?: FetchedSource;
}

async function openFound(
  source: Source,
  { text, fetched }: Found,
  options: SourceOptions,
  keep: Keeper,
  context: Context,
): Promise<OpenedSource> {
  const { dependencies = [], compatible = false, looking, shared, repositories } = options;
  const guard = options.trust && signatureGuard(options.trust, context);
  const name = fetched?.place ?? text.path;
  const reading: Reading = {
    keep,
    dependencies,
    decrypt: (bytes) => decryptedBytes(bytes, options.passphrase, context),
    compatible,
    packaging: { ...PACKAGING, ...options.packaging },
    repositories,
    selector: text.selector,
    looking,
    shared,
    elsewhere: looking ? undefined : fetched?.elsewhere,
    vouch: guard && ((place) => guard.dependency(place === undefined ? undefined : (fetched?.fileAt(place) ?? place))),
  };
  return within(printable(name), async () => {
    const checked = await guard?.source(source, text.path);
    const opened = await open();
    const items = checked ? signed(opened.items, checked) : opened.items;
    return { ...opened, items, confirm: guard?.unchanged };
  });

  async function open(): Promise<OpenedSource> {
    const byName = text.transport === undefined ? undefined : nameReaderNamed(text.transport);
    if (repositories?.lock && !byName?.locks) throw nothingToLock();
    if (byName) return namedSource(byName, text, reading, context);
    const several = text.files && filesReaderNamed(text.transport!);
    if (several && text.files) return filesSource(several, await allOf(text.files, context), text, reading, context);
    if (text.transport === plainTar.name) return openPlainTar(source, text, keep, context);
    if (typeof source === 'string' && (await pathKind(text.path)) === 'folder')
      return readArchive(await folderArchive(text.path, context), text, reading, context);
    const bytes = await decrypted({ ...(await bytesOf(source, text.path)), name }, options.passphrase, context);
    try {
      const unwrapped = await unwrap(bytes, HEAD_SIZE, context);
      const files = filesReaderFor(unwrapped, text);
      if (files) return await filesSource(files, [whole(bytes, unwrapped)], text, reading, context);
      const content = contentReaderFor(unwrapped, text);
      return content
        ? await readContent(bytes, unwrapped, content, { text, reading }, context)
        : await readArchive(await unwrapped.archive(keep), text, reading, context);
    } catch (error) {
      await bytes.close();
      throw error;
    }
  }
}

const nothingToLock = (): OcixError =>
  new OcixError('usage/option', '--lock is for packages of a repository', {
    hint: 'Leave --lock out: files that are named are the same the next time.',
  });

/** Bytes of which the beginning was looked at. */
const whole = (bytes: ByteSource, { open }: Unwrapped): ByteSource =>
  bytes.kind === 'random' ? bytes : { ...bytes, chunks: open() };

/** A package that is compressed as a whole is a file of another kind. */
function filesReaderFor({ head, compression }: Unwrapped, { transport }: SourceText): FilesReader | undefined {
  if (compression.length) return undefined;
  return transport === undefined ? filesOffer(head)?.reader : filesReaderNamed(transport);
}

/** A format that is one file from end to end. */
interface ContentMatch {
  readonly reader: ContentReader;
  readonly title: string;
}

function contentReaderFor({ head, compression }: Unwrapped, { transport }: SourceText): ContentMatch | undefined {
  const named = transport === undefined ? undefined : contentReaderNamed(transport);
  if (transport !== undefined && !named) return undefined;
  const [offer] = named ? [{ reader: named, title: named.recognise(head)?.title ?? named.name }] : contentOffers(head);
  return offer && { reader: offer.reader, title: titled(offer.title, compression) };
}

async function readContent(
  bytes: ByteSource,
  { compression, repeatable, open }: Unwrapped,
  { reader, title }: ContentMatch,
  { text, reading }: { readonly text: SourceText; readonly reading: Reading },
  context: Context,
): Promise<OpenedSource> {
  const size = bytes.kind === 'random' ? bytes.size : undefined;
  const { name } = bytes;
  const items = await reader.read({ name, compression, size, repeatable, open }, context, reading);
  const { selector } = text;
  return { name, format: reader.name, title, compression, size, items, selector, close: () => bytes.close() };
}

async function readArchive(
  archive: Archive,
  text: SourceText,
  reading: Reading,
  context: Context,
): Promise<OpenedSource> {
  try {
    const { reader, title } = await readerFor(archive, text);
    const items = await reader.read(archive, context, reading);
    const { name, compression, size, close } = archive;
    const selector = reader.selects ? undefined : text.selector;
    return { name, format: reader.name, title, compression, size, items, selector, close };
  } catch (error) {
    await archive.close();
    throw error;
  }
}

/** What every reader makes of a source. @throws OcixError source/…, format/unknown where it is no archive at all */
export async function detectSource(
  source: Source,
  options: SourceOptions,
  keep: Keeper,
  context: Context,
): Promise<readonly Offer[]> {
  const { transport, path } = await sourceText(source, undefined);
  if (transport !== DISCOVERED || typeof source !== 'string')
    return detectFound(source, { path, ...options }, keep, context);
  const { file, remove } = await fetchSource(path, options, context);
  try {
    return await detectFound(file, { path: file, ...options }, keep, context);
  } finally {
    await remove();
  }
}

async function detectFound(
  source: Source,
  { path, passphrase }: Pick<SourceOptions, 'passphrase'> & { readonly path: string },
  keep: Keeper,
  context: Context,
): Promise<readonly Offer[]> {
  if (typeof source === 'string' && (await pathKind(path)) === 'folder')
    return archiveOffers(await folderArchive(path, context));
  const bytes = await decrypted(await bytesOf(source, path), passphrase, context);
  try {
    const unwrapped = await unwrap(bytes, HEAD_SIZE, context);
    const files = unwrapped.compression.length ? undefined : filesOffer(unwrapped.head);
    if (files) return [described(files, [])];
    const offers = contentOffers(unwrapped.head);
    if (!offers.length) return await archiveOffers(await unwrapped.archive(keep));
    return offers.map((offer) => described(offer, unwrapped.compression));
  } finally {
    await bytes.close();
  }
}

async function archiveOffers(archive: Archive): Promise<readonly Offer[]> {
  try {
    const offers = await offersFor(archive);
    if (!offers.length) await recognise(archive);
    return offers.map((offer) => described(offer, archive.compression));
  } finally {
    await archive.close();
  }
}

const described = (
  { reader, confidence, reason, title }: Bid & { readonly reader: { readonly name: string } },
  compression: readonly string[],
): Offer => ({ format: reader.name, confidence, reason, title: titled(title, compression) });

async function readerFor(
  archive: Archive,
  { transport }: SourceText,
): Promise<{ readonly reader: Reader; readonly title: string }> {
  if (transport === undefined) {
    const { reader, title } = await recognise(archive);
    return { reader, title: titled(title, archive.compression) };
  }
  const reader = readerNamed(transport);
  if (!reader)
    throw new OcixError('format/unsupported', `${printable(archive.name)} is a ${archive.kind}, and no ${transport}`);
  const bid = await reader.bid(archive);
  return { reader, title: bid ? titled(bid.title, archive.compression) : reader.name };
}

const titled = (title: string, compression: readonly string[]): string =>
  compression.length ? `${title}, ${compression.join(' in ')}` : title;

async function sourceText(source: Source, from: string | undefined): Promise<SourceText> {
  if (typeof source === 'string') return parseSource(source, from);
  if ('files' in source)
    return { transport: source.from, path: namesOf(source.files), files: source.files, selector: undefined };
  return { transport: from ?? source.from, path: source.name ?? 'standard input', selector: undefined };
}

const bytesOf = async (source: Source, path: string): Promise<ByteSource> =>
  typeof source === 'object' && 'stream' in source ? streamSource(path, source.stream) : fileSource(path);

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
