/** Signatures and messages that GnuPG made: what people have. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chunksOf } from '../../formats/bytes/chunks.ts';
import { verifyCleartext } from '../../formats/openpgp/cleartext.ts';
import { decryptSymmetric, isEncrypted } from '../../formats/openpgp/decrypt.ts';
import { readKeyring, type TrustedKey } from '../../formats/openpgp/keyring.ts';
import type { Policy } from '../../formats/openpgp/policy.ts';
import { verifyDetached } from '../../formats/openpgp/verify.ts';
import { type Gpg, gpgHome } from '../fixtures/gpg.ts';
import { runPeer, scratch, withPeer } from '../fixtures/peers.ts';
import { contextWith, refusalOf, sliced, textOf, whole } from '../formats/support.ts';

const peer = withPeer('gpg');
const content = Buffer.from(`an image, as shipped\r\n${'0123456789 \n'.repeat(20_000)}`);
const NOW = new Date('2026-11-21T12:00:00Z');
const AT = '20261121T100000';

let gpg!: Gpg;
beforeAll(() => {
  gpg = gpgHome();
});
afterAll(() => gpg?.remove());

async function trust(...keys: readonly string[]): Promise<readonly TrustedKey[]> {
  const file = join(scratch(), 'keys.gpg');
  writeFileSync(file, gpg.export(...keys));
  return readKeyring([file], contextWith());
}

const sign = (key: string, at = AT, ...more: readonly string[]): Buffer =>
  gpg.run(['--local-user', key, ...more, '--detach-sign'], { input: content, at });

const verified = (
  keys: readonly TrustedKey[],
  signature: Uint8Array,
  policy: Partial<Policy> = {},
  bytes: Uint8Array = content,
) => verifyDetached(sliced(bytes, 70_000), { signature, keys, policy: { now: NOW, ...policy } }, contextWith());

async function refused(...args: Parameters<typeof verified>): Promise<string> {
  const refusal = await refusalOf(() => verified(...args));
  return refusal ? `${refusal.code}: ${refusal.message}` : 'no refusal';
}

describe('a detached signature by', () => {
  peer.each([
    ['ed25519', 'Ed25519', 'SHA256'],
    ['nistp256', 'ECDSA nistP256', 'SHA256'],
    ['nistp521', 'ECDSA nistP521', 'SHA512'],
    ['rsa2048', 'RSA-2048', 'SHA224'],
    ['rsa4096', 'RSA-4096', 'SHA384'],
  ])('%s holds, armored and binary, and does not hold over other bytes', async (algorithm, name, digest) => {
    const fingerprint = gpg.key(`good-${algorithm}`, algorithm);
    const keys = await trust(fingerprint);
    for (const armor of [[], ['--armor']]) {
      const signature = sign(fingerprint, AT, '--digest-algo', digest, ...armor);
      expect(await verified(keys, signature)).toEqual([
        {
          fingerprint,
          primary: fingerprint,
          userId: `good-${algorithm} <good-${algorithm}@example.com>`,
          prefix: undefined,
          created: new Date('2026-11-21T10:00:00Z'),
          hash: digest.replace('SHA', 'SHA-'),
          algorithm: name,
          weak: [],
        },
      ]);
      const tampered = Buffer.from(content);
      tampered[100_000]! ^= 1;
      for (const other of [tampered, content.subarray(1), Buffer.concat([content, Buffer.of(0)]), Buffer.alloc(0)])
        expect(await refused(keys, signature, {}, other)).toContain(
          `signature/invalid: this is not what the key ${fingerprint} signed`,
        );
      expect(await refused(await trust(gpg.key(`other-${algorithm}-${armor.length}`, 'ed25519')), signature)).toContain(
        `signature/untrusted: it is signed by a key that is not trusted: ${fingerprint}`,
      );
    }
  });

  peer.each([
    ['rsa2048', 'SHA1', 'SHA-1'],
    ['rsa1024', 'SHA1', 'SHA-1 and RSA-1024'],
    ['rsa1024', 'SHA256', 'RSA-1024'],
    ['dsa1024', 'SHA1', 'SHA-1 and DSA-1024'],
    ['dsa2048', 'SHA256', 'DSA-2048'],
  ])('%s with %s counts only where weak ones are allowed', async (algorithm, digest, weak) => {
    const fingerprint = gpg.key(`weak-${algorithm}-${digest}`, algorithm, { at: '20150101T000000' });
    const keys = await trust(fingerprint);
    const signature = sign(fingerprint, '20150601T000000', '--digest-algo', digest, '--allow-weak-digest-algos');
    expect(await refused(keys, signature)).toBe(
      `signature/weak: the signature is made with ${weak}, which can be forged`,
    );
    expect(await verified(keys, signature, { allowWeak: true })).toMatchObject([
      { fingerprint, weak: weak.split(' and ') },
    ]);
    expect(await refused(keys, signature, { allowWeak: true }, content.subarray(1))).toContain('signature/invalid');
  });

  peer.each(['MD5', 'RIPEMD160'])('rsa2048 with %s never counts', async (digest) => {
    const fingerprint = gpg.key(`broken-${digest}`, 'rsa2048');
    const args = ['--digest-algo', digest, '--allow-weak-digest-algos'];
    const signature = sign(fingerprint, AT, ...args);
    expect(await refused(await trust(fingerprint), signature, { allowWeak: true })).toMatch(
      /^signature\/weak: .* proves nothing$/,
    );
  });

  peer('a key that has expired since is refused, unless weak ones are allowed', async () => {
    const fingerprint = gpg.key('expired', 'ed25519', { good: '1y', at: '20150101T000000' });
    const keys = await trust(fingerprint);
    const signature = sign(fingerprint, '20150601T000000');
    expect(await refused(keys, signature)).toBe(
      `signature/expired: the key ${fingerprint} has expired since it signed this`,
    );
    expect(await verified(keys, signature, { now: new Date('2015-12-01T00:00:00Z') })).toHaveLength(1);
    expect(await verified(keys, signature, { allowWeak: true })).toMatchObject([
      { weak: ['the key expired on 2016-01-01T00:00:00Z'] },
    ]);
  });

  peer('a key that had expired is refused, whatever is allowed', async () => {
    const fingerprint = gpg.key('late', 'ed25519', { at: '20150101T000000' });
    const signature = sign(fingerprint, '20170601T000000');
    gpg.run(['--quick-set-expire', fingerprint, '1y'], { at: '20150102T000000' });
    expect(await refused(await trust(fingerprint), signature, { allowWeak: true })).toBe(
      `signature/expired: the key ${fingerprint} signed this after it had expired`,
    );
  });

  peer('a key whose life was extended after it signed holds', async () => {
    const fingerprint = gpg.key('extended', 'ed25519', { good: '1y', at: '20150101T000000' });
    const signature = sign(fingerprint, '20150601T000000');
    gpg.run(['--quick-set-expire', fingerprint, '20y'], { at: '20160601T000000' });
    const file = join(scratch(), 'minimal.gpg');
    writeFileSync(file, gpg.run(['--export-options', 'export-minimal', '--export', fingerprint]));
    expect(await verified(await readKeyring([file], contextWith()), signature)).toMatchObject([{ weak: [] }]);
  });

  peer('a revoked key is refused, whatever is allowed', async () => {
    const fingerprint = gpg.key('revoked', 'ed25519');
    const signature = sign(fingerprint);
    expect(await verified(await trust(fingerprint), signature)).toHaveLength(1);
    const folder = join(gpg.home, 'openpgp-revocs.d');
    const certificate = readFileSync(
      join(folder, readdirSync(folder).find((name) => name.toLowerCase().startsWith(fingerprint))!),
      'latin1',
    );
    gpg.run(['--import'], { input: Buffer.from(certificate.replace(':-----BEGIN', '-----BEGIN')) });
    expect(await refused(await trust(fingerprint), signature, { allowWeak: true })).toBe(
      `signature/untrusted: the key ${fingerprint} has been revoked by its owner`,
    );
  });

  peer('a subkey names both keys', async () => {
    const primary = gpg.key('with-subkey', 'rsa2048');
    gpg.run(['--quick-add-key', primary, 'ed25519', 'sign', 'never'], { at: AT });
    const [signature] = await verified(await trust(primary), sign(primary));
    expect(signature).toMatchObject({ primary, algorithm: 'Ed25519', userId: 'with-subkey <with-subkey@example.com>' });
    expect(signature!.fingerprint).not.toBe(primary);
  });

  peer('a clock that is ahead, a limited life and a text are refused in words of their own', async () => {
    const fingerprint = gpg.key('times', 'ed25519', { at: '20260101T000000' });
    const keys = await trust(fingerprint);
    expect(await refused(keys, sign(fingerprint, '20261122T000000'))).toBe(
      'signature/invalid: the signature is from the future',
    );
    const limited = sign(fingerprint, '20261001T000000', '--default-sig-expire', '1w');
    expect(await refused(keys, limited, { allowWeak: true })).toBe(
      'signature/expired: the signature was good until 2026-10-08T00:00:00Z',
    );
    expect(await verified(keys, limited, { now: new Date('2026-10-05T00:00:00Z') })).toHaveLength(1);
    const text = sign(fingerprint, AT, '--textmode');
    expect(await refused(keys, text)).toBe('signature/weak: the signature is made over lines of text');
    expect(await verified(keys, text, { text: true })).toHaveLength(1);
    expect(await refused(keys, text, { text: true }, content.subarray(1))).toContain('signature/invalid');
  });

  peer('two keys holds by either, and one that nobody knows does no harm', async () => {
    const [one, two] = [gpg.key('one', 'ed25519'), gpg.key('two', 'rsa2048')];
    const both = sign(one, AT, '--local-user', two, '--digest-algo', 'SHA512');
    expect((await verified(await trust(one, two), both)).map(({ primary }) => primary).sort()).toEqual(
      [one, two].sort(),
    );
    expect(await verified(await trust(two), both)).toMatchObject([{ primary: two }]);
    const armored = Buffer.concat([sign(one, AT, '--armor'), sign(two, AT, '--armor')]);
    expect(await verified(await trust(one, two), armored)).toHaveLength(2);
  });
});

describe('a signed text', () => {
  const text = '- a dash\n-----BEGIN PGP SIGNATURE-----\nwhite space behind \t \n\nFrom: a line\nümlaut\n';
  const covered = text.replace(' \t \n', '\n').replace(/\n$/, '');

  peer.each(['\n', '\r\n'])('comes back as it was signed, with line ends %j', async (end) => {
    const fingerprint = gpg.key(`release-${end.length}`, 'ed25519');
    const keys = await trust(fingerprint);
    const signed = gpg.run(['--local-user', fingerprint, '--clear-sign'], { input: Buffer.from(text), at: AT });
    const bytes = Buffer.from(signed.toString('latin1').replaceAll('\n', end), 'latin1');
    const read = (input: Uint8Array) => verifyCleartext(input, { keys, policy: { now: NOW } }, contextWith());
    const found = await read(bytes);
    expect(textOf(found.text)).toBe(covered);
    expect(found.signatures).toMatchObject([{ fingerprint }]);
    const change = (from: string, to: string): Buffer =>
      Buffer.from(bytes.toString('latin1').replace(from, to), 'latin1');
    expect(await refusalOf(() => read(change('a line', 'a lime')))).toMatchObject({ code: 'signature/invalid' });
    expect(await refusalOf(() => read(change('- - a dash', '- a dash')))).toMatchObject({ code: 'signature/invalid' });
    expect(textOf((await read(change('a line', 'a line \t'))).text)).toBe(covered);
  });
});

const REPOSITORY = join(import.meta.dirname, '../../../shared/corpus/debian/apt-repo');

describe.skipIf(!existsSync(REPOSITORY))('a repository of apt', () => {
  const release = (name: string): Buffer => readFileSync(join(REPOSITORY, 'dists/stable', name));

  test('holds by the key that made it, in both of its forms', async () => {
    const keys = await readKeyring([join(REPOSITORY, 'archive-key.asc')], contextWith());
    const signed = await verifyCleartext(release('InRelease'), { keys, policy: { now: NOW } }, contextWith());
    const found = await verified(keys, release('Release.gpg'), {}, release('Release'));
    expect(signed.signatures.concat(found)).toMatchObject([{ weak: [] }, { weak: [] }]);
    expect(`${textOf(signed.text)}\n`).toBe(textOf(release('Release')));
  });
});

describe('a message encrypted by gpg --symmetric', () => {
  const passphrase = Buffer.from('correct hörse');
  const encrypt = (...args: readonly string[]): Buffer =>
    runPeer({
      tool: 'gpg',
      args: [
        '--homedir',
        gpg.home,
        '--batch',
        '--quiet',
        '--pinentry-mode',
        'loopback',
        '--passphrase',
        passphrase.toString(),
        '--s2k-count',
        '65536',
        ...args,
        '--symmetric',
      ],
      input: content,
    });
  const decrypt = (bytes: Uint8Array, allowWeak = false, secret: Uint8Array = passphrase) =>
    whole(decryptSymmetric(sliced(bytes, 7000), { passphrase: secret, allowWeak }, contextWith()));

  peer.each([
    ['AES256', 'none'],
    ['AES256', 'zlib'],
    ['AES256', 'bzip2'],
    ['AES128', 'zip'],
    ['3DES', 'none'],
    ['3DES', 'zlib'],
    ['CAST5', 'none'],
    ['CAST5', 'zlib'],
    ['TWOFISH', 'zlib'],
    ['BLOWFISH', 'zlib'],
  ])('with %s and %s compression comes back, and not where a bit differs', async (cipher, compression) => {
    const args = ['--cipher-algo', cipher, '--compress-algo', compression];
    for (const armor of [[], ['--armor']]) {
      const bytes = encrypt(...args, ...armor);
      expect(isEncrypted(bytes.subarray(0, 512))).toBe(true);
      expect(Buffer.compare(await decrypt(bytes), content)).toBe(0);
    }
    const bytes = encrypt(...args);
    const damaged = Buffer.from(bytes);
    damaged[Math.floor(bytes.length / 2)]! ^= 1;
    for (const bad of [damaged, bytes.subarray(0, -30), bytes.subarray(0, bytes.length >> 1)])
      expect((await refusalOf(() => decrypt(bad)))?.code).toMatch(/^encryption\/(?:invalid|passphrase)$/);
    expect(await refusalOf(() => decrypt(bytes, false, Buffer.from('wrong')))).toMatchObject({
      code: expect.stringMatching(/^encryption\/(?:passphrase|invalid)$/),
    });
  });

  peer('without integrity protection is refused, unless weak ones are allowed', async () => {
    const bytes = encrypt('--rfc2440', '--cipher-algo', 'AES256', '--compress-algo', 'zip', '--disable-mdc');
    expect(await refusalOf(() => decrypt(bytes))).toMatchObject({ code: 'encryption/weak' });
    expect(Buffer.compare(await decrypt(bytes, true), content)).toBe(0);
  });

  peer.each(['zlib', 'bzip2'])('that is a %s bomb is refused before it goes off', async (compression) => {
    const file = join(scratch(), 'zeros');
    writeFileSync(file, Buffer.alloc(100 * 2 ** 20));
    const bytes = runPeer({
      tool: 'gpg',
      args: [
        '--homedir',
        gpg.home,
        '--batch',
        '--quiet',
        '--pinentry-mode',
        'loopback',
        '--passphrase',
        'x',
        '--compress-algo',
        compression,
        '-o',
        '-',
        '--symmetric',
        file,
      ],
    });
    const before = process.memoryUsage().rss;
    let most = 0;
    const drain = async (): Promise<void> => {
      for await (const _ of decryptSymmetric(
        chunksOf(bytes),
        { passphrase: Buffer.from('x') },
        contextWith({ ratio: 100 }),
      ))
        most = Math.max(most, process.memoryUsage().rss);
    };
    expect(await refusalOf(drain)).toMatchObject({ code: 'limit/ratio' });
    expect((most - before) / 2 ** 20).toBeLessThan(200);
  });
});
