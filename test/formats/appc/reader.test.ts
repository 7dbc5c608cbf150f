/** The reader: from files that can be read again, and from pipes that cannot. */
import { describe, expect, test } from 'vitest';
import { type AciRecipe, aci, aciId, aciTar, leastApp } from '../../../fixtures/aci.ts';
import { aci as reader } from '../../../formats/appc/index.ts';
import type { Keeper } from '../../../formats/archive/archive.ts';
import { unwrap } from '../../../formats/archive/open.ts';
import { passingKeeper } from '../../../formats/archive/passing-keeper.ts';
import { bytesSource, streamSource } from '../../../formats/bytes/source.ts';
import type { Image } from '../../../formats/model/image.ts';
import { imagesOf } from '../../../formats/model/image.ts';
import { HEAD_SIZE } from '../../../formats/model/reader.ts';
import { codeOf, contextWith, memoryKeeper, READING, refusalOf, sliced } from '../support.ts';
import { layersOf, treeOf } from './images.ts';

type Way = 'file' | 'pipe';
const WAYS: readonly Way[] = ['file', 'pipe'];

/** What is kept beside the layers: copies of a pipe that could not be read in one go. */
interface Seen {
  readonly image: Image;
  readonly kept: readonly string[];
}

async function read(bytes: Uint8Array, way: Way, keeper: Keeper = memoryKeeper): Promise<Seen> {
  const context = contextWith();
  const kept: string[] = [];
  const keep: Keeper = (content, name, own, again) => {
    kept.push(name);
    return keeper(content, name, own, again);
  };
  const source = way === 'file' ? bytesSource('in.aci', bytes) : streamSource('in.aci', sliced(bytes, 1000));
  const { compression, repeatable, open } = await unwrap(source, HEAD_SIZE, context);
  const content = { name: 'in.aci', compression, size: bytes.length, repeatable, open };
  const [image] = imagesOf(await reader.read(content, context, { ...READING, keep }));
  return { image: image!, kept };
}

const recipe: AciRecipe = {
  manifest: { app: leastApp({ user: 'app' }) },
  rootfs: [
    { name: 'etc/' },
    { name: 'etc/passwd', body: 'app:x:7:8::/:\n' },
    { name: 'large', body: 'x'.repeat(200_000) },
    { name: 'link', type: '1', link: 'etc/passwd' },
  ],
};
const listed: AciRecipe = { ...recipe, manifest: { ...recipe.manifest, pathWhitelist: ['/link', '/etc/passwd'] } };

describe.each(WAYS)('from a %s', (way) => {
  test.each(['none', 'gzip', 'zstd'] as const)(
    'an image with the compression %s is what it is',
    async (compression) => {
      const { image } = await read(aci({ ...recipe, compression }), way);
      expect(image.config.user).toBe('7:0');
      expect(image.annotations?.get('io.ocix.appc.image-id')).toBe(aciId(recipe));
      expect(Object.keys(await treeOf(image))).toEqual(['etc', 'etc/passwd', 'large', 'link']);
    },
  );

  test.each<[string, AciRecipe]>([
    ['the manifest last', { ...recipe, order: 'manifest-last' }],
    ['a whitelist', listed],
    ['a whitelist and the manifest last', { ...listed, order: 'manifest-last' }],
    [
      'a manifest that is longer than what is looked at first',
      { ...recipe, manifest: { ...recipe.manifest, unknown: 'x'.repeat(200_000) } },
    ],
  ])('an image with %s gives the same as from bytes at hand', async (_, one) => {
    const { image } = await read(aciTar(one), way);
    const { image: wanted } = await read(aciTar(one), 'file');
    expect(await layersOf(image)).toEqual(await layersOf(wanted));
    expect(image.config).toEqual(wanted.config);
    expect(image.config.user).toBe('7:0');
  });

  test('a manifest that is larger than it may be is refused before it is read', async () => {
    const large = aciTar({ manifest: { unknown: 'x'.repeat(5 * 2 ** 20) } });
    expect(await codeOf(() => read(large, way))).toBe('limit/json-bytes');
  });

  test('an image that is cut off, or is none, is refused', async () => {
    const bytes = aciTar(recipe);
    expect(await codeOf(() => read(bytes.subarray(0, 560), way))).toBe('tar/truncated');
    expect(await codeOf(() => read(bytes.subarray(0, 150_000), way))).toBe('tar/truncated');
    expect(await codeOf(() => read(Buffer.alloc(1024), way))).toBe('appc/archive');
    expect(await codeOf(() => read(aciTar({ members: (all) => all.slice(1) }), way))).toBe('appc/archive');
  });
});

test('a pipe is kept as it is only where it has to be', async () => {
  expect((await read(aciTar(recipe), 'pipe')).kept).toEqual(['example.com/app']);
  expect((await read(aciTar(listed), 'pipe')).kept).toEqual(['in.aci', 'example.com/app']);
  expect((await read(aciTar({ ...recipe, order: 'manifest-last' }), 'pipe')).kept).toEqual([
    'in.aci',
    'example.com/app',
  ]);
  expect((await read(aciTar(listed), 'file')).kept).toEqual(['example.com/app']);
});

test('who only looks can read a file’s layer again, and of a pipe’s is told that it has gone by', async () => {
  const file = await read(aciTar(recipe), 'file', passingKeeper);
  expect(Object.keys(await treeOf(file.image))).toHaveLength(4);
  const pipe = await read(aciTar(recipe), 'pipe', passingKeeper);
  expect(pipe.image.config.user).toBe('7:0');
  expect(await refusalOf(() => layersOf(pipe.image))).toMatchObject({ code: 'source/unreadable' });
});
