/** What the tests of the formats share: refusals as codes, and archives from bytes in each of the ways that they can come. */
import type { Archive, Keeper, Kept, KeptLayer, Member } from '../../formats/archive/archive.ts';
import { looksLikeTar, openArchive, peel } from '../../formats/archive/open.ts';
import { type Context, createContext } from '../../formats/base/context.ts';
import { type Code, OcixError } from '../../formats/base/errors.ts';
import type { Limits } from '../../formats/base/limits.ts';
import { chunksOf, collect } from '../../formats/bytes/chunks.ts';
import { digestOf } from '../../formats/bytes/digest.ts';
import { bytesSource, streamSource } from '../../formats/bytes/source.ts';
import { type Image, imagesOf } from '../../formats/model/image.ts';
import type { Reader, Reading } from '../../formats/model/reader.ts';

export const contextWith = (limits: Partial<Limits> = {}): Context => createContext({ limits });

/** Milliseconds that this process has computed: what else the machine does is not in it. */
export const cpuTime = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** The refusal that work ends in. What is not an `OcixError` is a fault and goes on. */
export async function refusalOf(work: () => unknown): Promise<OcixError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof OcixError) return error;
    throw error;
  }
}

export const codeOf = async (work: () => unknown): Promise<Code | 'no refusal'> =>
  (await refusalOf(work))?.code ?? 'no refusal';

export async function* sliced(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export const whole = (chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> => collect(chunks, 2 ** 28);

/** Chunks whose memory is used again, as chunks that stay as they are. */
export async function* copied(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield new Uint8Array(chunk);
}

export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** Keeps large members in memory, as a target that stores nothing would. */
export const memoryKeeper: Keeper = async (content, _name, context): Promise<Kept> => {
  const bytes = await whole(content);
  const { compression, head, content: tar } = await peel(chunksOf(bytes), context);
  const plain = await whole(tar);
  const layer: KeptLayer = { compression: compression[0], diffId: digestOf(plain), size: plain.length };
  return {
    digest: digestOf(bytes),
    ...(looksLikeTar(head) && compression.length < 2 ? { layer } : {}),
    open: () => chunksOf(bytes),
  };
};

export type Way = 'indexed' | 'streamed';
export const WAYS: readonly Way[] = ['indexed', 'streamed'];

export function openTar(bytes: Uint8Array, way: Way = 'indexed', context: Context = contextWith()): Promise<Archive> {
  const source = way === 'indexed' ? bytesSource('in.tar', bytes) : streamSource('in.tar', sliced(bytes, 1000));
  return openArchive(source, memoryKeeper, context);
}

export const READING: Reading = {
  keep: memoryKeeper,
  dependencies: [],
  compatible: false,
  packaging: { layers: 'group', distroless: false },
};

/** The images that a reader finds in an archive. */
export async function imagesIn(
  reader: Reader,
  bytes: Uint8Array,
  way: Way = 'indexed',
  context: Context = contextWith(),
): Promise<readonly Image[]> {
  return imagesOf(await reader.read(await openTar(bytes, way, context), context, READING));
}

/** Digests of the layers' content, every promise checked on the way. */
export async function diffIdsOf(image: Image, context: Context = contextWith()): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const layer of image.layers) ids.push(digestOf(await whole(layer.open(context))));
  return ids;
}

export const memberText = async (member: Member | undefined): Promise<string | undefined> =>
  member && textOf(await whole(member.open()));
