/** A lock file is for what may be another thing tomorrow. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { deb } from '../../fixtures/deb.ts';
import { scratch } from '../fixtures/peers.ts';
import { ocix } from './command.ts';

test.each([['deb2oci'], ['convert'], ['inspect']])('%s refuses --lock for files', (command) => {
  const folder = scratch();
  const path = join(folder, 'toy.deb');
  const lock = join(folder, 'ocix.lock.json');
  const out = join(folder, 'out');
  writeFileSync(path, deb({ fields: { Package: 'toy' } }));
  const run = ocix([command, path, ...(command === 'inspect' ? [] : [out]), '--lock', lock]);
  expect([run.status, existsSync(out), existsSync(lock)]).toEqual([2, false, false]);
  expect(run.stderr).toContain('usage/option');
});
