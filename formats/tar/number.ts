/**
 * Numbers in tar headers: octal text, or base 256 (GNU, star) where the first byte has its high bit set.
 * Rules as Go's archive/tar reads them: spaces and NULs around octal digits are padding, an empty field is 0.
 */
import { OcixError } from '../base/errors.ts';
import type { Time } from './entry.ts';

/** A field as an integer of any size. @throws OcixError tar/header */
export function parseNumeric(field: Uint8Array, what: string): bigint {
  return field.length > 0 && field[0]! & 0x80 ? base256(field) : BigInt(octal(field, what));
}

function base256(field: Uint8Array): bigint {
  let value = BigInt(field[0]! & 0x7f);
  for (let i = 1; i < field.length; i++) value = (value << 8n) | BigInt(field[i]!);
  const bits = BigInt(field.length * 8 - 1);
  return field[0]! & 0x40 ? value - (1n << bits) : value;
}

function octal(field: Uint8Array, what: string): number {
  let at = 0;
  while (at < field.length && isPadding(field[at]!)) at++;
  let value = 0;
  for (; at < field.length && field[at]! >= 0x30 && field[at]! <= 0x37; at++) value = value * 8 + field[at]! - 0x30;
  const rest = field.subarray(at);
  // What follows the digits is padding; behind a NUL nothing counts.
  for (const byte of rest) {
    if (byte === 0) break;
    if (byte !== 0x20) throw bad(what, 'the field is not an octal number');
  }
  return value;
}

const isPadding = (byte: number): boolean => byte === 0x20 || byte === 0;

/** A field that must be a whole number from 0 to `most`. Octal fields, the common case, never become a bigint. */
export function parseCount(field: Uint8Array, most: number, what: string): number {
  if (!(field[0]! & 0x80)) {
    const value = octal(field, what);
    if (value > most) throw bad(what, `${value} is out of range`, `0 to ${most}`);
    return value;
  }
  const value = base256(field);
  if (value < 0n || value > BigInt(most)) throw bad(what, `${value} is out of range`, `0 to ${most}`);
  return Number(value);
}

/** Whole seconds; what does not fit 2^53 is clamped, no clock can say it anyway. */
export function parseSeconds(field: Uint8Array, what: string): Time {
  const value = parseNumeric(field, what);
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  return { seconds: Number(value > most ? most : value < -most ? -most : value), nanos: 0 };
}

/**
 * A PAX time: seconds with a fraction of any length, of which nine digits count.
 * https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_05
 */
export function parsePaxTime(text: string): Time {
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(text);
  if (!match) throw new OcixError('tar/pax', 'mtime is not a time', { found: JSON.stringify(text.slice(0, 60)) });
  const whole = Number(match[2]);
  const nanos = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  if (!match[1]) return { seconds: whole, nanos };
  return nanos ? { seconds: -whole - 1, nanos: 1_000_000_000 - nanos } : { seconds: whole ? -whole : 0, nanos: 0 };
}

/** A decimal number of a PAX record. */
export function parseDecimal(text: string, most: number, what: string): number {
  const value = Number(text);
  if (!/^0{0,40}[0-9]{1,20}$/.test(text) || value > most) {
    throw new OcixError('tar/pax', `${what} is not a number from 0 to ${most}`, {
      found: JSON.stringify(text.slice(0, 60)),
    });
  }
  return value;
}

const bad = (what: string, message: string, expected?: string): OcixError =>
  new OcixError('tar/header', `${what}: ${message}`, expected === undefined ? {} : { expected });
