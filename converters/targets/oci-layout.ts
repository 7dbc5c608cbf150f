/** OCI image layouts as folders: the default target. https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md */
import { annotationsOf } from '../../formats/model/descriptor.ts';
import { type Descriptor, imagesOf } from '../../formats/model/image.ts';
import { REF_NAME } from '../../formats/model/media-types.ts';
import { IMAGE_FIELDS } from './carries.ts';
import { layerStore } from './layer-store.ts';
import { openLayout, replaceLayout } from './layout-sink.ts';
import { ociWriter } from './oci-documents.ts';
import { streamKeeper } from './stream-keeper.ts';
import type { Target } from './target.ts';

export const ociLayout: Target = {
  name: 'oci',
  what: 'an image layout',
  carries: IMAGE_FIELDS,
  summary: 'an OCI image layout folder; adds to one that exists',
  async open(out, { compression, replace, origin = {} }, context) {
    const sink = replace ? await replaceLayout(out) : await openLayout(out, context);
    const layers = layerStore(sink.blobs, compression, context);
    const entries: Descriptor[] = [];
    let referenced: ReadonlySet<Descriptor['digest']> = new Set();
    return {
      keep: streamKeeper(sink.blobs, compression),
      async write(items) {
        const writer = ociWriter(
          layers,
          imagesOf(items).reduce((sum, image) => sum + image.layers.length, 0),
          context,
        );
        for (const item of items) entries.push(...namedDescriptors(await writer.write(item), item.names, origin));
        referenced = writer.referenced;
        return writer.images;
      },
      commit: () => sink.commit(entries, referenced),
      discard: () => sink.discard(),
    };
  },
};

/** One descriptor for each name of an image, or one without a name. */
export function namedDescriptors(
  descriptor: Descriptor,
  names: readonly string[],
  origin: Readonly<Record<string, string>> = {},
): readonly Descriptor[] {
  const annotations = { ...annotationsOf(descriptor), ...origin };
  const { annotations: _, ...rest } = descriptor.json;
  const { [REF_NAME]: __, ...others } = annotations;
  const variants = names.length ? names.map((name) => ({ ...others, [REF_NAME]: name })) : [others];
  return variants.map((one) => ({
    ...descriptor,
    json: Object.keys(one).length ? { ...rest, annotations: one } : rest,
  }));
}
