/** Bytes put aside. */
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { MOST_READ, spool, spoolSource } from '../../../formats/store/spool.ts';
import { codeOf, whole } from '../support.ts';

const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 7) % 251);

test('what was put aside can be read anywhere, in pieces and as a source', async () => {
  const aside = await spool();
  await aside.append([bytes.subarray(0, 10), bytes.subarray(10, 1_000_000)]);
  await aside.append([]);
  await aside.append([bytes.subarray(1_000_000)]);
  expect(aside.size).toBe(bytes.length);
  const reader = aside.reader();
  for (const [offset, size] of [
    [0, 5],
    [5, 100],
    [999_990, 20],
    [3, 1],
    [2_999_999, 1],
    [1000, MOST_READ],
    [7, 0],
  ] as const)
    expect(Buffer.compare(await reader.read(offset, size), bytes.subarray(offset, offset + size))).toBe(0);
  const source = spoolSource('x', aside);
  expect(Buffer.compare(await whole(source.window(12_345, 2_500_000)), bytes.subarray(12_345, 2_512_345))).toBe(0);
  expect((await whole(source.window(2_999_000, 5000))).length).toBe(1000);
  await aside.close();
});

test('nothing of it can be seen from outside', async () => {
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith('ocix-'));
  const aside = await spool();
  await aside.append([bytes]);
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith('ocix-') && !before.includes(name))).toEqual([]);
  await aside.close();
});

test('reading behind the end is a refusal', async () => {
  const aside = await spool();
  await aside.append([bytes.subarray(0, 100)]);
  expect(await codeOf(() => aside.reader().read(90, 20))).toBe('source/unreadable');
  await aside.close();
});
