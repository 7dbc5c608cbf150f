/** One layer read from its first byte to its last: digests, compression, tar. Whatever is wrong with it, its digests are taken. */
import { checkAbort } from '../../formats/base/context.ts';
import { OcixError } from '../../formats/base/errors.ts';
import { checkLimit } from '../../formats/base/limits.ts';
import { byteReader, type Chunks } from '../../formats/bytes/chunks.ts';
import { type Digest, type DigestAlgorithm, newHash } from '../../formats/bytes/digest.ts';
import { decompressed, SNIFF_SIZE, sniff } from '../../formats/codec/index.ts';
import type { LayerCompression } from '../../formats/model/media-types.ts';
import { type TarScanner, tarScanner } from '../../formats/tar/scanner.ts';
import { addRefusal, type Run } from './findings.ts';
import { entryChecks, type LayerEntries } from './layer-entries.ts';

export interface LayerInput {
  /** The bytes as they are stored. Can be called again. */
  open(): Chunks;
  /** What its media type says; undefined where nothing says anything, and its first bytes decide. */
  readonly compression: LayerCompression | undefined;
  /** Of the digest of the stored bytes. */
  readonly algorithm: DigestAlgorithm;
  /** Of the diffID. */
  readonly diffAlgorithm: DigestAlgorithm;
}

export interface ReadLayer {
  /** Of the bytes as they are stored. */
  readonly digest: Digest;
  readonly size: number;
  /** Of the uncompressed bytes; undefined where they cannot be had. */
  readonly diffId: Digest | undefined;
  readonly entries: LayerEntries;
}

export async function readLayer(input: LayerInput, at: readonly string[], run: Run): Promise<ReadLayer> {
  const stored = hashed(input.open(), input.algorithm);
  const reader = byteReader(stored.chunks);
  const head = await reader.read(SNIFF_SIZE);
  reader.unread(head);
  const codec = sniff(head);
  checkCompression(codec?.name ?? 'none', input.compression, at, run);
  // Where stored and plain are the same bytes, hashing them once is enough.
  const once = !codec && input.algorithm === input.diffAlgorithm;
  const content = codec ? decompressed(codec, reader.rest(), run.context) : reader.rest();
  const plain = once ? undefined : hashed(content, input.diffAlgorithm);
  const checks = entryChecks(at, run);
  const scan = guardedScanner(tarScanner(run.context.limits, checks.handler), at, run);
  try {
    for await (const chunk of plain?.chunks ?? content) {
      checkAbort(run.context);
      spend(chunk.length, run);
      scan.push(chunk);
    }
    scan.finish();
    const result = stored.result();
    return { ...result, diffId: plain?.result().digest ?? result.digest, entries: checks.finish() };
  } catch (error) {
    addRefusal(run, 'layer/compression', at, error);
    await reader.close();
    const again = hashed(input.open(), input.algorithm);
    for await (const _ of again.chunks) checkAbort(run.context);
    return { ...again.result(), diffId: undefined, entries: { ...checks.finish(), partial: true } };
  }
}

/** The digest and the size of a stream, and nothing else. */
export async function measure(
  chunks: Chunks,
  algorithm: DigestAlgorithm,
  run: Run,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const all = hashed(chunks, algorithm);
  for await (const chunk of all.chunks) {
    checkAbort(run.context);
    spend(chunk.length, run);
  }
  return all.result();
}

function spend(bytes: number, run: Run): void {
  run.spent.bytes += bytes;
  run.context.progress({ type: 'reading', name: 'the content of layers', done: run.spent.bytes });
  checkLimit(run.context.limits, 'total-bytes', run.spent.bytes, 'the uncompressed size of all layers');
}

function hashed(chunks: Chunks, algorithm: DigestAlgorithm) {
  const hash = newHash(algorithm);
  let size = 0;
  async function* passed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  }
  return { chunks: passed(), result: () => ({ digest: hash.digest(), size }) };
}

/**
 * What ends in the padding behind its last file is read by ocix, and by hardly anybody else.
 *
 * @throws OcixError tar/truncated, and what `finish` of the scanner throws
 */
export function finishWhole(scanner: TarScanner): void {
  scanner.finish();
  if (scanner.skippable > 0)
    throw new OcixError('tar/truncated', 'the archive ends within the padding behind its last file', {
      hint: 'The file is not complete; fetch it again.',
    });
}

/** A tar that breaks off is one finding; its bytes are read on for their digest. */
function guardedScanner(scanner: TarScanner, at: readonly string[], run: Run): Pick<TarScanner, 'push' | 'finish'> {
  let broken = false;
  const guarded = (work: () => void): void => {
    if (broken) return;
    try {
      work();
    } catch (error) {
      if (!(error instanceof OcixError)) throw error;
      broken = true;
      addRefusal(run, 'layer/tar', at, error);
    }
  };
  return {
    push: (chunk) => guarded(() => scanner.push(chunk)),
    finish: () => guarded(() => finishWhole(scanner)),
  };
}

function checkCompression(
  found: string,
  promised: LayerCompression | undefined,
  at: readonly string[],
  run: Run,
): void {
  if (promised === undefined || found === promised) return;
  run.findings.add(
    'layer/compression',
    at,
    `the layer is ${found === 'none' ? 'not compressed' : `compressed with ${found}`}, and its media type says ${promised === 'none' ? 'that it is not' : promised}`,
  );
}
