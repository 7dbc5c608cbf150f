import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createContext } from '../../../formats/base/context.ts';
import { RATIO_GRACE } from '../../../formats/base/limits.ts';
import { chunksOf } from '../../../formats/bytes/chunks.ts';
import { CODECS, decompressed, SNIFF_SIZE, sniff } from '../../../formats/codec/index.ts';
import { all, itWith, noise, run, SMALL, watched } from './vectors.ts';

describe('sniff', () => {
  it('goes by magic', () => {
    const heads = {
      gzip: [0x1f, 0x8b, 8, 0],
      zstd: [0x28, 0xb5, 0x2f, 0xfd],
      xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0],
      bzip2: [0x42, 0x5a, 0x68, 0x39],
    };
    for (const [name, head] of Object.entries(heads)) expect(sniff(Uint8Array.from(head))?.name).toBe(name);
  });

  it('finds nothing in text, in zeros, in too few bytes and in a tar header', () => {
    for (const head of [
      SMALL,
      new Uint8Array(512),
      new Uint8Array(0),
      Uint8Array.of(0x1f),
      Uint8Array.of(0x42, 0x5a, 0x68, 0x30),
    ]) {
      expect(sniff(head)).toBeUndefined();
    }
  });

  it('never finds lzma, which has no magic', () => {
    const head = Uint8Array.of(0x5d, 0, 0, 0x80, 0, 255, 255, 255, 255, 255, 255, 255, 255);
    expect(CODECS.lzma.matches(head)).toBe(true);
    expect(sniff(head)).toBeUndefined();
  });

  it('needs no more bytes than it says', () => {
    expect(sniff(gzipSync(SMALL).subarray(0, SNIFF_SIZE))?.name).toBe('gzip');
  });
});

describe('decompressed', () => {
  const bomb = gzipSync(new Uint8Array(RATIO_GRACE + 2 ** 21), { level: 9 });

  it('refuses what expands more than the limit allows', async () => {
    await expect(all(decompressed(CODECS.gzip, chunksOf(bomb), createContext()))).rejects.toMatchObject({
      code: 'limit/ratio',
      hint: expect.stringContaining('--limit ratio='),
    });
  });

  it('passes it where the limit is raised', async () => {
    const context = createContext({ limits: { ratio: 2000 } });
    expect((await all(decompressed(CODECS.gzip, chunksOf(bomb), context))).length).toBe(RATIO_GRACE + 2 ** 21);
  });

  it('does not mind a high ratio of little data', async () => {
    const small = gzipSync(new Uint8Array(2 ** 20), { level: 9 });
    expect(
      (await all(decompressed(CODECS.gzip, chunksOf(small), createContext({ limits: { ratio: 2 } })))).length,
    ).toBe(2 ** 20);
  });

  itWith('bzip2')('stops a bomb of blocks that stand for 46 million bytes each', async () => {
    const bytes = run('bzip2', ['-c'], new Uint8Array(150_000_000));
    await expect(all(decompressed(CODECS.bzip2, chunksOf(bytes), createContext()))).rejects.toMatchObject({
      code: 'limit/ratio',
    });
  });

  it('closes its input on an early stop', async () => {
    const input = watched(gzipSync(noise(3_000_000)), 10_000);
    for await (const _ of decompressed(CODECS.gzip, input.chunks, createContext())) break;
    expect(input.closed()).toBe(true);
  });
});
