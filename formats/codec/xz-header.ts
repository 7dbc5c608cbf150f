/**
 * What the beginning of an .xz stream says about what it takes to read it: the check, and the filters and dictionary of
 * its first block. https://tukaani.org/xz/xz-file-format-1.2.1.txt sections 2.1.1 and 3.1
 */

export interface XzNeeds {
  /** Identifier of the integrity check. */
  readonly check: number;
  /** Identifiers of the filters, the last one LZMA2. */
  readonly filters: readonly number[];
  /** Bytes. 0 where there is no LZMA2 filter. */
  readonly dictionary: number;
}

export const STREAM_HEADER_SIZE = 12;
/** The longest block header. */
export const BLOCK_HEADER_SIZE = 1024;

export const CHECK_NONE = 0;
export const CHECK_CRC32 = 1;
export const CHECK_CRC64 = 4;
export const FILTER_LZMA2 = 0x21;

const COMPRESSED_SIZE = 0x40;
const UNCOMPRESSED_SIZE = 0x80;

export const isXz = (head: Uint8Array): boolean =>
  [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00].every((byte, i) => head[i] === byte);

/**
 * @param head the stream header and the first block header
 * @returns undefined for no xz at all, no filters where there is no block or its header is cut off or damaged: the engine
 *   says then what is wrong
 */
export function xzNeeds(head: Uint8Array): XzNeeds | undefined {
  const check = head[7];
  const headerSize = head[STREAM_HEADER_SIZE];
  if (check === undefined || !isXz(head)) return undefined;
  const unknown: XzNeeds = { check, filters: [], dictionary: 0 };
  if (!headerSize) return unknown;
  const header = head.subarray(STREAM_HEADER_SIZE, STREAM_HEADER_SIZE + (headerSize + 1) * 4);
  if (header.length < (headerSize + 1) * 4) return unknown;
  let at = 2;
  const number = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = header[at++];
      if (byte === undefined || factor > 2 ** 56) return Number.NaN;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  const flags = header[1]!;
  if (flags & COMPRESSED_SIZE) number();
  if (flags & UNCOMPRESSED_SIZE) number();
  const filters: number[] = [];
  let dictionary = 0;
  for (let left = (flags & 3) + 1; left > 0; left--) {
    const filter = number();
    const size = number();
    if (Number.isNaN(size)) return unknown;
    filters.push(filter);
    if (filter === FILTER_LZMA2) dictionary = dictionarySize(header[at]!);
    at += size;
  }
  return { check, filters, dictionary };
}

/** Section 5.3.1. */
function dictionarySize(bits: number): number {
  return bits >= 40 ? 2 ** 32 - 1 : (2 | (bits & 1)) * 2 ** (Math.floor(bits / 2) + 11);
}
