/**
 * The door to openpgp (OpenPGP.js, LGPL-3.0+): loaded when something signed or encrypted is looked at and not before, and
 * never bundled, so that whoever installs ocix may exchange it.
 */
import type { PartialConfig } from 'openpgp';

export type OpenPgp = typeof import('openpgp');

export const openpgp = (): Promise<OpenPgp> => import('openpgp');

/**
 * What the library may use to find out what a key says about itself. Which algorithms count is decided in `policy.ts`, where a
 * refusal has words of its own. Revocations count whatever they are hashed with; other statements of a key not with MD5.
 */
export function keyConfig({ config, enums }: OpenPgp, purpose: 'revocation' | 'use'): PartialConfig {
  return {
    minRSABits: 0,
    rejectPublicKeyAlgorithms: new Set<number>(),
    rejectHashAlgorithms: purpose === 'use' ? new Set([enums.hash.md5]) : new Set<number>(),
    rejectMessageHashAlgorithms: new Set<number>(),
    rejectCurves: config.rejectCurves,
    allowMissingKeyFlags: true,
  };
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
