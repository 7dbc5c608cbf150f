import { describe, expect, it } from 'vitest';
import { createContext } from '../../../formats/base/context.ts';
import { chunksOf } from '../../../formats/bytes/chunks.ts';
import { concat } from '../../../formats/bytes/text.ts';
import { lzma } from '../../../formats/codec/lzma.ts';
import {
  expectAbort,
  expectBytes,
  expectEarlyStop,
  expectSourceError,
  expectTruncated,
  itWith,
  mixture,
  noise,
  outcome,
  refusal,
  run,
  SMALL,
  sliced,
} from './vectors.ts';

const { decompress } = lzma;
const itWithXz = itWith('xz');
/** An end marker instead of a size, as xz writes it. */
const pack = (bytes: Uint8Array, options = 'preset=6') =>
  run('xz', ['--format=raw', `--lzma1=${options}`, '-c'], bytes);

interface Properties {
  readonly properties?: number;
  readonly dictionary?: number;
  readonly size?: bigint;
}

function alone(
  raw: Uint8Array,
  { properties = 0x5d, dictionary = 2 ** 23, size = 2n ** 64n - 1n }: Properties = {},
): Uint8Array {
  const head = new DataView(new ArrayBuffer(13));
  head.setUint8(0, properties);
  head.setUint32(1, dictionary, true);
  head.setBigUint64(5, size, true);
  return concat([new Uint8Array(head.buffer), raw]);
}

/** Nothing, with its size declared and no end marker: what is left of the range coder are five zero bytes. */
const NOTHING = alone(new Uint8Array(5), { size: 0n });

describe('unlzma', () => {
  itWithXz.each(['preset=0', 'preset=6', 'preset=9e', 'dict=4KiB'])('reads what xz wrote with %s', async (options) => {
    const bytes = concat([mixture(700_000), noise(50_000), new Uint8Array(3_000_000)]);
    const dictionary = options === 'dict=4KiB' ? 4096 : 2 ** 26;
    await expectBytes(decompress, sliced(alone(pack(bytes, options), { dictionary }), 10_007), bytes);
  });

  itWithXz.each([
    [0, 0, 0],
    [4, 0, 4],
    [0, 4, 2],
    [1, 3, 1],
  ])('reads streams with lc=%i, lp=%i, pb=%i', async (lc, lp, pb) => {
    const bytes = mixture(200_000);
    const packed = alone(pack(bytes, `lc=${lc},lp=${lp},pb=${pb}`), { properties: (pb * 5 + lp) * 9 + lc });
    await expectBytes(decompress, chunksOf(packed), bytes);
  });

  itWithXz('reads a whole file of the xz command, wherever it is cut into chunks', async () => {
    const packed = run('xz', ['--format=lzma', '-c'], SMALL);
    for (const size of [1, 13, 64, packed.length]) await expectBytes(decompress, sliced(packed, size), SMALL);
  });

  itWithXz('reads a stream that has an end marker although it says how long it is', async () => {
    await expectBytes(decompress, chunksOf(alone(pack(SMALL), { size: BigInt(SMALL.length) })), SMALL);
  });

  it('reads a stream of nothing', async () => {
    await expectBytes(decompress, chunksOf(NOTHING), new Uint8Array(0));
    await expectTruncated(decompress, NOTHING);
  });

  itWithXz('notices a cut at every offset', async () => {
    await expectTruncated(decompress, alone(pack(SMALL)));
    await expectTruncated(decompress, alone(pack(SMALL), { size: BigInt(SMALL.length) }));
  });

  itWithXz('refuses a declared size that is not true', async () => {
    for (const by of [1, -1]) {
      const packed = alone(pack(SMALL), { size: BigInt(SMALL.length + by) });
      expect(await refusal(decompress, packed)).toBe('codec/corrupt');
    }
  });

  itWithXz('refuses what follows the end', async () => {
    for (const garbage of [Uint8Array.of(10), new Uint8Array(512)]) {
      expect(await refusal(decompress, concat([alone(pack(SMALL)), garbage]))).toBe('codec/corrupt');
    }
  });

  it('refuses a dictionary over the limit, and impossible properties', async () => {
    expect(await refusal(decompress, alone(new Uint8Array(9), { dictionary: 2 ** 30 }))).toBe('limit/window');
    expect(await refusal(decompress, alone(new Uint8Array(9), { properties: 225 }))).toBe('codec/corrupt');
    expect(await refusal(decompress, alone(Uint8Array.of(1, 0, 0, 0, 0, 0)))).toBe('codec/corrupt');
    expect(await refusal(decompress, alone(Uint8Array.of(0, 255, 255, 255, 255, 0)))).toBe('codec/corrupt');
  });

  itWithXz('comes to an end for a bit turned over anywhere', async () => {
    const packed = alone(pack(SMALL.subarray(0, 150)));
    const context = createContext({ limits: { window: 2 ** 24 } });
    for (let at = 0; at < packed.length * 8; at++) {
      const damaged = packed.slice();
      damaged[at >>> 3]! ^= 1 << (at & 7);
      await outcome(decompress, damaged, context);
    }
  });

  itWithXz('stops early, on an interruption, and with an error of its source', async () => {
    const packed = alone(pack(mixture(3_000_000)));
    await expectEarlyStop(decompress, packed);
    await expectAbort(decompress, packed);
    await expectSourceError(decompress, packed);
  });

  it('can tell what is hardly lzma', () => {
    expect(lzma.matches(NOTHING)).toBe(true);
    expect(lzma.matches(new TextEncoder().encode('PK 0123456789'))).toBe(false);
    expect(lzma.matches(new Uint8Array(13))).toBe(false);
  });
});
