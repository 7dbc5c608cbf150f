/** checkSignature(): a file, its signature, and who may vouch for its name. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { PrivateKey } from 'openpgp';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkSignature, type SignatureRequest } from '../../converters/index.ts';
import { open } from '../../converters/look.ts';
import { keyringsOf } from '../../converters/verify.ts';
import { tar } from '../../fixtures/tar.ts';
import { scratch } from '../fixtures/peers.ts';
import { podFiles, runnable } from '../formats/appc/pod-files.ts';
import { binaryKeys, NOW, newKey, signed } from '../formats/openpgp/keys.ts';
import { trustFolder } from '../formats/openpgp/trust.ts';
import { refusalOf } from '../formats/support.ts';

const manifest = (name: string): Buffer =>
  Buffer.from(JSON.stringify({ acKind: 'ImageManifest', acVersion: '0.8.11', name }));
const aci = (name: string): Buffer => gzipSync(tar([{ name: 'manifest', body: manifest(name) }, { name: 'rootfs/' }]));

let alice!: PrivateKey;
let bob!: PrivateKey;
beforeAll(async () => {
  alice = await newKey();
  bob = await newKey({ name: 'Bob' });
});

/** A signed image in a folder of its own. */
async function image(name: string, key: PrivateKey, suffix = '.asc'): Promise<string> {
  const file = join(scratch(), 'app.aci');
  const bytes = aci(name);
  writeFileSync(file, bytes);
  writeFileSync(`${file}${suffix}`, await signed(key, bytes));
  return file;
}

const check = (request: Omit<SignatureRequest, 'now'>) => checkSignature({ now: NOW, ...request });

describe('checkSignature()', () => {
  test.each(['.asc', '.sig'])('finds the signature beside the file, as %s', async (suffix) => {
    const file = await image('example.com/app', alice, suffix);
    const keyring = [trustFolder({ 'alice.gpg': binaryKeys(alice) })];
    expect(await check({ file, keyring })).toMatchObject({
      file,
      signature: `${file}${suffix}`,
      primary: alice.getFingerprint(),
      name: undefined,
    });
  });

  test('takes a signature from elsewhere', async () => {
    const file = await image('example.com/app', alice, '.elsewhere');
    const keyring = [trustFolder({ 'alice.gpg': binaryKeys(alice) })];
    expect(await refusalOf(() => check({ file, keyring }))).toMatchObject({ code: 'signature/missing' });
    expect(await check({ file, keyring, signature: `${file}.elsewhere` })).toMatchObject({
      userId: expect.any(String),
    });
    expect(await refusalOf(() => check({ file, keyring, signature: '/nowhere.asc' }))).toMatchObject({
      code: 'signature/missing',
    });
  });

  test('lets the name in the manifest decide which keys count', async () => {
    const keyring = [
      trustFolder({
        [`prefix.d/example.com/${alice.getFingerprint()}`]: binaryKeys(alice),
        [`root.d/${bob.getFingerprint()}`]: binaryKeys(bob),
      }),
    ];
    expect(await check({ file: await image('example.com/app', alice), keyring })).toMatchObject({
      name: 'example.com/app',
      prefix: 'example.com',
    });
    expect(await check({ file: await image('other.org/app', bob), keyring })).toMatchObject({ prefix: undefined });
    const file = await image('other.org/app', alice);
    expect(await refusalOf(() => check({ file, keyring }))).toMatchObject({ code: 'signature/untrusted' });
    expect(await check({ file, keyring, nameOf: async () => 'example.com' })).toMatchObject({ name: 'example.com' });
  });

  test('does not look into a file whose name does not matter', async () => {
    const file = join(scratch(), 'anything');
    writeFileSync(file, 'not an image');
    writeFileSync(`${file}.asc`, await signed(alice, Buffer.from('not an image')));
    const keyring = [trustFolder({ 'alice.gpg': binaryKeys(alice) })];
    expect(await check({ file, keyring })).toMatchObject({ name: undefined });
    const named = [trustFolder({ [`prefix.d/a/${alice.getFingerprint()}`]: binaryKeys(alice) })];
    expect(await refusalOf(() => check({ file, keyring: named }))).toMatchObject({ code: 'format/unknown' });
  });

  test('refuses a keyring without keys, and asks for one where this machine has none', async () => {
    const file = await image('example.com/app', alice);
    expect(await refusalOf(() => check({ file, keyring: [scratch()] }))).toMatchObject({ code: 'keyring/invalid' });
    const [there, absent] = [scratch(), '/no/such/folder'];
    expect(await keyringsOf([absent, there])).toEqual([there]);
    expect(await refusalOf(() => keyringsOf([absent]))).toMatchObject({
      code: 'usage/option',
      hint: expect.stringContaining(absent),
    });
  });

  test('refuses a signature that is no file, or far too large', async () => {
    const file = await image('example.com/app', alice);
    const keyring = [trustFolder({ 'alice.gpg': binaryKeys(alice) })];
    writeFileSync(`${file}.large`, Buffer.alloc(2 ** 20 + 1));
    for (const signature of ['/dev/null', `${file}.large`])
      expect(await refusalOf(() => check({ file, keyring, signature }))).toMatchObject({ code: 'signature/invalid' });
  });
});

describe('a pod that has to be signed', () => {
  const base = { acKind: 'ImageManifest', acVersion: '0.8.11', name: 'example.com/base' };
  const IMAGES = [runnable({ dependencies: [{ imageName: base.name }] }), { manifest: base }];

  /** @param beside which of its images have a signature */
  async function opened(beside: readonly ('0.aci' | '1.aci')[], required = true): Promise<string | undefined> {
    const { pod, images } = podFiles({}, IMAGES);
    const files = [pod, ...beside.map((name) => join(images, name))];
    for (const file of files) writeFileSync(`${file}.asc`, await signed(alice, readFileSync(file)));
    const trust = { required, keyring: [trustFolder({ 'alice.gpg': binaryKeys(alice) })], now: NOW };
    const error = await refusalOf(async () => (await open(pod, { dependencies: [images], trust })).close());
    return error?.code;
  }

  test('needs a signature of each of its images, and of what these depend on', async () => {
    expect(await opened(['0.aci', '1.aci'])).toBeUndefined();
    expect(await opened(['1.aci'])).toBe('signature/missing');
    expect(await opened(['0.aci'])).toBe('signature/missing');
  });

  test('may have images without one where none is required', async () => {
    expect(await opened([], false)).toBeUndefined();
  });

  test('is refused with an image that was changed, required or not', async () => {
    const { pod, images } = podFiles({});
    writeFileSync(`${pod}.asc`, await signed(alice, readFileSync(pod)));
    writeFileSync(join(images, '0.aci.asc'), await signed(alice, Buffer.from('another')));
    const trust = { required: false, keyring: [trustFolder({ 'alice.gpg': binaryKeys(alice) })], now: NOW };
    const error = await refusalOf(async () => (await open(pod, { dependencies: [images], trust })).close());
    expect(error?.code).toBe('signature/invalid');
  });
});
