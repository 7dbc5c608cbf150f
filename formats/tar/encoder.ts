/**
 * Writes tar headers, and nothing may get lost by it: names and xattr values are bytes, ids, sizes, times and device numbers
 * of any width. What fits stands in a ustar header; what does not gets a PAX record beside it.
 * https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_01
 *
 * Equal entries give equal bytes: no clock, no process id, records in a fixed order. Owners' names are left empty, since
 * engines have to ignore them where ids are there (https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md).
 */
import { binaryString, concat, fromBinaryString, strictUtf8, utf8Bytes } from '../bytes/text.ts';
import type { EntryType, TarEntry, Time } from './entry.ts';
import { BLOCK } from './header.ts';

/** What an entry is, without where it was read from. `size` counts the bytes that follow the header, for files only. */
export type TarFields = Omit<TarEntry, 'header' | 'offset' | 'extents'>;

const FLAGS: Readonly<Record<EntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  dir: '5',
  fifo: '6',
};

/** Octal digits and the NUL behind them: what seven and eleven digits hold. */
const MOST_SHORT = 8 ** 7 - 1;
const MOST_LONG = 8 ** 11 - 1;
const NAME = 100;
const PREFIX = 155;
const SLASH = 0x2f;
const NONE = new Uint8Array(0);

/** Two blocks of zeros. */
export const END_OF_TAR: Uint8Array = new Uint8Array(2 * BLOCK);

/** Zeros that follow `size` bytes of content, up to the next block. */
export const paddingAfter = (size: number): Uint8Array => END_OF_TAR.subarray(0, (BLOCK - (size % BLOCK)) % BLOCK);

/** The header blocks of one entry, PAX records first. The content, and `paddingAfter` it, is the caller's to write. */
export function encodeHeader(entry: TarFields): Uint8Array {
  const path = splitName(entry.path);
  const records = recordsOf(entry, path === undefined);
  const own = headerBlock(entry, path ?? { name: entry.path.subarray(0, NAME), prefix: NONE }, entry.link);
  if (!records.length) return own;
  const body = concat(records);
  return concat([paxBlock(entry.path, body.length), body, paddingAfter(body.length), own]);
}

interface SplitName {
  readonly name: Uint8Array;
  readonly prefix: Uint8Array;
}

/** At the first slash that leaves both parts short enough; undefined where there is none. The slash is in neither part. */
function splitName(path: Uint8Array): SplitName | undefined {
  if (path.length <= NAME) return { name: path, prefix: NONE };
  const slash = path.indexOf(SLASH, path.length - NAME - 1);
  if (slash <= 0 || slash > PREFIX || slash >= path.length - 1) return undefined;
  return { name: path.subarray(slash + 1), prefix: path.subarray(0, slash) };
}

/** What the ustar fields cannot hold. */
function recordsOf(entry: TarFields, longPath: boolean): readonly Uint8Array[] {
  const { path, link, size, uid, gid, mtime, major, minor, xattrs } = entry;
  const records: Uint8Array[] = [];
  const add = (key: string, value: string | Uint8Array): void => void records.push(record(key, value));
  const longLink = link.length > NAME;
  // Records are UTF-8 unless this one says that they are not; GNU tar and Go take bytes either way.
  if ((longPath && !isUtf8(path)) || (longLink && !isUtf8(link))) add('hdrcharset', 'BINARY');
  if (longPath) add('path', path);
  if (longLink) add('linkpath', link);
  if (size > MOST_LONG) add('size', String(size));
  if (uid > MOST_SHORT) add('uid', String(uid));
  if (gid > MOST_SHORT) add('gid', String(gid));
  if (mtime.nanos || mtime.seconds < 0 || mtime.seconds > MOST_LONG) add('mtime', timeText(mtime));
  if (major > MOST_SHORT) add('SCHILY.devmajor', String(major));
  if (minor > MOST_SHORT) add('SCHILY.devminor', String(minor));
  for (const [name, value] of [...xattrs].sort(([a], [b]) => (a < b ? -1 : 1))) records.push(xattrRecord(name, value));
  return records;
}

const isUtf8 = (bytes: Uint8Array): boolean => strictUtf8(bytes) !== undefined;

/**
 * star's key, with the value as it is, is what engines read. A name with `=` in it cannot stand in a key; libarchive's form, which escapes
 * names, can say it.
 */
function xattrRecord(name: string, value: Uint8Array): Uint8Array {
  if (!/[=\0]/.test(name)) return record(`SCHILY.xattr.${name}`, value);
  const escaped = name.replace(/[^\w.-]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
  return record(`LIBARCHIVE.xattr.${escaped}`, btoa(binaryString(value)));
}

/** `LENGTH KEY=VALUE\n`: the length counts itself, in as many digits as that takes. The key is a binary string. */
function record(key: string, value: string | Uint8Array): Uint8Array {
  const rest = concat([
    fromBinaryString(` ${key}=`),
    typeof value === 'string' ? utf8Bytes(value) : value,
    Uint8Array.of(0x0a),
  ]);
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return concat([utf8Bytes(String(length)), rest]);
}

/** Seconds with the digits of the fraction that count. A negative time is written from zero down, as people write it. */
function timeText({ seconds, nanos }: Time): string {
  const negative = seconds < 0;
  const whole = negative && nanos ? -seconds - 1 : Math.abs(seconds);
  const fraction = negative && nanos ? 1_000_000_000 - nanos : nanos;
  const digits = fraction ? `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}` : '';
  return `${negative ? '-' : ''}${whole}${digits}`;
}

/** The header before PAX records. A reader that does not know them sees a file of this name, so it says whose records they are. */
function paxBlock(path: Uint8Array, size: number): Uint8Array {
  const end = path.at(-1) === SLASH ? path.length - 1 : path.length;
  const base = path.subarray(path.lastIndexOf(SLASH, end - 1) + 1, end);
  const name = concat([utf8Bytes('PaxHeaders/'), base]).subarray(0, NAME);
  return block({ name, prefix: NONE }, { flag: 'x', mode: 0o644, size });
}

const headerBlock = (entry: TarFields, path: SplitName, link: Uint8Array): Uint8Array =>
  block(path, { ...entry, flag: FLAGS[entry.type], link: link.subarray(0, NAME) });

interface BlockFields {
  readonly flag: string;
  readonly mode: number;
  readonly size: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: Time;
  readonly link?: Uint8Array;
  readonly major?: number;
  readonly minor?: number;
}

/** A number that does not fit is 0 here: its record counts, and half a number would be worse than none. */
function block(path: SplitName, fields: BlockFields): Uint8Array {
  const bytes = new Uint8Array(BLOCK);
  bytes.set(path.name, 0);
  octal(bytes, 100, 8, fields.mode & 0o7777);
  octal(bytes, 108, 8, orZero(fields.uid ?? 0, MOST_SHORT));
  octal(bytes, 116, 8, orZero(fields.gid ?? 0, MOST_SHORT));
  octal(bytes, 124, 12, orZero(fields.size, MOST_LONG));
  octal(bytes, 136, 12, clamp(fields.mtime?.seconds ?? 0));
  bytes.set(utf8Bytes(fields.flag), 156);
  bytes.set(fields.link ?? NONE, 157);
  bytes.set(utf8Bytes('ustar\x0000'), 257);
  octal(bytes, 329, 8, orZero(fields.major ?? 0, MOST_SHORT));
  octal(bytes, 337, 8, orZero(fields.minor ?? 0, MOST_SHORT));
  bytes.set(path.prefix, 345);
  checksum(bytes);
  return bytes;
}

const orZero = (value: number, most: number): number => (value > most ? 0 : value);
const clamp = (seconds: number): number => Math.min(Math.max(seconds, 0), MOST_LONG);

function octal(bytes: Uint8Array, at: number, length: number, value: number): void {
  let rest = value;
  for (let i = at + length - 2; i >= at; i--) {
    bytes[i] = 0x30 + (rest % 8);
    rest = Math.floor(rest / 8);
  }
}

/** Six digits, NUL, space: as everybody has written it since v7. */
function checksum(bytes: Uint8Array): void {
  bytes.fill(0x20, 148, 156);
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += bytes[i]!;
  bytes.set(utf8Bytes(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
}
