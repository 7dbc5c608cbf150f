/** Layers that lead out of the root, or make it another: nothing is unpacked here, but the merged tree must show what stays inside. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TarEntry } from '../../fixtures/tar.ts';
import { fileOf, ocix } from '../cases/command.ts';
import { readLayout } from '../cases/layout.ts';
import { scratch } from '../fixtures/peers.ts';
import { expectRefused, imageOf, listed, SOON } from './attack.ts';

const pathsOf = (...layers: readonly (readonly TarEntry[])[]): readonly string[] => [
  ...listed(imageOf(...layers)).keys(),
];

describe('CVE-2016-7569: .. in the names of a layer’s entries led docker2aci out of its folder', () => {
  const entries = [
    { name: '../../../../ocix-evil', body: 'x' },
    { name: '/absolute', body: 'x' },
    { name: 'a/../../../b', body: 'x' },
  ];

  test('such names stay inside the root', () => {
    expect(pathsOf(entries)).toEqual(['absolute', 'b', 'ocix-evil']);
  });

  test('converting passes the layer bit for bit and makes nothing outside the layout', () => {
    const folder = scratch();
    const out = join(folder, 'deep/er');
    const run = ocix(['convert', '-q', fileOf(imageOf(entries)), join(folder, 'out')], {
      inherited: ['layer/name-climbs', 'layer/name-absolute'],
    });
    expect(run.status).toBe(0);
    expect(run.milliseconds).toBeLessThan(SOON);
    expect(readLayout(join(folder, 'out'))[0]!.layers).toHaveLength(1);
    expect([existsSync('/ocix-evil'), existsSync(out), existsSync('/absolute')]).toEqual([false, false, false]);
  });
});

describe('CVE-2021-29136: a layer that replaced the root itself', () => {
  const kinds: Readonly<Record<string, Partial<TarEntry>>> = {
    symlink: { type: '2', link: '/etc' },
    file: { type: '0', body: 'x' },
    device: { type: '3', major: 1, minor: 3 },
    pipe: { type: '6' },
  };
  test.each(Object.keys(kinds))('the root as a %s is refused, however it is written', (kind) => {
    for (const name of ['.', './', '/', '././.', 'a/..']) {
      expectRefused({ bytes: imageOf([{ name, ...kinds[kind] }]), code: 'path/root', commands: ['ls'] });
    }
  });
  test('the root as a folder has its mode and owner', () => {
    expect(listed(imageOf([{ name: './', mode: 0o700, uid: 5 }])).get('.')).toMatchObject({ mode: '0700', uid: 5 });
  });
});

describe('CVE-2018-20834, CVE-2024-12905, CVE-2025-48387: links that led extractors out of the root', () => {
  test.each(['/etc/passwd', '../../../../etc/passwd', 'nothing'])(
    'a hard link to %s of the host is refused',
    (link) => {
      expectRefused({ bytes: imageOf([{ name: 'x', type: '1', link }]), code: 'path/link', commands: ['ls'] });
    },
  );

  test.each([
    ['an absolute symlink', '/tmp/inside'],
    ['one that climbs', '../../../../tmp/inside'],
  ])('%s with a file behind it stays inside the root', (_, link) => {
    const tree = [{ name: 'tmp/inside/' }, { name: 'way', link }, { name: 'way/evil', body: 'x' }];
    expect(pathsOf(tree)).toEqual(['tmp', 'tmp/inside', 'tmp/inside/evil', 'way']);
  });

  test('a hard link to a symlink is that symlink, not what it points to', () => {
    const tree = listed(
      imageOf([
        { name: 'way', link: '/etc/shadow' },
        { name: 'copy', type: '1', link: 'way' },
      ]),
    );
    expect([...tree.values()].map(({ type, link }) => [type, link])).toEqual([
      ['symlink', '/etc/shadow'],
      ['hardlink', 'copy'],
    ]);
  });

  test('a hard link to a folder is refused', () => {
    expectRefused({
      bytes: imageOf([{ name: 'd/' }, { name: 'x', type: '1', link: 'd' }]),
      code: 'path/link',
      commands: ['ls'],
    });
  });
});

describe('CVE-2025-45582: the first archive lays the symlink, the second goes through it', () => {
  test('a symlink of one layer does not lead the next one out of the root', () => {
    const first = [
      { name: 'way', link: '../../../..' },
      { name: 'to', link: '/' },
    ];
    const second = [
      { name: 'way/evil', body: 'x' },
      { name: 'to/evil2', body: 'x' },
    ];
    expect(pathsOf(first, second)).toEqual(['evil', 'evil2', 'to', 'way']);
  });

  test('whiteouts behind a symlink hide only what is inside the root', () => {
    const first = [
      { name: 'keep/file', body: 'x' },
      { name: 'way', link: '../keep' },
    ];
    expect(pathsOf(first, [{ name: 'way/.wh.file' }])).not.toContain('keep/file');
    for (const name of ['.wh.', '.wh..', '.wh...', 'a/.wh...'])
      expectRefused({ bytes: imageOf(first, [{ name }]), code: 'path/invalid', commands: ['ls'] });
  });

  test('symlinks that lead to each other end in a refusal', () => {
    const loop = [
      { name: 'a', link: 'b' },
      { name: 'b', link: 'a' },
      { name: 'a/x', body: '' },
    ];
    expectRefused({ bytes: imageOf(loop), code: 'path/link', commands: ['ls'] });
  });
});

describe('CVE-2024-28863: folders as deep as they like', () => {
  test('a path of five thousand folders is listed soon', () => {
    const name = `${'d/'.repeat(5000)}end`;
    expect(listed(imageOf([{ name, body: 'x' }])).get(name)).toMatchObject({ type: 'file', size: 1 });
  });
});

describe('CVE-2021-37713, CVE-2026-23950: names that some file systems take for one', () => {
  test('capitals, ß and the two forms of é are different names, and each keeps what it is', () => {
    const tree = listed(
      imageOf([
        { name: 'A', link: '/etc' },
        { name: 'a', body: 'file' },
        { name: 'ß', link: '/etc' },
        { name: 'ss', body: 'file' },
        { name: '\u00e9', link: '/etc' },
        { name: 'e\u0301', body: 'file' },
      ]),
    );
    expect(tree.size).toBe(6);
    expect(['a', 'ss', 'e\u0301'].map((name) => tree.get(name)?.['type'])).toEqual(['file', 'file', 'file']);
    expect(['A', 'ß', '\u00e9'].map((name) => tree.get(name)?.['type'])).toEqual(['symlink', 'symlink', 'symlink']);
  });
});
