import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { sha256Digest } from '../../../fixtures/bytes.ts';
import { tar } from '../../../fixtures/tar.ts';
import { zstd } from '../../../fixtures/zstd.ts';
import type { Keeper } from '../../../formats/archive/archive.ts';
import { looksLikeTar, openArchive, peel } from '../../../formats/archive/open.ts';
import { chunksOf } from '../../../formats/bytes/chunks.ts';
import { streamSource } from '../../../formats/bytes/source.ts';
import {
  codeOf,
  contextWith,
  memberText,
  memoryKeeper,
  openTar,
  refusalOf,
  sliced,
  textOf,
  WAYS,
  whole,
} from '../support.ts';
import { bytes, layer } from './entries.ts';

describe('a stream', () => {
  const keptOf = async (keep: Keeper, input: Uint8Array = bytes) =>
    openArchive(streamSource('in', sliced(input, 777)), keep, contextWith());

  test('gives its keeper what may be a layer, and keeps documents and small members itself', async () => {
    const names: string[] = [];
    const keep: Keeper = async (content, name, context) => {
      names.push(name);
      return memoryKeeper(content, name, context);
    };
    const archive = await keptOf(keep);
    expect(names).toEqual(['dir/layer.tar']);
    expect((await archive.get('dir/layer.tar'))?.kept).toMatchObject({
      digest: sha256Digest(layer),
      layer: { compression: undefined, diffId: sha256Digest(layer), size: layer.length },
    });
    expect((await archive.get('document.json'))?.kept).toBeUndefined();
  });

  test('goes on in the right place behind a keeper that stopped early', async () => {
    const keep: Keeper = async (content) => {
      for await (const _ of content) break;
      return { digest: `sha256:${'0'.repeat(64)}`, open: () => chunksOf() };
    };
    const archive = await keptOf(keep);
    expect(await memberText(await archive.get('twice'))).toBe('last');
  });

  test('lets an error of its keeper through, and closes its producer', async () => {
    let closed = false;
    async function* chunks(): AsyncGenerator<Uint8Array> {
      try {
        yield* sliced(bytes, 1000);
      } finally {
        closed = true;
      }
    }
    const keep: Keeper = async () => {
      throw new RangeError('full');
    };
    await expect(openArchive(streamSource('in', chunks()), keep, contextWith())).rejects.toThrow('full');
    expect(closed).toBe(true);
  });

  test('keeps no more documents in memory than sixteen of the largest allowed', async () => {
    const documents = Array.from({ length: 20 }, (_, i) => ({ name: `${i}.json`, body: `"${'x'.repeat(1990)}"` }));
    const open = (size: number) => () =>
      openArchive(streamSource('in', chunksOf(tar(documents))), memoryKeeper, contextWith({ 'json-bytes': size }));
    expect(await codeOf(open(2500))).toBe('no refusal');
    expect(await codeOf(open(2000))).toBe('limit/json-bytes');
  });
});

describe('peel()', () => {
  const content = Buffer.from('content, not much of it');

  test('takes off every compression, by magic alone', async () => {
    const { compression, head, content: inside } = await peel(chunksOf(gzipSync(zstd(content))), contextWith());
    expect([compression, textOf(head)]).toEqual([['gzip', 'zstd'], content.toString()]);
    expect(textOf(await whole(inside))).toBe(content.toString());
  });

  test('refuses more than four wrappings', async () => {
    const wrapped = (times: number): Uint8Array => (times ? gzipSync(wrapped(times - 1)) : content);
    expect(await codeOf(() => peel(chunksOf(wrapped(4)), contextWith()))).toBe('no refusal');
    expect(await codeOf(() => peel(chunksOf(wrapped(5)), contextWith()))).toBe('limit/wrappings');
  });

  test('refuses more uncompressed bytes than the limit', async () => {
    const peeled = await peel(chunksOf(gzipSync(Buffer.alloc(5000))), contextWith({ 'total-bytes': 4999 }));
    expect(await codeOf(() => whole(peeled.content))).toBe('limit/total-bytes');
  });
});

describe('what is no tar', () => {
  test.each([
    ['nothing', Buffer.alloc(0), 'it is empty'],
    ['a few bytes', Buffer.from('tiny'), 'it is too short for a tar'],
    ['text', Buffer.from('PK\u0003\u0004'.padEnd(600, 'z')), String.raw`it starts with "PK\\x03\\x04zzzz"`],
    ['compressed text', gzipSync('t'.repeat(600)), '(inside gzip)'],
  ])('is refused: %s', async (_, input, words) => {
    for (const way of WAYS) {
      const refusal = await refusalOf(() => openTar(input, way));
      expect(refusal?.code).toBe('format/unknown');
      expect(refusal?.message).toContain(words);
    }
  });

  test('is told by its first block', () => {
    expect([looksLikeTar(bytes.subarray(0, 512)), looksLikeTar(new Uint8Array(512))]).toEqual([true, true]);
    expect([looksLikeTar(bytes.subarray(0, 511)), looksLikeTar(Buffer.alloc(512, 'x'))]).toEqual([false, false]);
  });
});
