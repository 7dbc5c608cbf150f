/**
 * The data folder of an rkt host as a source: every image that was ever fetched, each made of what it depends on in the same store; or one of
 * the pods that ran, chosen by its UUID.
 * https://github.com/rkt/rkt/blob/v1.30.0/store/imagestore/store.go
 */
import type { Archive } from '../archive/archive.ts';
import { type Context, createContext } from '../base/context.ts';
import { OcixError, within } from '../base/errors.ts';
import { printable } from '../bytes/text.ts';
import type { Image, Item } from '../model/image.ts';
import type { EstateImage, Reader, Reading, Selector } from '../model/reader.ts';
import { nameApart } from '../model/reference.ts';
import { imagesAt } from './catalog.ts';
import { referencesOf } from './config.ts';
import { type ImageCatalog, labelled } from './dependencies.ts';
import type { ImageFile } from './image-file.ts';
import { catalogFor, imageOf } from './index.ts';
import { podOf } from './pod-reader.ts';
import { isPodId, podOfStore } from './pods-of-store.ts';
import { isStore } from './store.ts';

export const rkt: Reader = {
  name: 'rkt',
  aliases: [],
  summary: 'the data folder of an rkt host (/var/lib/rkt), with every image in it',
  selects: true,
  depends: true,
  async bid(archive) {
    return (await isStore(archive))
      ? { confidence: 80, reason: 'cas/ in a folder', title: 'data folder of rkt' }
      : undefined;
  },
  async estate(archive, context) {
    const quiet = createContext({ limits: context.limits });
    const { files, damaged } = await readStore(archive, context);
    return [
      ...files.map(({ key, manifest }): EstateImage => ({ id: key!, names: referencesOf(manifest, quiet) })),
      ...damaged.map(({ key }): EstateImage => ({ id: key, names: [] })),
    ];
  },
  async read(archive, context, reading) {
    const files = await storedImages(archive, reading, context);
    const catalog = withOthers(files, archive, reading, context);
    const { selector } = reading;
    if (selector?.kind === 'id' && isPodId(selector.id)) {
      const { uuid, manifest } = await podOfStore(archive, selector.id, context);
      return [await within(uuid, () => podOf(manifest, { names: [`rkt-${uuid}`], catalog }, reading, context))];
    }
    const images: Image[] = [];
    for (const file of chosen(files, selector))
      images.push(await within(labelled(file), () => imageOf(file, catalog, reading, context)));
    return named(images);
  },
};

interface StoredImages {
  readonly files: readonly ImageFile[];
  readonly damaged: readonly { readonly key: string; readonly error: OcixError }[];
}

async function readStore(archive: Archive, context: Context): Promise<StoredImages> {
  const damaged: { readonly key: string; readonly error: OcixError }[] = [];
  const files = await imagesAt(`rkt:${archive.name}`, context, {
    onDamaged: ({ key, content }, error) => damaged.push({ key: key!, error: error.within(content.place) }),
  });
  return { files, damaged };
}

/** @throws OcixError for a damaged image that is asked for, and for any where all of them are */
async function storedImages(
  archive: Archive,
  { shared, selector }: Reading,
  context: Context,
): Promise<readonly ImageFile[]> {
  const read = (): Promise<StoredImages> => readStore(archive, context);
  const { files, damaged } = await (shared ? shared.once(`rkt:${archive.name}`, read) : read());
  const wanted = damaged.find(({ key }) => !selector || (selector.kind === 'id' && isPrefix(key, selector.id)));
  if (wanted) throw wanted.error;
  return files;
}

/** The store itself comes first where dependencies are looked for. */
function withOthers(
  files: readonly ImageFile[],
  { name }: Archive,
  reading: Reading,
  context: Context,
): () => Promise<ImageCatalog> {
  const others = catalogFor(reading, context);
  return async () => {
    const more = reading.dependencies.length ? await others() : { places: [], named: () => [], all: () => [] };
    return {
      places: [`rkt:${printable(name)} (${files.length} images)`, ...more.places],
      named(wanted) {
        const own = files.filter(({ manifest }) => manifest.name === wanted);
        return own.length ? own : more.named(wanted);
      },
      all: () => [...files, ...more.all()],
    };
  };
}

/** A name without a version means the image that came last, as it did to rkt. */
function chosen(files: readonly ImageFile[], selector: Selector | undefined): readonly ImageFile[] {
  if (!selector) return files;
  const found = files.filter((file, i) => {
    if (selector.kind === 'index') return i === selector.index;
    if (selector.kind === 'id') return isPrefix(file.key!, selector.id);
    return labelled(file) === selector.name || file.manifest.name === selector.name;
  });
  if (selector.kind === 'id' && new Set(found.map(({ key }) => key)).size > 1)
    throw new OcixError('image/select', `${selector.id} is the beginning of ${found.length} ids`, {
      hint: `Give more of it: ${found.map(({ key }) => key!.slice(0, 24)).join(', ')}.`,
    });
  const last = found.at(-1);
  if (last) return [last];
  throw new OcixError('image/select', 'there is no such image in the store', {
    hint: `It has ${files.slice(0, 10).map(labelled).join(', ')}${files.length > 10 ? ` and ${files.length - 10} more` : ''}.`,
  });
}

const isPrefix = (key: string, id: string): boolean => key.startsWith(id) || id.startsWith(key);

/** Of images with one name the last one keeps it; the others are told apart by their ids. */
function named(images: readonly Image[]): readonly Item[] {
  return images.map((image, i) => {
    const again = images
      .slice(i + 1)
      .some((later) => later.names[0] !== undefined && later.names[0] === image.names[0]);
    if (!again) return image;
    const id = image.annotations?.get('io.ocix.appc.image-id') ?? '';
    return { ...image, names: image.names.map((name) => nameApart(name, id.slice('sha512-'.length))) };
  });
}
