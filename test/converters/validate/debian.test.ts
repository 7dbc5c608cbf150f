/** Rules of Debian packages, each broken once in a package that is sound otherwise. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type RuleId, validate } from '../../../converters/index.ts';
import { type ArPart, ar, controlTar, type DebRecipe, dataTar, deb } from '../../../fixtures/deb.ts';
import { type TarEntry, tar } from '../../../fixtures/tar.ts';
import { codeOf } from '../../formats/support.ts';
import { expectUnconditional, fileWith, placesOf, rulesIn } from './inputs.ts';

const SUM = '9dd4e461268c8034f5c8564e155c67a6'; // of x

const sound: DebRecipe = {
  fields: { Depends: 'libc6 (>= 2.36) | libc (= 1), b:any', Provides: 'p (= 1), q', Conflicts: 'c (<< 2)' },
  files: { postinst: '#!/bin/sh\n', md5sums: `${SUM}  usr/x\n`, conffiles: '/etc/x\nremove-on-upgrade /etc/old\n' },
  data: { 'usr/x': 'x', 'etc/x': 'y' },
  entries: [{ name: './usr/same', type: '1', link: './usr/x' }],
};

const file = (bytes: Uint8Array): string => fileWith(bytes, 'toy.deb');
const of = (more: DebRecipe) => validate(file(deb({ ...sound, ...more })));

const CONTROL_TEXT = 'Package: aa\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n';

const VERSION: ArPart = { name: 'debian-binary', body: '2.0\n' };
const CONTROL: ArPart = { name: 'control.tar.gz', body: gzipSync(controlTar(sound)) };
const DATA: ArPart = { name: 'data.tar.gz', body: gzipSync(dataTar(sound)) };
const made = (...parts: readonly ArPart[]) => validate(file(ar(parts)));

test('a sound package has no finding', async () => {
  const found = await of({});
  expectUnconditional(found);
  expect(found).toMatchObject({ format: 'deb', title: 'Debian package', findings: [] });
  expect(rulesIn(await made(VERSION, CONTROL, DATA, { name: '_gpgorigin', body: 'x' }))).toEqual([]);
});

test.each<readonly [RuleId, string, readonly ArPart[]]>([
  ['deb/ar', 'a member that is cut off', [VERSION, CONTROL, { ...DATA, size: '999999' }]],
  ['deb/ar', 'what is no header behind the data', [VERSION, CONTROL, DATA, { name: 'junk', body: 'x', mark: '??' }]],
  ['deb/format', 'another major version', [{ name: 'debian-binary', body: '3.0\n' }, CONTROL, DATA]],
  ['deb/members', 'the other order', [VERSION, DATA, CONTROL]],
  ['deb/members', 'a member between', [VERSION, CONTROL, { name: 'extra', body: 'x' }, DATA]],
  ['deb/members', 'no data', [VERSION, CONTROL]],
  ['deb/compression', 'another compression than its name says', [VERSION, CONTROL, { ...DATA, name: 'data.tar.xz' }]],
  [
    'deb/compression',
    'compressed data that is cut off',
    [VERSION, CONTROL, { name: 'data.tar.gz', body: gzipSync(dataTar(sound)).subarray(0, 80) }],
  ],
  ['deb/tar', 'a tar that is cut off', [VERSION, CONTROL, { name: 'data.tar', body: dataTar(sound).subarray(0, 700) }]],
  ['deb/control-missing', 'no control file', [VERSION, { name: 'control.tar', body: tar([{ name: './' }]) }, DATA]],
  [
    'deb/control-entries',
    'a file below a folder',
    [VERSION, { name: 'control.tar', body: controlTar({ ...sound, files: { ...sound.files, 'd/x': '' } }) }, DATA],
  ],
])('breaks %s by %s', async (rule, _, parts) => {
  expect(rulesIn(await made(...parts))).toEqual([rule]);
});

test('the format before 1995 is noted', async () => {
  const control = gzipSync(controlTar(sound));
  const old = Buffer.concat([Buffer.from(`0.939000\n${control.length}\n`), control, gzipSync(dataTar(sound))]);
  expect(rulesIn(await validate(file(old)))).toEqual(['deb/format-old']);
});

test.each<readonly [RuleId, DebRecipe]>([
  ['deb/control-form', { control: 'Package: a\nPackage: b\n' }],
  ['deb/control-fields', { fields: { Version: undefined } }],
  ['deb/control-fields', { fields: { Package: '../x' } }],
  ['deb/control-fields', { fields: { Architecture: 'amd64 i386' } }],
  ['deb/control-about', { fields: { Maintainer: undefined } }],
  ['deb/name', { fields: { Package: 'Toy_x' } }],
  ['deb/version', { fields: { Version: '1:' } }],
  ['deb/version-digit', { fields: { Version: 'v1' } }],
  ['deb/relations', { fields: { Depends: 'a (>= 1' } }],
  ['deb/relations', { fields: { Conflicts: 'a | b' } }],
  ['deb/relations', { fields: { Provides: 'a (>= 1)' } }],
  ['deb/relations-obsolete', { fields: { Depends: 'a (< 1)' } }],
  ['deb/scripts', { files: { postinst: 'echo' } }],
  ['deb/md5sums', { files: { md5sums: `${SUM}  /usr/x\n` } }],
  ['deb/md5sums', { files: { md5sums: `${SUM}  usr/none\n` } }],
  ['deb/md5sums', { files: { md5sums: `${SUM}  etc/x\n` } }],
  ['deb/conffiles', { files: { conffiles: '/etc/none\n' } }],
  ['deb/conffiles', { files: { conffiles: 'etc/x\n' } }],
  ['deb/conffiles', { files: { conffiles: '/etc/x\n/etc/x\n' } }],
  ['deb/conffiles', { files: { conffiles: '/usr\n' } }],
  ['deb/conffiles', { files: { conffiles: '/etc/x' } }],
  ['deb/relations', { fields: { Depends: 'a,, b' } }],
  ['deb/relations', { fields: { Breaks: 'a,' } }],
  ['deb/relations', { fields: { Depends: 'a [amd64]' } }],
  ['deb/relations', { fields: { Depends: 'a (>= 1) [amd64]' } }],
  ['deb/relations', { fields: { Depends: 'a | b <!nocheck>' } }],
  ['deb/control-fields', { fields: { Essential: 'true' } }],
  ['deb/control-fields', { fields: { Protected: '1' } }],
  ['deb/control-fields', { fields: { 'Multi-Arch': 'maybe' } }],
  ['deb/control-fields', { fields: { 'Multi-Arch': 'same', Architecture: 'all' } }],
])('breaks %s with %j', async (rule, more) => {
  expect(rulesIn(await of(more))).toEqual([rule]);
});

test('words of fields are taken in any case, and fields without a value', async () => {
  const fields = { Essential: 'YES', 'Multi-Arch': 'Foreign', Homepage: '', Suggests: '' };
  expect(rulesIn(await of({ fields }))).toEqual([]);
});

test.each<readonly [RuleId, string, readonly TarEntry[]]>([
  ['deb/control-form', 'without the end of its last line', [{ name: './control', body: CONTROL_TEXT.trimEnd() }]],
  [
    'deb/control-entries',
    'beside another one',
    [
      { name: './control', body: CONTROL_TEXT },
      { name: './control', body: CONTROL_TEXT },
    ],
  ],
])('breaks %s by a control file %s', async (rule, _, files) => {
  expect(rulesIn(await made(VERSION, { name: 'control.tar', body: tar(files) }, DATA))).toEqual([rule]);
});

test('text that is no UTF-8 breaks deb/control-text', async () => {
  const control = Buffer.from(
    'Package: aa\nVersion: 1\nArchitecture: all\nMaintainer: J\xfcrgen\nDescription: x\n',
    'latin1',
  );
  const body = tar([{ name: './control', body: control }]);
  const found = await made(VERSION, { name: 'control.tar', body }, DATA);
  expect(rulesIn(found)).toEqual<RuleId[]>(['deb/control-text']);
});

test('a script that cannot be run breaks deb/scripts', async () => {
  const body = tar([
    { name: './control', body: 'Package: aa\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n' },
    { name: './prerm', body: '#!/bin/sh\n', mode: 0o644 },
  ]);
  const found = await made(VERSION, { name: 'control.tar', body }, DATA);
  expect(placesOf(found, 'deb/scripts')).toEqual(['control.tar > prerm']);
});

test.each<readonly [RuleId, string, TarEntry]>([
  ['deb/data-path', 'a path that climbs', { name: './../x', body: '' }],
  ['deb/data-path', 'an absolute path', { name: '/x', body: '' }],
  ['deb/data-duplicate', 'a path twice', { name: 'usr/x', body: 'x' }],
  ['deb/data-link', 'a hard link that leads nowhere', { name: './h', type: '1', link: './none' }],
  ['deb/data-device', 'a device', { name: './d', type: '3', major: 1, minor: 3 }],
  ['deb/tar-dialect', 'a header of pax', { name: './x', body: '', dialect: 'pax', pax: [['comment', 'x']] }],
  ['deb/tar-portable', 'an entry of an unknown type', { name: './q', type: 'Q', body: '' }],
])('breaks %s by %s', async (rule, _, entry) => {
  expect(rulesIn(await of({ entries: [entry] }))).toEqual([rule]);
});

describe('what is hostile', () => {
  test('costs no more than the limits', async () => {
    const path = file(deb({ ...sound, files: { ...sound.files, templates: Buffer.alloc(3_000_000) } }));
    expect(rulesIn(await validate(path, { limits: { 'control-bytes': 2_000_000 } }))).toEqual(['input/limits']);
    expect(rulesIn(await validate(path, { limits: { 'total-bytes': 4_000_000 } }))).toEqual([]);
    const data = file(deb({ ...sound, data: { ...sound.data, big: Buffer.alloc(5_000_000) } }));
    expect(rulesIn(await validate(data, { limits: { 'total-bytes': 4_000_000 } }))).toEqual(['input/limits']);
  });
});

test('without the data archive nothing is said of it, and the verdict is not complete', async () => {
  const found = await validate(file(deb({ ...sound, data: {}, entries: [] })), { fast: true });
  expect(found).toMatchObject({ findings: [], verdict: { complete: false } });
});

test('what lies behind a link of the package breaks deb/data-through-link', async () => {
  const entries: readonly TarEntry[] = [
    { name: './l', link: '../../etc' },
    { name: './l/x', body: '' },
  ];
  expect(rulesIn(await of({ entries }))).toEqual<RuleId[]>(['deb/data-through-link']);
});

test('one package is validated at a time, and nothing else for one', async () => {
  const path = file(deb(sound));
  expect(await codeOf(() => validate(`deb:${path},${path}`))).toBe('usage/argument');
  expect(await codeOf(() => validate(`deb:${join(path, '..')}`))).toBe('usage/argument');
  expect(await codeOf(() => validate(`deb:${fileWith('x')}`))).toBe('format/unknown');
});

const CORPUS = join(import.meta.dirname, '../../../../shared/corpus/debian/real');

test.skipIf(!existsSync(CORPUS)).each(existsSync(CORPUS) ? readdirSync(CORPUS) : [])(
  '%s of Debian is sound',
  async (name) => {
    expect((await validate(join(CORPUS, name))).findings).toEqual([]);
  },
);
