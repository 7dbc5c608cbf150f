/** Decompression on another thread gives what it gives here: bytes, refusals, and an end. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { decompressedAside, endIdleThreads } from '../../../formats/codec/decompress-aside.ts';
import { CODECS } from '../../../formats/codec/index.ts';
import { runPeer, withPeer } from '../../fixtures/peers.ts';
import { codeOf, contextWith, sliced, whole } from '../support.ts';

const built = existsSync(join(import.meta.dirname, '../../../dist/decompress-worker.js'));
const plain = Buffer.from(Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * i) >> 7));
const context = contextWith();
/** As large as it takes to be worth a thread. */
const LARGE = 2 ** 20;

describe.skipIf(!built)('a thread', () => {
  const packed = () => runPeer({ tool: 'xz', args: ['-c', '-1'], input: plain });
  const open = (bytes: Uint8Array) => decompressedAside(CODECS.xz, sliced(bytes, 10_000), LARGE, context);

  withPeer('xz')('gives the same bytes, several streams at a time and again', async () => {
    for (let round = 0; round < 2; round++) {
      const both = await Promise.all([whole(open(packed())), whole(open(packed()))]);
      for (const bytes of both) expect(Buffer.compare(bytes, plain)).toBe(0);
    }
    await endIdleThreads();
  });

  withPeer('xz')('that has nothing to do takes small streams too', async () => {
    expect(Buffer.compare(await whole(open(packed())), plain)).toBe(0);
    const small = plain.subarray(0, 50_000);
    const bytes = runPeer({ tool: 'xz', args: ['-c', '-1'], input: small });
    const aside = decompressedAside(CODECS.xz, sliced(bytes, 10_000), 20_000, context);
    expect(Buffer.compare(await whole(aside), small)).toBe(0);
    await endIdleThreads();
  });

  withPeer('xz')('refuses as it is refused here', async () => {
    const bytes = packed();
    expect(await codeOf(() => whole(open(bytes.subarray(0, bytes.length - 100))))).toBe('codec/truncated');
    expect(await codeOf(() => whole(open(Buffer.from(bytes).fill(7, 1000, 1100))))).toBe('codec/corrupt');
    expect(Buffer.compare(await whole(open(bytes)), plain)).toBe(0);
    await endIdleThreads();
  });

  withPeer('xz')('can be left early', async () => {
    for await (const piece of open(packed())) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
  });
});

withPeer('xz')('what is small is not worth a thread', async () => {
  const bytes = runPeer({ tool: 'xz', args: ['-c'], input: Buffer.from('small') });
  expect(
    Buffer.from(await whole(decompressedAside(CODECS.xz, sliced(bytes, 7), bytes.length, context))).toString(),
  ).toBe('small');
});
