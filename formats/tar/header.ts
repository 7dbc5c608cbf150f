/**
 * One 512-byte tar header block: v7, ustar, GNU and star, which may alternate inside one archive.
 * https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06
 * https://www.gnu.org/software/tar/manual/html_node/Standard.html
 */
import { OcixError } from '../base/errors.ts';
import { binaryString, concat } from '../bytes/text.ts';
import type { Time } from './entry.ts';
import { parseCount, parseNumeric, parseSeconds } from './number.ts';

export const BLOCK = 512;

export type Dialect = 'v7' | 'ustar' | 'gnu' | 'star';

export interface Header {
  readonly dialect: Dialect;
  /** The type flag, as a character. */
  readonly flag: string;
  readonly name: Uint8Array;
  readonly link: Uint8Array;
  readonly mode: number;
  readonly size: number;
  readonly mtime: Time;
  /** Read when asked, since an extended header may stand in for a field that is unreadable. */
  uid(): number;
  gid(): number;
  major(): number;
  minor(): number;
  /** Logical size of an old GNU sparse file. */
  realSize(): number;
}

/** The largest id that chown takes; the one above means "leave it". */
export const MOST_ID = 2 ** 32 - 2;
const MOST_DEVICE = 2 ** 32 - 1;

export function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** Whether the checksum holds, summed with unsigned or (as some old writers did) with signed bytes. */
export function checksumHolds(block: Uint8Array): boolean {
  let unsigned = 0;
  let signed = 0;
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= 148 && i < 156 ? 0x20 : block[i]!;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  let wanted: number;
  try {
    wanted = Number(parseNumeric(block.subarray(148, 156), 'checksum'));
  } catch {
    return false;
  }
  return wanted === unsigned || wanted === signed;
}

/** @throws OcixError tar/checksum, tar/header */
export function parseHeader(block: Uint8Array): Header {
  if (!checksumHolds(block)) {
    throw new OcixError('tar/checksum', 'a header does not match its checksum', {
      hint: 'The archive is damaged, or this is not a tar archive.',
    });
  }
  const dialect = dialectOf(block);
  const field = (at: number, length: number): Uint8Array => block.subarray(at, at + length);
  return {
    dialect,
    flag: String.fromCharCode(block[156]!),
    name: nameOf(block, dialect),
    link: untilNul(field(157, 100)),
    mode: Number(BigInt.asUintN(12, parseNumeric(field(100, 8), 'mode'))),
    size: parseCount(field(124, 12), Number.MAX_SAFE_INTEGER, 'size'),
    mtime: parseSeconds(field(136, 12), 'mtime'),
    uid: () => parseCount(field(108, 8), MOST_ID, 'uid'),
    gid: () => parseCount(field(116, 8), MOST_ID, 'gid'),
    major: () => (dialect === 'v7' ? 0 : parseCount(field(329, 8), MOST_DEVICE, 'device major number')),
    minor: () => (dialect === 'v7' ? 0 : parseCount(field(337, 8), MOST_DEVICE, 'device minor number')),
    realSize: () => parseCount(field(483, 12), Number.MAX_SAFE_INTEGER, 'real size of a sparse file'),
  };
}

function dialectOf(block: Uint8Array): Dialect {
  const magic = binaryString(block.subarray(257, 265));
  if (magic === 'ustar  \0') return 'gnu';
  if (!magic.startsWith('ustar\0')) return 'v7';
  return binaryString(block.subarray(508, 512)) === 'tar\0' ? 'star' : 'ustar';
}

function nameOf(block: Uint8Array, dialect: Dialect): Uint8Array {
  const name = untilNul(block.subarray(0, 100));
  const prefix = prefixOf(block, dialect);
  return prefix.length ? concat([prefix, SLASH, name]) : name;
}

const SLASH = Uint8Array.of(0x2f);
const NONE = new Uint8Array(0);

function prefixOf(block: Uint8Array, dialect: Dialect): Uint8Array {
  if (dialect === 'ustar') return untilNul(block.subarray(345, 500));
  if (dialect === 'star') return untilNul(block.subarray(345, 476));
  if (dialect === 'gnu' && block[345] !== 0 && !hasGnuTimes(block)) {
    // Go before 1.8 wrote the prefix of ustar into GNU headers, where two times stand. Go's reader tells the two
    // apart in the same way (archive/tar, reader.go, "golang.org/issue/12594").
    const prefix = untilNul(block.subarray(345, 500));
    if (prefix.every((byte) => byte < 0x80)) return prefix;
  }
  return NONE;
}

function hasGnuTimes(block: Uint8Array): boolean {
  try {
    parseNumeric(block.subarray(345, 357), 'atime');
    parseNumeric(block.subarray(357, 369), 'ctime');
    return true;
  } catch {
    return false;
  }
}

/** The bytes before the first NUL; a field may be full to its last byte. */
export function untilNul(field: Uint8Array): Uint8Array {
  const end = field.indexOf(0);
  return end < 0 ? field : field.subarray(0, end);
}
