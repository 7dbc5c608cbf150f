/** The time of creation, for images whose source does not state one. */
import type { Image, Item } from '../../formats/model/image.ts';
import { imagesOfPod, withImages } from '../../formats/model/pod.ts';

/** @param created RFC 3339; an image that has a configuration document of its own keeps it as it is */
export function createdAt(items: readonly Item[], created: string | undefined): readonly Item[] {
  if (created === undefined) return items;
  const stated = (image: Image): Image =>
    image.original.config || image.config.created !== undefined
      ? image
      : { ...image, config: { ...image.config, created } };
  return items.map((item) => {
    if (item.kind === 'pod') return withImages(item, imagesOfPod(item).map(stated));
    return item.kind === 'image' ? stated(item) : item;
  });
}
