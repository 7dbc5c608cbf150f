/**
 * The old .lzma format ("LZMA alone"), as Debian packages and archives from before 2010 have it:
 * https://github.com/jljusten/LZMA-SDK/blob/781863cdf592da3e97420f50de5dac056ad352a5/DOC/lzma-specification.txt
 *
 * It has no magic and no checksum: it is read only where a name says that it is there, and damage can go unseen. Refused:
 * whatever follows the end.
 */
import { type Context, checkAbort } from '../base/context.ts';
import { checkLimit } from '../base/limits.ts';
import { byteReader, type Chunks } from '../bytes/chunks.ts';
import type { Codec } from './codec.ts';
import { type LzmaProperties, lzmaDecoder, WHAT } from './lzma-decoder.ts';
import { corrupt, trailing, truncated } from './refusals.ts';

/** Properties (lc, lp, pb), size of the dictionary, uncompressed size or -1. */
const HEADER_SIZE = 13;
const MOST_PROPERTIES = 9 * 5 * 5;

function parseHeader(head: Uint8Array): LzmaProperties {
  if (head.length < HEADER_SIZE) throw truncated(WHAT);
  const properties = head[0]!;
  if (properties >= MOST_PROPERTIES) throw corrupt(WHAT, 'impossible properties');
  const view = new DataView(head.buffer, head.byteOffset);
  const size = view.getBigUint64(5, true);
  return {
    lc: properties % 9,
    lp: Math.floor(properties / 9) % 5,
    pb: Math.floor(properties / 45),
    dictionary: view.getUint32(1, true),
    size: size === 2n ** 64n - 1n ? undefined : Number(size),
  };
}

async function* unlzma(input: Chunks, context: Context): AsyncGenerator<Uint8Array> {
  const reader = byteReader(input);
  try {
    const properties = parseHeader(await reader.read(HEADER_SIZE));
    checkLimit(context.limits, 'window', properties.dictionary, `the dictionary of this ${WHAT}`);
    const decoder = lzmaDecoder(properties);
    for (let state = decoder.run(); ; state = decoder.run()) {
      checkAbort(context);
      const piece = decoder.take();
      if (piece.length) yield piece;
      if (state === 'end') break;
      if (state === 'more') decoder.give(await reader.next());
    }
    if (decoder.rest().length || (await reader.next())) throw trailing(WHAT);
  } finally {
    await reader.close();
  }
}

export const lzma: Codec = {
  name: 'lzma',
  magicSize: HEADER_SIZE,
  /** Whether it can be: the properties are possible, and the dictionary has a size that encoders choose. */
  matches(head) {
    if (head.length < HEADER_SIZE || head[0]! >= MOST_PROPERTIES) return false;
    const { dictionary } = parseHeader(head);
    const step = 2 ** Math.floor(Math.log2(dictionary) - 1);
    return dictionary === 2 ** 32 - 1 || (dictionary >= 4096 && dictionary % step === 0);
  },
  decompress: unlzma,
};
