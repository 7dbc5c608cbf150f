import { describe, expect, it } from 'vitest';
import { createContext } from '../../../formats/base/context.ts';
import { chunksOf } from '../../../formats/bytes/chunks.ts';
import { concat } from '../../../formats/bytes/text.ts';
import { unxz, xz } from '../../../formats/codec/xz.ts';
import { xzNeeds } from '../../../formats/codec/xz-header.ts';
import { loadLzmaNative, lzmaEncoded } from '../../../formats/codec/xz-native.ts';
import {
  all,
  type Decompress,
  expectAbort,
  expectBytes,
  expectEarlyStop,
  expectNoWrongData,
  expectSourceError,
  expectTruncated,
  itWith,
  mixture,
  refusal,
  run,
  SMALL,
  sliced,
  stopsInTime,
} from './vectors.ts';

const itWithXz = itWith('xz');
const pack = (bytes: Uint8Array, ...options: string[]) => run('xz', ['-T1', '-c', ...options], bytes);
const zeros = (size: number) => new Uint8Array(size);

const decompress: Decompress = xz.decompress;
const withoutNative: Decompress = (input, context) => unxz(input, context, async () => undefined);
const native = await loadLzmaNative();

/** What only lzma-native reads. */
const RARE: readonly (readonly [string, readonly string[]])[] = [
  ['a filter for machine code', ['--x86', '--lzma2=preset=6']],
  ['a delta filter', ['--delta=dist=4', '--lzma2=preset=6']],
  ['a SHA-256 check', ['--check=sha256']],
  ['a dictionary of 96 MiB', ['--lzma2=preset=6,dict=96MiB']],
];

describe('unxz', () => {
  itWithXz.each(['-0', '-6', '-9e'])('reads what xz %s wrote', async (preset) => {
    const bytes = mixture(1_000_000);
    await expectBytes(decompress, sliced(pack(bytes, preset), 70_001), bytes);
  });

  itWithXz.each(['none', 'crc32', 'crc64'])('reads streams with the check %s', async (check) => {
    await expectBytes(withoutNative, chunksOf(pack(SMALL, `--check=${check}`)), SMALL);
  });

  itWithXz('reads many blocks with sizes in their headers', async () => {
    const bytes = mixture(900_000);
    await expectBytes(decompress, chunksOf(run('xz', ['-T2', '--block-size=100000', '-c'], bytes)), bytes);
  });

  itWithXz('reads an empty stream', async () => {
    await expectBytes(decompress, chunksOf(pack(zeros(0))), zeros(0));
  });

  itWithXz('reads several streams with padding, wherever the input is cut into chunks', async () => {
    const bytes = concat([pack(SMALL), zeros(8), pack(SMALL, '-9'), pack(zeros(0)), zeros(4)]);
    for (const size of [1, 3, 64, bytes.length])
      await expectBytes(decompress, sliced(bytes, size), concat([SMALL, SMALL]));
  });

  itWithXz('reads one stream inside another', async () => {
    const bytes = mixture(300_000);
    const twice = pack(pack(bytes));
    const context = createContext();
    await expectBytes((input) => decompress(decompress(input, context), context), sliced(twice, 100), bytes);
  });

  itWithXz('notices a cut at every offset', async () => {
    await expectTruncated(withoutNative, pack(SMALL.subarray(0, 200)));
  });

  itWithXz('never gives wrong data for a bit turned over', async () => {
    await expectNoWrongData(decompress, pack(SMALL.subarray(0, 150)), SMALL.subarray(0, 150));
  });

  itWithXz('refuses what follows the last stream', async () => {
    expect(
      await refusal(decompress, concat([pack(SMALL), new TextEncoder().encode('something of another kind')])),
    ).toBe('codec/corrupt');
    expect(await refusal(decompress, concat([pack(SMALL), Uint8Array.of(10)]))).toMatch(/^codec\//);
    expect(await refusal(decompress, concat([pack(SMALL), zeros(3)]))).toMatch(/^codec\//);
  });

  it('refuses an empty input', async () => {
    expect(await refusal(decompress, zeros(0))).toBe('codec/truncated');
  });

  itWithXz('refuses a dictionary over the limit', async () => {
    const context = createContext({ limits: { window: 2 ** 20 } });
    expect(await refusal(decompress, pack(SMALL), context)).toBe('limit/window');
    expect(await refusal(decompress, pack(SMALL, '--lzma2=dict=256MiB'))).toBe('limit/window');
  });

  stopsInTime(decompress, () => pack(mixture(2_000_000)), itWithXz);
});

describe('unxz of rare kinds', () => {
  itWithXz.each(RARE)('asks for lzma-native where a stream has %s', async (_, options) => {
    await expect(all(withoutNative(chunksOf(pack(SMALL, ...options)), createContext()))).rejects.toMatchObject({
      code: 'codec/unsupported',
      hint: expect.stringContaining('lzma-native'),
    });
  });

  const itWithBoth = itWith('xz', native);

  itWithBoth.each(RARE)('reads a stream with %s', async (_, options) => {
    const bytes = mixture(300_000);
    await expectBytes(decompress, sliced(pack(bytes, ...options), 10_000), bytes);
  });

  itWithBoth('reads several such streams, notices cuts and refuses damage', async () => {
    const one = pack(SMALL.subarray(0, 100), '--check=sha256');
    await expectBytes(
      decompress,
      sliced(concat([one, zeros(4), one]), 50),
      concat([SMALL.subarray(0, 100), SMALL.subarray(0, 100)]),
    );
    await expectTruncated(decompress, one);
    await expectNoWrongData(decompress, one, SMALL.subarray(0, 100));
    expect(await refusal(decompress, concat([one, new TextEncoder().encode('something of another kind')]))).toBe(
      'codec/corrupt',
    );
  });

  itWithBoth('stops early and on an interruption', async () => {
    const bytes = pack(mixture(1_000_000), '--check=sha256');
    await expectEarlyStop(decompress, bytes);
    await expectAbort(decompress, bytes);
  });
});

itWithXz('tells what a stream needs from its first bytes', () => {
  expect(xzNeeds(pack(SMALL, '-6'))).toEqual({ check: 4, filters: [0x21], dictionary: 2 ** 23 });
  expect(xzNeeds(pack(SMALL, ...RARE[0]![1]))).toEqual({ check: 4, filters: [4, 0x21], dictionary: 2 ** 23 });
  expect(xzNeeds(pack(SMALL).subarray(0, 15))).toEqual({ check: 4, filters: [], dictionary: 0 });
  expect(xzNeeds(SMALL)).toBeUndefined();
});

describe.runIf(native)('xz that is written', () => {
  const encoded = (bytes: Uint8Array, size: number, level = 6) =>
    all(lzmaEncoded(native!, sliced(bytes, size), level, createContext()));

  it('is read by the other engine, and is the same however its input is cut', async () => {
    const bytes = mixture(1_000_000);
    const whole = await encoded(bytes, 1_000_000);
    expect(xzNeeds(whole)).toEqual({ check: 4, filters: [0x21], dictionary: 2 ** 23 });
    await expectBytes(withoutNative, chunksOf(whole), bytes);
    expect(await encoded(bytes, 70_001)).toEqual(whole);
    expect((await encoded(bytes, 70_001, 9)).length).toBeLessThan((await encoded(bytes, 70_001, 1)).length);
  });

  itWithXz('is read by xz, also of nothing, and of memory that threads share', async () => {
    expect(run('xz', ['-dc'], await encoded(zeros(0), 1)).length).toBe(0);
    const shared = new Uint8Array(new SharedArrayBuffer(SMALL.length));
    shared.set(SMALL);
    expect(new Uint8Array(run('xz', ['-dc'], await encoded(shared, 100)))).toEqual(new Uint8Array(SMALL));
  });

  it('stops early, on an interruption, and where its input fails', async () => {
    const compress: Decompress = (input, context) => lzmaEncoded(native!, input, 6, context);
    const bytes = mixture(4_000_000);
    await expectAbort(compress, bytes);
    await expectSourceError(compress, bytes);
  });
});
