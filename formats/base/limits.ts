/**
 * Safety limits by name. They bound what a hostile input can make us spend; each can be changed on the command line
 * with `--limit NAME=VALUE`, and the error that a limit throws is called `limit/NAME`.
 */
import { OcixError } from './errors.ts';
import { didYouMean } from './nearest.ts';

export const DEFAULT_LIMITS = {
  /** Entries in one layer. */
  entries: 5_000_000,
  /** Logical bytes of one entry, holes included. */
  'entry-bytes': 2 ** 38,
  /** Uncompressed bytes of a layer, of all layers that are unpacked, of a compressed archive; bytes that are fetched. */
  'total-bytes': 2 ** 41,
  /** Uncompressed bytes for each compressed one, once `ratioGrace` bytes have come out. */
  ratio: 500,
  /** Bytes of one JSON document. */
  'json-bytes': 4 * 2 ** 20,
  /** Nesting of one JSON document. */
  'json-depth': 64,
  /** Bytes of one PAX or GNU long-name body, of one sparse map; those of all bodies before one entry are four times that. */
  'pax-bytes': 2 ** 20,
  /** Bytes of a package's control archive, uncompressed, and of one control file. */
  'control-bytes': 32 * 2 ** 20,
  /** Layers of one image. */
  layers: 1000,
  /** Members of an archive, or names in a folder, that the reader has to remember. */
  members: 200_000,
  /** Indexes one inside the other. */
  'index-depth': 8,
  /** Bytes of history that a decompressor has to keep. */
  window: 2 ** 27,
} as const;

export type LimitName = keyof typeof DEFAULT_LIMITS;
export type Limits = Readonly<Record<LimitName, number>>;

/** A ratio says nothing about small data: it counts from this many uncompressed bytes on. */
export const RATIO_GRACE = 2 ** 26;

/** Reads `NAME=VALUE`. @throws OcixError usage/option for an unknown name, or a value that is no positive integer. */
export function parseLimit(text: string): readonly [LimitName, number] {
  const [name = '', value = ''] = text.split('=', 2);
  if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
    throw new OcixError('usage/option', `--limit ${text}: there is no limit called ${name || '""'}`, {
      hint: `${didYouMean(name, Object.keys(DEFAULT_LIMITS))}The limits are ${Object.keys(DEFAULT_LIMITS).join(', ')}.`,
    });
  }
  const number = Number(value);
  if (!/^[0-9]+$/.test(value) || !Number.isSafeInteger(number) || number < 1) {
    throw new OcixError('usage/option', `--limit ${text}: the value must be a positive whole number`, {
      hint: `For example --limit ${name}=${DEFAULT_LIMITS[name as LimitName]}.`,
    });
  }
  return [name as LimitName, number];
}

/** Throws `limit/NAME` when `value` is more than the limit allows. */
export function checkLimit(limits: Limits, name: LimitName, value: number, what: string): void {
  const most = limits[name];
  if (value <= most) return;
  throw new OcixError(`limit/${name}`, `${what} is over the limit`, {
    expected: `at most ${most}`,
    found: `${value}`,
    hint: `If you trust this input, raise the limit: --limit ${name}=${value}.`,
  });
}
