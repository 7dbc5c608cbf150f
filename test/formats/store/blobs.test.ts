import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf, hexOf } from '../../../formats/bytes/digest.ts';
import { blobStore } from '../../../formats/store/blobs.ts';
import { scratch } from '../../fixtures/peers.ts';
import { codeOf, textOf, whole } from '../support.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);

describe('a blob store', () => {
  test('keeps bytes under their digest, and gives them back', async () => {
    const folder = scratch();
    const store = blobStore(join(folder, 'blobs'));
    const digest = await store.put(bytes('content'));
    expect(digest).toBe(digestOf(bytes('content')));
    expect(readFileSync(join(folder, 'blobs/sha256', hexOf(digest)), 'utf8')).toBe('content');
    expect(textOf(await whole(store.open(digest)))).toBe('content');
    expect([await store.has(digest), await store.has(digestOf(bytes('other')))]).toEqual([true, false]);
  });

  test('keeps a blob once, however often it comes', async () => {
    const folder = scratch();
    const store = blobStore(folder);
    const [a, b, c] = [await store.put(bytes('x')), await store.put(bytes('y')), await store.put(bytes('x'))];
    expect(a).toBe(c);
    expect(store.written()).toEqual([a, b]);
    const again = await store.create();
    await again.write(bytes('x'));
    await again.finish(a);
    expect(filesBelow(folder).sort()).toEqual([hexOf(a), hexOf(b)].sort());
  });

  test('shows nothing under a digest before the blob is finished', async () => {
    const folder = scratch();
    const store = blobStore(folder);
    const blob = await store.create();
    await blob.write(bytes('half'));
    const digest = digestOf(bytes('half and half'));
    expect(await store.has(digest)).toBe(false);
    await blob.write(bytes(' and half'));
    await blob.finish(digest);
    expect(textOf(await whole(store.open(digest)))).toBe('half and half');
    expect(filesBelow(folder)).toEqual([hexOf(digest)]);
  });

  test('keeps a blob of no bytes', async () => {
    const store = blobStore(scratch());
    const digest = await store.put(new Uint8Array(0));
    expect((await whole(store.open(digest))).length).toBe(0);
  });

  test('writes several blobs side by side', async () => {
    const folder = scratch();
    const store = blobStore(folder);
    const one = async (letter: string) => {
      const blob = await store.create();
      for (let i = 0; i < 50; i++) await blob.write(bytes(letter.repeat(1000)));
      await blob.finish(digestOf(bytes(letter.repeat(50_000))));
    };
    await Promise.all(['a', 'b', 'c', 'd'].map(one));
    expect(filesBelow(folder)).toHaveLength(4);
    for (const digest of store.written()) expect(digestOf(await whole(store.open(digest)))).toBe(digest);
  });

  test('leaves nothing of a blob that is discarded, also twice', async () => {
    const folder = scratch();
    const blob = await blobStore(folder).create();
    await blob.write(bytes('unwanted'));
    await blob.discard();
    await blob.discard();
    expect(filesBelow(folder)).toEqual([]);
  });

  test('forgets what is removed', async () => {
    const folder = scratch();
    const store = blobStore(folder);
    const digest = await store.put(bytes('x'));
    await store.remove(digest);
    await store.remove(digest);
    expect([await store.has(digest), store.written(), filesBelow(folder)]).toEqual([false, [], []]);
    await store.put(bytes('x'));
    expect(await store.has(digest)).toBe(true);
  });

  test('names the place in errors as it is told to', async () => {
    const folder = scratch();
    writeFileSync(join(folder, 'file'), '');
    const store = blobStore(join(folder, 'file'), { shown: 'the place' });
    await expect(store.put(bytes('x'))).rejects.toThrow(/^the place cannot be written/);
  });

  test('makes no folders where it is to be flat', async () => {
    const folder = scratch();
    const store = blobStore(folder, { flat: true });
    const digest = await store.put(bytes('x'));
    expect([readdirSync(folder), await store.has(digest)]).toEqual([[digest.replace(':', '-')], true]);
    await store.remove(digest);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('says that it cannot write where a file stands in the way', async () => {
    const folder = scratch();
    writeFileSync(join(folder, 'file'), '');
    expect(await codeOf(() => blobStore(join(folder, 'file')).put(bytes('x')))).toBe('output/write');
    writeFileSync(join(folder, 'sha256'), '');
    const blob = await blobStore(folder).create();
    expect(await codeOf(() => blob.finish(digestOf(bytes(''))))).toBe('output/write');
    await blob.discard();
    expect(existsSync(join(folder, '.new-0'))).toBe(false);
  });
});
