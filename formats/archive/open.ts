/** From bytes to an archive: compression is peeled off by magic, then what is left is looked at. */
import type { Context } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { checkLimit } from '../base/limits.ts';
import { byteReader, type Chunks, collect } from '../bytes/chunks.ts';
import type { ByteSource, RandomSource } from '../bytes/source.ts';
import { printable } from '../bytes/text.ts';
import type { CompressionName } from '../codec/codec.ts';
import { decompressed, sniff } from '../codec/index.ts';
import { checksumHolds, isZero } from '../tar/header.ts';
import type { Archive, Keeper } from './archive.ts';
import { indexedArchive } from './tar-index.ts';
import { streamedArchive } from './tar-stream.ts';

/** Wrappings one in the other; nobody needs more than two. */
const MOST_WRAPPINGS = 4;
const HEAD = 512;

export interface Peeled {
  /** Outermost first. */
  readonly compression: readonly CompressionName[];
  /** The first bytes of the content. */
  readonly head: Uint8Array;
  /** The whole content; iterate it once, or close it. */
  readonly content: Chunks;
  close(): Promise<void>;
}

/** Takes off every compression around some bytes. @throws OcixError limit/wrappings, limit/total-bytes and what codecs throw */
export async function peel(input: Chunks, context: Context): Promise<Peeled> {
  const compression: CompressionName[] = [];
  let content = input;
  for (;;) {
    const reader = byteReader(content);
    const head = await reader.read(HEAD);
    reader.unread(head);
    const codec = sniff(head);
    if (!codec) return { compression, head, content: counted(reader.rest(), context), close: () => reader.close() };
    if (compression.length === MOST_WRAPPINGS) {
      await reader.close();
      throw new OcixError('limit/wrappings', `compressed more than ${MOST_WRAPPINGS} times over`, {
        hint: 'Uncompress it first, if you trust it.',
      });
    }
    compression.push(codec.name);
    content = decompressed(codec, reader.rest(), context);
  }
}

async function* counted(chunks: Chunks, context: Context): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of chunks) {
    total += chunk.length;
    checkLimit(context.limits, 'total-bytes', total, 'the uncompressed size');
    yield chunk;
  }
}

/** Whether a first block can be the start of a tar; two blocks of zeros are a tar of nothing. */
export const looksLikeTar = (head: Uint8Array): boolean =>
  head.length === HEAD && (isZero(head) || checksumHolds(head));

/** A source without its compression: how it begins, and ways on from there. */
export interface Unwrapped {
  /** Outermost first. */
  readonly compression: readonly CompressionName[];
  /** The first bytes of the content, as many as were asked for or all there are. */
  readonly head: Uint8Array;
  /** `open` can be called again; otherwise once, and not beside `archive`. */
  readonly repeatable: boolean;
  open(): Chunks;
  /** The members of the tar that it is. @throws OcixError format/unknown where it is none */
  archive(keep: Keeper): Promise<Archive>;
  close(): Promise<void>;
}

/** @throws OcixError what `peel` throws */
export async function unwrap(source: ByteSource, most: number, context: Context): Promise<Unwrapped> {
  const peeled = await peel(source.kind === 'random' ? source.window(0, source.size) : source.chunks, context);
  const reader = byteReader(peeled.content);
  const head = await reader.read(most);
  const { compression } = peeled;
  const close = (): Promise<void> => source.close();
  if (source.kind === 'random') {
    await reader.close();
    const open = () => again(source, context);
    return { compression, head, repeatable: true, open, archive: (keep) => openArchive(source, keep, context), close };
  }
  reader.unread(head);
  return {
    compression,
    head,
    repeatable: false,
    open: () => reader.rest(),
    async archive(keep) {
      const { name } = source;
      if (looksLikeTar(head.subarray(0, HEAD)))
        return streamedArchive({ name, compression, content: reader.rest(), close }, keep, context);
      await reader.close();
      throw notTar(name, head.subarray(0, HEAD), compression);
    },
    close,
  };
}

async function* again(source: RandomSource, context: Context): AsyncGenerator<Uint8Array> {
  const { content } = await peel(source.window(0, source.size), context);
  yield* content;
}

/**
 * The members of a tar, plain or compressed. A plain file is only indexed; everything else is read once, now, and `keep`
 * decides what becomes of its large members.
 *
 * @throws OcixError format/unknown where it is no tar
 */
export async function openArchive(source: ByteSource, keep: Keeper, context: Context): Promise<Archive> {
  if (source.kind === 'random' && !sniff(await collect(source.window(0, HEAD), HEAD)))
    return openPlain(source, context);
  if (source.kind === 'forward') return (await unwrap(source, HEAD, context)).archive(keep);
  const { compression, head, content, close } = await peel(source.window(0, source.size), context);
  if (looksLikeTar(head)) {
    return streamedArchive({ name: source.name, compression, content, close: () => source.close() }, keep, context);
  }
  await close();
  throw notTar(source.name, head, compression);
}

async function openPlain(source: RandomSource, context: Context): Promise<Archive> {
  const head = await collect(source.window(0, HEAD), HEAD);
  if (looksLikeTar(head)) return indexedArchive(source, context);
  throw notTar(source.name, head, []);
}

function notTar(name: string, head: Uint8Array, compression: readonly CompressionName[]): OcixError {
  const inside = compression.length ? ` (inside ${compression.join(' and ')})` : '';
  const seen =
    head.length === 0
      ? 'it is empty'
      : head.length < HEAD
        ? 'it is too short for a tar'
        : `it starts with ${JSON.stringify(printable(String.fromCharCode(...head.subarray(0, 8))))}`;
  return new OcixError('format/unknown', `${printable(name)} is no archive that ocix knows: ${seen}${inside}`, {
    hint: 'Check that this is the file you mean, and that it was written to its end.',
  });
}
