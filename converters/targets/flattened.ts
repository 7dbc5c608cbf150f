/** One layer in the place of several: the merged tree, as unpacking them in order gives it. */
import type { Keeper } from '../../formats/archive/archive.ts';
import { type Context, checkAbort, note } from '../../formats/base/context.ts';
import { within } from '../../formats/base/errors.ts';
import type { Image, Storable } from '../../formats/model/image.ts';
import { layerFromMember } from '../../formats/model/layer.ts';
import { END_OF_TAR, encodeHeader, paddingAfter } from '../../formats/tar/encoder.ts';
import { type Piece, pieceJoiner } from '../../formats/tar/pieces.ts';
import { tarScanner } from '../../formats/tar/scanner.ts';
import { type FlatTree, flatTree, survivors } from './flat-tree.ts';

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
  const open = (): AsyncGenerator<Uint8Array> => contentOf(image, tree, size, context);
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

async function* contentOf(
  image: Image,
  { files, specials, hardlinks, folders }: FlatTree,
  size: { plain: number },
  context: Context,
): AsyncGenerator<Uint8Array> {
  const pieces: Piece[] = [];
  const joined = pieceJoiner(context);
  const put = {
    entry: (entry: (typeof folders)[number]) => void pieces.push(encodeHeader(entry)),
    data: (bytes: Uint8Array) => void pieces.push(bytes),
    hole: (length: number) => void pieces.push(length),
    end: (length: number) => void pieces.push(paddingAfter(length)),
  };
  size.plain = 0;
  async function* drained(): AsyncGenerator<Uint8Array> {
    for await (const bytes of joined(pieces)) {
      size.plain += bytes.length;
      yield bytes;
    }
  }
  for (const [i, layer] of image.layers.entries()) {
    const surviving = files[i]!;
    if (!surviving.size) continue;
    const { handler, finish } = survivors(surviving, put);
    const scanner = tarScanner(context.limits, handler);
    for await (const chunk of layer.open(context)) {
      checkAbort(context);
      await within(`layer ${i + 1}`, async () => scanner.push(chunk));
      yield* drained();
    }
    scanner.finish();
    finish();
  }
  for (const entry of [...specials, ...hardlinks, ...folders]) put.entry(entry);
  pieces.push(END_OF_TAR);
  yield* drained();
}
