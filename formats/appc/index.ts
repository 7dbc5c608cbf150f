/**
 * App Container Images: what rkt ran, and what acbuild, docker2aci, actool and others wrote.
 * https://github.com/appc/spec/blob/v0.8.11/spec/aci.md
 */
import type { Keeper, Kept } from '../archive/archive.ts';
import { type Context, createContext, note } from '../base/context.ts';
import { type OcixError, within } from '../base/errors.ts';
import type { Chunks } from '../bytes/chunks.ts';
import type { ImageConfig } from '../model/config.ts';
import type { Image } from '../model/image.ts';
import type { Content, ContentReader, Reading } from '../model/reader.ts';
import { fileContent, imageCatalog } from './catalog.ts';
import { configOf, isTimestamp, PREFIX, referencesOf, wellKnown } from './config.ts';
import { type ImageCatalog, renderOrder } from './dependencies.ts';
import { type ImageContent, type ImageFile, manifestAhead, openImage } from './image-file.ts';
import { type App, parseImageManifest } from './manifest.ts';
import { recogniseImage } from './recognise.ts';
import { type RenderedLayer, renderImage } from './render.ts';

export const aci: ContentReader = {
  name: 'aci',
  aliases: [],
  summary: 'App Container Images of rkt, acbuild, docker2aci and actool, with the images that they depend on',
  depends: true,
  recognise: recogniseImage,
  async names({ name, size, open }, context) {
    const quiet = createContext({ limits: context.limits, signal: context.signal });
    const { manifest } = await openImage({ place: name, size, costly: true, open }, quiet);
    return referencesOf(manifest, quiet);
  },
  async read(content, context, reading) {
    const file = await imageFile(content, reading.keep, context);
    return [await imageOf(file, catalogFor(reading, context), reading, context)];
  },
};

export const catalogFor = (reading: Reading, context: Context): (() => Promise<ImageCatalog>) => {
  const { dependencies, shared, decrypt } = reading;
  let made: Promise<ImageCatalog> | undefined;
  const make = (): Promise<ImageCatalog> => imageCatalog(dependencies, context, decrypt);
  const places = () => (made ??= shared ? shared.once(`images ${dependencies.join('\0')}`, make) : make());
  return async () => ({ ...(await places()), ...fetching(reading, context) });
};

const fetching = ({ elsewhere, decrypt }: Reading, context: Context): Pick<ImageCatalog, 'fetch'> =>
  elsewhere
    ? {
        async fetch({ imageName: name, labels }, { place: neededBy }) {
          const { file, place } = await elsewhere({ name, labels, neededBy });
          return openImage({ ...(await fileContent(file, context, decrypt)), place }, context);
        },
      }
    : {};

/** @throws OcixError appc/…, and what reading its content throws */
export const imageOf = async (
  file: ImageFile,
  catalog: () => Promise<ImageCatalog>,
  reading: Reading,
  context: Context,
): Promise<Image> => (await prepareImage(file, catalog, reading, context)).image;

export interface PreparedImage {
  readonly file: ImageFile;
  readonly image: Image;
  /** The configuration with another app in it. */
  configFor(app: App, name: string, context: Context): ImageConfig;
}

/** An image that may run other apps than its own. @throws OcixError appc/…, and what reading its content throws */
export async function prepareImage(
  file: ImageFile,
  catalog: () => Promise<ImageCatalog>,
  reading: Reading,
  context: Context,
): Promise<PreparedImage> {
  const onMissing = reading.looking && ((error: OcixError) => note(context, 'dropped', error.message, ...error.at));
  const { order, dependencies } = await renderOrder(
    file,
    catalog,
    { onMissing, onFound: vouched(reading, context) },
    context,
  );
  for (const { file: one } of order)
    for (const { kind, message, at } of one.notes ?? []) note(context, kind, message, one.manifest.name, ...at);
  const { layers, root } = await renderImage(order, reading, context);
  const { imageId } = layers.at(-1)!;
  const { manifest, manifestBytes } = file;
  const described = { manifest, manifestBytes, imageId };
  const image: Image = {
    kind: 'image',
    names: referencesOf(manifest, context),
    config: configOf(described, root, context),
    layers: layers.map(({ layer }) => layer),
    history: layers.map(step),
    ...(dependencies.length ? { dependencies } : {}),
    annotations: new Map([...wellKnown(manifest), [`${PREFIX}image-id`, imageId]]),
    original: {},
  };
  const configFor = (app: App, appName: string, own: Context): ImageConfig =>
    configOf({ ...described, manifest: { ...manifest, app }, appName }, root, own);
  return { file, image, configFor };
}

/**
 * Asks who vouches for an image that is read beside the source; undefined where nobody has to. The signatures of what is in a store went with
 * the files; its engine had checked them.
 */
export function vouched({ vouch }: Reading, context: Context): ((file: ImageFile) => Promise<void>) | undefined {
  if (!vouch) return undefined;
  return async ({ place, key, manifest }) => {
    await within(manifest.name, () => vouch(key === undefined ? place : undefined));
    if (key === undefined) return;
    note(
      context,
      'guessed',
      `${manifest.name} comes from a store, which keeps no signatures; it is taken unchecked`,
      manifest.name,
    );
  };
}

function step({ file, imageId }: RenderedLayer): Image['history'][number] {
  const { name, labels, annotations } = file.manifest;
  const created = annotations.get('created');
  const version = labels.get('version');
  return {
    ...(created !== undefined && isTimestamp(created) ? { created } : {}),
    createdBy: `${name}${version === undefined ? '' : `:${version}`}`,
    comment: imageId,
    emptyLayer: false,
  };
}

/**
 * A pipe can be read once. That is enough where the manifest comes first and has no whitelist; otherwise the image is kept as it is, and read
 * from there.
 */
async function imageFile(content: Content, keep: Keeper, context: Context): Promise<ImageFile> {
  const { name: place, size } = content;
  if (content.repeatable) {
    const costly = content.compression.length > 0;
    return openImage({ place, size, costly, open: content.open }, context);
  }
  const ahead = await manifestAhead(content.open(), context);
  const manifest = ahead.manifest && parseImageManifest(ahead.manifest, context);
  if (manifest && !manifest.pathWhitelist)
    return {
      place,
      size,
      costly: true,
      manifest,
      manifestBytes: ahead.manifest!,
      open: () => ahead.content,
      once: true,
    };
  const kept: Kept = await keep(ahead.content, place, context);
  const whole: ImageContent = { place, size, costly: true, open: (): Chunks => kept.open() };
  return openImage(whole, context);
}
