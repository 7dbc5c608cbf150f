/** Where trusted keys come from. */
import { symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { PrivateKey } from 'openpgp';
import { beforeAll, describe, expect, test } from 'vitest';
import { covers, readKeyring } from '../../../formats/openpgp/keyring.ts';
import { contextWith, refusalOf } from '../support.ts';
import { binaryKeys, newKey } from './keys.ts';
import { type Tree, trustFolder } from './trust.ts';

let alice!: PrivateKey;
let bob!: PrivateKey;
beforeAll(async () => {
  alice = await newKey();
  bob = await newKey({ name: 'Bob' });
});

const read = async (...paths: readonly string[]): Promise<readonly (readonly [string, string | undefined])[]> =>
  (await readKeyring(paths, contextWith())).map(({ fingerprint, prefix }) => [fingerprint, prefix] as const);

const armor = (key: PrivateKey): string => key.toPublic().armor();

describe('a keyring', () => {
  test('is a flat folder of keys, armored or binary; what is empty, hidden or in folders is left alone', async () => {
    const root = trustFolder({
      'a.asc': armor(alice),
      'b.gpg': binaryKeys(bob),
      empty: '',
      '.hidden': 'not a key',
      'more/c.asc': armor(alice),
    });
    expect(await read(root)).toEqual([
      [alice.getFingerprint(), undefined],
      [bob.getFingerprint(), undefined],
    ]);
  });

  test('is a file of many keys, binary, armored, or as blocks in a row', async () => {
    const both = [
      [alice.getFingerprint(), undefined],
      [bob.getFingerprint(), undefined],
    ];
    const files = trustFolder({
      'keys.gpg': binaryKeys(alice, bob),
      'keys.asc': `Two keys:\n${armor(alice)}\nand\n${armor(bob)}`.replaceAll('\r\n', '\n'),
    });
    expect(await read(join(files, 'keys.gpg'))).toEqual(both);
    expect(await read(join(files, 'keys.asc'))).toEqual(both);
  });

  test('keeps the public part of a private key', async () => {
    const [key] = await readKeyring([trustFolder({ 'mine.asc': alice.armor() })], contextWith());
    expect(key!.key.isPrivate()).toBe(false);
    expect(key!.userIds).toEqual(['Alice <alice@example.com>']);
  });

  test('is rkt’s folder of trusted keys, for all names and for some', async () => {
    const [a, b] = [alice.getFingerprint(), bob.getFingerprint()];
    const root = trustFolder({
      [`root.d/${a}`]: armor(alice),
      [`prefix.d/example.com/${b}`]: armor(bob),
      [`prefix.d/example.com/app/${a}`]: binaryKeys(alice),
      'README.md': 'not looked at',
    });
    // Fingerprints are different each time, and so is their order among the names of folders.
    const found = await read(root);
    expect(found).toHaveLength(3);
    expect(found).toEqual(
      expect.arrayContaining([
        [b, 'example.com'],
        [a, 'example.com/app'],
        [a, undefined],
      ]),
    );
  });

  test('that comes first masks keys of one that comes later, by an empty file', async () => {
    const [a, b] = [alice.getFingerprint(), bob.getFingerprint()];
    const etc = trustFolder({ [`root.d/${a}`]: '', [`prefix.d/example.com/${b}`]: armor(bob) });
    const usr = trustFolder({
      [`root.d/${a}`]: armor(alice),
      [`root.d/${b}`]: armor(bob),
      [`prefix.d/example.com/${b}`]: armor(bob),
    });
    expect(await read(etc, usr)).toEqual([
      [b, 'example.com'],
      [b, undefined],
    ]);
    expect(await read(usr, etc)).toHaveLength(3);
  });

  test('may be empty, which its user judges', async () => {
    expect(await read(trustFolder({}))).toEqual([]);
  });
});

describe('refused is a keyring with', () => {
  test.each<readonly [string, (a: string) => Tree]>([
    ['a file that is no key', () => ({ 'a.asc': 'not a key' })],
    ['a key that is cut off', () => ({ 'a.asc': armor(alice).slice(0, 200) })],
    ['a packet that is no key', () => ({ 'a.gpg': Uint8Array.of(0xc2, 1, 4) })],
    [
      'GnuPG’s database',
      () => ({ 'pubring.kbx': Buffer.concat([Buffer.from('\0\0\0\x20\x01\x01\0\x02KBXf'), Buffer.alloc(40)]) }),
    ],
    ['a file whose key is another', () => ({ [`root.d/${bob.getFingerprint()}`]: armor(alice) })],
    ['a file of two keys where one belongs', (a) => ({ [`root.d/${a}`]: binaryKeys(alice, bob) })],
    ['a name that is no fingerprint', () => ({ 'root.d/alice.asc': armor(alice) })],
    ['a fingerprint in capitals', (a) => ({ [`root.d/${a.toUpperCase()}`]: armor(alice) })],
    ['a name below root.d', (a) => ({ [`root.d/example.com/${a}`]: armor(alice) })],
    ['no name below prefix.d', (a) => ({ [`prefix.d/${a}`]: armor(alice) })],
  ])('%s', async (_, tree) => {
    const root = trustFolder(tree(alice.getFingerprint()));
    expect(await refusalOf(() => read(root))).toMatchObject({
      code: 'keyring/invalid',
      at: [root, expect.any(String)],
    });
  });

  test('a link that leads out of it, or nowhere', async () => {
    const outside = trustFolder({ 'alice.asc': armor(alice) });
    for (const [target, code] of [
      [join(outside, 'alice.asc'), 'path/escape'],
      ['/dev/zero', 'path/escape'],
      ['nowhere', 'keyring/invalid'],
    ] as const) {
      const root = trustFolder({ 'bob.asc': armor(bob) });
      symlinkSync(target, join(root, 'link.asc'));
      expect(await refusalOf(() => read(root))).toMatchObject({ code });
    }
    const root = trustFolder({ 'bob.asc': armor(bob) });
    symlinkSync('bob.asc', join(root, 'also-bob.asc'));
    symlinkSync(outside, join(root, 'folder'));
    expect(await refusalOf(() => read(root))).toMatchObject({ code: 'path/escape' });
  });

  test('more than anybody has', async () => {
    const large = trustFolder({ 'a.gpg': 'x' });
    truncateSync(join(large, 'a.gpg'), 17 * 2 ** 20);
    for (const path of [large, join(large, 'a.gpg')])
      expect(await refusalOf(() => read(path))).toMatchObject({ code: 'keyring/invalid' });
    const many = trustFolder(Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`${i}`, ''])));
    expect(await refusalOf(() => read(many))).toMatchObject({ code: 'limit/members' });
    expect(await refusalOf(() => read(join(many, 'nothing')))).toMatchObject({ code: 'source/missing' });
  });
});

test('a prefix covers its name and those below it', () => {
  expect(covers(undefined, undefined)).toBe(true);
  expect(covers('example.com', 'example.com')).toBe(true);
  expect(covers('example.com', 'example.com/app')).toBe(true);
  expect(covers('example.com', 'example.company')).toBe(false);
  expect(covers('example.com/app', 'example.com')).toBe(false);
  expect(covers('example.com', undefined)).toBe(false);
});
