import { describe, expect, test } from 'vitest';
import { dockerSave, type SaveOptions } from '../../../fixtures/docker-save.ts';
import type { JsonObject } from '../../../fixtures/image-recipe.ts';
import { greeting } from '../../../fixtures/images.ts';
import { dockerArchive } from '../../../formats/docker/index.ts';
import { contextWith, imagesIn } from '../support.ts';

const image = greeting('amd64');

async function notesOf(options: SaveOptions, recipes = [image]): Promise<readonly string[]> {
  const context = contextWith();
  expect(await imagesIn(dockerArchive, dockerSave(recipes, options), 'indexed', context)).toHaveLength(recipes.length);
  return context.notes.all().map(({ kind, message, at }) => `${kind} ${at.join(' ')}: ${message}`);
}

describe('index.json beside manifest.json', () => {
  test.each(['25', '25.0.0'] as const)('that agrees is worth no word (%s)', async (generation) => {
    expect(await notesOf({ generation })).toEqual([]);
    expect(await notesOf({ generation }, [image, { layers: [], tags: ['localhost:5000/x', 'team/y:2'] }])).toEqual([]);
  });

  test('may say null, as 25.0.0 did where nothing is tagged', async () => {
    const untagged = { ...image, tags: [] };
    expect(await notesOf({ generation: '25.0.0' }, [untagged])).toEqual([]);
  });

  test('that names more is reported, and not fatal', async () => {
    const index = (document: JsonObject) => ({
      ...document,
      manifests: (document['manifests'] as JsonObject[]).map((one) => ({
        ...one,
        annotations: { 'io.containerd.image.name': 'docker.io/library/other:1' },
      })),
    });
    const notes = await notesOf({ generation: '25', index });
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/^dropped index\.json \/manifests\/0: .*docker\.io\/library\/other:1/);
  });

  test('that holds other platforms and attestations is reported', async () => {
    const notes = await notesOf({ generation: 'containerd' });
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/^dropped index\.json \/manifests\/0: other platforms and attestations/);
    expect(await notesOf({ generation: 'containerd' }, [{ ...image, attestation: 'none' } as typeof image])).toEqual(
      [],
    );
  });

  test.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['manifests that are text', '{"manifests":"x"}'],
    ['a digest that is a path', '{"manifests":[{"mediaType":"x","digest":"sha256:../x","size":1}]}'],
  ])('that has %s is reported, and not fatal', async (_, text) => {
    const notes = await notesOf({ generation: '25', index: () => Buffer.from(text) });
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/^dropped index\.json: index\.json cannot be read and was not needed/);
  });
});
