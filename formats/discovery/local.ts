/** An image that was asked for by its name, and that is here already. */
import { imagesAt } from '../appc/catalog.ts';
import { labelled } from '../appc/dependencies.ts';
import { type ImageFile, imageIdOf } from '../appc/image-file.ts';
import { type Context, note } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { printable } from '../bytes/text.ts';
import { differenceFrom, type Wanted, wantedText } from './wanted.ts';

/**
 * @param places files, folders, and stores with their transport in front; the first that has it is taken
 * @throws OcixError image/select where a place has several, and what reading the places throws
 */
export async function findLocally(
  wanted: Wanted,
  places: readonly string[],
  context: Context,
): Promise<ImageFile | undefined> {
  for (const place of places) {
    const images = await imagesAt(place, context);
    const found = await distinct(
      images.filter(({ manifest }) => !differenceFrom(wanted, manifest)),
      context,
    );
    if (found.length) return theOne(wanted, found, context);
  }
  return undefined;
}

/** Several files may be one image. */
async function distinct(files: readonly ImageFile[], context: Context): Promise<readonly ImageFile[]> {
  if (files.length < 2) return files;
  const byId = new Map<string, ImageFile>();
  for (const file of files) byId.set(file.key ?? (await imageIdOf(file, context)), file);
  return [...byId.values()];
}

/** A store tells which one came last, which is what its own engine would take; files do not. */
function theOne(wanted: Wanted, files: readonly ImageFile[], context: Context): ImageFile {
  const [first, ...others] = files;
  if (!others.length) return first!;
  if (files.every(({ imported }) => imported !== undefined)) {
    const last = files.reduce((a, b) => (b.imported! >= a.imported! ? b : a));
    note(
      context,
      'guessed',
      `the store has ${files.length} images for ${wantedText(wanted)}; the one that came last is taken`,
      labelled(last),
    );
    return last;
  }
  throw new OcixError('image/select', `${wantedText(wanted)} could be any of ${files.length} images`, {
    found: files
      .map((file) => `${labelled(file)} (${printable(file.place)})`)
      .slice(0, 5)
      .join(', '),
    hint: 'Say which one: appc:NAME:VERSION,LABEL=VALUE.',
  });
}
