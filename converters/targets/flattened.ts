/** One layer in the place of several: the merged tree, as unpacking them in order gives it. */
import type { Keeper } from '../../formats/archive/archive.ts';
import { type Context, note } from '../../formats/base/context.ts';
import type { Chunks } from '../../formats/bytes/chunks.ts';
import type { Image, Storable } from '../../formats/model/image.ts';
import { layerFromMember } from '../../formats/model/layer.ts';
import { flatTar } from './flat-tar.ts';
import { flatTree } from './flat-tree.ts';

/** Every image of the tree with one layer; images that have no more than one stay as they are. */
export async function flattened(
  items: readonly Storable[],
  keep: Keeper,
  context: Context,
): Promise<readonly Storable[]> {
  const flat: Storable[] = [];
  for (const item of items) {
    if (item.kind === 'image') flat.push(item.layers.length > 1 ? await flatImage(item, keep, context) : item);
    else if (item.kind === 'artifact') flat.push(item);
    else {
      note(
        context,
        'dropped',
        'an index of several images is taken apart: its images are not what it names any more',
        item.names[0] ?? 'index',
      );
      const images = await flattened(item.children, keep, context);
      flat.push(...images.map((image) => (image.names.length ? image : { ...image, names: item.names })));
    }
  }
  return flat;
}

async function flatImage(image: Image, keep: Keeper, context: Context): Promise<Image> {
  const tree = await flatTree(image.layers, context, () => {});
  const size = { plain: 0 };
  const open = (): AsyncGenerator<Uint8Array> => counted(flatTar(image.layers, tree, {}, context), size);
  const kept = await keep(open(), 'the flattened layer', context, { costly: true, open });
  const member = { name: 'layer', type: 'file', link: '', size: size.plain, kept, open: kept.open } as const;
  const layer = await layerFromMember(member, { diffId: kept.layer?.diffId });
  const steps = image.history.filter(({ emptyLayer }) => !emptyLayer).map(({ createdBy }) => createdBy ?? '');
  const { created } = image.config;
  return {
    ...image,
    layers: [layer],
    history: [{ ...(created === undefined ? {} : { created }), createdBy: steps.join(' + '), emptyLayer: false }],
    original: {},
  };
}

async function* counted(chunks: Chunks, size: { plain: number }): AsyncGenerator<Uint8Array> {
  size.plain = 0;
  for await (const chunk of chunks) {
    size.plain += chunk.length;
    yield chunk;
  }
}
