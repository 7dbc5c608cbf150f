/** Where the images are that others depend on: files, folders of files, and the stores of rkt hosts. */

import type { Archive, Member } from '../archive/archive.ts';
import { folderArchive } from '../archive/folder.ts';
import { peel } from '../archive/open.ts';
import { type Context, checkAbort } from '../base/context.ts';
import { OcixError, within } from '../base/errors.ts';
import { checkLimit } from '../base/limits.ts';
import { noteList } from '../base/notes.ts';
import { byteReader, type Chunks } from '../bytes/chunks.ts';
import { fileSource, pathKind } from '../bytes/source.ts';
import { printable } from '../bytes/text.ts';
import { HEAD_SIZE } from '../model/reader.ts';
import type { ImageCatalog } from './dependencies.ts';
import { type ImageContent, type ImageFile, openImage } from './image-file.ts';
import { recogniseImage } from './recognise.ts';
import { isStore, storeContents } from './store.ts';

const STORE = 'rkt:';

/** Takes the encryption off the bytes of a file. What is not encrypted stays as it is. @throws OcixError encryption/passphrase */
export type Decrypt = (bytes: Chunks) => Chunks;

const asItIs: Decrypt = (bytes) => bytes;

/** @param places as a user writes them: `DIR`, `FILE`, `rkt:DIR` @throws OcixError source/missing, and what a named file refuses */
export async function imageCatalog(
  places: readonly string[],
  context: Context,
  decrypt?: Decrypt,
): Promise<ImageCatalog> {
  const byName = new Map<string, ImageFile[]>();
  const shown: string[] = [];
  for (const place of places) {
    let locked = 0;
    const files = await within(place, () => imagesAt(place, context, { decrypt, onLocked: () => locked++ }));
    const encrypted = locked ? `, and ${locked} encrypted file${locked === 1 ? '' : 's'}` : '';
    shown.push(`${printable(place)} (${files.length} image${files.length === 1 ? '' : 's'}${encrypted})`);
    for (const file of files) {
      const same = byName.get(file.manifest.name) ?? [];
      same.push(file);
      byName.set(file.manifest.name, same);
    }
  }
  return { places: shown, named: (name) => byName.get(name) ?? [], all: () => [...byName.values()].flat() };
}

export interface LookOptions {
  readonly decrypt?: Decrypt | undefined;
  /** Told of an image that cannot be read. Without it, what is damaged in a folder is no image that anybody can depend on; whoever misses it is told so. */
  readonly onDamaged?: ((found: Found, error: OcixError) => void) | undefined;
  /** Told of each file in a folder that needs another passphrase, or one. */
  readonly onLocked?: (() => void) | undefined;
}

/** @param place `DIR`, `FILE` or `rkt:DIR` */
export async function imagesAt(place: string, own: Context, options: LookOptions = {}): Promise<readonly ImageFile[]> {
  const path = place.startsWith(STORE) ? place.slice(STORE.length) : place;
  // What is noted of an image counts where it is used, and not where it is only looked at.
  const context = { ...own, notes: noteList() };
  const { decrypt = asItIs, onDamaged, onLocked } = options;
  if ((await pathKind(path)) !== 'folder') return [await openImage(await fileContent(path, context, decrypt), context)];
  const archive = await folderArchive(path, context);
  const contents =
    place.startsWith(STORE) || (await isStore(archive))
      ? await storeContents(archive)
      : await imagesBelow(archive, decrypt, onLocked, context);
  const files: ImageFile[] = [];
  for (const { content, ...known } of contents) {
    checkAbort(context);
    const notes = noteList();
    const file = await readable({ content, ...known }, { ...context, notes }, onDamaged);
    if (file) files.push({ ...file, ...known, notes: notes.all() });
  }
  return files;
}

async function readable(
  found: Found,
  context: Context,
  onDamaged: LookOptions['onDamaged'],
): Promise<ImageFile | undefined> {
  try {
    return await openImage(found.content, context);
  } catch (error) {
    if (!(error instanceof OcixError) || error.code === 'interrupted') throw error;
    onDamaged?.(found, error);
    return undefined;
  }
}

export interface Found {
  readonly content: ImageContent;
  readonly key?: string;
  readonly imported?: number;
}

/** Every image below a folder, in the order of their names. */
async function imagesBelow(
  archive: Archive,
  decrypt: Decrypt,
  onLocked: LookOptions['onLocked'],
  context: Context,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const name of await filesIn(archive, context)) {
    checkAbort(context);
    const member = await archive.get(name).catch(() => undefined);
    const content = member && memberContent(`${archive.name}/${name}`, member, decrypt, context);
    const kind = content && (await kindOf(content));
    if (content && kind === 'image') found.push({ content });
    else if (kind === 'locked') onLocked?.();
  }
  return found;
}

async function filesIn(archive: Archive, context: Context): Promise<readonly string[]> {
  const files: string[] = [];
  for (const name of [...archive.names()].sort()) {
    const below = await archive.list(name);
    for (const file of below.length ? below : [name]) files.push(file); // more than a call can have arguments
    checkLimit(context.limits, 'members', files.length, 'the number of files in the folder');
  }
  return files;
}

async function kindOf({ open }: ImageContent): Promise<'image' | 'locked' | undefined> {
  const reader = byteReader(open());
  try {
    return recogniseImage(await reader.read(HEAD_SIZE)) ? 'image' : undefined;
  } catch (error) {
    if (!(error instanceof OcixError) || error.code === 'interrupted') throw error;
    return error.code === 'encryption/passphrase' ? 'locked' : undefined;
  } finally {
    await reader.close();
  }
}

function memberContent(place: string, member: Member, decrypt: Decrypt, context: Context): ImageContent {
  return {
    place,
    size: member.size,
    costly: true,
    open: () => uncompressed(() => decrypt(member.open()), context),
  };
}

/** @throws OcixError source/… */
export async function fileContent(path: string, context: Context, decrypt = asItIs): Promise<ImageContent> {
  const source = await fileSource(path);
  if (source.kind === 'random') {
    await source.close();
    return {
      place: path,
      size: source.size,
      costly: true,
      open: () => uncompressed(() => decrypt(reopened(path)), context),
    };
  }
  await source.close();
  throw new OcixError('source/unreadable', `${printable(path)} can be read only once`, {
    hint: 'Write the image that others depend on to a file first.',
  });
}

/** Opened for each reading, so that a catalogue of ten thousand images does not need as many descriptors. */
async function* reopened(path: string): AsyncGenerator<Uint8Array> {
  const source = await fileSource(path);
  try {
    if (source.kind === 'random') yield* source.window(0, source.size);
  } finally {
    await source.close();
  }
}

async function* uncompressed(open: () => Chunks, context: Context): AsyncGenerator<Uint8Array> {
  const { content } = await peel(open(), context);
  yield* content;
}
