/**
 * The root file system of one image as one tar, as `docker export` gives it and `docker import` takes it: layers merged, whiteouts gone.
 * Names, times, owners, attributes and devices are what the layers say; a sparse file is written with its holes as zeros, since several
 * engines refuse sparse entries.
 */
import { join } from 'node:path';
import type { Context } from '../../formats/base/context.ts';
import { OcixError, within } from '../../formats/base/errors.ts';
import { newHash } from '../../formats/bytes/digest.ts';
import type { Image } from '../../formats/model/image.ts';
import { blobStore } from '../../formats/store/blobs.ts';
import { type OutputFile, openOutput } from '../../formats/store/output-file.ts';
import type { TarFields } from '../../formats/tar/encoder.ts';
import { theImage } from '../passes/select.ts';
import { TREE_FIELDS } from './carries.ts';
import { refuseCompression } from './compression.ts';
import { type FlatTree, flatTree, scanLayer, survivors } from './flat-tree.ts';
import type { WrittenImage } from './oci-documents.ts';
import { layerCheck } from './store-layer.ts';
import { plainKeeper } from './stream-keeper.ts';
import { type TarOutput, tarOutput } from './tar-output.ts';
import type { Target } from './target.ts';

export const rootfsTar: Target = {
  name: 'tar',
  what: 'a root file system',
  carries: TREE_FIELDS,
  summary: 'the flattened root file system of one image, as one tar',
  single: true,
  takes: ['layer'],
  async open(out, options, context) {
    refuseCompression(options.compression, 'a root file system is written as a plain tar');
    const file = await openOutput(out, options);
    return {
      keep: plainKeeper(blobStore(join(file.folder, 'blobs'))),
      async write(items) {
        const image = theImage(items, context.host);
        const { layer } = options;
        return [
          await (layer === undefined ? writeTree(image, file, context) : writeLayer(image, layer, file, context)),
        ];
      },
      commit: () => file.commit(),
      discard: () => file.discard(),
    };
  },
};

async function writeTree(image: Image, file: OutputFile, context: Context): Promise<WrittenImage> {
  const tree = await flatTree(image.layers, context, (i, done) => {
    const total = image.layers[i]!.size;
    context.progress({ type: 'reading', name: `layer ${i + 1}`, done, ...(total === undefined ? {} : { total }) });
  });
  const output = tarOutput(file, context);
  await putFiles(image, tree, output, context);
  await putAll(tree.specials, output);
  await putAll(tree.hardlinks, output);
  await putAll(tree.folders, output);
  const { digest, size } = await output.finish();
  return { image, digest, layers: [{ digest, size, compression: 'none', diffId: digest, plainSize: size }] };
}

/** The uncompressed tar of one layer, bit for bit. */
async function writeLayer(image: Image, index: number, file: OutputFile, context: Context): Promise<WrittenImage> {
  const layer = image.layers[index];
  const { length } = image.layers;
  if (!layer)
    throw new OcixError('image/select', `there is no layer ${index}`, {
      hint: length ? `The image has ${length}: 0, the base, to ${length - 1}.` : 'The image has no layer.',
    });
  const hash = newHash('sha256');
  const check = layerCheck(
    context,
    (size) => context.progress({ type: 'reading', name: `layer ${index}`, done: size }),
    hash,
  );
  for await (const chunk of layer.open(context)) {
    check.take(chunk);
    await file.write([chunk]);
  }
  const { diffId: digest, plainSize: size } = check.finish(undefined);
  return { image, digest, layers: [{ digest, size, compression: 'none', diffId: digest, plainSize: size }] };
}

/** Headers that are encoded before they are written. */
const BATCH = 256;

async function putAll(entries: readonly TarFields[], output: TarOutput): Promise<void> {
  for (const [i, entry] of entries.entries()) {
    output.entry(entry);
    if (i % BATCH === 0) await output.drain();
  }
  await output.drain();
}

async function putFiles(image: Image, { files }: FlatTree, output: TarOutput, context: Context): Promise<void> {
  for (const [i, layer] of image.layers.entries()) {
    const surviving = files[i]!;
    if (!surviving.size) continue;
    const progress = {
      number: i + 1,
      count: image.layers.length,
      ...(layer.diffId ? { digest: layer.diffId } : {}),
      ...(layer.size === undefined ? {} : { size: layer.size }),
    };
    let size = 0;
    context.progress({ type: 'layer-start', layer: progress });
    await within(`layer ${i + 1}`, async () => {
      const { handler, finish } = survivors(surviving, output);
      await scanLayer(layer, handler, context, async (done) => {
        size = done;
        context.progress({ type: 'layer-progress', layer: progress, done });
        await output.drain();
      });
      finish();
    });
    context.progress({ type: 'layer-end', layer: progress, size, stored: { compression: 'none', size } });
  }
}
