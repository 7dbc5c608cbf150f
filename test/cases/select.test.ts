/** Choosing among images: by name, by place, by platform; and naming what is written. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { prepare } from '../../fixtures/image-recipe.ts';
import { greeting, sampleLayer } from '../../fixtures/images.ts';
import {
  emptyLayout,
  named,
  ociLayout,
  putAttestation,
  putImage,
  putIndex,
  setIndex,
  writeLayout,
} from '../../fixtures/oci-layout.ts';
import { scratch } from '../fixtures/peers.ts';
import { fileOf, output, refused } from './command.ts';
import { readLayout } from './layout.ts';

const first = greeting('amd64');
const second = { layers: [sampleLayer([{ name: 'two' }])], tags: ['example.com/two:1', 'example.com/two:latest'] };
const untagged = { layers: [sampleLayer([{ name: 'three' }])] };
const several = (): string => fileOf(dockerSave([first, second, untagged], { generation: '1.10' }));
const idOf = (image: Parameters<typeof prepare>[0]): string => prepare(image).configDigest;

/** What was written, as names and image ids. */
function converted(...args: readonly string[]): readonly (readonly [string | undefined, string])[] {
  const out = join(scratch(), 'out');
  output(['convert', '-q', ...args, out]);
  return readLayout(out).map(({ name, configDigest }) => [name, configDigest] as const);
}

describe('an archive of several images', () => {
  test('is converted whole: each tag has its entry, and an image without one has an entry without a name', () => {
    expect(converted(several())).toEqual([
      ['greeting:latest', idOf(first)],
      ['example.com/two:1', idOf(second)],
      ['example.com/two:latest', idOf(second)],
      [undefined, idOf(untagged)],
    ]);
  });

  test('prints one line an image, with its first name, its digest and the layout', () => {
    const out = join(scratch(), 'out');
    const lines = output(['convert', '-q', several(), out]).trimEnd().split('\n');
    expect(
      lines.map((line) => line.split('\t').map((part) => part.replace(/^sha256:[0-9a-f]{64}$/, 'digest'))),
    ).toEqual([
      ['greeting:latest', 'digest', out],
      ['example.com/two:1', 'digest', out],
      ['', 'digest', out],
    ]);
    const digests = new Set(readLayout(out).map(({ digest }) => digest));
    expect(new Set(lines.map((line) => line.split('\t')[1]))).toEqual(digests);
  });

  test.each([
    [':greeting:latest', [['greeting:latest', idOf(first)]]],
    [':greeting', [['greeting:latest', idOf(first)]]],
    [':docker.io/library/greeting:latest', [['greeting:latest', idOf(first)]]],
    [':example.com/two:1', [['example.com/two:1', idOf(second)]]],
    [
      ':@1',
      [
        ['example.com/two:1', idOf(second)],
        ['example.com/two:latest', idOf(second)],
      ],
    ],
    [':@2', [[undefined, idOf(untagged)]]],
  ])('gives what %s chooses, and nothing else', (selector, wanted) => {
    expect(converted(`docker-archive:${several()}${selector}`)).toEqual(wanted);
  });

  test.each([
    [':nobody:1', 'greeting:latest, example.com/two:1'],
    [':@3', '@0 to @2'],
  ])('refuses %s and says what there is', (selector, hint) => {
    const out = join(scratch(), 'out');
    const refusal = refused(['convert', `docker-archive:${several()}${selector}`, out]);
    expect(refusal).toMatchObject({ status: 4, code: 'image/select' });
    expect(refusal.lines.join('\n')).toContain(hint);
  });

  test('takes a new name only for one image', () => {
    const source = several();
    expect(converted('--ref', 'mine:2', `docker-archive:${source}:@1`)).toEqual([['mine:2', idOf(second)]]);
    expect(refused(['convert', '--ref', 'mine:2', source, join(scratch(), 'out')])).toMatchObject({
      status: 4,
      code: 'image/select',
    });
  });

  test('is refused whole when one of its images is broken', () => {
    const broken = dockerSave([first, second], {
      generation: '1.10',
      manifest: (items) => [items[0], { ...items[1], Layers: ['gone/layer.tar'] }],
    });
    const out = join(scratch(), 'out');
    expect(refused(['convert', fileOf(broken), out])).toMatchObject({ status: 4, code: 'member/missing' });
    expect(() => readLayout(out)).toThrow('ENOENT');
  });
});

test('names that differ only by the default registry name the same image, in a layout too', async () => {
  const folder = join(scratch(), 'in');
  await writeLayout(ociLayout({ ...first, tags: ['docker.io/library/greeting:latest'] }), folder);
  expect(converted(`oci:${folder}:greeting:latest`)).toEqual([['docker.io/library/greeting:latest', idOf(first)]]);
});

test.each(['UPPER CASE', '../../x', '-x', 'a b', ''])(
  '--ref %j is wrong usage, and nothing is read or written',
  (name) => {
    const folder = scratch();
    const source = fileOf(dockerSave(first, { generation: '1.10' }), 'app.tar', folder);
    const refusal = refused(['convert', `--ref=${name}`, source, join(folder, 'out')]);
    expect(refusal).toMatchObject({ status: 2, code: 'usage/option' });
    expect(() => readLayout(join(folder, 'out'))).toThrow('ENOENT');
  },
);

describe('an index of several platforms', () => {
  const other = greeting('arm64');
  const layoutFolder = async (): Promise<string> => {
    const layout = emptyLayout();
    const amd64 = putImage(layout, first);
    const index = putIndex(layout, [amd64, putImage(layout, other), putAttestation(layout, amd64)]);
    const folder = join(scratch(), 'in');
    await writeLayout(setIndex(layout, [named(index, 'both:1')]), folder);
    return folder;
  };

  test('passes whole, with every digest as it was', async () => {
    const folder = await layoutFolder();
    const out = join(scratch(), 'out');
    const lines = output(['convert', '-q', folder, out]).trimEnd().split('\n');
    expect(readLayout(out)).toEqual(readLayout(folder));
    expect(lines.map((line) => line.split('\t')[0])).toEqual(lines.map(() => 'both:1'));
  });

  test.each([
    ['linux/amd64', first],
    ['linux/arm64', other],
    ['linux/arm64/v8', other],
  ])('--platform %s takes the one image of it, under the name of the index', async (platform, image) => {
    expect(converted('--platform', platform, await layoutFolder())).toEqual([['both:1', idOf(image)]]);
  });

  test('--platform of none of them is refused, and says which there are', async () => {
    const refusal = refused(['convert', '--platform', 'linux/s390x', await layoutFolder(), join(scratch(), 'out')]);
    expect(refusal).toMatchObject({ status: 4, code: 'image/select' });
    expect(refusal.lines.join('\n')).toMatch(/linux\/amd64, linux\/arm64/);
  });
});

test.each(['linux', 'linux/', '/amd64', 'linux/a/b/c', 'linux/am d64'])('--platform %j is wrong usage', (platform) => {
  const refusal = refused(['convert', '--platform', platform, several(), join(scratch(), 'out')]);
  expect(refusal).toMatchObject({ status: 2, code: 'usage/option' });
});
