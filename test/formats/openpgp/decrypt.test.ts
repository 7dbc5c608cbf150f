/** Messages for a passphrase: read as a stream, whole or not at all, and never more than is good for us. */

import { gzipSync } from 'node:zlib';
import * as openpgp from 'openpgp';
import { describe, expect, test } from 'vitest';
import { tar } from '../../../fixtures/tar.ts';
import { OcixError } from '../../../formats/base/errors.ts';
import { chunksOf } from '../../../formats/bytes/chunks.ts';
import {
  type DecryptOptions,
  decryptSymmetric,
  ENCRYPTED_HEAD,
  isEncrypted,
} from '../../../formats/openpgp/decrypt.ts';
import { contextWith, refusalOf, sliced, whole } from '../support.ts';
import { encrypted, encryptedNoise, encryptedUnprotected, newKey, signed } from './keys.ts';

const content = Buffer.from('an image\n'.repeat(20_000));
const passphrase = Buffer.from('söme words');
const { zlib, zip, uncompressed } = openpgp.enums.compression;

const decrypt = (bytes: Uint8Array, options: Partial<DecryptOptions> = {}, limits = {}) =>
  whole(decryptSymmetric(sliced(bytes, 3000), { passphrase, ...options }, contextWith(limits)));

const head = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, ENCRYPTED_HEAD);

describe('a message', () => {
  test.each([
    ['as it is', uncompressed, false],
    ['in zlib', zlib, false],
    ['in deflate', zip, false],
    ['as it is, under AEAD', uncompressed, true],
    ['in zlib, under AEAD', zlib, true],
  ])('%s comes back', async (_, compression, aead) => {
    const bytes = await encrypted(content, passphrase.toString(), { compression, aead });
    expect(isEncrypted(head(bytes))).toBe(true);
    expect(Buffer.compare(await decrypt(bytes), content)).toBe(0);
    const armored = Buffer.from(openpgp.armor(openpgp.enums.armor.message, bytes) as string);
    expect(isEncrypted(head(armored))).toBe(true);
    expect(Buffer.compare(await decrypt(armored), content)).toBe(0);
  });

  test('of which a bit is other, or the end is missing, never ends well', async () => {
    const bytes = await encrypted(content, passphrase.toString());
    for (const at of [100, bytes.length >> 1, bytes.length - 1]) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 0x80;
      expect((await refusalOf(() => decrypt(damaged)))?.code).toMatch(/^encryption\/(?:invalid|passphrase)$/);
      expect((await refusalOf(() => decrypt(bytes.subarray(0, at))))?.code).toMatch(
        /^encryption\/(?:invalid|passphrase)$/,
      );
    }
  });

  test.each([
    ['bzip2', openpgp.enums.compression.bzip2],
    ['zlib', zlib],
    ['deflate', zip],
  ])('whose content is not the %s that it says it is ends, and not well', async (_, compression) => {
    for (const noise of [Buffer.alloc(50, 'noise'), Buffer.alloc(500_000, 'noise')]) {
      const bytes = await encryptedNoise(noise, compression, passphrase.toString());
      expect((await refusalOf(() => decrypt(bytes)))?.code).toMatch(/^encryption\/(?:invalid|passphrase)$/);
    }
  });

  test('with another passphrase is refused with a hint', async () => {
    const bytes = await encrypted(content, 'another', { aead: true });
    expect(await refusalOf(() => decrypt(bytes))).toMatchObject({
      code: 'encryption/passphrase',
      hint: expect.stringContaining('white space'),
    });
    expect(await refusalOf(() => decrypt(bytes, { passphrase: Uint8Array.of(0xff) }))).toMatchObject({
      code: 'encryption/passphrase',
    });
  });

  test('without protection of its integrity is refused, unless weak ones are allowed', async () => {
    const bytes = await encryptedUnprotected(content, passphrase.toString());
    expect(isEncrypted(head(bytes))).toBe(true);
    expect(await refusalOf(() => decrypt(bytes))).toMatchObject({ code: 'encryption/weak' });
    expect(Buffer.compare(await decrypt(bytes, { allowWeak: true }), content)).toBe(0);
  });

  test('for more passphrases than anybody gives is refused before they are tried', async () => {
    const message = await openpgp.createMessage({ binary: content });
    const passwords = Array.from({ length: 9 }, (_, i) => `${i}`);
    const bytes = await openpgp.encrypt({ message, passwords, format: 'binary', config: { s2kIterationCountByte: 0 } });
    expect(await refusalOf(() => decrypt(bytes as Uint8Array))).toMatchObject({ code: 'encryption/invalid' });
  });
});

describe('limits', () => {
  test('on what comes out', async () => {
    const bytes = await encrypted(content, passphrase.toString(), { compression: zlib });
    expect(await refusalOf(() => decrypt(bytes, {}, { 'total-bytes': 100_000 }))).toMatchObject({
      code: 'limit/total-bytes',
    });
  });

  test('on how much more comes out than went in', async () => {
    const bytes = await encrypted(Buffer.alloc(80 * 2 ** 20), passphrase.toString(), { compression: zlib });
    expect(bytes.length).toBeLessThan(200_000);
    expect(await refusalOf(() => decrypt(bytes))).toMatchObject({ code: 'limit/ratio' });
  });
});

describe('the stream', () => {
  test('closes its input when the consumer stops early', async () => {
    const bytes = await encrypted(Buffer.alloc(2 ** 20, 'noise'), passphrase.toString());
    let closed = false;
    async function* watched(): AsyncGenerator<Uint8Array> {
      try {
        yield* sliced(bytes, 1000);
      } finally {
        closed = true;
      }
    }
    for await (const _ of decryptSymmetric(watched(), { passphrase }, contextWith())) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(closed).toBe(true);
  });

  test('tells a failure of its input as that', async () => {
    const bytes = await encrypted(content, passphrase.toString());
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 2000);
      throw new OcixError('source/unreadable', 'gone');
    }
    expect(await refusalOf(() => whole(decryptSymmetric(broken(), { passphrase }, contextWith())))).toMatchObject({
      code: 'source/unreadable',
    });
  });

  test('of what is not encrypted is refused', async () => {
    expect(
      await refusalOf(() => whole(decryptSymmetric(chunksOf(content), { passphrase }, contextWith()))),
    ).toMatchObject({
      code: 'encryption/invalid',
    });
  });
});

test('isEncrypted() is not taken in by anything else', async () => {
  const key = await newKey({ subkeys: [{}] });
  const message = await openpgp.createMessage({ binary: content });
  const forKey = (await openpgp.encrypt({ message, encryptionKeys: key.toPublic(), format: 'binary' })) as Uint8Array;
  const others: readonly Uint8Array[] = [
    Buffer.alloc(0),
    Buffer.alloc(512),
    Buffer.from('-----BEGIN PGP MESSAGE-----'),
    Buffer.from('-----BEGIN PGP MESSAGE-----\n\nnot base64 at all!\n'),
    Buffer.from('-----BEGIN PGP SIGNATURE-----\n\njA0ECQMCuNHF\n'),
    tar([{ name: 'manifest', body: Buffer.from('{}') }]),
    gzipSync(content),
    Buffer.from([0x42, 0x5a, 0x68, 0x39, 0x31, 0x41]),
    Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]),
    Buffer.from([0x8c, 0x0d, 0x04, 0x63, 0x03]),
    Buffer.from([0x8c, 0x0d, 0x03, 0x09, 0x03]),
    forKey,
    Buffer.from(openpgp.armor(openpgp.enums.armor.message, forKey) as string),
    await signed(key, content),
    key.toPublic().write(),
  ];
  for (const other of others) expect(isEncrypted(head(other))).toBe(false);
});
