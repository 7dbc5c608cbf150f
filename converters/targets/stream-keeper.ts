/**
 * Members of a stream into a blob store while they go by: layers in the form that is wanted of them, so that they need not be
 * touched again, and anything else as it is.
 */
import type { Keeper, Kept, KeptLayer } from '../../formats/archive/archive.ts';
import { looksLikeTar } from '../../formats/archive/open.ts';
import { passingKeeper } from '../../formats/archive/passing-keeper.ts';
import type { Context } from '../../formats/base/context.ts';
import { byteReader, type Chunks } from '../../formats/bytes/chunks.ts';
import { newHash } from '../../formats/bytes/digest.ts';
import type { Codec } from '../../formats/codec/codec.ts';
import { CODECS, decompressed, sniff } from '../../formats/codec/index.ts';
import type { LayerCompression } from '../../formats/model/media-types.ts';
import type { BlobStore } from '../../formats/store/blobs.ts';
import { type CompressionPlan, formFor } from './compression.ts';
import { encodeLayer, hashingSink, layerCheck, passLayer, type StoredLayer, tapped } from './store-layer.ts';

export const streamKeeper =
  (blobs: BlobStore, plan: CompressionPlan): Keeper =>
  (content, _name, context, again) =>
    // What is costly to have again is being decompressed on a processor of its own while we compress.
    keepMember(content, blobs, again?.costly ? { ...plan, occupied: 1 } : plan, context);

/** Keeps plain content in a folder, for a target that reads layers once more; what its source can give again just as fast is not kept. */
export const plainKeeper =
  (blobs: BlobStore): Keeper =>
  (content, name, context, again) =>
    again && !again.costly
      ? passingKeeper(content, name, context, again)
      : keepMember(content, blobs, { name: 'none', reproducible: false }, context);

async function keepMember(content: Chunks, blobs: BlobStore, plan: CompressionPlan, context: Context): Promise<Kept> {
  const reader = byteReader(content);
  const head = await reader.read(512);
  reader.unread(head);
  const codec = sniff(head);
  if (codec) return keepCompressed(reader.rest(), codec, blobs, context);
  if (!looksLikeTar(head)) return keepOpaque(reader.rest(), blobs);
  const form = formFor(undefined, false, plan);
  if (form.pass)
    return keptLayer(await passLayer(reader.rest(), undefined, blobs, context, () => {}), undefined, blobs, context);
  return keptLayer(
    await encodeLayer(reader.rest(), form.name, plan, blobs, context, () => {}),
    undefined,
    blobs,
    context,
  );
}

/** Stored as it came; a layer only if what is inside is a tar. */
async function keepCompressed(raw: Chunks, codec: Codec, blobs: BlobStore, context: Context): Promise<Kept> {
  const blob = await blobs.create();
  try {
    const sink = hashingSink(blob.write);
    const plain = byteReader(decompressed(codec, tapped(raw, sink.take), context));
    const head = await plain.read(512);
    plain.unread(head);
    const check =
      head.length === 0 || looksLikeTar(head) ? layerCheck(context, () => {}, newHash('sha256')) : undefined;
    for await (const chunk of plain.rest()) check?.take(chunk);
    const { digest, size } = await sink.finish();
    await blob.finish(digest);
    if (!check) return { digest, open: () => blobs.open(digest) };
    const { diffId, plainSize } = check.finish(undefined);
    return keptLayer(
      { digest, size, compression: codec.name as LayerCompression, diffId, plainSize },
      codec,
      blobs,
      context,
    );
  } catch (error) {
    await blob.discard();
    throw error;
  }
}

async function keepOpaque(raw: Chunks, blobs: BlobStore): Promise<Kept> {
  const blob = await blobs.create();
  try {
    const sink = hashingSink(blob.write);
    for await (const chunk of raw) await sink.take(chunk);
    const { digest } = await sink.finish();
    await blob.finish(digest);
    return { digest, open: () => blobs.open(digest) };
  } catch (error) {
    await blob.discard();
    throw error;
  }
}

/** `came` is how the member was compressed; one that came plain may be stored compressed, and is opened plain again. */
function keptLayer(stored: StoredLayer, came: Codec | undefined, blobs: BlobStore, context: Context): Kept {
  const layer: KeptLayer = { compression: came?.name, diffId: stored.diffId, size: stored.plainSize, stored };
  const codec = came || stored.compression === 'none' ? undefined : CODECS[stored.compression];
  return {
    digest: came ? stored.digest : stored.diffId,
    layer,
    open: () => (codec ? decompressed(codec, blobs.open(stored.digest), context) : blobs.open(stored.digest)),
  };
}
