/** Inputs and checks that the codec tests share. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { type Context, createContext } from '../../../formats/base/context.ts';
import { OcixError } from '../../../formats/base/errors.ts';
import { type Chunks, chunksOf } from '../../../formats/bytes/chunks.ts';
import { concat } from '../../../formats/bytes/text.ts';

export type Decompress = (input: Chunks, context: Context) => Chunks;

/** A few hundred bytes that compress, but not to nothing. */
export const SMALL = new TextEncoder().encode(
  Array.from({ length: 24 }, (_, i) => `line ${i * 7919} of ${(i * i * 31) % 97}\n`).join(''),
);

/** Bytes that do not compress, the same every time. */
export function noise(size: number, seed = 1): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let i = 0; i * 64 < size; i++) parts.push(createHash('sha512').update(`${seed}/${i}`).digest());
  return concat(parts).subarray(0, size);
}

/** Something like a layer: text, zeros and noise in turn. */
export function mixture(size: number): Uint8Array {
  const text = new TextEncoder().encode('The quick brown fox jumps over the lazy dog. '.repeat(200));
  const pattern = concat([text, noise(6000), new Uint8Array(5000), SMALL]);
  const whole = new Uint8Array(size);
  for (let at = 0; at < size; at += pattern.length) {
    whole.set(pattern.subarray(0, size - at), at);
    whole[at] = at >>> 12;
  }
  return whole;
}

export async function* sliced(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function all(chunks: Chunks): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return concat(parts);
}

/** What comes out, or the code of the OcixError that does; every other error fails the test. */
export async function outcome(
  decompress: Decompress,
  bytes: Uint8Array,
  context = createContext(),
): Promise<Uint8Array | string> {
  try {
    return await all(decompress(chunksOf(bytes), context));
  } catch (error) {
    if (error instanceof OcixError) return error.code;
    throw error;
  }
}

/** The code of the OcixError that comes out. */
export async function refusal(decompress: Decompress, bytes: Uint8Array, context = createContext()): Promise<string> {
  const found = await outcome(decompress, bytes, context);
  return typeof found === 'string' ? found : `no error, but ${found.length} bytes`;
}

export const same = (a: Uint8Array | string, b: Uint8Array): boolean =>
  typeof a !== 'string' && Buffer.compare(a, b) === 0;

export async function expectBytes(decompress: Decompress, input: Chunks, expected: Uint8Array): Promise<void> {
  const found = await all(decompress(input, createContext()));
  expect(found.length).toBe(expected.length);
  expect(same(found, expected)).toBe(true);
}

/** @param also what is right too, at offsets where the input is complete by the format's rules */
export async function expectTruncated(
  decompress: Decompress,
  bytes: Uint8Array,
  also: readonly number[] = [],
): Promise<void> {
  for (let end = 0; end < bytes.length; end++) {
    if (also.includes(end)) continue;
    expect(await refusal(decompress, bytes.subarray(0, end)), `cut at ${end} of ${bytes.length}`).toBe(
      'codec/truncated',
    );
  }
}

/** Every bit of every byte turned over, one at a time: refused, or without any effect. */
export async function expectNoWrongData(
  decompress: Decompress,
  bytes: Uint8Array,
  expected: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const damaged = bytes.slice();
      damaged[at]! ^= 1 << bit;
      const found = await outcome(decompress, damaged);
      const fine = typeof found === 'string' ? /^(codec|limit)\//.test(found) : same(found, expected);
      expect(fine, `bit ${bit} of byte ${at} turned over: ${typeof found === 'string' ? found : 'other data'}`).toBe(
        true,
      );
    }
  }
}

/** A stream that tells whether it was closed. */
export function watched(bytes: Uint8Array, size: number): { readonly chunks: Chunks; closed(): boolean } {
  let closed = false;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      yield* sliced(bytes, size);
    } finally {
      closed = true;
    }
  }
  return { chunks: chunks(), closed: () => closed };
}

export async function expectEarlyStop(decompress: Decompress, bytes: Uint8Array): Promise<void> {
  const input = watched(bytes, 1000);
  for await (const chunk of decompress(input.chunks, createContext())) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  expect(input.closed()).toBe(true);
}

export async function expectAbort(decompress: Decompress, bytes: Uint8Array): Promise<void> {
  const abort = new AbortController();
  async function* input(): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, bytes.length / 2);
    abort.abort();
    yield bytes.subarray(bytes.length / 2);
  }
  await expect(all(decompress(input(), createContext({ signal: abort.signal })))).rejects.toMatchObject({
    code: 'interrupted',
  });
}

/** An error of the source comes out as it is. */
export async function expectSourceError(decompress: Decompress, bytes: Uint8Array): Promise<void> {
  const failure = new Error('the disk is on fire');
  async function* input(): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, bytes.length / 2);
    throw failure;
  }
  await expect(all(decompress(input(), createContext()))).rejects.toBe(failure);
}

function works(tool: string): boolean {
  try {
    execFileSync(tool, ['--version'], { stdio: 'ignore', input: '' });
    return true;
  } catch {
    return false;
  }
}

/** The tests of how a stream ends when nobody wants the rest of it. @param pack a stream that is not over at once */
export function stopsInTime(
  decompress: Decompress,
  pack: () => Uint8Array,
  declare: (name: string, run: () => Promise<void>) => void = it,
): void {
  let packed: Uint8Array | undefined;
  const bytes = (): Uint8Array => (packed ??= pack());
  declare('closes its input when the consumer stops early', () => expectEarlyStop(decompress, bytes()));
  declare('stops when the run is interrupted', () => expectAbort(decompress, bytes()));
  declare('passes an error of its source on', () => expectSourceError(decompress, bytes()));
}

/** A test that needs a program of the system, and what else; skipped without, unless the run is to have everything. */
export const itWith = (tool: string, more: unknown = true): typeof it =>
  process.env.OCIX_REQUIRE_PEERS || (more && works(tool)) ? it : (it.skip as typeof it);

export function run(tool: string, args: readonly string[], input: Uint8Array): Uint8Array {
  return execFileSync(tool, args, { input, maxBuffer: 2 ** 30, stdio: ['pipe', 'pipe', 'pipe'] });
}
