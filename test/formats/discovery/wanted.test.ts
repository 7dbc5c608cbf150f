/** What is asked for by name, and whether an image is that. */
import { describe, expect, test } from 'vitest';
import { parseImageManifest } from '../../../formats/appc/manifest.ts';
import { checkWanted, differenceFrom, parseWanted, wantedBy, wantedText } from '../../../formats/discovery/wanted.ts';
import { codeOf, contextWith, refusalOf } from '../support.ts';

const AMD64 = { os: 'linux', architecture: 'amd64' };
const parse = (text: string) => parseWanted(text, AMD64);

const manifest = (name: string, labels: Readonly<Record<string, string>> = {}) =>
  parseImageManifest(
    Buffer.from(
      JSON.stringify({
        acKind: 'ImageManifest',
        acVersion: '0.8.11',
        name,
        labels: Object.entries(labels).map(([label, value]) => ({ name: label, value })),
      }),
    ),
    contextWith(),
  );

describe('parseWanted()', () => {
  test('reads a name, a version and labels', () => {
    const { name, labels, assumed } = parse('example.com/a/b:1.0,channel=alpha,os=freebsd');
    expect(name).toBe('example.com/a/b');
    expect([...labels]).toEqual([
      ['version', '1.0'],
      ['channel', 'alpha'],
      ['os', 'freebsd'],
    ]);
    expect([...assumed]).toEqual([['arch', 'amd64']]);
  });

  test.each([
    ['amd64', undefined, 'amd64'],
    ['386', undefined, 'i386'],
    ['arm64', undefined, 'aarch64'],
    ['arm', 'v6', 'armv6l'],
    ['arm', 'v7', 'armv7l'],
    ['arm', undefined, 'arm'],
    ['ppc64le', undefined, 'ppc64le'],
    ['riscv64', undefined, 'riscv64'],
  ])('calls the architecture %s %s as the specification does: %s', (architecture, variant, label) => {
    const platform = { os: 'linux', architecture, ...(variant ? { variant } : {}) };
    expect(parseWanted('example.com/a', platform).assumed.get('arch')).toBe(label);
  });

  test.each([
    '',
    ':1.0',
    'example.com//a',
    'example.com/../a',
    'example.com/./a',
    'example.com/a b',
    'example.com/a:',
    'example.com/a,os',
    'example.com/a,os=',
    'example.com/a,=linux',
    'example.com/a,name=other',
    'example.com/a:1,version=2',
    'exa%6dple.com/a',
  ])('refuses %j', async (text) => {
    expect(await codeOf(() => parse(text))).toBe('usage/argument');
  });

  test('says how a name in capitals is written', async () => {
    expect((await refusalOf(() => parse('Example.com/App:1.0')))?.hint).toBe('Write example.com/app.');
  });

  test('a value keeps what the name could not have', () => {
    expect(parse('example.com/a:1.0+git=x:y').labels.get('version')).toBe('1.0+git=x:y');
  });
});

describe('wantedBy()', () => {
  test('takes the platform of the image that is depended from, unless the dependency has its own', () => {
    const parent = parse('example.com/a:1,arch=aarch64');
    expect([...wantedBy(parent, 'example.com/b', new Map([['os', 'freebsd']])).assumed]).toEqual([['arch', 'aarch64']]);
  });
});

describe('differenceFrom()', () => {
  test('a stated label must be there with that value', () => {
    const wanted = parse('example.com/a:1');
    expect(differenceFrom(wanted, manifest('example.com/a', { version: '1' }))).toBeUndefined();
    expect(differenceFrom(wanted, manifest('example.com/a', { version: '2' }))?.what).toBe('label version');
    expect(differenceFrom(wanted, manifest('example.com/a'))?.what).toBe('label version');
  });

  test('the platform that is assumed may be missing, and not be another', () => {
    const wanted = parse('example.com/a');
    expect(differenceFrom(wanted, manifest('example.com/a', { version: '7' }))).toBeUndefined();
    expect(differenceFrom(wanted, manifest('example.com/a', { arch: 'i386' }))?.what).toBe('label arch');
  });

  test('a name is the same in every letter', async () => {
    const error = await refusalOf(() => checkWanted(parse('example.com/a:1'), manifest('example.com/ab')));
    expect(error).toMatchObject({ code: 'appc/name', status: 4, expected: 'example.com/a', found: 'example.com/ab' });
  });

  test('is told as it was asked for', () => {
    expect(wantedText(parse('example.com/a:1,os=linux'))).toBe('example.com/a:1,os=linux');
  });
});
