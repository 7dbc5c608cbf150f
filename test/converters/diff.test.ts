/** What differs between two images. */
import { describe, expect, test } from 'vitest';
import { type DiffOptions, diff } from '../../converters/index.ts';
import type { ImageRecipe } from '../../fixtures/image-recipe.ts';
import { greeting, sampleLayer } from '../../fixtures/images.ts';
import type { TarEntry } from '../../fixtures/tar.ts';
import { dockerFile, ociFile, varied } from './targets/archives.ts';

const imageOf = (entries: readonly TarEntry[], config: ImageRecipe['config'] = {}): ImageRecipe => ({
  layers: [sampleLayer(entries)],
  tags: ['x:1'],
  config,
});

async function lines(a: ImageRecipe, b: ImageRecipe, options: DiffOptions = {}): Promise<readonly string[]> {
  const { differences } = await diff(dockerFile(a), ociFile(b), options);
  return differences.map((one) =>
    one.part === 'config'
      ? `${one.kind} config ${one.field}`
      : `${one.kind} ${one.path} ${one.fields.join(',')}`.trim(),
  );
}

const config = (run: object) => imageOf([], { config: run as NonNullable<ImageRecipe['config']> });

describe('nothing differs', () => {
  test('between an image and itself in another format', async () => {
    expect(await lines(greeting('amd64'), greeting('amd64'))).toEqual([]);
    expect(await lines(varied(), varied())).toEqual([]);
  });

  test('where the same tree is cut into other layers', async () => {
    const [a, b] = [
      { name: 'a', body: '1' },
      { name: 'b', body: '2' },
    ];
    const two = { ...imageOf([]), layers: [sampleLayer([a]), sampleLayer([b])] };
    expect(await lines(imageOf([a, b]), two)).toEqual([]);
  });

  test('where another name of a file is the one that is not a link', async () => {
    const one = imageOf([
      { name: 'a', body: '1' },
      { name: 'b', type: '1', link: 'a' },
    ]);
    const other = imageOf([
      { name: 'b', body: '1' },
      { name: 'a', type: '1', link: 'b' },
    ]);
    expect(await lines(one, other)).toEqual([]);
  });

  test('in the mode of a symlink, or where only one image names the root', async () => {
    const one = imageOf([{ name: 'l', link: 'x', mode: 0o777 }]);
    const other = imageOf([
      { name: './', mode: 0o700 },
      { name: 'l', link: 'x', mode: 0o755 },
    ]);
    expect(await lines(one, other)).toEqual([]);
  });

  test('in the order of ports, of labels and of other members', async () => {
    const one = config({
      ExposedPorts: { '1/tcp': {}, '2/tcp': {} },
      Labels: { a: '1', b: '2' },
      MacAddress: '',
      X: 1,
    });
    const other = config({ X: 1, Labels: { b: '2', a: '1' }, ExposedPorts: { '2/tcp': {}, '1/tcp': {} } });
    expect(await lines(one, other)).toEqual([]);
  });
});

describe('a difference', () => {
  test('names what only one image has, and what changed', async () => {
    const one = imageOf([
      { name: 'same', body: '' },
      { name: 'gone', body: '' },
      { name: 'other', body: '1', mode: 0o600, uid: 5 },
    ]);
    const other = imageOf([
      { name: 'same', body: '' },
      { name: 'new', body: '' },
      { name: 'other', body: '2', mode: 0o644, uid: 6 },
    ]);
    expect(await lines(one, other)).toEqual(['removed gone', 'added new', 'changed other mode,uid,content']);
  });

  test('is found in every field of an entry', async () => {
    const base = { name: 'x', body: '1' };
    const changes: readonly (readonly [TarEntry, string])[] = [
      [{ ...base, mode: 0o4755 }, 'mode'],
      [{ ...base, gid: 9 }, 'gid'],
      [{ ...base, mtime: '1.5' }, 'mtime'],
      [{ ...base, body: '12' }, 'size,content'],
      [{ ...base, pax: [['SCHILY.xattr.user.a', 'b']] }, 'xattrs'],
      [{ name: 'x', link: '1', mode: 0o644 }, 'type,size,link,content'],
    ];
    for (const [changed, fields] of changes)
      expect(await lines(imageOf([base]), imageOf([changed]))).toEqual([`changed x ${fields}`]);
  });

  test('is two files where one had two names', async () => {
    const one = imageOf([
      { name: 'a', body: '1' },
      { name: 'b', type: '1', link: 'a' },
    ]);
    const other = imageOf([
      { name: 'a', body: '1' },
      { name: 'b', body: '1' },
    ]);
    expect(await lines(one, other)).toEqual(['changed a names', 'changed b names']);
  });

  test('is one name fewer where a hard link is gone', async () => {
    const one = imageOf([
      { name: 'a', body: '1' },
      { name: 'b', type: '1', link: 'a' },
    ]);
    expect(await lines(one, imageOf([{ name: 'b', body: '1' }]))).toEqual(['removed a']);
  });

  test('is found in names that are not text', async () => {
    const named = (name: string): ImageRecipe => imageOf([{ name: Buffer.from(name, 'latin1'), body: '' }]);
    expect((await lines(named('\xff'), named('\xfe'))).length).toBe(2);
  });

  test('is found in the configuration, with both values', async () => {
    expect(await lines(config({ Env: ['A=1'], User: 'u' }), config({ Env: ['A=2'], Cmd: ['x'] }))).toEqual([
      'added config cmd',
      'changed config env',
      'removed config user',
    ]);
    const [found] = (await diff(dockerFile(config({ Env: ['A=1'] })), dockerFile(config({ Env: ['A=2'] }))))
      .differences;
    expect(found).toEqual({ part: 'config', kind: 'changed', field: 'env', a: ['A=1'], b: ['A=2'] });
  });

  test('is found where a label without a text is there, or is not', async () => {
    const [one, other] = [config({ Labels: { a: '', b: '1' } }), config({ Labels: { b: '1' } })];
    expect(await lines(one, other)).toEqual(['changed config labels']);
    expect(await lines(other, one)).toEqual(['changed config labels']);
    expect(await lines(config({ Labels: { a: '' } }), config({}))).toEqual(['removed config labels']);
    expect(await lines(config({ Labels: {} }), config({}))).toEqual([]);
  });

  test('is found in members that the model has no name for', async () => {
    expect(await lines(config({ MacAddress: 'a' }), config({ MacAddress: 'b' }))).toEqual(['changed config other']);
  });
});

describe('fields that do not count', () => {
  test('are left out of configuration and tree', async () => {
    const one = imageOf([{ name: 'x', body: '1', mtime: 1 }], { created: '2020-01-01T00:00:00Z' });
    const other = imageOf([{ name: 'x', body: '2', mtime: 2 }], { created: '2021-01-01T00:00:00Z' });
    expect(await lines(one, other, { ignore: ['mtime', 'created'] })).toEqual(['changed x content']);
    expect(await lines(one, other, { ignore: ['mtime', 'created', 'content'] })).toEqual([]);
  });

  test('must exist', async () => {
    const image = imageOf([]);
    for (const field of ['colour', 'process.user.uid', 'mounts.0', 'labels.a', 'annotations.com.example.a'])
      await expect(lines(image, image, { ignore: [field] }), field).rejects.toMatchObject({ code: 'usage/option' });
    for (const field of ['process', 'process.user', 'mounts', 'labels'])
      expect(await lines(image, image, { ignore: [field] })).toEqual([]);
  });
});
