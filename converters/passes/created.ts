/** The time of creation, for images whose source does not state one. */
import type { Item } from '../../formats/model/image.ts';

/** @param created RFC 3339; an image that has a configuration document of its own keeps it as it is */
export function createdAt(items: readonly Item[], created: string | undefined): readonly Item[] {
  if (created === undefined) return items;
  return items.map((item) =>
    item.kind === 'image' && !item.original.config && item.config.created === undefined
      ? { ...item, config: { ...item.config, created } }
      : item,
  );
}
