/** `--sign-key`: a signature beside an image, by a key that the user gives. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as openpgp from 'openpgp';
import { describe, expect, test } from 'vitest';
import { accepted } from '../converters/targets/aci-images.ts';
import { gpgHome } from '../fixtures/gpg.ts';
import { scratch, withPeer } from '../fixtures/peers.ts';
import { newKey } from '../formats/openpgp/keys.ts';
import { greetingFile, ocix, output, refusalOf } from './command.ts';

const signing = (key: string, out: string, ...more: readonly string[]): readonly string[] => [
  ...['convert', '-q', '--to', 'aci', '--sign-key', key, ...more, greetingFile(), out],
];

describe('--sign-key', () => {
  withPeer('gpg')('makes a signature that gpg and verify accept, over an image that actool accepts', async () => {
    const folder = scratch();
    const at = (name: string): string => join(folder, name);
    const gpg = gpgHome();
    try {
      const fingerprint = gpg.key('Signer', 'ed25519');
      writeFileSync(at('secret.gpg'), gpg.run(['--export-secret-keys', fingerprint]));
      writeFileSync(at('secret.asc'), gpg.run(['--armor', '--export-secret-keys', fingerprint]));
      writeFileSync(at('public.asc'), gpg.run(['--armor', '--export', fingerprint]));
      for (const key of ['secret.gpg', 'secret.asc']) {
        const out = at(`${key}.aci`);
        output(signing(at(key), out));
        accepted(out);
        const said = gpg.run(['--status-fd', '1', '--verify', `${out}.asc`, out], { at: '20361121T000000' }).toString();
        expect(said).toContain(`VALIDSIG ${fingerprint.toUpperCase()}`);
        expect(output(['verify', '-q', '--keyring', at('public.asc'), out])).toContain('good, signed by Signer');
      }
    } finally {
      gpg.remove();
    }
  });

  test('takes a locked key with its passphrase, and no other way', async () => {
    const folder = scratch();
    const at = (name: string): string => join(folder, name);
    const key = await openpgp.encryptKey({ privateKey: await newKey(), passphrase: 'open sesame' });
    writeFileSync(at('locked.asc'), key.armor());
    writeFileSync(at('right'), 'open sesame\n');
    writeFileSync(at('wrong'), 'open barley\n');
    expect(refusalOf(ocix(signing(at('locked.asc'), at('a.aci')))).code).toBe('encryption/passphrase');
    expect(refusalOf(ocix(signing(at('locked.asc'), at('a.aci'), '--passphrase-file', at('wrong')))).code).toBe(
      'encryption/passphrase',
    );
    expect(readdirSync(folder).sort()).toEqual(['locked.asc', 'right', 'wrong']);
    output(signing(at('locked.asc'), at('a.aci'), '--passphrase-file', at('right')));
    expect(readdirSync(folder)).toContain('a.aci.asc');
  });

  test('refuses a key that is not there, or is none, before anything is written', () => {
    const folder = scratch();
    writeFileSync(join(folder, 'text'), 'no key at all');
    writeFileSync(join(folder, 'empty'), '');
    expect(refusalOf(ocix(signing(join(folder, 'absent'), join(folder, 'a.aci')))).code).toBe('source/missing');
    for (const name of ['text', 'empty'])
      expect(refusalOf(ocix(signing(join(folder, name), join(folder, 'a.aci')))).code).toBe('keyring/invalid');
    expect(readdirSync(folder).sort()).toEqual(['empty', 'text']);
  });

  test('writes over neither an image nor a signature, unless that is asked for', async () => {
    const folder = scratch();
    const at = (name: string): string => join(folder, name);
    writeFileSync(at('secret.asc'), (await newKey()).armor());
    writeFileSync(at('keys.asc'), (await newKey()).toPublic().armor());
    output(signing(at('secret.asc'), at('a.aci')));
    for (let i = 0; i < 2; i++)
      expect(refusalOf(ocix(signing(at('secret.asc'), at('a.aci')))).code).toBe('output/exists');
    output(signing(at('secret.asc'), at('a.aci'), '--force'));
    expect(readdirSync(folder).sort()).toEqual(['a.aci', 'a.aci.asc', 'keys.asc', 'secret.asc']);
    // By another key than the one that is trusted.
    expect(ocix(['verify', '-q', '--keyring', at('keys.asc'), at('a.aci')]).status).toBe(8);
  });
});
