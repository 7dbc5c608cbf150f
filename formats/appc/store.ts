/**
 * The store of an rkt host: images as uncompressed tars, named by the first half of their ids. Its database is not needed.
 * https://github.com/rkt/rkt/blob/v1.30.0/store/imagestore/store.go
 */
import type { Archive } from '../archive/archive.ts';
import type { Context } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { printable } from '../bytes/text.ts';
import type { ImageContent } from './image-file.ts';

export interface StoredImage {
  readonly content: ImageContent;
  readonly key: string;
  readonly imported: number;
}

const BLOBS = 'cas/blob/sha512';
const KEY = /^sha512-[0-9a-f]{64}$/;

export const isStore = (archive: Archive): boolean => archive.kind === 'folder' && archive.names().includes('cas');

/** Oldest first, as they were fetched. @throws OcixError appc/archive where the folder is no store */
export async function storeContents(archive: Archive, context: Context): Promise<readonly StoredImage[]> {
  if (!isStore(archive)) {
    throw new OcixError('appc/archive', `${printable(archive.name)} is no data folder of rkt: it has no cas`, {
      hint: 'It is /var/lib/rkt on most hosts.',
    });
  }
  const stored: StoredImage[] = [];
  for (const name of await archive.list(BLOBS)) {
    const key = name.slice(name.lastIndexOf('/') + 1);
    const member = KEY.test(key) ? await archive.get(name) : undefined;
    if (!member) continue;
    const { size, open, modified = 0 } = member;
    stored.push({ content: { place: `${archive.name}/${name}`, size, costly: false, open }, key, imported: modified });
  }
  void context;
  return stored.sort((a, b) => a.imported - b.imported || (a.key < b.key ? -1 : 1));
}
