import { describe, expect, test } from 'vitest';
import { dockerMembers, dockerSave } from '../../../fixtures/docker-save.ts';
import type { ImageRecipe } from '../../../fixtures/image-recipe.ts';
import { greeting } from '../../../fixtures/images.ts';
import { type TarEntry, tar } from '../../../fixtures/tar.ts';
import type { Limits } from '../../../formats/base/limits.ts';
import { digestOf } from '../../../formats/bytes/digest.ts';
import { dockerArchive } from '../../../formats/docker/index.ts';
import { codeOf, contextWith, diffIdsOf, imagesIn, openTar } from '../support.ts';

const id = (letter: string): string => letter.repeat(64);
const content = (letter: string): Buffer => tar([{ name: letter, body: letter }]);

interface Node {
  readonly id: string;
  readonly parent?: string;
  readonly json?: object | string;
  readonly body?: Uint8Array;
}

/** The members of one layer; its name is one letter, repeated to an id. */
const layer = ({ id: letter, parent, json, body }: Node): TarEntry[] => [
  { name: `${id(letter)}/` },
  { name: `${id(letter)}/VERSION`, body: '1.0' },
  {
    name: `${id(letter)}/json`,
    body: typeof json === 'string' ? json : JSON.stringify({ id: id(letter), parent: parent && id(parent), ...json }),
  },
  { name: `${id(letter)}/layer.tar`, body: body ?? content(letter) },
];
const named = (repositories: unknown): TarEntry => ({ name: 'repositories', body: JSON.stringify(repositories) });
const read = (entries: readonly TarEntry[], limits: Partial<Limits> = {}) =>
  imagesIn(dockerArchive, tar(entries), 'indexed', contextWith(limits));
const refused = (...entries: readonly TarEntry[]) => codeOf(() => read(entries));

describe('a chain', () => {
  const chain = [...layer({ id: 'c', parent: 'b' }), ...layer({ id: 'a' }), ...layer({ id: 'b', parent: 'a' })];

  test('runs from the base to the top, wherever its members stand', async () => {
    const [image, ...more] = await read([...chain, named({ app: { '1': id('c') } })]);
    expect(more).toEqual([]);
    expect(image!.names).toEqual(['app:1']);
    expect(await diffIdsOf(image!)).toEqual(['a', 'b', 'c'].map((letter) => digestOf(content(letter))));
    expect(image!.layers.map(({ diffId }) => diffId)).toEqual([undefined, undefined, undefined]);
  });

  test('has several names, and is then one image', async () => {
    const images = await read([
      ...chain,
      named({ app: { '1': id('c'), latest: id('c') }, 'host:5/b': { x: id('c') } }),
    ]);
    expect(images.map(({ names }) => names)).toEqual([['app:1', 'app:latest', 'host:5/b:x']]);
  });

  test('may have names in the middle: each is an image', async () => {
    const images = await read([...chain, named({ app: { top: id('c'), middle: id('b') } })]);
    const layers = Object.fromEntries(images.map(({ names, layers }) => [names[0], layers.length]));
    expect(layers).toEqual({ 'app:top': 3, 'app:middle': 2 });
  });

  test.each([
    ['without repositories', []],
    ['with an empty one', [named({})]],
  ])('%s is an image of no name for each id that is nobody’s parent', async (_, repositories) => {
    const images = await read([...chain, ...layer({ id: 'd', parent: 'a' }), ...repositories]);
    expect(images.map(({ names, layers }) => [names.length, layers.length]).sort()).toEqual([
      [0, 2],
      [0, 3],
    ]);
  });

  test('has its configuration from the top, without what speaks of the layer or the container', async () => {
    const json = {
      os: 'linux',
      architecture: 'arm',
      docker_version: '1.6',
      Size: 7,
      container: 'x',
      container_config: { Cmd: ['/bin/sh', '-c', 'make'] },
      throwaway: true,
      layer_id: 'x',
      config: { Env: ['A=1'], Cmd: ['run'] },
      created: '2015-01-01T00:00:00Z',
      author: 'me',
      comment: 'done',
    };
    const [image] = await read([
      ...layer({ id: 'a', json: { config: { Env: ['BASE=1'] } } }),
      ...layer({ id: 'b', parent: 'a', json }),
    ]);
    expect(image!.config).toMatchObject({ env: ['A=1'], cmd: ['run'], author: 'me', other: { docker_version: '1.6' } });
    expect(Object.keys(image!.config.other)).toEqual(['docker_version', 'comment']);
    expect(image!.history).toEqual([
      { emptyLayer: false },
      {
        created: '2015-01-01T00:00:00Z',
        createdBy: '/bin/sh -c make',
        author: 'me',
        comment: 'done',
        emptyLayer: false,
      },
    ]);
    expect(image!.original).toEqual({});
  });

  test('that names no system is of Linux', async () => {
    const [image] = await read(layer({ id: 'a', json: { architecture: 'amd64', os: '' } }));
    expect(image!.config.platform).toMatchObject({ os: 'linux', architecture: 'amd64' });
  });

  test('may have layers of 0, 512 and 1024 bytes, which are empty and stay', async () => {
    const bodies = [new Uint8Array(0), new Uint8Array(512), new Uint8Array(1024)];
    const letters = ['a', 'b', 'c'];
    const entries = bodies.flatMap((body, i) =>
      layer({ id: letters[i]!, ...(i ? { parent: letters[i - 1]! } : {}), body }),
    );
    const [image] = await read(entries);
    expect(image!.layers.map(({ size }) => size)).toEqual([0, 512, 1024]);
    expect(await diffIdsOf(image!)).toEqual(bodies.map((body) => digestOf(body)));
  });

  test('has no more layers than the limit', async () => {
    expect(await codeOf(() => read(chain, { layers: 3 }))).toBe('no refusal');
    expect(await codeOf(() => read(chain, { layers: 2 }))).toBe('limit/layers');
  });
});

describe('what is refused', () => {
  test('a parent that is not there', async () => {
    expect(await refused(...layer({ id: 'b', parent: 'a' }))).toBe('docker/parent');
  });

  test('a chain that bites its tail (CVE-2016-8579), with a name or without', async () => {
    const ring = [...layer({ id: 'a', parent: 'b' }), ...layer({ id: 'b', parent: 'a' })];
    expect(await refused(...ring)).toBe('docker/parent');
    expect(await refused(...ring, named({ app: { '1': id('a') } }))).toBe('docker/parent');
    expect(await refused(...ring, ...layer({ id: 'c', parent: 'b' }))).toBe('docker/parent');
    expect(await refused(...layer({ id: 'a', parent: 'a' }))).toBe('docker/parent');
  });

  test('a name for an id that is not there', async () => {
    expect(await refused(...layer({ id: 'a' }), named({ app: { '1': id('b') } }))).toBe('docker/parent');
  });

  test.each([
    ['a path that climbs', '../x'],
    ['a path', `${id('a').slice(2)}/x`],
    ['63 digits', id('a').slice(1)],
    ['65 digits', `${id('a')}a`],
    ['capitals', id('A')],
    ['a digest', `sha256:${id('a')}`],
    ['a newline at the end', `${id('a')}\n`],
    ['nothing', ''],
  ])('an id that is %s, in a name (CVE-2014-9358)', async (_, text) => {
    expect(await refused(...layer({ id: 'a' }), named({ app: { '1': text } }))).toBe('docker/id');
  });

  test.each(['../x', id('A'), id('a').slice(1)])('a parent %j', async (parent) => {
    expect(await refused(...layer({ id: 'b', json: { parent } }))).toBe('docker/id');
  });

  test('a folder whose name is no id, and one whose document has another', async () => {
    expect(await refused(...layer({ id: 'a' }), { name: 'short/json', body: '{}' })).toBe('docker/id');
    expect(await refused(...layer({ id: 'a', json: { id: id('b') } }))).toBe('docker/id');
  });

  test('a name that could not be one', async () => {
    expect(await refused(...layer({ id: 'a' }), named({ '../../x': { '1': id('a') } }))).toBe('image/reference');
    expect(await refused(...layer({ id: 'a' }), named({ app: { '../x': id('a') } }))).toBe('image/reference');
    expect(await refused(...layer({ id: 'a' }), named({ app: id('a') }))).toBe('json/type');
    expect(await refused(...layer({ id: 'a' }), named([]))).toBe('json/type');
  });

  test('a layer without its tar, and a document that is none', async () => {
    expect(await refused(...layer({ id: 'a' }).slice(0, 3))).toBe('member/missing');
    expect(await refused(...layer({ id: 'a', json: '{' }))).toBe('json/syntax');
    expect(await refused(...layer({ id: 'a', json: '[]' }))).toBe('json/type');
  });

  test('a layer.tar that links out', async () => {
    const [folder, version, json] = layer({ id: 'a' });
    const link = { name: `${id('a')}/layer.tar`, link: '../../etc/passwd' };
    expect(await refused(folder!, version!, json!, link)).toBe('path/escape');
  });
});

describe('recognition', () => {
  test('needs repositories, or folders that are named by ids', async () => {
    const bid = async (entries: readonly TarEntry[]) =>
      (await dockerArchive.bid(await openTar(tar(entries))))?.confidence;
    expect(await bid([...layer({ id: 'a' }), named({})])).toBe(80);
    expect(await bid(layer({ id: 'a' }))).toBe(70);
    expect(await bid([{ name: 'abc/json', body: '{}' }])).toBeUndefined();
  });

  test('prefers manifest.json, whose stubs of old documents are not looked at', async () => {
    const image: ImageRecipe = greeting('amd64');
    const members = (entries: TarEntry[]) =>
      entries.map((entry) => (String(entry.name).endsWith('/json') ? { ...entry, body: '{"id":"nonsense"}' } : entry));
    expect(dockerMembers(image, { generation: '1.10' }).some(({ name }) => String(name).endsWith('/json'))).toBe(true);
    expect(await imagesIn(dockerArchive, dockerSave(image, { generation: '1.10', members }))).toHaveLength(1);
  });
});
