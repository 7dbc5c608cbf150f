/**
 * MD5, which Debian's tools compare files by. It protects nothing, and nothing here relies on it: it is written into databases
 * whose format has it.
 */
import { hex } from './text.ts';

export interface Md5 {
  update(bytes: Uint8Array): void;
  /** In hexadecimal digits. Ends it. */
  digest(): string;
}

const crypto = globalThis.process?.getBuiltinModule?.('node:crypto');
const portable = crypto ? undefined : (await import('@noble/hashes/legacy.js')).md5;

export function newMd5(): Md5 {
  if (!crypto) {
    const hash = portable!.create();
    return { update: (bytes) => void hash.update(bytes), digest: () => hex(hash.digest()) };
  }
  const hash = crypto.createHash('md5');
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('hex') };
}
