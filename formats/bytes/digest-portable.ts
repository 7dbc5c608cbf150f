/**
 * Hashes without native code, for where there is no `node:crypto`; in the tests also the second opinion on it.
 * @noble/hashes is audited, has no dependencies and gives the same digests everywhere, at about a tenth of the speed.
 */
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import type { HashEngine } from './digest.ts';
import { hex } from './text.ts';

export const portableHash: HashEngine = (algorithm) => {
  const hash = (algorithm === 'sha256' ? sha256 : sha512).create();
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => `${algorithm}:${hex(hash.digest())}`,
  };
};
