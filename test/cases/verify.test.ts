/** `ocix verify` as a user runs it. */
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PrivateKey } from 'openpgp';
import { beforeAll, describe, expect, test } from 'vitest';
import { tar } from '../../fixtures/tar.ts';
import { scratch } from '../fixtures/peers.ts';
import { binaryKeys, newKey, signed } from '../formats/openpgp/keys.ts';
import { trustFolder } from '../formats/openpgp/trust.ts';
import { greetingFile, ocix, output, refused } from './command.ts';

const ROOT = join(import.meta.dirname, '../..');
const image = tar([{ name: 'manifest', body: Buffer.from('{"name":"example.com/app"}') }, { name: 'rootfs/' }]);
let alice!: PrivateKey;
beforeAll(async () => {
  alice = await newKey({ name: 'Alice\u001b[2J' });
});

async function signedImage(bytes: Uint8Array = image): Promise<{ readonly file: string; readonly keyring: string }> {
  const file = join(scratch(), 'app.aci');
  writeFileSync(file, bytes);
  writeFileSync(`${file}.asc`, await signed(alice, image));
  return { file, keyring: trustFolder({ 'alice.gpg': binaryKeys(alice) }) };
}

describe('verify', () => {
  test('says in one line who vouches for the file, and lets no name move the cursor', async () => {
    const { file, keyring } = await signedImage();
    const { status, stdout, stderr } = ocix(['verify', file, '--keyring', keyring]);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toBe(
      `${file}: good, signed by Alice\\x1b[2J <alicej@example.com> (${alice.getFingerprint()}) on 2026-06-01\n`,
    );
  });

  test('ends in 8 and three lines where the file is another', async () => {
    const { file, keyring } = await signedImage(Buffer.concat([image, Buffer.alloc(512)]));
    const { status, code, lines, stdout } = refused(['verify', file, '--keyring', keyring]);
    expect({ status, code, stdout }).toEqual({ status: 8, code: 'signature/invalid', stdout: '' });
    expect(lines).toHaveLength(3);
  });

  test('prints one JSON document either way', async () => {
    const good = await signedImage();
    expect(JSON.parse(output(['verify', '--json', good.file, '--keyring', good.keyring]))).toMatchObject({
      verified: true,
      fingerprint: alice.getFingerprint(),
      weak: [],
    });
    const bad = await signedImage(Buffer.alloc(1024));
    const { status, stdout } = ocix(['verify', '--json', bad.file, '--keyring', bad.keyring]);
    expect(status).toBe(8);
    expect(JSON.parse(stdout)).toMatchObject({ verified: false, error: { code: 'signature/invalid' } });
  });

  test('takes weak signatures where it is told to, and says so', async () => {
    const key = await newKey({ name: 'Old', type: 'rsa', rsaBits: 1024 });
    const { file } = await signedImage();
    writeFileSync(`${file}.asc`, await signed(key, image));
    const args = ['verify', file, '--keyring', trustFolder({ 'old.gpg': binaryKeys(key) })];
    expect(refused(args)).toMatchObject({ status: 8, code: 'signature/weak' });
    expect(output([...args, '--allow-weak-signatures'])).toMatch(/; weak: RSA-1024\n$/);
  });

  test('ends in 2, 3 or 4 where nobody can say', async () => {
    const { file, keyring } = await signedImage();
    expect(refused(['verify', join(keyring, 'absent'), '--keyring', keyring])).toMatchObject({
      status: 2,
      code: 'source/missing',
    });
    expect(refused(['verify', file, '--keyring', scratch()])).toMatchObject({ status: 4, code: 'keyring/invalid' });
    const named = trustFolder({ [`prefix.d/a/${alice.getFingerprint()}`]: binaryKeys(alice) });
    writeFileSync(file, 'not an image at all');
    expect(refused(['verify', file, '--keyring', named])).toMatchObject({ status: 3, code: 'format/unknown' });
  });
});

describe('the OpenPGP library', () => {
  test('is no part of the bundle', () => {
    const scripts = readdirSync(join(ROOT, 'dist')).filter((name) => name.endsWith('.js'));
    for (const name of scripts) expect(readFileSync(join(ROOT, 'dist', name), 'utf8')).not.toContain('OpenPGP.js v');
    expect(readFileSync(join(ROOT, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8')).not.toContain('openpgp');
  });

  test('is loaded by verify, and by nothing else', async () => {
    const folder = scratch();
    const hooks = `export const resolve = (name, context, next) => {
      if (name === 'openpgp') process._rawDebug('loaded openpgp');
      return next(name, context);
    };`;
    const loader = `import { register } from 'node:module'; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});`;
    writeFileSync(join(folder, 'watch.mjs'), loader);
    const env = { NODE_OPTIONS: `--import ${join(folder, 'watch.mjs')}` };
    const { file, keyring } = await signedImage();
    expect(ocix(['verify', file, '--keyring', keyring], { env }).stderr).toContain('loaded openpgp');
    const archive = greetingFile();
    for (const args of [
      ['--version'],
      ['--help'],
      ['inspect', archive],
      ['convert', '-q', archive, join(folder, 'out')],
    ])
      expect(ocix(args, { env }).stderr).not.toContain('loaded openpgp');
  });
});

test('a pipe is not verified, since whoever reads it next may get something else', async () => {
  const { file, keyring } = await signedImage();
  const pipe = join(scratch(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const writer = spawn('sh', ['-c', 'cat "$0" > "$1"; cat "$0" > "$1"', file, pipe], { stdio: 'ignore' });
  const signature = `${file}.asc`;
  const args = ['--keyring', keyring, '--require-signature', '--signature', signature];
  expect(refused(['convert', pipe, join(scratch(), 'out'), ...args])).toMatchObject({ code: 'source/unreadable' });
  writer.kill('SIGKILL');
});

test('a folder or a store is not signed: refused where a signature is required, and read where it is not', async () => {
  const { keyring } = await signedImage();
  const store = join(scratch(), 'layout');
  expect(ocix(['convert', '-q', greetingFile(), store]).status).toBe(0);
  const out = join(scratch(), 'out');
  expect(refused(['convert', store, out, '--keyring', keyring, '--require-signature'])).toMatchObject({ status: 2 });
  expect(ocix(['convert', '-q', store, out, '--keyring', keyring]).status).toBe(0);
});
