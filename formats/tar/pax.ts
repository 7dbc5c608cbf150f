/**
 * PAX extended header records, `LENGTH KEY=VALUE\n`, as bytes.
 * https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_03
 *
 * A record that is malformed is refused and never skipped: a reader that skips where another stops sees another archive.
 */
import { OcixError } from '../base/errors.ts';
import { binaryString } from '../bytes/text.ts';

export interface PaxRecord {
  /** A binary string. */
  readonly key: string;
  readonly value: Uint8Array;
}

const EQUALS = 0x3d;
const SPACE = 0x20;
const NEWLINE = 0x0a;
/** Keys whose value another reader would cut at a NUL. */
const NO_NUL = new Set(['path', 'linkpath', 'uname', 'gname', 'GNU.sparse.name']);

/** The records in their order, repeated keys included. @throws OcixError tar/pax */
export function parsePax(body: Uint8Array): readonly PaxRecord[] {
  const records: PaxRecord[] = [];
  for (let at = 0; at < body.length; ) {
    const length = recordLength(body, at);
    const end = at + length.value;
    const text = at + length.digits + 1;
    if (end > body.length || end <= text) throw bad('a record is longer or shorter than it says');
    if (body[end - 1] !== NEWLINE) throw bad('a record does not end in a newline');
    const equals = body.indexOf(EQUALS, text);
    if (equals < 0 || equals >= end) throw bad('a record has no =');
    if (equals === text) throw bad('a record has an empty key');
    const key = binaryString(body.subarray(text, equals));
    const value = body.subarray(equals + 1, end - 1);
    if (key.includes('\0')) throw bad('a key has a NUL in it');
    if (NO_NUL.has(key) && value.includes(0)) throw bad(`${key} has a NUL in it`);
    records.push({ key, value });
    at = end;
  }
  return records;
}

function recordLength(body: Uint8Array, at: number): { readonly value: number; readonly digits: number } {
  let value = 0;
  let digits = 0;
  for (let i = at; i < body.length && digits < 10; i++, digits++) {
    const byte = body[i]!;
    if (byte === SPACE && digits > 0) return { value, digits };
    if (byte < 0x30 || byte > 0x39) break;
    value = value * 10 + byte - 0x30;
  }
  throw bad('a record does not start with its length');
}

/** The last value of each key; an empty value takes the key away, so that the header's own field counts. */
export function effective(records: readonly PaxRecord[]): ReadonlyMap<string, Uint8Array> {
  const map = new Map<string, Uint8Array>();
  for (const { key, value } of records) {
    if (value.length || isXattr(key)) map.set(key, value);
    else map.delete(key);
  }
  return map;
}

const SCHILY = 'SCHILY.xattr.';
const LIBARCHIVE = 'LIBARCHIVE.xattr.';
const isXattr = (key: string): boolean => key.startsWith(SCHILY);

/**
 * Extended attributes by name. SCHILY's are raw bytes; libarchive's have the name URL-encoded and the value in base64,
 * and lose where both are there.
 */
export function xattrsOf(records: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Uint8Array> {
  const xattrs = new Map<string, Uint8Array>();
  for (const [key, value] of records) {
    if (key.startsWith(LIBARCHIVE)) xattrs.set(unescapeName(key.slice(LIBARCHIVE.length)), unbase64(value, key));
  }
  for (const [key, value] of records) if (key.startsWith(SCHILY)) xattrs.set(key.slice(SCHILY.length), value);
  xattrs.delete('');
  return xattrs;
}

const unescapeName = (name: string): string =>
  name.replace(/%([0-9A-Fa-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));

function unbase64(value: Uint8Array, key: string): Uint8Array {
  try {
    return Uint8Array.from(atob(binaryString(value)), (c) => c.charCodeAt(0));
  } catch (cause) {
    throw new OcixError('tar/pax', `${key.slice(0, 80)} is not base64`, { cause });
  }
}

const bad = (message: string): OcixError => new OcixError('tar/pax', `an extended header is malformed: ${message}`);
