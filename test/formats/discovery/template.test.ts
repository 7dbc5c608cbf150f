/** From tags to addresses. */
import { describe, expect, test } from 'vitest';
import { endpointsFor, keysFor, type Tag } from '../../../formats/discovery/template.ts';
import { parseWanted } from '../../../formats/discovery/wanted.ts';

const wanted = (text: string) => parseWanted(text, { os: 'linux', architecture: 'amd64' });
const image = (target: string, prefix = 'example.com'): Tag => ({ kind: 'image', prefix, target });
const images = (text: string, ...tags: readonly Tag[]) =>
  endpointsFor(tags, wanted(text)).map(({ image: { href } }) => href);

describe('endpointsFor()', () => {
  test('fills in the name, the version, the platform and the extension', () => {
    const [found] = endpointsFor(
      [image('https://storage.example.com/{os}/{arch}/{name}-{version}.{ext}')],
      wanted('example.com/reduce-worker:1.0.0'),
    );
    const address = 'https://storage.example.com/linux/amd64/example.com/reduce-worker-1.0.0.aci';
    expect([found?.image.href, found?.signature?.href]).toEqual([address, `${address}.asc`]);
  });

  test('fills in any label, as often as it is there', () => {
    expect(
      images('example.com/a:1,channel=beta', image('https://h.example/{channel}/{name}/{channel}-{version}.{ext}')),
    ).toEqual(['https://h.example/beta/example.com/a/beta-1.aci']);
  });

  test('without a version it asks for the latest', () => {
    expect(images('example.com/a', image('https://h.example/{version}.{ext}'))).toEqual([
      'https://h.example/latest.aci',
    ]);
  });

  test('passes over a template with a label that nobody stated, and one for another transport', () => {
    expect(
      images(
        'example.com/a:1',
        image('https://h.example/{channel}/{version}.{ext}'),
        image('hdfs://h.example/{version}.{ext}'),
        image('file:///etc/{version}.{ext}'),
        image('https://user:secret@h.example/{version}.{ext}'),
        image('{version}.{ext}'),
        image('https://h.example/{version}.{ext}'),
      ),
    ).toEqual(['https://h.example/1.aci']);
  });

  test('takes first what asks for more of the labels, then what comes first', () => {
    expect(
      images(
        'example.com/a:1',
        image('https://one.example/{name}-latest.{ext}'),
        image('https://two.example/{os}/{name}-{version}.{ext}'),
        image('https://three.example/{arch}/{name}-{version}.{ext}'),
      ).map((href) => new URL(href).host),
    ).toEqual(['two.example', 'three.example', 'one.example']);
  });

  test.each([
    ['example.com', 1],
    ['example.com/', 1],
    ['example.com/a', 1],
    ['example.com/a/b', 1],
    ['example.com/a/b/c', 0],
    ['example.com/a/', 1],
    ['example.co', 0],
    ['example.com/a/bc', 0],
    ['xample.com', 0],
    ['Example.com', 0],
  ])('the prefix %s fits example.com/a/b: %i', (prefix, count) => {
    expect(images('example.com/a/b', image('https://h.example/{name}.{ext}', prefix))).toHaveLength(count);
  });

  test('a prefix ends where a part of the name does', () => {
    expect(images('example.com/ab', image('https://h.example/{name}.{ext}', 'example.com/a'))).toEqual([]);
  });

  test.each([
    ['example.com/a:../../secret', 'https://{name}/{version}.{ext}', 'https://example.com/a/..%2F..%2Fsecret.aci'],
    ['example.com/a:x@evil.example', 'https://h{version}/{name}.{ext}', undefined],
    ['example.com/a:evil.example/', 'https://{version}.h.example/{name}.{ext}', undefined],
    ['example.com/a:1?x=#y', 'https://h.example/{version}.{ext}', 'https://h.example/1%3Fx%3D%23y.aci'],
    ['example.com/a:{ext}', 'https://h.example/{version}.{ext}', 'https://h.example/%7Bext%7D.aci'],
  ])('a value cannot change where %s is looked for', (text, template, href) => {
    expect(images(text, image(template))).toEqual(href === undefined ? [] : [href]);
  });

  test('a template without the extension has no signature', () => {
    expect(endpointsFor([image('https://h.example/app')], wanted('example.com/a'))[0]?.signature).toBeUndefined();
  });
});

test('keysFor() gives the addresses of keys for the name', () => {
  const tags: readonly Tag[] = [
    { kind: 'keys', prefix: 'example.com', target: 'https://example.com/pubkeys.gpg' },
    { kind: 'keys', prefix: 'example.org', target: 'https://example.org/pubkeys.gpg' },
    { kind: 'keys', prefix: 'example.com', target: 'file:///etc/passwd' },
  ];
  expect(keysFor(tags, wanted('example.com/a')).map(String)).toEqual(['https://example.com/pubkeys.gpg']);
});
