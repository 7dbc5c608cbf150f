/** That the watch over what runs write would see something. */

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { windowsImage } from '../../fixtures/images.ts';
import { scratch } from '../fixtures/peers.ts';
import { ended, fileOf, ocix, ocixStarted } from './command.ts';

const args = (...to: readonly string[]): readonly string[] => [
  'convert',
  '-q',
  ...to,
  fileOf(dockerSave(windowsImage(), { generation: '1.10' }), 'in.tar'),
];
const inherited = ['oci/manifest-nondistributable'] as const;

test.each([[], ['--to', 'oci-archive']])(
  'a run fails whose output breaks a rule that the test does not name',
  (...to) => {
    const out = join(scratch(), 'out');
    expect(() => ocix([...args(...to), out])).toThrow(
      '/out: what it wrote is not sound:\n  oci/manifest-nondistributable: ',
    );
    expect(ocix([...args(...to), '--force', out], { inherited }).status).toBe(0);
  },
);

test('so does one that writes into the folder it starts in, and one that is not waited for', async () => {
  expect(() => ocix(['docker2oci', ...args().slice(1)], { cwd: scratch() })).toThrow('is not sound');
  await expect(ended(ocixStarted([...args(), join(scratch(), 'out')]))).rejects.toThrow('is not sound');
});
