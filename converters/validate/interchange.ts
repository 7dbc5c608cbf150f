/**
 * What I-JSON asks of a document beyond JSON: numbers that a double holds, and text without surrogates and noncharacters. The documents of
 * images are I-JSON; `config.json` of a bundle is JSON, in which 18446744073709551615 is a limit like any other.
 * https://www.rfc-editor.org/rfc/rfc7493#section-2
 */
import { printable, strictUtf8 } from '../../formats/bytes/text.ts';
import { numbersIn, type WrittenNumber } from '../../formats/json/numbers.ts';
import type { Json } from '../../formats/json/parse.ts';
import { type Found, isObject, pointerTo } from './shape.ts';

export interface Interchange {
  /** With large whole numbers rounded towards zero, so that what is above a bound is never taken for the bound. */
  readonly value: Json;
  /** Numbers that a double does not hold. */
  readonly rounded: readonly WrittenNumber[];
}

/** @param value what the bytes are the JSON of; changed in place */
export function exactly(value: Json, bytes: Uint8Array): Interchange {
  const text = strictUtf8(bytes) ?? '';
  // Most documents have no number that is long enough, or only digits in a digest.
  const rounded = /[\d.]{16}|\d[eE]/.test(text) ? numbersIn(text, value, isBeyondDouble) : [];
  let top = value;
  for (const { literal, holder, key } of rounded) {
    if (holder) holder[key] = towardsZero(literal);
    else top = towardsZero(literal);
  }
  return { value: top, rounded };
}

export function checkInterchange({ value, rounded }: Interchange, found: Found): void {
  for (const { literal, pointer } of rounded) {
    const shown = literal.length > 40 ? `${literal.slice(0, 37)}...` : literal;
    found(pointer, `${shown} is a number that readers round differently`, 'json/number');
  }
  checkText(value, '', found);
}

const STRANGE = /[\p{Surrogate}\p{Noncharacter_Code_Point}]/u;

function checkText(value: Json, pointer: string, found: Found): void {
  if (typeof value === 'string' && STRANGE.test(value))
    found(
      pointer,
      `${printable(JSON.stringify(value.slice(0, 40)))} has half of a surrogate pair or a noncharacter in it`,
      'json/encoding',
    );
  if (Array.isArray(value))
    for (const [index, item] of value.entries()) checkText(item as Json, pointerTo(pointer, index), found);
  if (!isObject(value)) return;
  for (const [name, item] of Object.entries(value)) {
    if (STRANGE.test(name)) checkText(name, pointer, found);
    checkText(item, pointerTo(pointer, name), found);
  }
}

/** As many significant digits as tell two doubles apart. */
const DIGITS = 17;

function isBeyondDouble(literal: string): boolean {
  const value = Number(literal);
  const [mantissa = ''] = literal.split(/[eE]/);
  const significant = mantissa.replace(/[-.]/g, '').replace(/^0+/, '');
  if (!Number.isFinite(value) || (value === 0 && significant !== '')) return true;
  if (/^-?\d+$/.test(literal)) return !Number.isSafeInteger(value);
  return significant.replace(/0+$/, '').length > DIGITS;
}

function towardsZero(literal: string): number {
  const value = Number(literal);
  if (!Number.isFinite(value) || !/^-?\d+$/.test(literal)) return value;
  const [exact, near] = [BigInt(literal), BigInt(value)];
  return (exact < 0n ? near < exact : near > exact) ? nextTowardsZero(value) : value;
}

function nextTowardsZero(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigUint64(0, view.getBigUint64(0) - 1n);
  return view.getFloat64(0);
}
