/**
 * One change set of an image: a tar, perhaps compressed. Nobody implements a layer by hand; a reader makes one with
 * `layerFromMember` or `layerFromBlob`, and everything about digests and compression is decided here, once.
 */

import type { KeptLayer, Member } from '../archive/archive.ts';
import type { Context } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { byteReader, type Chunks } from '../bytes/chunks.ts';
import { type Digest, verify } from '../bytes/digest.ts';
import type { Codec } from '../codec/codec.ts';
import { decompressed, SNIFF_SIZE, sniff } from '../codec/index.ts';
import type { Descriptor } from './image.ts';

export interface Layer {
  /** Digest of the uncompressed tar, as the configuration promises it; absent where nothing promises one. */
  readonly diffId: Digest | undefined;
  /** The layer as it came. */
  readonly blob: LayerBlob;
  /** Uncompressed bytes, where they are known without reading. */
  readonly size: number | undefined;
  /** How the source's manifest describes it, where there is one. */
  readonly descriptor: Descriptor | undefined;
  /** Where its vendor serves it; never fetched. */
  readonly urls: readonly string[];
  /** It may not be distributed. */
  readonly foreign: boolean;
  /** The uncompressed tar, with what was promised checked on the way. A chunk is valid until the next is asked for. */
  open(context: Context): Chunks;
  /** What is known of the layer because it went by in a stream. */
  readonly kept: KeptLayer | undefined;
  /** Its bytes are not in the source. */
  readonly elsewhere: boolean;
}

export interface LayerBlob {
  readonly codec: Codec | undefined;
  readonly digest: Digest | undefined;
  /** Bytes. */
  readonly size: number;
  /**
   * The bytes as they came, checked against digest and size. Of a layer that is not compressed, a chunk stays as it is only
   * until two more have been asked for.
   */
  open(): Chunks;
}

export interface LayerFacts {
  readonly diffId?: Digest | undefined;
  readonly descriptor?: Descriptor | undefined;
  readonly urls?: readonly string[];
  readonly foreign?: boolean;
}

/** A layer whose content is a member of an archive; its compression is recognised by its first bytes, never by a name. */
export async function layerFromMember(member: Member, facts: LayerFacts): Promise<Layer> {
  const kept = member.kept?.layer;
  const codec = sniff(await headOf(member));
  const { descriptor, diffId } = facts;
  const digest = descriptor?.digest ?? member.kept?.digest;
  const promised = descriptor ? { digest: descriptor.digest, size: descriptor.size } : {};
  const blob: LayerBlob = {
    codec,
    digest,
    size: member.size,
    // A decompressor reads ahead on other threads; a plain layer is used up chunk by chunk.
    open: () => verify(codec ? member.open() : (member.openReusing ?? member.open)(), promised, 'the layer'),
  };
  return {
    diffId,
    blob,
    size: codec ? kept?.size : member.size,
    descriptor,
    urls: facts.urls ?? [],
    foreign: facts.foreign ?? false,
    open: (context) => {
      // Where blob and tar are the same bytes, hashing them once for both promises is enough.
      if (!codec && promised.digest === diffId) return blob.open();
      return verify(
        codec ? decompressed(codec, blob.open(), context) : blob.open(),
        { digest: diffId },
        'the content of the layer',
      );
    },
    kept,
    elsewhere: false,
  };
}

/**
 * A layer that is put together when somebody asks for it, from what a source has in another form.
 * @param size bytes of what it is made of, as they are in the source
 * @param open the same bytes each time
 */
export function layerFromParts(size: number, open: () => Chunks): Layer {
  return {
    diffId: undefined,
    blob: { codec: undefined, digest: undefined, size, open },
    size: undefined,
    descriptor: undefined,
    urls: [],
    foreign: false,
    open,
    kept: undefined,
    elsewhere: false,
  };
}

/** A foreign layer that the source describes but does not hold. */
export function layerElsewhere(descriptor: Descriptor, diffId: Digest | undefined): Layer {
  const absent = (): never => {
    throw new OcixError(
      'blob/missing',
      'the layer is not in the source: its vendor serves it, and ocix never fetches such layers',
      {
        at: [descriptor.digest],
        hint: 'Pull the image with a tool that fetches foreign layers, and save it with them.',
      },
    );
  };
  const urls = descriptor.json['urls'];
  return {
    diffId,
    blob: { codec: undefined, digest: descriptor.digest, size: descriptor.size, open: absent },
    size: undefined,
    descriptor,
    urls: Array.isArray(urls) ? urls.filter((url) => typeof url === 'string') : [],
    foreign: true,
    open: absent,
    kept: undefined,
    elsewhere: true,
  };
}

async function headOf(member: Member): Promise<Uint8Array> {
  const reader = byteReader(member.head?.(SNIFF_SIZE) ?? member.open());
  try {
    return await reader.read(SNIFF_SIZE);
  } finally {
    await reader.close();
  }
}

/** @throws OcixError size/mismatch where a member is not as long as its descriptor says: sooner than reading it would */
export function checkMemberSize(member: Member, descriptor: Descriptor): void {
  if (member.size === descriptor.size) return;
  throw new OcixError('size/mismatch', `${member.name} is not as long as its descriptor promises`, {
    expected: `${descriptor.size} bytes`,
    found: `${member.size} bytes`,
    hint: 'The file is damaged or was changed. Fetch it again.',
  });
}
