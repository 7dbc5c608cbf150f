/** What was verified is what was converted: a file that another process changes in between is refused. */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PrivateKey } from 'openpgp';
import { beforeAll, expect, test } from 'vitest';
import { convert } from '../../converters/index.ts';
import { aciTar, graphImage } from '../../fixtures/aci.ts';
import { scratch } from '../fixtures/peers.ts';
import { binaryKeys, NOW, newKey, signed } from '../formats/openpgp/keys.ts';
import { trustFolder } from '../formats/openpgp/trust.ts';
import { refusalOf } from '../formats/support.ts';

let alice!: PrivateKey;
beforeAll(async () => {
  alice = await newKey();
});

const base = graphImage('base', { rootfs: [{ name: 'lib', body: 'the one' }] });
const other = graphImage('base', { rootfs: [{ name: 'lib', body: 'another' }] });
const app = graphImage('app', { needs: ['base'], rootfs: [{ name: 'bin', body: 'app' }] });

/** Signed files in a folder of their own. */
async function estate() {
  const folder = scratch();
  for (const [name, bytes] of [
    ['base.aci', aciTar(base)],
    ['app.aci', aciTar(app)],
  ] as const) {
    writeFileSync(join(folder, name), bytes);
    writeFileSync(join(folder, `${name}.asc`), await signed(alice, bytes));
  }
  return { at: (name: string) => join(folder, name), keyring: [trustFolder({ 'alice.gpg': binaryKeys(alice) })] };
}

/** Converts the application; `change` is called once, when its first layer is begun. */
async function conversion(source: string, dependency: string, keyring: readonly string[], change: () => void) {
  const out = join(scratch(), 'out');
  let changed = false;
  const progress = (): void => {
    if (!changed) change();
    changed = true;
  };
  const trust = { required: true, keyring, now: NOW };
  const refusal = await refusalOf(() => convert(source, out, { dependencies: [dependency], trust, progress }));
  expect(changed).toBe(true);
  return { refusal, written: existsSync(out) };
}

test('files that stay as they are are converted', async () => {
  const { at, keyring } = await estate();
  expect(await conversion(at('app.aci'), at('base.aci'), keyring, () => {})).toEqual({
    refusal: undefined,
    written: true,
  });
});

test.each(['app.aci', 'base.aci'])('%s is not, when it is written to', async (name) => {
  const { at, keyring } = await estate();
  const change = () => writeFileSync(at(name), aciTar(name === 'app.aci' ? app : base));
  const { refusal, written } = await conversion(at('app.aci'), at('base.aci'), keyring, change);
  expect(refusal).toMatchObject({ code: 'signature/invalid', message: expect.stringContaining('has changed') });
  expect(written).toBe(false);
});

test('nor is one that is replaced', async () => {
  const { at, keyring } = await estate();
  writeFileSync(at('evil'), aciTar(other));
  const change = () => renameSync(at('evil'), at('base.aci'));
  const { refusal, written } = await conversion(at('app.aci'), at('base.aci'), keyring, change);
  expect(refusal?.code).toBe('signature/invalid');
  expect(written).toBe(false);
});
