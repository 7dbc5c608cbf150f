/** One package: its members, its control data, its compression. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type ArPart, ar, controlTar, type DebRecipe, dataTar, deb } from '../../../fixtures/deb.ts';
import { bytesSource, fileSource, type RandomSource } from '../../../formats/bytes/source.ts';
import { plainData } from '../../../formats/debian/data-stream.ts';
import { isPackage, packageText, readPackage } from '../../../formats/debian/package.ts';
import { codeOf, contextWith, copied, whole } from '../support.ts';

const context = contextWith();
const read = (bytes: Uint8Array, limits = {}) => readPackage(bytesSource('toy.deb', bytes), contextWith(limits));

const VERSION: ArPart = { name: 'debian-binary', body: '2.0\n' };
const CONTROL: ArPart = { name: 'control.tar.gz', body: gzipSync(controlTar({})) };
const DATA: ArPart = { name: 'data.tar.gz', body: gzipSync(dataTar({ data: { 'usr/x': 'x' } })) };

test('a package says what it is, and gives its files', async () => {
  const one = await read(deb({ files: { md5sums: 'x', postinst: '#!/bin/sh\n' } }));
  expect(packageText(one)).toBe('toy 1.0-1 all');
  expect([...one.files.keys()]).toEqual(['control', 'md5sums', 'postinst']);
  expect(one.built).toBe(1_600_000_000);
  expect(Buffer.compare(await whole(copied(plainData(one.data, context))), dataTar({}))).toBe(0);
});

describe('dpkg would take it, and so do we:', () => {
  test.each<[string, readonly ArPart[]]>([
    [
      'archives that are not compressed',
      [VERSION, { name: 'control.tar', body: controlTar({}) }, { name: 'data.tar', body: dataTar({}) }],
    ],
    [
      'members with an underscore in front, anywhere behind the first',
      [VERSION, { name: '_a', body: 'x' }, CONTROL, { name: '_b', body: '' }, DATA],
    ],
    ['a later minor version, and more lines', [{ name: 'debian-binary', body: '2.7\nmore\n' }, CONTROL, DATA]],
    ['anything behind the data', [VERSION, CONTROL, DATA, { name: 'junk', body: 'x', mark: '??' }]],
    ['names with slashes', [VERSION, { ...CONTROL, name: 'control.tar.gz/' }, { ...DATA, name: 'data.tar.gz/' }]],
  ])('%s', async (_, parts) => {
    const one = await read(ar(parts));
    expect(packageText(one)).toBe('toy 1.0-1 all');
    expect((await whole(copied(plainData(one.data, context)))).length).toBeGreaterThan(1000);
  });

  test('the format before ar', async () => {
    const control = gzipSync(controlTar({}));
    const bytes = Buffer.concat([Buffer.from(`0.939000\n${control.length}\n`), control, gzipSync(dataTar({}))]);
    const one = await read(bytes);
    expect(packageText(one)).toBe('toy 1.0-1 all');
    expect((await whole(copied(plainData(one.data, context)))).length).toBeGreaterThan(1000);
  });
});

describe('refused is', () => {
  test.each<[string, readonly ArPart[], string]>([
    ['no control member', [VERSION, DATA], 'debian/package'],
    ['no data member', [VERSION, CONTROL], 'debian/package'],
    ['the other order', [VERSION, DATA, CONTROL], 'debian/package'],
    ['an unknown member between', [VERSION, CONTROL, { name: 'extra', body: 'x' }, DATA], 'debian/package'],
    ['two control members', [VERSION, CONTROL, CONTROL, DATA], 'debian/package'],
    ['a compression that nobody knows', [VERSION, CONTROL, { ...DATA, name: 'data.tar.7z' }], 'debian/package'],
    [
      'another compression than the name says',
      [VERSION, { ...CONTROL, name: 'control.tar.xz' }, DATA],
      'debian/package',
    ],
    ['compression that no name says', [VERSION, { ...CONTROL, name: 'control.tar' }, DATA], 'debian/package'],
    ['an empty control member', [VERSION, { name: 'control.tar.gz', body: '' }, DATA], 'debian/package'],
    ['another major version', [{ name: 'debian-binary', body: '3.0\n' }, CONTROL, DATA], 'format/unsupported'],
    ['a version that is none', [{ name: 'debian-binary', body: 'x' }, CONTROL, DATA], 'debian/package'],
    [
      'a control archive cut off',
      [VERSION, { name: 'control.tar.gz', body: gzipSync(controlTar({})).subarray(0, 60) }, DATA],
      'codec/truncated',
    ],
    ['a member that is too long', [VERSION, CONTROL, { ...DATA, size: '999999' }], 'ar/truncated'],
    ['a library', [{ name: 'lib.o', body: 'x' }], 'format/unknown'],
    [
      'a control file below a name that leads out',
      [VERSION, { name: 'control.tar', body: controlTar({ files: { '..': 'x' } }) }, DATA],
      'debian/package',
    ],
  ])('%s', async (_, parts, code) => {
    expect(await codeOf(() => read(ar(parts)))).toBe(code);
  });

  test.each<[string, DebRecipe, string]>([
    ['a name that climbs', { fields: { Package: '../../evil' } }, 'debian/control'],
    ['a name without an end', { fields: { Package: 'a'.repeat(300) } }, 'debian/control'],
    ['no name', { fields: { Package: undefined } }, 'debian/control'],
    ['no version', { fields: { Version: undefined } }, 'debian/control'],
    ['a version that is none', { fields: { Version: '1_0' } }, 'debian/version'],
    ['two architectures', { fields: { Architecture: 'amd64 i386' } }, 'debian/control'],
    ['an empty control file', { control: '' }, 'debian/control'],
    ['a package for the installer', { fields: { 'Package-Type': 'udeb' } }, 'format/unsupported'],
  ])('%s', async (_, recipe, code) => {
    expect(await codeOf(() => read(deb(recipe)))).toBe(code);
  });

  test('a control archive that is a bomb', async () => {
    const bomb = deb({ files: { templates: Buffer.alloc(3_000_000) } });
    expect(await codeOf(() => read(bomb, { 'control-bytes': 2_000_000 }))).toBe('limit/control-bytes');
  });

  test('the old format with a length that cannot be', async () => {
    expect(await codeOf(() => read(Buffer.from('0.939000\n99999\nxx')))).toBe('debian/package');
    expect(await codeOf(() => read(Buffer.from('0.939000\nxx\nxx')))).toBe('debian/package');
  });
});

test('what is no package is not taken for one', () => {
  expect(isPackage(Buffer.from('!<arch>\nlib.o/          '))).toBe(false);
  expect(isPackage(Buffer.from('0.94000\n'))).toBe(false);
  expect(isPackage(Buffer.alloc(0))).toBe(false);
});

const CORPUS = join(import.meta.dirname, '../../../../shared/corpus/debian');

describe.skipIf(!existsSync(CORPUS))('packages that others made', () => {
  const names = (folder: string) =>
    existsSync(CORPUS) ? readdirSync(join(CORPUS, folder)).map((name) => `${folder}/${name}`) : [];
  test.each([...names('good'), ...names('real'), ...names('sets')])('%s', async (name) => {
    const source = (await fileSource(join(CORPUS, name))) as RandomSource;
    const one = await readPackage(source, context);
    expect((await whole(copied(plainData(one.data, context)))).length % 512).toBe(0);
    await source.close();
  });
});
