/** An archive of a package, uncompressed. */
import type { Context } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { checkLimit } from '../base/limits.ts';
import { byteReader, type Chunks } from '../bytes/chunks.ts';
import { CODECS, decompressedBeside, SNIFF_SIZE, sniff } from '../codec/index.ts';
import type { DataArchive } from './package.ts';

/**
 * By the compression that the member's name says, as dpkg has it; the first bytes have to agree. In memory that is used again as soon as the
 * next chunk is asked for.
 * @throws OcixError debian/package where they do not, codec/…, limit/ratio, limit/total-bytes
 */
export async function* plainData(
  { compression, size, open }: DataArchive,
  context: Context,
): AsyncGenerator<Uint8Array> {
  const reader = byteReader(open());
  try {
    const head = await reader.read(SNIFF_SIZE);
    reader.unread(head);
    const codec = compression && CODECS[compression];
    const found = sniff(head);
    // Nothing is said of the old lzma format, which has no magic; and an empty archive has none either.
    if (found && found !== codec)
      throw new OcixError('debian/package', 'the compression is not the one that its name says', {
        expected: compression ?? 'none',
        found: found.name,
        hint: 'The package is damaged or was made by hand. Fetch it again.',
      });
    yield* counted(codec ? decompressedBeside(codec, reader.rest(), size, context) : reader.rest(), context);
  } finally {
    await reader.close();
  }
}

async function* counted(chunks: Chunks, { limits }: Context): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of chunks) {
    total += chunk.length;
    checkLimit(limits, 'total-bytes', total, 'the uncompressed size');
    yield chunk;
  }
}
