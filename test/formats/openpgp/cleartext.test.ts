/** Signed texts: only what is signed comes out, and nothing that could be taken for it. */
import type { PrivateKey } from 'openpgp';
import { beforeAll, describe, expect, test } from 'vitest';
import { verifyCleartext } from '../../../formats/openpgp/cleartext.ts';
import { contextWith, refusalOf, textOf } from '../support.ts';
import { clearSigned, NOW, newKey, signed, trusted } from './keys.ts';

const text = 'Origin: Example\n- a dash\n-----BEGIN PGP SIGNED MESSAGE-----\n\nSuite: stable\t \n';
let key!: PrivateKey;
let release!: string;
beforeAll(async () => {
  key = await newKey();
  release = await clearSigned(key, text);
});

const read = (bytes: string | Uint8Array) =>
  verifyCleartext(
    typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes,
    { keys: [trusted(key)], policy: { now: NOW } },
    contextWith(),
  );

test('a signed text comes back as it is covered', async () => {
  const found = await read(release);
  expect(textOf(found.text)).toBe(text.replace('\t \n', '\n'));
  expect(found.signatures).toMatchObject([{ primary: key.getFingerprint(), userId: 'Alice <alice@example.com>' }]);
});

test('white space at its ends, and line ends, do not matter', async () => {
  const wanted = textOf((await read(release)).text);
  for (const same of [release.replaceAll('\r\n', '\n'), release.replaceAll(/\r?\n/g, ' \r\n'), `\n${release}\n \n`])
    expect(textOf((await read(same)).text)).toBe(wanted);
});

describe('refused is a text', () => {
  const change = (from: string | RegExp, to: string) => (): string => {
    const changed = release.replace(from, to);
    expect(changed).not.toBe(release);
    return changed;
  };

  test.each([
    ['with another word in it', change('stable', 'stabler')],
    ['with a line more', change('Suite:', 'More: lines\nSuite:')],
    ['with something before it', () => `Origin: Mallory\n\n${release}`],
    ['with something behind it', () => `${release}\nOrigin: Mallory\n`],
    ['with a second message behind it', () => `${release}\n${release}`],
    ['with another header', change('Hash:', 'Comment:')],
    ['without the line between headers and text', change(/\r?\n\r?\nOrigin/, '\nOrigin')],
    ['with a message in it', change('- -----BEGIN PGP SIGNED', '-----BEGIN PGP SIGNED')],
    ['with a dash that is not escaped', change('- - a dash', '-a dash')],
    ['without the end of its signature', change('-----END PGP SIGNATURE-----', '')],
    ['without its signature', () => release.slice(0, release.lastIndexOf('-----BEGIN'))],
    ['with an empty signature', change(/\n\r?\n[A-Za-z0-9+/=\s]+-----END/, '\n\n=AAAA\n-----END')],
    ['that is over any size', () => `${release}${' '.repeat(33 * 2 ** 20)}`],
  ])('%s', async (_, make) => {
    expect(await refusalOf(() => read(make()))).toMatchObject({ code: 'signature/invalid' });
  });

  test('that is not signed, or by somebody else', async () => {
    for (const unsigned of ['', text.replace(/^-----.*\n/m, '')])
      expect(await refusalOf(() => read(unsigned))).toMatchObject({ code: 'signature/missing' });
    const forged = await clearSigned(await newKey(), text);
    expect(await refusalOf(() => read(forged))).toMatchObject({ code: 'signature/untrusted' });
  });

  test('with a signature over bytes', async () => {
    const { readSignature } = await import('openpgp');
    const lines = 'Origin: Example';
    const binary = await readSignature({ binarySignature: await signed(key, Buffer.from(lines)) });
    const document = `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${lines}\n${binary.armor()}`;
    expect(await refusalOf(() => read(document))).toMatchObject({ code: 'signature/weak' });
  });
});
