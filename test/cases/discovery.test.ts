/** `appc:NAME` on the command line. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratch } from '../fixtures/peers.ts';
import { imageBytes } from '../formats/discovery/servers.ts';
import { fileOf, output, refused } from './command.ts';
import { readLayout } from './layout.ts';

test('an image of a folder is found by its name, without a network', () => {
  const folder = scratch();
  writeFileSync(join(folder, 'one'), imageBytes({ name: 'example.com/app', labels: { version: '1.0' } }));
  writeFileSync(join(folder, 'two'), imageBytes({ name: 'example.com/app', labels: { version: '2.0' } }));
  const out = join(folder, 'out');
  const line = output(['convert', '--dep', folder, 'appc:example.com/app:2.0', out]);
  expect(line).toMatch(/^example\.com\/app:2\.0\tsha256:[0-9a-f]{64}\t/);
  expect(readLayout(out)).toHaveLength(1);
});

test.each([
  ['appc:', 2, 'usage/argument'],
  ['appc:Example.com/app', 2, 'usage/argument'],
  ['appc:example.com/app,os', 2, 'usage/argument'],
  ['appc:nowhere.invalid/app', 6, 'network/failed'],
])('%s ends in status %i', (source, status, code) => {
  const out = join(scratch(), 'out');
  expect(refused(['convert', source, out])).toMatchObject({ status, code });
  expect(existsSync(out)).toBe(false);
});

test('a file that needs what is nowhere is told so, and nobody is asked', () => {
  const app = fileOf(imageBytes({ dependencies: [{ imageName: 'nowhere.invalid/base' }] }), 'app.aci');
  expect(refused(['aci2oci', app, join(scratch(), 'out')])).toMatchObject({ status: 4, code: 'appc/dependency' });
});
