/** Detached signatures: what holds, and each way in which one does not. */
import * as openpgp from 'openpgp';
import { beforeAll, describe, expect, test } from 'vitest';
import { OcixError } from '../../../formats/base/errors.ts';
import { chunksOf } from '../../../formats/bytes/chunks.ts';
import type { TrustedKey } from '../../../formats/openpgp/keyring.ts';
import type { Policy } from '../../../formats/openpgp/policy.ts';
import { verifyDetached } from '../../../formats/openpgp/verify.ts';
import { contextWith, refusalOf, sliced } from '../support.ts';
import { MADE, NOW, newKey, SIGNED, signed, trusted } from './keys.ts';

const content = Buffer.from('the file as shipped\r\n'.repeat(5000));
const day = 86_400;

const verify = (
  signature: Uint8Array,
  keys: readonly TrustedKey[],
  policy: Partial<Policy> = {},
  bytes: Uint8Array = content,
) => verifyDetached(sliced(bytes, 999), { signature, keys, policy: { now: NOW, ...policy } }, contextWith());

async function refused(...args: Parameters<typeof verify>): Promise<string> {
  const refusal = await refusalOf(() => verify(...args));
  return refusal ? `${refusal.code}: ${refusal.message}` : 'no refusal';
}

let alice!: openpgp.PrivateKey;
let mallory!: openpgp.PrivateKey;
let good!: Uint8Array;
beforeAll(async () => {
  alice = await newKey();
  mallory = await newKey({ name: 'Mallory' });
  good = await signed(alice, content);
});

describe('a good signature', () => {
  test('says who made it, when and how', async () => {
    const fingerprint = alice.getFingerprint();
    expect(await verify(good, [trusted(mallory), trusted(alice)])).toEqual([
      {
        fingerprint,
        primary: fingerprint,
        userId: 'Alice <alice@example.com>',
        prefix: undefined,
        created: SIGNED,
        hash: 'SHA-512',
        algorithm: 'Ed25519',
        weak: [],
      },
    ]);
  });

  test('by a subkey names the subkey and the key that it belongs to', async () => {
    const key = await newKey({ subkeys: [{ sign: true }] });
    const [found] = await verify(await signed(key, content), [trusted(key)]);
    expect(found).toMatchObject({ fingerprint: key.subkeys[0]!.getFingerprint(), primary: key.getFingerprint() });
  });

  test('is enough beside those that do not hold', async () => {
    const other = await signed(alice, Buffer.from('something else'));
    const unknown = await signed(mallory, content);
    expect(await verify(Buffer.concat([unknown, other, good]), [trusted(alice)])).toHaveLength(1);
  });

  test('of the version 6 of OpenPGP holds', async () => {
    const { privateKey } = await openpgp.generateKey({
      userIDs: [{ name: 'Six', email: 'six@example.com' }],
      type: 'curve25519',
      date: MADE,
      format: 'object',
      config: { v6Keys: true },
    });
    expect(await verify(await signed(privateKey, content), [trusted(privateKey)])).toMatchObject([
      { algorithm: 'Ed25519' },
    ]);
  });
});

describe('refused is a signature', () => {
  test.each([
    ['a byte is other', Buffer.concat([content.subarray(0, -1), Buffer.of(0)])],
    ['a byte is missing', content.subarray(1)],
    ['there is a byte too many', Buffer.concat([content, Buffer.of(10)])],
    ['nothing is there', Buffer.alloc(0)],
  ])('where %s', async (_, bytes) => {
    expect(await refused(good, [trusted(alice)], { allowWeak: true }, bytes)).toMatch(
      /^signature\/invalid: this is not what/,
    );
  });

  test('of which a bit is other', async () => {
    // The last bytes are the signature itself; those before say when it was made and by whom.
    for (const back of [1, 40, 70]) {
      const changed = Buffer.from(good);
      changed[changed.length - back]! ^= 1;
      expect(await refused(changed, [trusted(alice)])).toMatch(/^signature\/(?:invalid|untrusted)/);
    }
  });

  test('by a key that is not trusted, or for other names', async () => {
    expect(await refused(good, [trusted(mallory)])).toBe(
      `signature/untrusted: it is signed by a key that is not trusted: ${alice.getFingerprint()}`,
    );
    const keys = [trusted(alice, 'example.com/app')];
    for (const name of ['example.com/app', 'example.com/app/part'])
      expect(await verify(good, keys, { name })).toMatchObject([{ prefix: 'example.com/app' }]);
    for (const name of ['example.com/application', 'example.com', 'other/example.com/app', undefined])
      expect(await refused(good, keys, { name })).toMatch(/^signature\/untrusted: the key .* is not trusted for /);
  });

  test('that was limited in time, or is from the future, or older than its key', async () => {
    expect(await refused(good, [trusted(alice)], { now: MADE })).toBe(
      'signature/invalid: the signature is from the future',
    );
    const young = await newKey({ date: new Date(SIGNED.getTime() + 1) });
    const early = await signed(alice, content, { date: new Date(SIGNED.getTime()) });
    expect(await refused(early, [trusted(young)])).toMatch(/^signature\/untrusted/);
  });

  test('by a key that has expired since, or had expired', async () => {
    const key = await newKey({ keyExpirationTime: 200 * day });
    const signature = await signed(key, content);
    expect(await verify(signature, [trusted(key)], { now: SIGNED })).toHaveLength(1);
    expect(await refused(signature, [trusted(key)])).toMatch(
      /^signature\/expired: the key .* has expired since it signed this$/,
    );
    expect(await verify(signature, [trusted(key)], { allowWeak: true })).toMatchObject([
      { weak: ['the key expired on 2026-07-20T00:00:00Z'] },
    ]);
  });

  test('by a revoked key, also where its owner retired it long after', async () => {
    for (const flag of [
      openpgp.enums.reasonForRevocation.keyCompromised,
      openpgp.enums.reasonForRevocation.keyRetired,
    ]) {
      const { privateKey } = await openpgp.revokeKey({
        key: alice,
        reasonForRevocation: { flag },
        date: new Date('2026-10-01T00:00:00Z'),
        format: 'object',
      });
      expect(await refused(good, [trusted(privateKey)], { allowWeak: true })).toMatch(
        /^signature\/untrusted: the key .* has been revoked by its owner$/,
      );
    }
  });

  test('by a revoked subkey', async () => {
    const key = await newKey({ subkeys: [{ sign: true }] });
    const signature = await signed(key, content);
    key.subkeys[0] = await key.subkeys[0]!.revoke(key.keyPacket as openpgp.SecretKeyPacket);
    expect(await refused(signature, [trusted(key)])).toMatch(/has been revoked by its owner$/);
  });

  test('by a subkey that does not vouch for its primary key', async () => {
    const key = await newKey({ subkeys: [{ sign: true }] });
    const signature = await signed(key, content);
    const trust = trusted(key);
    trust.key.subkeys[0]!.bindingSignatures[0]!.embeddedSignature = null;
    expect(await refused(signature, [trust])).toMatch(/^signature\/untrusted: the key .* is not one that can sign$/);
  });

  test('by a key that is for encryption only', async () => {
    const key = await newKey();
    const signature = await signed(key, content);
    const trust = trusted(key);
    trust.key.users[0]!.selfCertifications[0]!.keyFlags = Uint8Array.of(openpgp.enums.keyFlags.encryptStorage);
    expect(await refused(signature, [trust])).toMatch(/is not one that can sign$/);
  });

  test.each([
    [openpgp.enums.hash.sha1, 2048, 'SHA-1'],
    [openpgp.enums.hash.sha256, 1024, 'RSA-1024'],
    [openpgp.enums.hash.sha1, 1024, 'SHA-1 and RSA-1024'],
  ])('with hash %i and RSA of %i bits, unless weak ones are allowed', async (hash, rsaBits, weak) => {
    const key = await newKey({ type: 'rsa', rsaBits });
    const signature = await signed(key, content, { hash });
    expect(await refused(signature, [trusted(key)])).toBe(
      `signature/weak: the signature is made with ${weak}, which can be forged`,
    );
    expect(await verify(signature, [trusted(key)], { allowWeak: true })).toMatchObject([{ weak: weak.split(' and ') }]);
  });

  test('with MD5, whatever is allowed', async () => {
    const key = await newKey({ type: 'rsa', rsaBits: 2048 });
    const signature = await signed(key, content, { hash: openpgp.enums.hash.md5 });
    expect(await refused(signature, [trusted(key)], { allowWeak: true })).toBe(
      'signature/weak: a signature made with MD5 proves nothing',
    );
  });

  test('over lines of text, unless that is what is wanted', async () => {
    const signature = await signed(alice, content, { text: content.toString() });
    expect(await refused(signature, [trusted(alice)], { allowWeak: true })).toMatch(
      /^signature\/weak: .* lines of text$/,
    );
    expect(await verify(signature, [trusted(alice)], { text: true })).toHaveLength(1);
  });

  test.each([
    ['nothing', ''],
    ['prose', 'Dear sir or madam'],
    ['an armored block that ends too soon', '-----BEGIN PGP SIGNATURE-----\n\niQ'],
    ['an empty armored block', '-----BEGIN PGP SIGNATURE-----\n\n=AAAA\n-----END PGP SIGNATURE-----\n'],
    ['another kind of block', '-----BEGIN PGP MESSAGE-----\n\nyw\n-----END PGP MESSAGE-----\n'],
    ['the beginning of a packet', '\u00c2\u00ff'],
    ['a megabyte and more', '\u0088'.repeat(2 ** 20 + 1)],
  ])('that is %s', async (_, text) => {
    expect(await refused(Buffer.from(text, 'latin1'), [trusted(alice)])).toBe(
      'signature/invalid: the signature cannot be read',
    );
  });

  test('of version 3, of a key, or among too many', async () => {
    const old = Buffer.from(good);
    old[2] = 3;
    const onKey = alice.users[0]!.selfCertifications[0]!;
    const list = new openpgp.PacketList<openpgp.AnyPacket>();
    list.push(onKey);
    for (const bytes of [old, list.write(), Buffer.concat(Array.from({ length: 33 }, () => good))])
      expect(await refused(bytes, [trusted(alice)])).toMatch(/^signature\/invalid/);
  });

  test('in a text made to be looked through for ever, in no time', async () => {
    const text = '-----BEGIN PGP SIGNATURE-----\n'.repeat(34_000);
    const before = performance.now();
    expect(await refused(Buffer.from(text), [trusted(alice)])).toMatch(/^signature\/invalid/);
    expect(performance.now() - before).toBeLessThan(2000);
  });
});

describe('the content', () => {
  test('that cannot be read is told as that', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield content;
      throw new OcixError('source/unreadable', 'gone');
    }
    const request = { signature: Buffer.concat([good, good]), keys: [trusted(alice)], policy: { now: NOW } };
    expect(await refusalOf(() => verifyDetached(broken(), request, contextWith()))).toMatchObject({
      code: 'source/unreadable',
    });
  });

  test('is not read at all where no signature is worth it', async () => {
    let read = false;
    async function* watched(): AsyncGenerator<Uint8Array> {
      read = true;
      yield content;
    }
    const request = { signature: good, keys: [trusted(mallory)], policy: { now: NOW } };
    await refusalOf(() => verifyDetached(watched(), request, contextWith()));
    expect(read).toBe(false);
  });

  test('is let go when the run is stopped', async () => {
    const stop = new AbortController();
    const context = { ...contextWith(), signal: stop.signal };
    let closed = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (let i = 0; ; i++) {
          if (i === 3) stop.abort();
          yield content;
        }
      } finally {
        closed = true;
      }
    }
    const request = { signature: good, keys: [trusted(alice)], policy: { now: NOW } };
    expect(await refusalOf(() => verifyDetached(endless(), request, context))).toMatchObject({ code: 'interrupted' });
    expect(closed).toBe(true);
  });

  test('may come in any pieces', async () => {
    const request = { signature: good, keys: [trusted(alice)], policy: { now: NOW } };
    expect(await verifyDetached(chunksOf(content), request, contextWith())).toHaveLength(1);
    expect(await verifyDetached(sliced(content, 1), request, contextWith())).toHaveLength(1);
  });
});
