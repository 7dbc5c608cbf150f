/** Keys, signatures and messages made by the library itself, for what needs no second opinion; GnuPG's are in test/interop. */
import * as openpgp from 'openpgp';
import type { TrustedKey } from '../../../formats/openpgp/keyring.ts';

export const MADE = new Date('2026-01-01T00:00:00Z');
export const SIGNED = new Date('2026-06-01T00:00:00Z');
export const NOW = new Date('2026-11-21T00:00:00Z');

/** Everything allowed that a writer of 2015 would do. */
const LAX = {
  minRSABits: 1024,
  rejectHashAlgorithms: new Set<number>(),
  rejectMessageHashAlgorithms: new Set<number>(),
};

export type KeyOptions = Partial<Omit<openpgp.KeyOptions, 'format' | 'config' | 'userIDs'>> & {
  readonly name?: string;
};

export async function newKey({ name = 'Alice', ...options }: KeyOptions = {}): Promise<openpgp.PrivateKey> {
  const { privateKey } = await openpgp.generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    date: MADE,
    subkeys: [],
    ...options,
    userIDs: [{ name, email: `${name.toLowerCase().replace(/[^a-z]/g, '')}@example.com` }],
    format: 'object',
    config: LAX,
  });
  return privateKey;
}

export const trusted = (key: openpgp.Key, prefix?: string): TrustedKey => ({
  fingerprint: key.getFingerprint(),
  userIds: key.getUserIDs(),
  prefix,
  key: key.toPublic(),
});

export interface SignOptions {
  readonly date?: Date;
  readonly hash?: openpgp.enums.hash;
  /** Instead of over bytes. */
  readonly text?: string;
}

export async function signed(
  key: openpgp.PrivateKey,
  content: Uint8Array,
  options: SignOptions = {},
): Promise<Uint8Array> {
  const { date = SIGNED, hash = openpgp.enums.hash.sha512, text } = options;
  // The library signs with the strongest hash that the key prefers.
  for (const { selfCertifications } of key.users) selfCertifications[0]!.preferredHashAlgorithms = [hash];
  const message =
    text === undefined ? await openpgp.createMessage({ binary: content }) : await openpgp.createMessage({ text });
  return openpgp.sign({
    message,
    signingKeys: key,
    detached: true,
    format: 'binary',
    date,
    config: { ...LAX, preferredHashAlgorithm: hash, nonDeterministicSignaturesViaNotation: false },
  }) as Promise<Uint8Array>;
}

export async function clearSigned(key: openpgp.PrivateKey, text: string): Promise<string> {
  const message = await openpgp.createCleartextMessage({ text });
  return openpgp.sign({ message, signingKeys: key, date: SIGNED });
}

export const binaryKeys = (...keys: readonly openpgp.Key[]): Uint8Array =>
  Buffer.concat(keys.map((key) => key.toPublic().write()));

export interface EncryptOptions {
  readonly compression?: openpgp.enums.compression;
  /** The protection of RFC 9580 in place of the digest of 2015. */
  readonly aead?: boolean;
}

export async function encrypted(
  content: Uint8Array,
  passphrase: string,
  options: EncryptOptions = {},
): Promise<Uint8Array> {
  const message = await openpgp.createMessage({ binary: content });
  const { compression = openpgp.enums.compression.uncompressed, aead = false } = options;
  return openpgp.encrypt({
    message,
    passwords: [passphrase],
    format: 'binary',
    config: { preferredCompressionAlgorithm: compression, aeadProtect: aead, s2kIterationCountByte: 96 },
  }) as Promise<Uint8Array>;
}

/** What packets can do that the library's types leave out. */
type SessionKeyWriter = openpgp.AnyPacket & {
  sessionKeyAlgorithm: number;
  readonly sessionKey: Uint8Array;
  encrypt(passphrase: string): Promise<void>;
};
type CompressedWriter = openpgp.AnyPacket & { algorithm: number; compressed: Uint8Array };
type LiteralWriter = openpgp.AnyPacket & { setBytes(bytes: Uint8Array, format: number): void };
type DataWriter = openpgp.AnyPacket & {
  version: number;
  packets: openpgp.PacketList<openpgp.AnyPacket>;
  encrypt(algorithm: number, key: Uint8Array): Promise<void>;
};

/** As programs of the last century did it: nothing protects the content. */
export async function encryptedUnprotected(content: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const literal = new openpgp.LiteralDataPacket() as unknown as LiteralWriter;
  literal.setBytes(content, openpgp.enums.literal.binary);
  return sealed(literal, new openpgp.SymmetricallyEncryptedDataPacket() as unknown as DataWriter, passphrase);
}

/** Sound, but for what is inside: it says that it is compressed, and is not. */
export async function encryptedNoise(
  noise: Uint8Array,
  algorithm: openpgp.enums.compression,
  passphrase: string,
): Promise<Uint8Array> {
  const compressed = new openpgp.CompressedDataPacket() as unknown as CompressedWriter;
  compressed.algorithm = algorithm;
  compressed.compressed = noise;
  const data = new openpgp.SymEncryptedIntegrityProtectedDataPacket() as unknown as DataWriter;
  data.version = 1;
  return sealed(compressed, data, passphrase);
}

async function sealed(content: openpgp.AnyPacket, data: DataWriter, passphrase: string): Promise<Uint8Array> {
  const { symmetric } = openpgp.enums;
  const sessionKey = new openpgp.SymEncryptedSessionKeyPacket() as unknown as SessionKeyWriter;
  sessionKey.sessionKeyAlgorithm = symmetric.aes256;
  await sessionKey.encrypt(passphrase);
  const inner = new openpgp.PacketList<openpgp.AnyPacket>();
  inner.push(content);
  data.packets = inner;
  await data.encrypt(symmetric.aes256, sessionKey.sessionKey);
  const outer = new openpgp.PacketList<openpgp.AnyPacket>();
  outer.push(sessionKey, data);
  return outer.write();
}
