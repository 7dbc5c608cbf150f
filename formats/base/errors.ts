/**
 * The one error class of the project, and the closed table of its codes.
 *
 * A code names what is wrong (`tar/checksum`); the table says which exit status it ends in. Anything that is thrown
 * and is not an `OcixError` is a fault in ocix itself (exit status 1).
 */

/** Exit statuses of the command line contract. */
export const STATUS = {
  fault: 1,
  usage: 2,
  unknown: 3,
  refused: 4,
  strict: 5,
  network: 6,
  output: 7,
  found: 8,
  interrupted: 130,
} as const;

/** Every code that ocix throws, and the exit status it ends in. */
export const CODES = {
  'usage/argument': STATUS.usage,
  'usage/option': STATUS.usage,
  'source/missing': STATUS.usage,
  'source/unreadable': STATUS.usage,
  'format/unknown': STATUS.unknown,
  'format/ambiguous': STATUS.unknown,
  'format/unsupported': STATUS.unknown,
  'codec/unsupported': STATUS.unknown,
  'codec/corrupt': STATUS.refused,
  'codec/truncated': STATUS.refused,
  'json/syntax': STATUS.refused,
  'json/encoding': STATUS.refused,
  'json/duplicate-key': STATUS.refused,
  'json/type': STATUS.refused,
  'tar/checksum': STATUS.refused,
  'tar/header': STATUS.refused,
  'tar/pax': STATUS.refused,
  'tar/sparse': STATUS.refused,
  'tar/truncated': STATUS.refused,
  'ar/header': STATUS.refused,
  'ar/truncated': STATUS.refused,
  'debian/package': STATUS.refused,
  'debian/control': STATUS.refused,
  'debian/version': STATUS.refused,
  'debian/relation': STATUS.refused,
  'debian/conflict': STATUS.refused,
  'debian/unmet': STATUS.refused,
  'apt/release': STATUS.refused,
  'apt/expired': STATUS.refused,
  'apt/index': STATUS.refused,
  'apt/lock': STATUS.refused,
  'path/escape': STATUS.refused,
  'path/invalid': STATUS.refused,
  'path/root': STATUS.refused,
  'path/link': STATUS.refused,
  'digest/invalid': STATUS.refused,
  'digest/mismatch': STATUS.refused,
  'size/mismatch': STATUS.refused,
  'blob/missing': STATUS.refused,
  'member/missing': STATUS.refused,
  'member/type': STATUS.refused,
  'member/cycle': STATUS.refused,
  'docker/manifest': STATUS.refused,
  'docker/id': STATUS.refused,
  'docker/parent': STATUS.refused,
  'oci/layout': STATUS.refused,
  'oci/media-type': STATUS.refused,
  'oci/document': STATUS.refused,
  'appc/archive': STATUS.refused,
  'appc/manifest': STATUS.refused,
  'appc/dependency': STATUS.refused,
  'appc/name': STATUS.refused,
  'image/layers': STATUS.refused,
  'image/config': STATUS.refused,
  'image/user': STATUS.refused,
  'image/completion': STATUS.refused,
  'image/select': STATUS.refused,
  'image/reference': STATUS.refused,
  'keyring/invalid': STATUS.refused,
  'signature/missing': STATUS.refused,
  'signature/invalid': STATUS.refused,
  'signature/untrusted': STATUS.refused,
  'signature/expired': STATUS.refused,
  'signature/weak': STATUS.refused,
  'encryption/passphrase': STATUS.refused,
  'encryption/invalid': STATUS.refused,
  'encryption/weak': STATUS.refused,
  'limit/entries': STATUS.refused,
  'limit/entry-bytes': STATUS.refused,
  'limit/total-bytes': STATUS.refused,
  'limit/ratio': STATUS.refused,
  'limit/json-bytes': STATUS.refused,
  'limit/json-depth': STATUS.refused,
  'limit/pax-bytes': STATUS.refused,
  'limit/layers': STATUS.refused,
  'limit/members': STATUS.refused,
  'limit/index-depth': STATUS.refused,
  'limit/window': STATUS.refused,
  'limit/control-bytes': STATUS.refused,
  'limit/wrappings': STATUS.refused,
  'network/failed': STATUS.network,
  'network/timeout': STATUS.network,
  'network/redirect': STATUS.network,
  'network/status': STATUS.network,
  'strict/notes': STATUS.strict,
  'output/exists': STATUS.output,
  'output/write': STATUS.output,
  'output/locked': STATUS.output,
  interrupted: STATUS.interrupted,
} as const satisfies Record<string, number>;

export type Code = keyof typeof CODES;

/** What an error carries beside its sentence. */
export interface ErrorDetails {
  /** Where, from the outside in: `['app.tar', 'manifest.json', '/0/Layers']`. */
  readonly at?: readonly string[];
  readonly expected?: string;
  readonly found?: string;
  /** What to do about it, in the imperative. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A refusal that a user can act on. `status` is the exit status by the command line contract. */
export class OcixError extends Error {
  override readonly name = 'OcixError';
  readonly code: Code;
  readonly at: readonly string[];
  readonly expected: string | undefined;
  readonly found: string | undefined;
  readonly hint: string | undefined;

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.at = details.at ?? [];
    this.expected = details.expected;
    this.found = details.found;
    this.hint = details.hint;
  }

  get status(): number {
    return CODES[this.code];
  }

  /** The same error, seen from further outside. */
  within(...outer: readonly string[]): OcixError {
    if (!outer.length) return this;
    const { code, message, at, expected, found, hint, cause } = this;
    return new OcixError(code, message, {
      at: [...outer, ...at],
      ...(expected === undefined ? {} : { expected }),
      ...(found === undefined ? {} : { found }),
      ...(hint === undefined ? {} : { hint }),
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

/** Runs `work`; an `OcixError` that leaves it gets `place`, or several from the outside in, in front of its trail. */
export async function within<T>(place: string | readonly string[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof OcixError ? error.within(...[place].flat()) : error;
  }
}

/** The same for what is read piece by piece. */
export async function* withinChunks<T>(place: string, chunks: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* chunks;
  } catch (error) {
    throw error instanceof OcixError ? error.within(place) : error;
  }
}

/** The same for work that is not asynchronous. */
export function withinSync<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof OcixError ? error.within(place) : error;
  }
}
