/**
 * Debian packages: one image from all of them, and of what they need in the folders beside them.
 * https://www.debian.org/doc/debian-policy/
 */
import { OcixError, within } from '../base/errors.ts';
import type { FolderSource } from '../bytes/folder.ts';
import type { ByteSource, ForwardSource, RandomSource } from '../bytes/source.ts';
import { printable } from '../bytes/text.ts';
import type { FilesReader } from '../model/reader.ts';
import { spool, spoolSource } from '../store/spool.ts';
import { imageOfPackages } from './image.ts';
import { isOldPackage } from './old-format.ts';
import { type DebPackage, isPackage, readPackage } from './package.ts';
import { chosenFrom, readShelves } from './shelf.ts';

export const deb: FilesReader = {
  name: 'deb',
  aliases: [],
  summary: 'Debian packages, one image from all of them',
  recognise(head) {
    if (!isPackage(head)) return undefined;
    return isOldPackage(head)
      ? { confidence: 90, reason: 'the first line of packages before 1995', title: 'Debian package (before 1995)' }
      : { confidence: 100, reason: 'an ar archive that starts with debian-binary', title: 'Debian package' };
  },
  async read(sources, context, { packaging, repositories }) {
    const files = sources.filter((source): source is ByteSource => source.kind !== 'folder');
    const folders = sources.filter((source): source is FolderSource => source.kind === 'folder');
    const open: { close(): Promise<void> }[] = [...files];
    const close = async (): Promise<void> => {
      for (const one of open.splice(0)) await one.close();
    };
    try {
      const packages: DebPackage[] = [];
      for (const source of files) {
        const random = source.kind === 'random' ? source : await putAside(source, open);
        packages.push(
          files.length === 1
            ? await readPackage(random, context)
            : await within(printable(source.name), () => readPackage(random, context)),
        );
      }
      if (folders.length) {
        const chosen = chosenFrom(await readShelves(folders, context), packages, repositories ?? {}, context);
        for (const one of chosen) {
          const file = await one.open();
          open.push(file);
          packages.push(await within(printable(file.name), () => readPackage(file, context)));
        }
      }
      if (!packages.length)
        throw new OcixError('usage/argument', 'there is no package', {
          hint: 'Give one .deb file at least, or a folder with some.',
        });
      const { image, close: closeImage } = imageOfPackages(packages, packaging, context);
      open.unshift({ close: closeImage });
      return { items: [image], close };
    } catch (error) {
      await close();
      throw error;
    }
  },
};

/** A package from a pipe. */
async function putAside(source: ForwardSource, open: { close(): Promise<void> }[]): Promise<RandomSource> {
  const aside = await spool();
  open.push(aside);
  for await (const chunk of source.chunks) await aside.append([chunk]);
  return spoolSource(source.name, aside);
}
