import { describe, expect, it } from 'vitest';
import { createContext } from '../../../formats/base/context.ts';
import { chunksOf } from '../../../formats/bytes/chunks.ts';
import { concat } from '../../../formats/bytes/text.ts';
import { bzip2 } from '../../../formats/codec/bzip2.ts';
import {
  expectBytes,
  expectNoWrongData,
  expectTruncated,
  itWith,
  mixture,
  noise,
  refusal,
  run,
  SMALL,
  sliced,
  stopsInTime,
} from './vectors.ts';

const { decompress } = bzip2;
const itWithBzip2 = itWith('bzip2');
const pack = (bytes: Uint8Array, level = 9) => run('bzip2', [`-${level}`, '-c'], bytes);
const zeros = (size: number) => new Uint8Array(size);

/** The 14 bytes that bzip2 makes of nothing. */
const EMPTY = Uint8Array.from(Buffer.from('425a683917724538509000000000', 'hex'));

describe('bunzip2', () => {
  it('reads an empty stream', async () => {
    await expectBytes(decompress, chunksOf(EMPTY), zeros(0));
    await expectTruncated(decompress, EMPTY);
  });

  itWithBzip2.each([1, 9])('reads what bzip2 -%i wrote, in many blocks', async (level) => {
    const bytes = concat([mixture(700_000), noise(1_100_000)]);
    await expectBytes(decompress, sliced(pack(bytes, level), 70_001), bytes);
  });

  itWithBzip2('reads several streams, wherever the input is cut into chunks', async () => {
    const bytes = concat([pack(SMALL), EMPTY, pack(mixture(3000), 1), pack(SMALL.subarray(0, 1))]);
    for (const size of [1, 3, 64, bytes.length]) {
      await expectBytes(decompress, sliced(bytes, size), concat([SMALL, mixture(3000), SMALL.subarray(0, 1)]));
    }
  });

  itWithBzip2('gives block after block of an input that expands many thousand times', async () => {
    const bytes = pack(zeros(100_000_000));
    let size = 0;
    let largest = 0;
    for await (const chunk of decompress(chunksOf(bytes), createContext())) {
      size += chunk.length;
      largest = Math.max(largest, chunk.length);
      if (size > 50_000_000) break;
    }
    expect(largest).toBeLessThanOrEqual(2 ** 20);
  });

  itWithBzip2('notices a cut at every offset', async () => {
    await expectTruncated(decompress, pack(SMALL.subarray(0, 200)));
    const first = pack(SMALL);
    await expectTruncated(decompress, concat([first, pack(SMALL.subarray(0, 50))]), [first.length]);
  });

  itWithBzip2('never gives wrong data for a bit turned over', async () => {
    await expectNoWrongData(decompress, pack(SMALL.subarray(0, 100), 1), SMALL.subarray(0, 100));
  });

  itWithBzip2('refuses what follows the last stream', async () => {
    for (const garbage of [Uint8Array.of(10), zeros(512), new TextEncoder().encode('BZ is not a magic')]) {
      expect(await refusal(decompress, concat([pack(SMALL), garbage]))).toBe('codec/corrupt');
    }
  });

  it('refuses an empty input, and what is no bzip2', async () => {
    expect(await refusal(decompress, zeros(0))).toBe('codec/truncated');
    expect(await refusal(decompress, zeros(100))).toBe('codec/corrupt');
  });

  it('refuses randomised blocks', async () => {
    const bytes = concat([
      EMPTY.subarray(0, 4),
      Uint8Array.of(0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0, 0, 0, 0, 0x80),
      zeros(50),
    ]);
    expect(await refusal(decompress, bytes)).toBe('codec/unsupported');
  });

  stopsInTime(decompress, () => pack(mixture(300_000), 1), itWithBzip2);
});
