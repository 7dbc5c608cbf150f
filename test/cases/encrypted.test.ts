/** App Container Images that are encrypted with a passphrase, alone and as what others depend on. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMessage, encrypt } from 'openpgp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aciTar, graphImage } from '../../fixtures/aci.ts';
import { scratch } from '../fixtures/peers.ts';
import { output, refused } from './command.ts';
import { readLayout } from './layout.ts';

const PASSPHRASE = 'correct hörse';

const locked = async (bytes: Uint8Array): Promise<Uint8Array> =>
  encrypt({
    message: await createMessage({ binary: new Uint8Array(bytes), format: 'binary' }),
    passwords: PASSPHRASE,
    format: 'binary',
  });

const base = graphImage('base', { rootfs: [{ name: 'lib', body: 'base' }] });
const app = graphImage('app', { needs: ['base'], rootfs: [{ name: 'bin', body: 'app' }] });

const folder = mkdtempSync(join(tmpdir(), 'ocix-test-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const right = ['--passphrase-file', at('passphrase')];

beforeAll(async () => {
  writeFileSync(at('passphrase'), `${PASSPHRASE}\n`);
  writeFileSync(at('other'), 'another\n');
  writeFileSync(at('base.aci.aes'), await locked(aciTar(base)));
  writeFileSync(at('app.aci'), aciTar(app));
  mkdirSync(at('images'));
  writeFileSync(at('images/base.aci.aes'), await locked(aciTar(base)));
});

describe('an encrypted image', () => {
  test('is read with its passphrase', () => {
    const out = join(scratch(), 'out');
    output(['aci2oci', '-q', at('base.aci.aes'), out, ...right]);
    expect(readLayout(out).map(({ name }) => name)).toEqual(['example.com/base']);
    expect(output(['ls', `oci:${out}`])).toContain('lib');
  });

  test.each([
    ['without one', []],
    ['with another', ['--passphrase-file', at('other')]],
  ])('is refused %s, and nothing is written', (_, options) => {
    const out = join(scratch(), 'out');
    const { status, code } = refused(['aci2oci', at('base.aci.aes'), out, ...options]);
    expect(status).toBe(4);
    expect(existsSync(out)).toBe(false);
    expect(code).toBe('encryption/passphrase');
  });
});

describe('an encrypted image that another depends on', () => {
  test.each(['images', 'images/base.aci.aes'])('is found in %s with its passphrase', (place) => {
    const out = join(scratch(), 'out');
    output(['aci2oci', '-q', at('app.aci'), out, '--dep', at(place), ...right]);
    const tree = output(['ls', `oci:${out}`]);
    expect(tree).toContain('lib');
    expect(tree).toContain('bin');
  });

  test('is told, where the passphrase is missing', () => {
    const out = join(scratch(), 'out');
    const { status, code, lines } = refused(['aci2oci', at('app.aci'), out, '--dep', at('images')]);
    expect(status).toBe(4);
    expect(existsSync(out)).toBe(false);
    expect(code).toBe('appc/dependency');
    expect(lines.join('\n')).toMatch(/0 images, and 1 encrypted file\b/);
  });

  test('is refused as a file of its own, where the passphrase is missing', () => {
    const out = join(scratch(), 'out');
    const { status, code } = refused(['aci2oci', at('app.aci'), out, '--dep', at('images/base.aci.aes')]);
    expect(status).toBe(4);
    expect(existsSync(out)).toBe(false);
    expect(code).toBe('encryption/passphrase');
  });

  test('is found in an estate, which has one passphrase', () => {
    const out = join(scratch(), 'out');
    writeFileSync(at('images/app.aci'), aciTar(app));
    output(['migrate', '-q', at('images'), out, ...right]);
    expect(
      readLayout(out)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['example.com/app', 'example.com/base']);
  });
});
