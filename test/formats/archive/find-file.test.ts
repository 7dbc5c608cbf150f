import { describe, expect, test } from 'vitest';
import { type TarEntry, tar } from '../../../fixtures/tar.ts';
import { findFile, memberName, readDocument } from '../../../formats/archive/archive.ts';
import { codeOf, contextWith, memberText, openTar, refusalOf, WAYS } from '../support.ts';

const entries: readonly TarEntry[] = [
  { name: 'a/layer.tar', body: 'the layer' },
  { name: 'b/layer.tar', link: '../a/layer.tar' },
  { name: 'c/layer.tar', link: '../b/./layer.tar' },
  { name: 'hard', type: '1', link: 'a/layer.tar' },
  { name: 'to-hard', link: 'hard' },
  { name: 'dots', link: 'b/../a//layer.tar' },
  { name: 'deep/er/hard', type: '1', link: './a/layer.tar' },
  { name: 'absolute', link: '/a/layer.tar' },
  { name: 'climbing', link: '../a/layer.tar' },
  { name: 'x/absolute', link: '/a/layer.tar' },
  { name: 'x/a/layer.tar', body: 'what a careless reader would find' },
  { name: 'x/far', link: '../../etc/passwd' },
  { name: 'dangling', link: 'nowhere' },
  { name: 'self', link: 'self' },
  { name: 'one', link: 'two' },
  { name: 'two', link: 'one' },
  { name: 'folder/' },
  { name: 'to-folder', link: 'folder' },
  { name: 'device', type: '3', major: 1, minor: 3 },
  ...Array.from({ length: 40 }, (_, i) => ({ name: `chain${i}`, link: i ? `chain${i - 1}` : 'a/layer.tar' })),
];
const archives = Object.fromEntries(WAYS.map((way) => [way, openTar(tar(entries), way)]));

describe.each(WAYS)('findFile() in an archive that is %s', (way) => {
  test.each([
    'a/layer.tar',
    './a//layer.tar',
    'b/layer.tar',
    'c/layer.tar',
    'hard',
    'to-hard',
    'dots',
    'deep/er/hard',
    'chain30',
  ])('finds %s', async (name) => {
    expect(await memberText(await findFile(await archives[way]!, name))).toBe('the layer');
  });

  test.each([
    ['absolute', 'path/escape'],
    ['climbing', 'path/escape'],
    ['x/absolute', 'path/escape'],
    ['x/far', 'path/escape'],
    ['../a/layer.tar', 'path/escape'],
    ['/a/layer.tar', 'path/escape'],
    ['dangling', 'member/missing'],
    ['nothing', 'member/missing'],
    ['', 'member/missing'],
    ['self', 'member/cycle'],
    ['one', 'member/cycle'],
    ['chain39', 'member/cycle'],
    ['folder', 'member/type'],
    ['to-folder', 'member/type'],
    ['device', 'member/type'],
  ])('refuses %j', async (name, code) => {
    expect(await codeOf(async () => findFile(await archives[way]!, name))).toBe(code);
  });

  test('a link that leads nowhere is named together with where it leads', async () => {
    const refusal = await refusalOf(async () => findFile(await archives[way]!, 'dangling'));
    expect([refusal?.message, refusal?.at]).toEqual(['nowhere is not in the archive', ['dangling']]);
  });
});

describe('memberName()', () => {
  test.each([
    ['a', 'a'],
    ['./a//b/./c/', 'a/b/c'],
    ['a/../b', 'b'],
    ['.', ''],
    ['', ''],
  ])('makes of %j %j', (name, clean) => {
    expect(memberName(name)).toBe(clean);
  });

  test.each(['/', '/a', '..', 'a/../..', '../../x'])('refuses %j', async (name) => {
    expect(await codeOf(() => memberName(name))).toBe('path/escape');
  });
});

describe('readDocument()', () => {
  test('reads no more than the limit of a document', async () => {
    const archive = await openTar(tar([{ name: 'doc', body: '"123456"' }]));
    expect((await readDocument(archive, 'doc', contextWith({ 'json-bytes': 8 }))).length).toBe(8);
    const refusal = await refusalOf(() => readDocument(archive, 'doc', contextWith({ 'json-bytes': 7 })));
    expect(refusal).toMatchObject({ code: 'limit/json-bytes', at: ['doc'] });
  });
});
