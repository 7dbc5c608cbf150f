/** What is decided about packages is said and written down by whoever looks at them too. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratch } from '../fixtures/peers.ts';
import { keyring, repo } from '../formats/apt/toys.ts';
import { ocix } from './command.ts';

test.each([['inspect'], ['ls'], ['runtime-config']])(
  '%s writes --lock, and says what --explain asks',
  async (command) => {
    const lock = join(scratch(), 'ocix.lock.json');
    const options = ['--apt-repo', await repo(), '--apt-keyring', keyring(), '--exec', '/usr/app'];
    const run = ocix([command, 'apt:stable/app', ...options, '--lock', lock, '--explain', 'lib']);
    expect(run).toMatchObject({ status: 0, stderr: expect.stringMatching(/app\b.*\n.*lib\b/) });
    expect(readFileSync(lock, 'utf8')).toContain('"lib"');
  },
);

test('a lock that cannot be written is told', async () => {
  const lock = join(scratch(), 'nowhere', 'ocix.lock.json');
  const options = ['--apt-repo', await repo(), '--apt-keyring', keyring(), '--lock', lock];
  const run = ocix(['inspect', 'apt:stable/app', ...options]);
  expect([run.status, run.stdout, existsSync(lock)]).toEqual([7, '', false]);
});
