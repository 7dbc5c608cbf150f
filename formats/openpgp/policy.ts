/**
 * What a signature has to be made with to count. Strict unless somebody says otherwise by name: SHA-1, RSA under 2048 bits and
 * DSA are what keys of 2015 have, and what can be forged with more or less money today; MD5 and shorter keys never count.
 */
import type { PublicKey, SignaturePacket, Subkey } from 'openpgp';
import { OcixError } from '../base/errors.ts';

export interface Policy {
  /** Takes SHA-1, RSA from 1024 bits on, DSA, and keys that have expired since they signed. */
  readonly allowWeak?: boolean | undefined;
  /** Also takes detached signatures over text, which leave open how its lines end. Right for a document of lines, never for an archive. */
  readonly text?: boolean | undefined;
  /** The time to judge by. */
  readonly now: Date;
  /** The name of what is signed. A key that is trusted below a prefix counts only for names there. */
  readonly name?: string | undefined;
}

/** A signature that holds, by a key that is trusted. */
export interface GoodSignature {
  /** Of the key that signed: the primary key's, or a subkey's. Lower-case hexadecimal digits. */
  readonly fingerprint: string;
  /** Of the key that is trusted. */
  readonly primary: string;
  /** The first of the key's names that it vouches for itself. From the key: not safe to print as it is. */
  readonly userId: string;
  /** The names that the key is trusted for; undefined for all. */
  readonly prefix: string | undefined;
  readonly created: Date;
  /** Such as `SHA-256`. */
  readonly hash: string;
  /** Such as `RSA-4096`, `Ed25519`. */
  readonly algorithm: string;
  /** Why it counts only because weak ones are allowed; empty where it needs no such leave. */
  readonly weak: readonly string[];
}

type Strength = 'strong' | 'weak' | 'refused';

/** By their numbers in RFC 9580, section 9.5. What is not here is not known, and refused. */
const HASHES: Readonly<Record<number, readonly [string, Strength]>> = {
  1: ['MD5', 'refused'],
  2: ['SHA-1', 'weak'],
  3: ['RIPEMD-160', 'refused'],
  8: ['SHA-256', 'strong'],
  9: ['SHA-384', 'strong'],
  10: ['SHA-512', 'strong'],
  11: ['SHA-224', 'strong'],
  12: ['SHA3-256', 'strong'],
  14: ['SHA3-512', 'strong'],
};

export const hashName = (number: number | null): string => HASHES[number ?? 0]?.[0] ?? `hash ${number}`;

/** Some programs leave the highest bit of a modulus clear. */
const RSA_STRONG = 2047;
const RSA_WEAK = 1023;

function keyStrength(key: PublicKey | Subkey): Strength {
  const { algorithm, bits = 0 } = key.getAlgorithmInfo();
  switch (algorithm) {
    case 'rsaEncryptSign':
    case 'rsaSign':
      return bits >= RSA_STRONG ? 'strong' : bits >= RSA_WEAK ? 'weak' : 'refused';
    case 'dsa':
      return bits >= RSA_WEAK ? 'weak' : 'refused';
    case 'ecdsa':
    case 'eddsaLegacy':
    case 'ed25519':
    case 'ed448':
      return 'strong';
    default:
      return 'refused';
  }
}

const ALGORITHMS: Readonly<Record<string, string>> = {
  rsaEncryptSign: 'RSA',
  rsaSign: 'RSA',
  dsa: 'DSA',
  ecdsa: 'ECDSA',
  eddsaLegacy: 'Ed25519',
  ed25519: 'Ed25519',
  ed448: 'Ed448',
};

export function algorithmName(key: PublicKey | Subkey): string {
  const { algorithm, bits, curve } = key.getAlgorithmInfo();
  const name = ALGORITHMS[algorithm] ?? algorithm;
  if (bits !== undefined) return `${name}-${bits}`;
  return curve !== undefined && name === 'ECDSA' ? `${name} ${curve}` : name;
}

/**
 * What is weak about a signature by one of `keys` (the signing key and its primary key), in words.
 * @throws OcixError signature/weak where that is more than the policy allows
 */
export function weaknesses(
  packet: SignaturePacket,
  keys: readonly (PublicKey | Subkey)[],
  { allowWeak }: Policy,
): readonly string[] {
  const found: readonly (readonly [string, Strength])[] = [
    [hashName(packet.hashAlgorithm), HASHES[packet.hashAlgorithm ?? 0]?.[1] ?? 'refused'],
    ...keys.map((key) => [algorithmName(key), keyStrength(key)] as const),
  ];
  const refused = found.find(([, strength]) => strength === 'refused');
  if (refused) {
    throw new OcixError('signature/weak', `a signature made with ${refused[0]} proves nothing`, {
      hint: 'Sign it again with a key and a hash of today.',
    });
  }
  const weak = [...new Set(found.filter(([, strength]) => strength === 'weak').map(([name]) => name))];
  if (weak.length && !allowWeak) {
    throw new OcixError('signature/weak', `the signature is made with ${weak.join(' and ')}, which can be forged`, {
      expected: 'SHA-256 or better, with Ed25519, ECDSA, or RSA of 2048 bits or more',
      hint: 'Sign it again, or take what is weak with --allow-weak-signatures.',
    });
  }
  return weak;
}
