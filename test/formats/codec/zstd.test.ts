import { describe, expect, it } from 'vitest';
import { createContext } from '../../../formats/base/context.ts';
import { type Chunks, chunksOf } from '../../../formats/bytes/chunks.ts';
import { concat } from '../../../formats/bytes/text.ts';
import { blockEncoder } from '../../../formats/codec/block-encoders.ts';
import { hasNativeUnzstd, nativeZstd, portableZstd, zstd } from '../../../formats/codec/zstd.ts';
import {
  all,
  expectBytes,
  expectNoWrongData,
  expectTruncated,
  itWith,
  mixture,
  noise,
  outcome,
  refusal,
  run,
  SMALL,
  sliced,
  stopsInTime,
} from './vectors.ts';

const encode = await blockEncoder('zstd');
const frame = (bytes: Uint8Array, level = 3) => encode(bytes, level);
const zeros = (size: number) => new Uint8Array(size);

function skippable(size: number, nibble = 0): Uint8Array {
  const head = new DataView(new ArrayBuffer(8));
  head.setUint32(0, 0x184d2a50 + nibble, true);
  head.setUint32(4, size, true);
  return concat([new Uint8Array(head.buffer), noise(size)]);
}

describe.each([
  { engine: 'WebAssembly', decompress: portableZstd, there: true },
  { engine: 'node:zlib', decompress: nativeZstd, there: hasNativeUnzstd },
])('unzstd with $engine', ({ decompress, there }) => {
  const test = it.skipIf(!there);
  const testWithTool = there ? itWith('zstd') : it.skip;

  test.each([1, 3, 19])('reads what libzstd wrote at level %i', async (level) => {
    const bytes = mixture(3_000_000);
    await expectBytes(decompress, sliced(frame(bytes, level), 70_001), bytes);
  });

  test('reads raw and run-length blocks', async () => {
    const bytes = concat([noise(300_000), zeros(700_000)]);
    await expectBytes(
      decompress,
      sliced(concat([frame(bytes), frame(zeros(5_000_000))]), 999),
      concat([bytes, zeros(5_000_000)]),
    );
  });

  test('reads any number of frames, wherever the input is cut into chunks', async () => {
    const parts = [SMALL, zeros(0), mixture(30_000), SMALL.subarray(0, 1)];
    const bytes = concat(parts.map((part) => frame(part)));
    for (const size of [1, 2, 3, 7, 64, 1000, bytes.length])
      await expectBytes(decompress, sliced(bytes, size), concat(parts));
  });

  test('leaves skippable frames out, wherever they are', async () => {
    const bytes = concat([
      skippable(4),
      frame(SMALL),
      skippable(0, 15),
      skippable(70_000, 3),
      frame(SMALL),
      skippable(9),
    ]);
    for (const size of [1, 5, bytes.length]) await expectBytes(decompress, sliced(bytes, size), concat([SMALL, SMALL]));
  });

  test('notices a cut at every offset', async () => {
    await expectTruncated(decompress, frame(SMALL));
    const first = concat([frame(SMALL), skippable(20)]);
    await expectTruncated(decompress, concat([first, frame(SMALL)]), [first.length - 28, first.length]);
  });

  test.each([
    ['text', new TextEncoder().encode('some more text')],
    ['a newline', Uint8Array.of(10)],
    ['zeros', zeros(512)],
    ['half a magic', Uint8Array.of(0x28, 0xb5, 0)],
  ])('refuses %s after the last frame', async (_, garbage) => {
    expect(await refusal(decompress, concat([frame(SMALL), garbage]))).toBe('codec/corrupt');
  });

  test('refuses an empty input', async () => {
    expect(await refusal(decompress, zeros(0))).toBe('codec/truncated');
  });

  test('refuses a frame that is longer or shorter than its header says', async () => {
    // Single segment, two bytes of content size (plus 256): the fifth and sixth byte after the magic.
    const bytes = frame(SMALL);
    expect(bytes[4]! >>> 5).toBe(3);
    for (const by of [1, -1]) {
      const damaged = bytes.slice();
      damaged[5]! += by;
      expect(await refusal(decompress, damaged)).toBe('codec/corrupt');
    }
  });

  test('refuses a window over the limit before it takes memory for it', async () => {
    const large = concat([Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, (21 << 3) | 0), zeros(100)]);
    expect(await refusal(decompress, large)).toBe('limit/window');
    const context = createContext({ limits: { window: 2 ** 20 } });
    expect(await refusal(decompress, frame(mixture(2_000_000)), context)).toBe('limit/window');
  });

  test('refuses a frame that needs a dictionary', async () => {
    const bytes = concat([Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 3), Uint8Array.of(0x19, 0, 0, 1, 2, 3)]);
    expect(await refusal(decompress, bytes)).toBe('codec/unsupported');
  });

  test('survives a bit turned over anywhere', async () => {
    const bytes = frame(SMALL);
    for (let at = 0; at < bytes.length * 8; at++) {
      const damaged = bytes.slice();
      damaged[at >>> 3]! ^= 1 << (at & 7);
      // Without a checksum other data may come; it must come to an end.
      await outcome(decompress, damaged);
    }
  });

  test('goes on working after a damaged stream', async () => {
    const text = Array.from({ length: 50_000 }, (_, i) => `${(i * 7919) % 10_007}\n`).join('');
    const damaged = frame(new TextEncoder().encode(text));
    damaged.fill(0xff, 20, 60);
    for (let i = 0; i < 20; i++) expect(await refusal(decompress, damaged)).toBe('codec/corrupt');
    await expectBytes(decompress, chunksOf(frame(SMALL)), SMALL);
  });

  test('reads two streams at the same time', async () => {
    const [a, b] = [mixture(2_000_000), noise(1_000_000)];
    const found = await Promise.all(
      [a, b].map((bytes) => all(decompress(sliced(frame(bytes), 5000), createContext()))),
    );
    expect(found.map((bytes) => bytes.length)).toEqual([a.length, b.length]);
    expect(Buffer.compare(found[0]!, a) || Buffer.compare(found[1]!, b)).toBe(0);
  });

  stopsInTime(decompress, () => frame(mixture(5_000_000)), test);

  testWithTool('checks the content checksum', async () => {
    const bytes = run('zstd', ['--check', '-c'], SMALL);
    await expectBytes(decompress, chunksOf(bytes), SMALL);
    await expectNoWrongData(decompress, bytes, SMALL);
    const damaged = bytes.slice();
    damaged[damaged.length - 1]! ^= 1;
    expect(await refusal(decompress, damaged)).toBe('codec/corrupt');
  });

  testWithTool('reads what the zstd command streams, with a long window too', async () => {
    const bytes = mixture(5_000_000);
    await expectBytes(decompress, sliced(run('zstd', ['-c', '-5'], bytes), 2 ** 16), bytes);
    await expectBytes(decompress, sliced(run('zstd', ['-c', '--long=27'], bytes), 2 ** 16), bytes);
  });
});

it('gives the same whichever engine decompresses', async () => {
  const bytes = frame(SMALL);
  const engines: ((input: Chunks) => Chunks)[] = [
    (input) => zstd.decompress(input, createContext()),
    (input) => portableZstd(input, createContext()),
  ];
  for (const engine of engines) expect(Buffer.compare(await all(engine(chunksOf(bytes))), SMALL)).toBe(0);
});

it('recognises data frames and skippable frames', () => {
  expect(zstd.matches(frame(SMALL))).toBe(true);
  expect(zstd.matches(skippable(3, 14))).toBe(true);
  expect(zstd.matches(Uint8Array.of(0x28, 0xb5, 0x2f))).toBe(false);
  expect(zstd.matches(zeros(4))).toBe(false);
});
