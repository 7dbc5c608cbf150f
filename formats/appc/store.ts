/**
 * The store of an rkt host: images as uncompressed tars, named by the first half of their ids. Its database is not needed.
 * https://github.com/rkt/rkt/blob/v1.30.0/store/imagestore/store.go
 */
import type { Archive, Member } from '../archive/archive.ts';
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

/** A file of that name is nothing, and neither is an empty folder. */
export const isStore = async (archive: Archive): Promise<boolean> =>
  archive.kind === 'folder' && archive.names().includes('cas') && (await archive.list('cas')).length > 0;

/** Oldest first, as they were fetched. @throws OcixError appc/archive where the folder is no store */
export async function storeContents(archive: Archive): Promise<readonly StoredImage[]> {
  if (!(await isStore(archive))) {
    throw new OcixError(
      'appc/archive',
      `${printable(archive.name)} is no data folder of rkt: it has no images in cas`,
      {
        hint: 'It is /var/lib/rkt on most hosts.',
      },
    );
  }
  const stored: StoredImage[] = [];
  for (const name of await archive.list(BLOBS)) {
    const key = name.slice(name.lastIndexOf('/') + 1);
    if (!KEY.test(key)) continue;
    const { size, open, modified = 0 } = await memberOf(archive, name);
    stored.push({ content: { place: `${archive.name}/${name}`, size, costly: false, open }, key, imported: modified });
  }
  return stored.sort((a, b) => a.imported - b.imported || (a.key < b.key ? -1 : 1));
}

/** One file that cannot be read is one image that cannot be read. */
async function memberOf(
  archive: Archive,
  name: string,
): Promise<Pick<Member, 'open' | 'modified'> & { readonly size?: number }> {
  try {
    const member = await archive.get(name);
    if (member) return member;
    throw new OcixError('source/missing', `${printable(name)} has gone`);
  } catch (error) {
    if (!(error instanceof OcixError)) throw error;
    return {
      open: () => {
        throw error;
      },
    };
  }
}
