/**
 * The bytes of one layer into a blob store, read once: digests, sizes, limits and the form of the tar are checked on the way.
 */
import { type Context, checkAbort } from '../../formats/base/context.ts';
import { checkLimit } from '../../formats/base/limits.ts';
import type { Chunks } from '../../formats/bytes/chunks.ts';
import { type Digest, type Hash, newHash } from '../../formats/bytes/digest.ts';
import type { Codec } from '../../formats/codec/codec.ts';
import { type Compressor, compressor } from '../../formats/codec/compress.ts';
import { decompressed } from '../../formats/codec/index.ts';
import type { LayerCompression } from '../../formats/model/media-types.ts';
import type { BlobStore } from '../../formats/store/blobs.ts';
import { tarScanner } from '../../formats/tar/scanner.ts';
import type { CompressionPlan } from './compression.ts';

export interface StoredLayer {
  readonly digest: Digest;
  /** Bytes of the blob. */
  readonly size: number;
  readonly compression: LayerCompression;
  readonly diffId: Digest;
  /** Uncompressed bytes. */
  readonly plainSize: number;
}

/** Stores a layer as it came. */
export async function passLayer(
  raw: Chunks,
  codec: Codec | undefined,
  blobs: BlobStore,
  context: Context,
  onProgress: (bytes: number) => void,
): Promise<StoredLayer> {
  const blob = await blobs.create();
  try {
    const sink = hashingSink(blob.write);
    const check = layerCheck(context, onProgress, codec ? newHash('sha256') : undefined);
    if (codec) for await (const chunk of decompressed(codec, tapped(raw, sink.take), context)) check.take(chunk);
    else {
      for await (const chunk of raw) {
        await sink.take(chunk);
        check.take(chunk);
      }
    }
    const { digest, size } = await sink.finish();
    const { diffId, plainSize } = check.finish(digest);
    await blob.finish(digest);
    return { digest, size, compression: codec ? (codec.name as LayerCompression) : 'none', diffId, plainSize };
  } catch (error) {
    await blob.discard();
    throw error;
  }
}

/** Stores a layer in another form. */
export async function encodeLayer(
  plain: Chunks,
  name: LayerCompression,
  plan: CompressionPlan,
  blobs: BlobStore,
  context: Context,
  onProgress: (bytes: number) => void,
): Promise<StoredLayer> {
  const blob = await blobs.create();
  try {
    const check = layerCheck(context, onProgress, newHash('sha256'));
    const sink = hashingSink(blob.write);
    const engine = engineFor(name, plan);
    for await (const chunk of engine.compress(tapped(plain, check.take), context)) await sink.take(chunk);
    const { digest, size } = await sink.finish();
    const { diffId, plainSize } = check.finish(undefined);
    await blob.finish(digest);
    return { digest, size, compression: name, diffId, plainSize };
  } catch (error) {
    await blob.discard();
    throw error;
  }
}

const engineFor = (name: LayerCompression, { level, reproducible, occupied }: CompressionPlan): Compressor =>
  compressor(level === undefined ? { name } : { name, level }, { reproducible, occupied });

export async function* tapped(
  chunks: Chunks,
  take: (chunk: Uint8Array) => void | Promise<void>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    await take(chunk);
    yield chunk;
  }
}

/** Hashes and writes; one write is under way while the next bytes are made. */
export function hashingSink(write: (bytes: Uint8Array) => Promise<void>) {
  const hash = newHash('sha256');
  let size = 0;
  let pending: Promise<void> = Promise.resolve();
  return {
    async take(chunk: Uint8Array): Promise<void> {
      await pending;
      pending = write(chunk);
      pending.catch(() => {}); // reported by the next take, or by finish
      hash.update(chunk);
      size += chunk.length;
    },
    async finish(): Promise<{ readonly digest: Digest; readonly size: number }> {
      await pending;
      return { digest: hash.digest(), size };
    },
  };
}

/** Everything that is checked of the uncompressed bytes. Where they are the blob itself they are hashed already: no hash. */
export function layerCheck(context: Context, onProgress: (bytes: number) => void, hash: Hash | undefined) {
  const scanner = tarScanner(context.limits, {});
  let size = 0;
  return {
    take(chunk: Uint8Array): void {
      checkAbort(context);
      hash?.update(chunk);
      scanner.push(chunk);
      size += chunk.length;
      checkLimit(context.limits, 'total-bytes', size, 'the uncompressed size of a layer');
      onProgress(size);
    },
    finish(blobDigest: Digest | undefined): { readonly diffId: Digest; readonly plainSize: number } {
      scanner.finish();
      return { diffId: hash ? hash.digest() : blobDigest!, plainSize: size };
    },
  };
}
