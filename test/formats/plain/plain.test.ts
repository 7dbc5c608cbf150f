import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { tar } from '../../../fixtures/tar.ts';
import { digestOf } from '../../../formats/bytes/digest.ts';
import { bytesSource, streamSource } from '../../../formats/bytes/source.ts';
import { readPlainTar } from '../../../formats/plain/index.ts';
import { contextWith, diffIdsOf, memoryKeeper, sliced } from '../support.ts';

const rootfs = tar([{ name: 'etc/' }, { name: 'etc/hostname', body: 'box\n' }]);

describe('a plain tar', () => {
  test.each([
    ['a file', (bytes: Uint8Array) => bytesSource('rootfs.tar', bytes)],
    ['a stream', (bytes: Uint8Array) => streamSource('rootfs.tar', sliced(bytes, 100))],
  ])('from %s is an image of one layer that says nothing about itself', async (_, sourceOf) => {
    for (const [bytes, codec] of [
      [rootfs, undefined],
      [gzipSync(rootfs), 'gzip'],
    ] as const) {
      const image = await readPlainTar(sourceOf(bytes), memoryKeeper, contextWith());
      expect(image).toMatchObject({
        kind: 'image',
        names: [],
        history: [],
        original: {},
        config: { platform: {}, cmd: [] },
      });
      expect(image.layers).toHaveLength(1);
      const [layer] = image.layers;
      expect([layer!.blob.codec?.name, layer!.blob.size, layer!.diffId]).toEqual([codec, bytes.length, undefined]);
      expect(await diffIdsOf(image)).toEqual([digestOf(rootfs)]);
    }
  });

  test('that went by in a stream is known by its digest and diffID', async () => {
    const image = await readPlainTar(streamSource('in', sliced(gzipSync(rootfs), 50)), memoryKeeper, contextWith());
    expect(image.layers[0]!.kept).toMatchObject({ compression: 'gzip', diffId: digestOf(rootfs), size: rootfs.length });
    expect(image.layers[0]!.size).toBe(rootfs.length);
  });
});
