import { constants, deflateRawSync, gzipSync, crc32 as nodeCrc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createContext } from '../../../formats/base/context.ts';
import { chunksOf } from '../../../formats/bytes/chunks.ts';
import { concat } from '../../../formats/bytes/text.ts';
import { crc32, portableCrc32 } from '../../../formats/codec/crc32.ts';
import { gzip, nativeGunzip } from '../../../formats/codec/gzip.ts';
import { portableGunzip } from '../../../formats/codec/gzip-portable.ts';
import {
  expectBytes,
  expectEarlyStop,
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

const member = (bytes: Uint8Array, level = 6) => gzipSync(bytes, { level });
const zeros = (size: number) => new Uint8Array(size);

/** A member with every optional field, made by hand. */
function decorated(bytes: Uint8Array): Uint8Array {
  const text = new TextEncoder();
  const head = concat([
    Uint8Array.of(0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 255),
    Uint8Array.of(5, 0, 1, 2, 3, 4, 5),
    text.encode('a name\0'),
    text.encode('a comment\0'),
  ]);
  const tail = new DataView(new ArrayBuffer(10));
  tail.setUint16(0, nodeCrc32(head) & 0xffff, true);
  const trailer = new DataView(new ArrayBuffer(8));
  trailer.setUint32(0, nodeCrc32(bytes), true);
  trailer.setUint32(4, bytes.length, true);
  return concat([head, new Uint8Array(tail.buffer, 0, 2), deflateRawSync(bytes), new Uint8Array(trailer.buffer)]);
}

describe.each([
  { engine: 'node:zlib', decompress: nativeGunzip },
  { engine: 'fflate', decompress: portableGunzip },
])('gunzip with $engine', ({ decompress }) => {
  it.each([0, 1, 6, 9])('reads what zlib wrote at level %i', async (level) => {
    const bytes = mixture(3_000_000);
    await expectBytes(decompress, sliced(member(bytes, level), 70_001), bytes);
  });

  it('reads an empty member', async () => {
    await expectBytes(decompress, chunksOf(member(zeros(0))), zeros(0));
  });

  it('reads fixed codes and stored blocks', async () => {
    const fixed = gzipSync(SMALL, { strategy: constants.Z_FIXED });
    const stored = gzipSync(noise(200_000), { level: 0 });
    await expectBytes(decompress, sliced(concat([fixed, stored]), 333), concat([SMALL, noise(200_000)]));
  });

  it('reads any number of members, wherever the input is cut into chunks', async () => {
    const parts = [SMALL, zeros(0), mixture(30_000), SMALL.subarray(0, 1)];
    const bytes = concat(parts.map((part) => member(part)));
    for (const size of [1, 2, 3, 7, 64, 1000, bytes.length])
      await expectBytes(decompress, sliced(bytes, size), concat(parts));
  });

  it('reads thousands of small members', async () => {
    const parts = Array.from({ length: 3000 }, (_, i) => SMALL.subarray(i % 100));
    await expectBytes(decompress, sliced(concat(parts.map((part) => member(part, 1))), 2 ** 16), concat(parts));
  });

  it('reads members whose end falls together with the end of a chunk', async () => {
    await expectBytes(
      decompress,
      chunksOf(member(SMALL), member(SMALL), zeros(512), member(SMALL)),
      concat([SMALL, SMALL, SMALL]),
    );
  });

  it('skips zero bytes between members and after them', async () => {
    const bytes = concat([member(SMALL), zeros(700), member(SMALL), zeros(3), member(SMALL), zeros(10_240)]);
    for (const size of [1, 511, bytes.length])
      await expectBytes(decompress, sliced(bytes, size), concat([SMALL, SMALL, SMALL]));
  });

  it('skips extra fields, names and comments, and checks the header checksum', async () => {
    const bytes = decorated(SMALL);
    for (const size of [1, bytes.length]) await expectBytes(decompress, sliced(bytes, size), SMALL);
    const damaged = bytes.slice();
    damaged[20]! ^= 1;
    expect(await refusal(decompress, damaged)).toBe('codec/corrupt');
  });

  it.each([
    ['text', new TextEncoder().encode('not a gzip member at all')],
    ['a newline', Uint8Array.of(10)],
    ['text after padding', concat([zeros(512), Uint8Array.of(65)])],
    ['half a magic', Uint8Array.of(0x1f, 0)],
  ])('refuses %s after the last member', async (_, garbage) => {
    expect(await refusal(decompress, concat([member(SMALL), garbage]))).toBe('codec/corrupt');
  });

  it('notices a cut at every offset', async () => {
    await expectTruncated(decompress, member(SMALL));
    await expectTruncated(decompress, decorated(SMALL));
  });

  it('notices a cut at every offset of a second member', async () => {
    const first = member(SMALL.subarray(0, 50));
    const both = concat([first, member(SMALL.subarray(0, 60))]);
    await expectTruncated(decompress, both, [first.length]);
  });

  it('never gives wrong data for a bit turned over', async () => {
    await expectNoWrongData(decompress, member(SMALL.subarray(0, 120)), SMALL.subarray(0, 120));
  });

  it('refuses a member whose length or checksum field is wrong', async () => {
    for (const back of [1, 8]) {
      const bytes = new Uint8Array(member(SMALL));
      bytes[bytes.length - back]! ^= 0x80;
      expect(await refusal(decompress, bytes)).toBe('codec/corrupt');
    }
  });

  it('refuses an empty input', async () => {
    expect(await refusal(decompress, zeros(0))).toBe('codec/truncated');
  });

  stopsInTime(decompress, () => member(mixture(5_000_000)));

  it('gives pieces of bounded size for an input that expands a thousand times', async () => {
    let largest = 0;
    let size = 0;
    for await (const chunk of decompress(chunksOf(member(zeros(50_000_000))), createContext())) {
      largest = Math.max(largest, chunk.length);
      size += chunk.length;
    }
    expect(size).toBe(50_000_000);
    expect(largest).toBeLessThan(2 ** 25);
  });

  itWith('gzip')('reads what the gzip command wrote, name and all', async () => {
    const bytes = mixture(500_000);
    await expectBytes(decompress, chunksOf(run('gzip', ['-9'], bytes)), bytes);
  });

  itWith('pigz')('reads what pigz wrote', async () => {
    const bytes = mixture(500_000);
    await expectBytes(decompress, chunksOf(run('pigz', ['-c'], bytes)), bytes);
  });
});

it('takes a wrong complement of a stored length from one engine alone, and only where the content is right', async () => {
  const sound = member(SMALL);
  const wrong = concat([sound.subarray(0, 10), zeros(5), sound.subarray(10)]);
  expect(await refusal(nativeGunzip, wrong)).toBe('codec/corrupt');
  await expectBytes(portableGunzip, chunksOf(wrong), SMALL);
  wrong[wrong.length - 8]! ^= 1;
  expect(await refusal(portableGunzip, wrong)).toBe('codec/corrupt');
});

describe('nothing as the content of a member', () => {
  const engines = [nativeGunzip, portableGunzip];
  const wrapped = (...deflate: readonly number[]): Uint8Array =>
    concat([member(zeros(0)).subarray(0, 10), Uint8Array.from(deflate), zeros(8)]);

  it('is read in every form that compressors write', async () => {
    const flushed = [0, 0, 0, 0xff, 0xff];
    for (const stream of [
      [3, 0],
      [1, 0, 0, 0xff, 0xff],
      [...flushed, ...flushed, 3, 0],
      [2, 0, 0, 0, 0xff, 0xff, 3, 0],
    ])
      for (const engine of engines)
        for (const size of [1, 100]) await expectBytes(engine, sliced(wrapped(...stream), size), zeros(0));
  });

  it('is not what zeros after a header are, though CRC32 and length are zero as well', async () => {
    const names = member(zeros(0)).subarray(0, 10);
    for (const engine of engines)
      for (const start of [[], [0x4d, 0xd0, 0x4b, 0x0e, 0x42, 0x21, 0x0c, 0x46, 0xe1, 0xb9, 0xab]])
        for (const size of [100, 300, 10_000])
          expect(await refusal(engine, concat([names, Uint8Array.from(start), zeros(size)]))).toMatch(
            /^codec\/(corrupt|truncated)$/,
          );
  });
});

it('recognises gzip by three bytes', () => {
  expect(gzip.matches(member(SMALL))).toBe(true);
  expect(gzip.matches(Uint8Array.of(0x1f, 0x8b))).toBe(false);
  expect(gzip.matches(Uint8Array.of(0x1f, 0x8b, 7))).toBe(false);
});

it('computes the same CRC-32 with and without native code', () => {
  for (const bytes of [zeros(0), SMALL, noise(10_000)]) expect(portableCrc32(bytes, 123)).toBe(nodeCrc32(bytes, 123));
  expect(crc32(SMALL)).toBe(nodeCrc32(SMALL));
});

it('raises no unhandled rejection when it is stopped while the engine works', async () => {
  const seen: unknown[] = [];
  const listener = (error: unknown) => void seen.push(error);
  process.on('unhandledRejection', listener);
  try {
    const damaged = new Uint8Array(member(mixture(4_000_000)));
    damaged.fill(0xff, damaged.length - 2000);
    for (const decompress of [nativeGunzip, portableGunzip]) await expectEarlyStop(decompress, damaged);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(seen).toEqual([]);
  } finally {
    process.off('unhandledRejection', listener);
  }
});
