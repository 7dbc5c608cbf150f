/** Archives that other tools wrote: the diffIDs of what we write are those that a second implementation finds in the source. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RuleId } from '../../converters/index.ts';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { prepare } from '../../fixtures/image-recipe.ts';
import { greeting } from '../../fixtures/images.ts';
import { fileOf, ocix, refusalOf } from '../cases/command.ts';
import { readLayout } from '../cases/layout.ts';
import { runPeer, scratch, withPeer } from '../fixtures/peers.ts';

const CORPUS = join(import.meta.dirname, '../../../shared/corpus');
const there = existsSync(CORPUS);
const inputs = there
  ? ['docker-save', 'oci-archive', 'oci-layout'].flatMap((folder) =>
      readdirSync(join(CORPUS, folder))
        .sort()
        .map((name) => `${folder}/${name}`),
    )
  : [];

/** What is no sound image, and the code that says so. */
const REFUSED: Readonly<Record<string, string>> = {
  'docker-save/docker2aci-fixture-test-depsloop.tar': 'docker/parent',
  'docker-save/docker2aci-fixture-test-invalidlayerid.tar': 'path/escape',
  'docker-save/ggcr-null-manifest.tar': 'docker/manifest',
  'docker-save/scalibr-empty.tar': 'format/unknown',
  // Sizes that were made up, and blobs that were left out.
  'oci-layout/cimage-delete_image_multiple_images': 'size/mismatch',
  'oci-layout/cimage-delete_image_only_one_image': 'size/mismatch',
  'oci-layout/cimage-delete_image_shared_blobs_dir': 'blob/missing',
  'oci-layout/ggcr-test_gc_image_unknown_mediatype': 'blob/missing',
  // An index.json alone.
  'oci-layout/cimage-manifest': 'format/unknown',
  'oci-layout/cimage-two_images_manifest': 'format/unknown',
  'oci-layout/stereoscope-invalid-file': 'format/unknown',
  'oci-layout/stereoscope-no-manifests': 'format/unknown',
};

/** What no output can be free of: manifests and indexes that go through unchanged, and labels that an image brings along. */
const INHERITED: Readonly<Record<string, readonly RuleId[]>> = {
  'docker-save/jib-image.tar': ['oci/annotations-domain'],
  'oci-archive/libimage-oci-name-only.tar.gz': ['oci/manifest-media-type-given'],
  'oci-archive/libimage-oci-registry-name.tar.gz': ['oci/manifest-media-type-given'],
  'oci-archive/libimage-oci-unnamed.tar.gz': ['oci/manifest-media-type-given'],
  'oci-layout/ggcr-test_index': ['oci/index-child-type', 'oci/ref-name-place'],
  'oci-layout/ggcr-test_index_one_image': ['oci/manifest-media-type-given'],
};

/** One line an image, so that the order of images does not matter. */
const asSet = (images: readonly (readonly string[])[]): readonly string[] =>
  [...new Set(images.map((ids) => ids.join(' ')))].sort();

function secondOpinion(path: string): readonly string[] {
  const args = [join(import.meta.dirname, 'digests.py'), path];
  return asSet(JSON.parse(runPeer({ tool: 'python3', args }).toString()));
}

withPeer('python3')('the second implementation agrees with the recipe of a fixture', () => {
  const image = greeting('amd64');
  const wanted = prepare(image).layers.map(({ diffId }) => diffId);
  for (const generation of ['1.10', '25', 'containerd', 'kaniko'] as const)
    expect(secondOpinion(fileOf(dockerSave(image, { generation })))).toEqual([wanted.join(' ')]);
});

describe.skipIf(!there)('every archive and layout of the corpus', () => {
  withPeer('python3').each(inputs.filter((input) => !(input in REFUSED)))('%s', (input) => {
    const path = join(CORPUS, input);
    const out = join(scratch(), 'out');
    const run = ocix(['convert', '-q', path, out], { inherited: INHERITED[input] ?? [] });
    expect([run.status, run.stderr]).toEqual([0, '']);
    expect(asSet(readLayout(out).map(({ diffIds }) => diffIds))).toEqual(secondOpinion(path));
    expect(ocix(['validate', '-q', out])).toMatchObject({ status: 0, stderr: '' });
  });

  test.each(inputs.filter((input) => input in REFUSED))('%s is refused', (input) => {
    const out = join(scratch(), 'out');
    const refusal = refusalOf(ocix(['convert', '-q', join(CORPUS, input), out]));
    expect(refusal.code).toBe(REFUSED[input]);
    expect(existsSync(out)).toBe(false);
  });
});
