/** What a docker archive can hold of a tree of items: images side by side. Everything else is noted as dropped. */
import { type Context, note } from '../../formats/base/context.ts';
import { platformMatches, platformText } from '../../formats/model/config.ts';
import { type Image, type ImageIndex, type Item, imagesOf } from '../../formats/model/image.ts';

export interface NamedImage {
  readonly image: Image;
  readonly names: readonly string[];
}

/** The images in their order, with the names they are to have. */
export function onlyImages(items: readonly Item[], context: Context): readonly NamedImage[] {
  const found: NamedImage[] = [];
  for (const item of items) {
    noteLosses(item, item.names[0], context);
    if (item.kind === 'image') found.push({ image: item, names: item.names });
    if (item.kind === 'index') found.push(...sideBySide(item, context));
  }
  return found;
}

/** A name stands for one image: for the one that runs on this host, or else the first. */
function sideBySide(index: ImageIndex, context: Context): readonly NamedImage[] {
  const images = imagesOf([index]);
  const named = images.find(({ config }) => platformMatches(context.host, config.platform)) ?? images[0];
  const [name] = index.names;
  if (images.length > 1 && name !== undefined) {
    const platform = platformText(named!.config.platform);
    note(context, 'dropped', `a docker archive gives a name to one image: ${name} is the one for ${platform}`, name);
  }
  return images.map((image) => ({ image, names: image === named ? index.names : image.names }));
}

function noteLosses(item: Item, name: string | undefined, context: Context): void {
  if (item.kind === 'artifact') {
    const what = `${item.descriptor.mediaType} ${item.descriptor.digest.slice(0, 19)}`;
    note(context, 'dropped', `a docker archive holds images only, and ${what} is none`, name ?? 'artifact');
  }
  if (item.kind !== 'index') return;
  note(context, 'dropped', 'a docker archive has no index: its images stand side by side', name ?? 'index');
  for (const absent of item.absent) {
    note(context, 'dropped', `${absent.digest} is not in the source`, name ?? 'index');
  }
  for (const child of item.children) noteLosses(child, name, context);
}
