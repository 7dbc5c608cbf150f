/**
 * Digests as the OCI image specification writes them, and streams that check them on the way.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests
 *
 * Only sha256 and sha512 are computed; an algorithm that is merely well-formed is refused where content must be trusted.
 */
import { OcixError } from '../base/errors.ts';
import type { Chunks } from './chunks.ts';
import type { ThreadHash } from './hash-thread.ts';

export type DigestAlgorithm = 'sha256' | 'sha512';
export type Digest = `${DigestAlgorithm}:${string}`;

/** A running hash. `digest` ends it. */
export interface Hash {
  update(bytes: Uint8Array): void;
  digest(): Digest;
}

export type HashEngine = (algorithm: DigestAlgorithm) => Hash;

const HEX_LENGTH: Record<DigestAlgorithm, number> = { sha256: 64, sha512: 128 };

// Node has its own, ten times as fast; elsewhere (a browser) the portable one is loaded.
const crypto = globalThis.process?.getBuiltinModule?.('node:crypto');
const portable = crypto ? undefined : (await import('./digest-portable.ts')).portableHash;

export const nativeHash: HashEngine = (algorithm) => {
  const hash = crypto!.createHash(algorithm);
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => `${algorithm}:${hash.digest('hex')}`,
  };
};

/** The engine at hand. */
export const newHash: HashEngine = portable ?? nativeHash;

export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  const hash = newHash(algorithm);
  hash.update(bytes);
  return hash.digest();
}

export function isDigest(value: unknown): value is Digest {
  if (typeof value !== 'string') return false;
  const match = /^(sha256|sha512):([0-9a-f]+)$/.exec(value);
  return match !== null && match[2]!.length === HEX_LENGTH[match[1] as DigestAlgorithm];
}

/** @throws OcixError digest/invalid for anything but a lower-case sha256 or sha512 digest of the right length. */
export function parseDigest(value: unknown, ...at: readonly string[]): Digest {
  if (isDigest(value)) return value;
  throw new OcixError('digest/invalid', 'this is not a digest that can be checked', {
    at,
    expected: 'sha256: and 64, or sha512: and 128 lower-case hexadecimal digits',
    found: JSON.stringify(value)?.slice(0, 200) ?? 'nothing',
  });
}

export const algorithmOf = (digest: Digest): DigestAlgorithm => digest.slice(0, 6) as DigestAlgorithm;
export const hexOf = (digest: Digest): string => digest.slice(7);

/** What a stream is promised to be. */
export interface Promised {
  readonly digest?: Digest | undefined;
  /** Bytes. */
  readonly size?: number | undefined;
}

/**
 * Passes a stream through and checks it against what was promised. A stream that is longer than promised fails at the
 * first byte too many, before it is handed on; a digest can only fail at the end, so a consumer must not act on the
 * content before the stream has ended.
 *
 * @throws OcixError size/mismatch, digest/mismatch
 */
export async function* verify(chunks: Chunks, promised: Promised, what: string): AsyncGenerator<Uint8Array> {
  let hash: Hash | ThreadHash | undefined;
  let size = 0;
  try {
    for await (const chunk of chunks) {
      size += chunk.length;
      if (promised.size !== undefined && size > promised.size)
        throw sizeMismatch(what, promised.size, `more than ${promised.size}`);
      if (promised.digest !== undefined) {
        hash ??= await hashFor(chunk, algorithmOf(promised.digest));
        await hash.update(chunk);
      }
      yield chunk;
    }
    if (promised.size !== undefined && size !== promised.size) throw sizeMismatch(what, promised.size, `${size}`);
    if (promised.digest === undefined) return;
    hash ??= newHash(algorithmOf(promised.digest));
    checkDigest(await hash.digest(), promised.digest, what);
  } finally {
    if (hash && 'drop' in hash) hash.drop();
  }
}

/** Another thread can hash what lies in shared memory, while the consumer works on it. */
async function hashFor(chunk: Uint8Array, algorithm: DigestAlgorithm): Promise<Hash | ThreadHash> {
  if (chunk.buffer instanceof ArrayBuffer) return newHash(algorithm);
  return (await import('./hash-thread.ts')).threadHash(algorithm) ?? newHash(algorithm);
}

export function checkDigest(found: Digest, expected: Digest, what: string): void {
  if (found === expected) return;
  throw new OcixError('digest/mismatch', `${what} is not what its digest promises`, {
    expected,
    found,
    hint: 'The file is damaged or was changed. Fetch it again.',
  });
}

function sizeMismatch(what: string, expected: number, found: string): OcixError {
  return new OcixError('size/mismatch', `${what} is not as long as its descriptor promises`, {
    expected: `${expected} bytes`,
    found: `${found} bytes`,
    hint: 'The file is damaged or was changed. Fetch it again.',
  });
}
