/**
 * The frame of a gzip member: its header and the padding between two of them.
 * https://www.rfc-editor.org/rfc/rfc1952#section-2.3
 */
import type { ByteReader } from '../bytes/chunks.ts';
import { crc32 } from './crc32.ts';
import { corrupt, trailing, truncated } from './refusals.ts';

export const WHAT = 'gzip stream';

const FHCRC = 2;
const FEXTRA = 4;
const FNAME = 8;
const FCOMMENT = 16;
const RESERVED = 0xe0;

/** Skips zero bytes. Whether a further member follows; @throws OcixError codec/corrupt for anything else. */
export async function skipPadding(reader: ByteReader): Promise<boolean> {
  for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
    const at = chunk.findIndex((byte) => byte !== 0);
    if (at < 0) continue;
    if (chunk[at] !== 0x1f) throw trailing(WHAT);
    reader.unread(chunk.subarray(at));
    return true;
  }
  return false;
}

/**
 * Reads one member's header, its own checksum too.
 * @throws OcixError codec/truncated, codec/corrupt
 */
export async function readHeader(reader: ByteReader): Promise<void> {
  let crc = 0;
  const take = async (size: number): Promise<Uint8Array> => {
    const bytes = await reader.read(size);
    if (bytes.length < size) throw truncated(WHAT);
    crc = crc32(bytes, crc);
    return bytes;
  };
  const magic = await take(2);
  if (magic[0] !== 0x1f || magic[1] !== 0x8b) throw corrupt(WHAT, 'incorrect header check');
  const fixed = await take(8);
  const flags = fixed[1]!;
  if (fixed[0] !== 8) throw corrupt(WHAT, 'unknown compression method');
  if (flags & RESERVED) throw corrupt(WHAT, 'unknown header flags set');
  if (flags & FEXTRA) {
    const size = await take(2);
    await take(size[0]! | (size[1]! << 8));
  }
  for (const text of [FNAME, FCOMMENT]) {
    if (flags & text) while ((await take(1))[0] !== 0);
  }
  if (flags & FHCRC) {
    const expected = crc & 0xffff;
    const found = await take(2);
    if ((found[0]! | (found[1]! << 8)) !== expected) throw corrupt(WHAT, 'header crc mismatch');
  }
}
