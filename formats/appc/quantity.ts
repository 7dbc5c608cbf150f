/**
 * Amounts as isolators write them: `500m`, `1.5`, `2Gi`, `64e6`, or a JSON number.
 * https://github.com/appc/spec/blob/v0.8.11/spec/ace.md#resource-isolators
 *
 * The specification's text allows `K`, which its library refuses; here it is read. What does not come out even is rounded up, so
 * that nobody gets less than was asked for.
 */
import { OcixError } from '../base/errors.ts';
import { printable } from '../bytes/text.ts';
import type { Json } from '../json/parse.ts';

/** Powers of ten. */
const DECIMAL: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  K: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
/** Powers of 1024. */
const BINARY: Readonly<Record<string, number>> = { Ki: 1, Mi: 2, Gi: 3, Ti: 4, Pi: 5, Ei: 6 };

/** Bounds the arithmetic; 2^64 has twenty digits, and a billionth nine behind the point. */
const MOST_CHARACTERS = 64;
const AMOUNT = /^\+?([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,2})|([numkKMGTPE]|[KMGTPE]i)?)$/;

/** In thousandths or in whole units, rounded up. @throws OcixError image/config for what is no amount, or more than 2^53-1 */
export function parseQuantity(value: Json, scale: 'milli' | 'one'): number {
  // A number prints as the shortest text that gives it again, which is what stood in the document or equal to it.
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || text.length > MOST_CHARACTERS) throw bad(value, 'is no amount');
  const [, whole = '', fraction = '', exponent, suffix = ''] = AMOUNT.exec(text) ?? [];
  if (whole === '' && fraction === '') throw bad(value, 'is no amount');
  const tens =
    (exponent === undefined ? (DECIMAL[suffix] ?? 0) : Number(exponent)) -
    fraction.length +
    (scale === 'milli' ? 3 : 0);
  const units = BigInt(whole + fraction) * 1024n ** BigInt(BINARY[suffix] ?? 0) * 10n ** BigInt(Math.max(0, tens));
  const divisor = 10n ** BigInt(Math.max(0, -tens));
  const amount = (units + divisor - 1n) / divisor;
  if (amount > Number.MAX_SAFE_INTEGER) throw bad(value, 'is more than there can be');
  return Number(amount);
}

const bad = (value: Json, why: string): OcixError =>
  new OcixError('image/config', `${printable(String(JSON.stringify(value)).slice(0, 80))} ${why}`, {
    expected: 'a number from 0 on, with a suffix such as m, k, M, G, Ki, Mi or Gi where one is wanted',
    hint: 'Correct the isolator in the manifest.',
  });
