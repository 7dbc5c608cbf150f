/** Lists of repositories that say who vouches for each. */
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PrivateKey } from 'openpgp';
import { describe, expect, test } from 'vitest';
import { scratch } from '../../fixtures/peers.ts';
import { newKey } from '../openpgp/keys.ts';
import { codeOf } from '../support.ts';
import { ALL, key, read, repo } from './toys.ts';

describe('listed with what vouches for it', () => {
  const listOf = async (signedBy: string): Promise<string> => {
    const list = join(scratch(), 'toys.sources');
    writeFileSync(list, `Types: deb\nURIs: ${await repo()}\nSuites: stable\nComponents: main\nSigned-By:${signedBy}\n`);
    return list;
  };
  const inStanza = (one: PrivateKey): string =>
    `\n${one
      .toPublic()
      .armor()
      .trim()
      .split(/\r?\n/)
      .map((line) => ` ${line.trim() || '.'}`)
      .join('\n')}`;

  test('in the stanza: that key counts, and no other', async () => {
    expect((await read(await listOf(inStanza(key)), { keyrings: [] })).packages).toBe(ALL);
    expect(await codeOf(async () => read(await listOf(inStanza(await newKey()))))).toBe('signature/untrusted');
    const broken = inStanza(key).replaceAll(/[a-z]/g, 'x');
    expect(await codeOf(async () => read(await listOf(broken)))).toBe('keyring/invalid');
  });

  test('in a pipe, as shells have them for a list that is made on the spot', async () => {
    const pipe = join(scratch(), 'list');
    spawnSync('mkfifo', [pipe]);
    spawn('sh', ['-c', 'cat "$0" > "$1"', await listOf(inStanza(key)), pipe]);
    expect((await read(pipe, { keyrings: [] })).packages).toBe(ALL);
  });

  test('in a file that is not there, or far too long for a list, is refused', async () => {
    expect(await codeOf(() => read(join(scratch(), 'gone.list')))).toBe('source/missing');
    const long = join(scratch(), 'long.list');
    writeFileSync(long, '#'.repeat(2 ** 20 + 1));
    expect(await codeOf(() => read(long))).toBe('size/mismatch');
  });

  test('by its fingerprint: it has to be among those that the user gives', async () => {
    expect((await read(await listOf(` ${key.getFingerprint().toUpperCase()}`))).packages).toBe(ALL);
    const other = (await newKey()).getFingerprint();
    expect(await codeOf(async () => read(await listOf(` ${other}`)))).toBe('usage/argument');
  });
});
