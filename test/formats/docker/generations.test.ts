/** One image, saved by every generation of Docker and by its imitators, is read as the same image. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { dockerSave, generations, recordPadded, withDotSlash } from '../../../fixtures/docker-save.ts';
import { type ImageRecipe, prepare } from '../../../fixtures/image-recipe.ts';
import { greeting, windowsImage } from '../../../fixtures/images.ts';
import { tar } from '../../../fixtures/tar.ts';
import { dockerArchive } from '../../../formats/docker/index.ts';
import { contextWith, diffIdsOf, imagesIn, openTar, WAYS } from '../support.ts';

const padded = greeting('amd64');
const image: ImageRecipe = { ...padded, layers: padded.layers.map((layer) => recordPadded(layer as Uint8Array)) };
const expected = prepare(image);
const later = generations.filter((generation) => generation !== 'v1');

describe.each(generations)('the generation %s', (generation) => {
  const bytes = dockerSave(image, { generation });
  const { 0: name } = [generation === 'skopeo' ? 'docker.io/library/greeting:latest' : 'greeting:latest'];

  test.each(WAYS)('gives the image with its layers, %s', async (way) => {
    const images = await imagesIn(dockerArchive, bytes, way);
    expect(images).toHaveLength(1);
    const [found] = images;
    expect(found!.names).toEqual([name]);
    expect(found!.config).toMatchObject({
      platform: { os: 'linux', architecture: 'amd64' },
      user: 'guest',
      workingDir: '/tmp',
      cmd: ['/bin/greet'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'GREETING=hello, world'],
      exposedPorts: ['53/udp', '8080/tcp'],
      volumes: ['/var/greetings'],
      stopSignal: 'SIGINT',
      healthcheck: { test: ['CMD', '/bin/greet'], interval: 30_000_000_000, timeout: 5_000_000_000, retries: 3 },
    });
    expect(Object.fromEntries(found!.config.labels)).toMatchObject({ 'org.example.purpose': 'greeting' });
    const ids = await diffIdsOf(found!);
    // Before 1.10 every step was a layer, also one that changed nothing.
    const nothing = prepare({ layers: [tar([])] }).layers[0]!.diffId;
    expect(ids.filter((id) => id !== nothing)).toEqual(expected.layers.map(({ diffId }) => diffId));
    expect(ids).toHaveLength(generation === 'v1' ? 4 : 2);
  });

  test('is recognised, and called by its age', async () => {
    const bid = await dockerArchive.bid(await openTar(bytes));
    const titles: Readonly<Record<string, string>> = {
      v1: 'docker archive (docker save before 1.10)',
      '1.10': 'docker archive (docker save 1.10 to 24)',
      skopeo: 'docker archive (docker save 1.10 to 24)',
      bazel: 'docker archive (docker save 1.10 to 24)',
      kaniko: 'docker archive',
      jib: 'docker archive',
    };
    expect(bid?.title).toBe(titles[generation] ?? 'docker archive (docker save 25 or later)');
  });

  test('reads the same from names with ./ in front, and compressed as a whole', async () => {
    const dotted = dockerSave(image, { generation, members: withDotSlash });
    for (const input of [dotted, gzipSync(bytes)]) {
      const [found] = await imagesIn(dockerArchive, input);
      expect(found!.names).toEqual([name]);
      expect((await diffIdsOf(found!)).length).toBe(generation === 'v1' ? 4 : 2);
    }
  });

  test('holds several images, each with its own layers', async () => {
    const other: ImageRecipe = {
      layers: [image.layers[0]!, recordPadded(tar([{ name: 'x', body: 'y' }]))],
      tags: ['other:1', 'other:2'],
    };
    const images = await imagesIn(dockerArchive, dockerSave([image, other], { generation }));
    const names = images.map((one) => one.names.map((text) => text.replace('docker.io/library/', '')));
    expect(names.sort()).toEqual([['greeting:latest'], ['other:1', 'other:2']]);
    const found = images.find((one) => one.names.length === 2)!;
    expect(await diffIdsOf(found)).toEqual(prepare(other).layers.map(({ diffId }) => diffId));
  });
});

describe.each(later)('the manifest.json of %s', (generation) => {
  test('leads to the configuration, whose bytes are kept', async () => {
    const [found] = await imagesIn(dockerArchive, dockerSave(image, { generation }));
    expect(Buffer.from(found!.original.config!.bytes)).toEqual(Buffer.from(expected.configBytes));
    expect(found!.original.config!.digest).toBe(expected.configDigest);
    expect(found!.layers.map(({ diffId }) => diffId)).toEqual(expected.layers.map(({ diffId }) => diffId));
    expect(found!.history.map(({ emptyLayer, author }) => [emptyLayer, author])).toEqual([
      [false, 'fixture'],
      [true, 'fixture'],
      [false, 'fixture'],
      [true, 'fixture'],
    ]);
  });

  test('may name an image that has no tag, and one that has no layers', async () => {
    const scratch: ImageRecipe = { layers: [], config: { config: { Labels: { only: 'metadata' } } } };
    const images = await imagesIn(dockerArchive, dockerSave([scratch, { ...image, tags: [] }], { generation }));
    expect(images.map(({ layers }) => layers.length)).toEqual([0, 2]);
    expect(images.flatMap(({ names }) => names)).toEqual([]);
  });
});

describe('a layer', () => {
  test('that comes twice is one member, and a link to it, and counts twice', async () => {
    const layer = tar([{ name: 'a', body: 'b' }]);
    for (const generation of ['1.10', '25', 'skopeo', 'kaniko'] as const) {
      const [found] = await imagesIn(
        dockerArchive,
        dockerSave({ layers: [layer, layer], tags: ['x:1'] }, { generation }),
      );
      const { diffId } = prepare({ layers: [layer] }).layers[0]!;
      expect(await diffIdsOf(found!), generation).toEqual([diffId, diffId]);
    }
  });

  test.each(['none', 'gzip', 'zstd'] as const)(
    'that is stored with %s is recognised by its magic',
    async (compression) => {
      const layer = { tar: tar([{ name: 'a', body: 'b'.repeat(5000) }]), compression };
      for (const way of WAYS) {
        const [found] = await imagesIn(dockerArchive, dockerSave({ layers: [layer] }, { generation: 'kaniko' }), way);
        expect(found!.layers[0]!.blob.codec?.name ?? 'none').toBe(compression);
        expect(await diffIdsOf(found!)).toEqual([found!.layers[0]!.diffId]);
      }
    },
  );

  test.each(['1.10', '25', '25.0.0'] as const)('that is foreign and absent in %s is elsewhere', async (generation) => {
    const windows = windowsImage();
    const [base, top] = windows.layers as readonly [object, Uint8Array];
    const absent = { ...windows, layers: [{ ...base, absent: true }, top] } as ImageRecipe;
    const [found] = await imagesIn(dockerArchive, dockerSave(absent, { generation }));
    expect(found!.layers.map(({ foreign, elsewhere }) => [foreign, elsewhere])).toEqual([
      [true, true],
      [false, false],
    ]);
    expect(found!.layers[0]!.urls).toEqual(['https://mirror.example/windows/base.tar.gz']);
    expect(() => found!.layers[0]!.open(contextWith())).toThrow('its vendor serves it');
    const [present] = await imagesIn(dockerArchive, dockerSave(windows, { generation }));
    expect(present!.layers.map(({ foreign, elsewhere }) => [foreign, elsewhere])).toEqual([
      [true, false],
      [false, false],
    ]);
  });
});
