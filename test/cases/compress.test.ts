/** `--compress` and `--reproducible`: how layers are stored, and that the same command gives the same bytes. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { prepare } from '../../fixtures/image-recipe.ts';
import { greeting, sampleLayer } from '../../fixtures/images.ts';
import { layoutTar, ociLayout } from '../../fixtures/oci-layout.ts';
import { scratch, withPeer } from '../fixtures/peers.ts';
import { fileOf, greetingFile, output, refused, snapshot } from './command.ts';
import { readLayout } from './layout.ts';

const image = greeting('amd64');
const diffIds = prepare(image).layers.map(({ diffId }) => diffId);
/** Text that a compressor has something to do with. */
const text = Array.from({ length: 40_000 }, (_, i) => `line ${(i * 7919) % 10_007}\n`).join('');
const wordy = { layers: [sampleLayer([{ name: 'text', body: text }])], tags: ['wordy:1'] };

const suffixes = (out: string): readonly string[] =>
  readLayout(out).flatMap(({ layers }) => layers.map(({ mediaType }) => mediaType.replace(/^.*layer\.v1\.tar/, '')));

function converted(source: string, ...options: readonly string[]): string {
  const out = join(scratch(), 'out');
  output(['convert', '-q', ...options, source, out]);
  return out;
}

const sizeOf = (out: string): number => readLayout(out)[0]!.layers[0]!.size;

/** The check of a zstd layer asks the tool, where Node has none of its own. */
const zstdTest = withPeer('zstd');

describe.each(['file', 'pipe'] as const)('layers that are stored uncompressed, from a %s', (way) => {
  const stored = (...options: readonly string[]): string => {
    const bytes = dockerSave(image, { generation: '1.10' });
    const out = join(scratch(), 'out');
    if (way === 'file') output(['convert', '-q', ...options, fileOf(bytes), out]);
    else output(['convert', '-q', ...options, '-', out], { input: bytes });
    expect(readLayout(out)[0]!.diffIds).toEqual(diffIds);
    return out;
  };
  test('become gzip unless something else is said', () => expect(suffixes(stored())).toEqual(['+gzip', '+gzip']));
  test('become gzip with --compress gzip', () =>
    expect(suffixes(stored('--compress', 'gzip:9'))).toEqual(['+gzip', '+gzip']));
  test('stay as they are with --compress none', () => expect(suffixes(stored('--compress', 'none'))).toEqual(['', '']));
  zstdTest('become zstd with --compress zstd', () =>
    expect(suffixes(stored('--compress=zstd:5'))).toEqual(['+zstd', '+zstd']),
  );
});

describe.each(['none', 'gzip', 'zstd'] as const)('layers of a layout that are %s', (own) => {
  const source = (): string => fileOf(layoutTar(ociLayout(image, { compression: own })));
  const suffix = own === 'none' ? '' : `+${own}`;
  const check = own === 'zstd' ? zstdTest : test;
  check('stay as they are with keep', () =>
    expect(suffixes(converted(source(), '--compress', 'keep'))).toEqual([suffix, suffix]),
  );
  test('are uncompressed with none', () => {
    const out = converted(source(), '--compress', 'none');
    expect(suffixes(out)).toEqual(['', '']);
    expect(readLayout(out)[0]!.layers.map(({ digest }) => digest)).toEqual(diffIds);
  });
});

test('layers that are zstd can become gzip', () => {
  const out = converted(fileOf(layoutTar(ociLayout(image, { compression: 'zstd' }))), '--compress', 'gzip');
  expect(suffixes(out)).toEqual(['+gzip', '+gzip']);
  expect(readLayout(out)[0]!.configDigest).toBe(prepare(image).configDigest);
});

test('a higher level of gzip gives a smaller layer', () => {
  const source = fileOf(dockerSave(wordy, { generation: '1.10' }));
  expect(sizeOf(converted(source, '--compress', 'gzip:9'))).toBeLessThan(
    sizeOf(converted(source, '--compress', 'gzip:1')),
  );
});

zstdTest('a higher level of zstd gives a smaller layer', () => {
  const source = fileOf(dockerSave(wordy, { generation: '1.10' }));
  expect(sizeOf(converted(source, '--compress', 'zstd:15'))).toBeLessThan(
    sizeOf(converted(source, '--compress', 'zstd:1')),
  );
});

test.each(['lzma', 'gzip:0', 'gzip:13', 'zstd:20', 'keep:3', 'none:1', 'gzip:1:2', 'gzip:', ''])(
  '--compress %j is wrong usage, and nothing is written',
  (compress) => {
    const folder = scratch();
    const refusal = refused(['convert', `--compress=${compress}`, greetingFile(), join(folder, 'out')]);
    expect(refusal).toMatchObject({ status: 2, code: 'usage/option' });
    expect(snapshot(folder)).toEqual([]);
  },
);

describe.each(['gzip', 'zstd'])('--reproducible with %s', (compress) => {
  const check = compress === 'zstd' ? zstdTest : test;
  check('gives the same bytes twice, from two folders, from a file and from a pipe', () => {
    const bytes = dockerSave([image, wordy], { generation: '1.10' });
    const one = join(scratch(), 'one');
    const two = join(scratch(), 'deeper/two');
    mkdirSync(one);
    mkdirSync(two, { recursive: true });
    const file = fileOf(bytes, 'app.tar', one);
    copyFileSync(file, join(two, 'renamed.bin'));
    const options = ['convert', '-q', '--reproducible', '--compress', compress];
    output([...options, 'app.tar', 'out'], { cwd: one });
    output([...options, 'renamed.bin', 'other'], { cwd: two });
    output([...options, '-', 'piped'], { cwd: two, input: bytes });
    const first = snapshot(join(one, 'out'));
    expect(first.length).toBeGreaterThan(8);
    expect(snapshot(join(two, 'other'))).toEqual(first);
    expect(snapshot(join(two, 'piped'))).toEqual(first);
    expect(readLayout(join(one, 'out')).map(({ name }) => name)).toEqual(['greeting:latest', 'wordy:1']);
  });
});

test('without --reproducible the same command also gives the same bytes on one machine', () => {
  const source = fileOf(dockerSave(wordy, { generation: '1.10' }));
  expect(snapshot(converted(source))).toEqual(snapshot(converted(source)));
});

test('the portable gzip of --reproducible is what any gunzip reads, and as small as usual', () => {
  const source = fileOf(dockerSave(wordy, { generation: '1.10' }));
  const portable = converted(source, '--reproducible');
  expect(readLayout(portable)[0]!.diffIds).toEqual(prepare(wordy).layers.map(({ diffId }) => diffId));
  expect(sizeOf(portable)).toBeLessThan(1.3 * sizeOf(converted(source)));
});
