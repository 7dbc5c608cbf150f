import { execFileSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { digestOf, verify } from '../../../formats/bytes/digest.ts';
import { threadHash } from '../../../formats/bytes/hash-thread.ts';
import { fileSource, HASH_BEHIND } from '../../../formats/bytes/source.ts';
import { scratch } from '../../fixtures/peers.ts';
import { codeOf, whole } from '../support.ts';

const root = new URL('../../../', import.meta.url);

beforeAll(() => {
  // The thread runs the built worker, also from source.
  const built = statSync(new URL('dist/hash-worker.js', root), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const source = statSync(new URL('formats/bytes/hash-worker.ts', root)).mtimeMs;
  if (built < source) execFileSync(process.execPath, ['build.mjs'], { cwd: root });
});

const content = Uint8Array.from({ length: 5_000_000 }, (_, i) => (i * 31) % 251);

/** As a reusing window gives them to a hash on a thread: a piece is overwritten as soon as the hash must be done with it. */
async function* reused(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const ring = Array.from({ length: HASH_BEHIND + 1 }, () => new Uint8Array(new SharedArrayBuffer(size)));
  for (let at = 0, turn = 0; at < bytes.length; at += size, turn = (turn + 1) % ring.length) {
    const part = bytes.subarray(at, at + size);
    ring[turn]!.set(part);
    yield ring[turn]!.subarray(0, part.length);
  }
}

describe('a hash on a thread', () => {
  test.each(['sha256', 'sha512'] as const)(
    'is the %s that the engine gives, also of two streams at once',
    async (name) => {
      const [one, other] = [threadHash(name)!, threadHash(name)!];
      for (let at = 0; at < 1000; at += 100) {
        await one.update(content.subarray(at, at + 100));
        await other.update(content.subarray(at + 1, at + 101));
      }
      expect(await one.digest()).toBe(digestOf(content.subarray(0, 1000), name));
      expect(await other.digest()).toBe(digestOf(content.subarray(1, 1001), name));
    },
  );

  test('is of what the memory held, though it is used again', async () => {
    const promised = { digest: digestOf(content), size: content.length };
    let size = 0;
    for await (const chunk of verify(reused(content, 65_536), promised, 'it')) size += chunk.length;
    expect(size).toBe(content.length);
  });

  test.each([1, 2_500_000, 4_999_999])('sees one changed byte, at %i', async (at) => {
    const promised = { digest: digestOf(content) };
    const changed = new Uint8Array(content);
    changed[at]! ^= 1;
    expect(await codeOf(() => whole(verify(reused(changed, 65_536), promised, 'it')))).toBe('digest/mismatch');
  });

  test('of a stream that is left early harms no other', async () => {
    const promised = { digest: digestOf(content) };
    for await (const chunk of verify(reused(content, 65_536), promised, 'it')) {
      expect(chunk.length).toBe(65_536);
      break;
    }
    let size = 0;
    for await (const chunk of verify(reused(content, 65_536), promised, 'it')) size += chunk.length;
    expect(size).toBe(content.length);
  });
});

test('a long window lies in shared memory, and what verify() says of it is true', async () => {
  const path = join(scratch(), 'file');
  writeFileSync(path, content);
  const source = await fileSource(path);
  if (source.kind !== 'random') throw new Error('a regular file can be read anywhere');
  const window = () => source.reusingWindow(0, content.length);
  for await (const chunk of window()) expect(chunk.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(await codeOf(() => whole(verify(window(), { digest: digestOf(content) }, 'it')))).toBe('no refusal');
  const other = digestOf(content.subarray(1));
  expect(await codeOf(() => whole(verify(window(), { digest: other }, 'it')))).toBe('digest/mismatch');
  await source.close();
});
