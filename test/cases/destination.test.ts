/** What may stand at OUT, and what becomes of it. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { prepare } from '../../fixtures/image-recipe.ts';
import { greeting, sampleLayer } from '../../fixtures/images.ts';
import { layoutTar, ociLayout, strangeDigest, writeLayout } from '../../fixtures/oci-layout.ts';
import { scratch } from '../fixtures/peers.ts';
import { fileOf, greetingFile, output, refused, snapshot } from './command.ts';
import { namesOf, readLayout } from './layout.ts';

const image = greeting('amd64');
const other = { layers: [sampleLayer([{ name: 'other' }])], tags: ['other:1'] };
const otherFile = (): string => fileOf(dockerSave(other, { generation: '1.10' }), 'other.tar');

describe('a layout that exists', () => {
  test('gets the new image behind those it has', () => {
    const out = join(scratch(), 'out');
    output(['convert', '-q', greetingFile(), out]);
    const before = snapshot(out).filter((line) => line.startsWith('blobs/'));
    output(['convert', '-q', otherFile(), out]);
    expect(namesOf(out)).toEqual(['greeting:latest', 'other:1']);
    expect(snapshot(out)).toEqual(expect.arrayContaining([...before]));
  });

  test('is the same as before when the same image is added again', () => {
    const out = join(scratch(), 'out');
    const first = output(['convert', '-q', greetingFile(), out]);
    const before = snapshot(out);
    expect(output(['convert', '-q', greetingFile(), out])).toContain(first.split('\t')[1]);
    expect(snapshot(out)).toEqual(before);
  });

  test('does not get an image without a name twice', () => {
    const out = join(scratch(), 'out');
    const source = fileOf(dockerSave({ ...image, tags: [] }, { generation: '1.10' }));
    output(['convert', '-q', source, out]);
    output(['convert', '-q', source, out]);
    expect(namesOf(out)).toEqual([undefined]);
  });

  test('has a reference moved to the new image, and keeps the old one only under its other names', () => {
    const out = join(scratch(), 'out');
    output(['convert', '-q', fileOf(dockerSave({ ...image, tags: ['a:1', 'a:2'] }, { generation: '1.10' })), out]);
    output(['convert', '-q', '--ref', 'a:1', otherFile(), out]);
    expect(readLayout(out).map(({ name, configDigest }) => [name, configDigest])).toEqual([
      ['a:2', prepare(image).configDigest],
      ['a:1', prepare(other).configDigest],
    ]);
  });

  test('keeps members of its index and images that ocix does not understand', async () => {
    const folder = join(scratch(), 'out');
    const strange = { mediaType: 'application/vnd.example', digest: strangeDigest('x'), size: 5 };
    const annotations = { 'org.example.kept': 'yes' };
    const index = (own: object): object => ({ ...own, annotations, manifests: [strange] });
    await writeLayout(ociLayout([], { index }), folder);
    mkdirSync(join(folder, 'blobs'), { recursive: true });
    output(['convert', '-q', greetingFile(), folder], { inherited: ['oci/index-child-type', 'oci/blob-missing'] });
    const written = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'));
    expect(written).toMatchObject({ schemaVersion: 2, annotations });
    expect(written.manifests).toEqual([strange, expect.objectContaining({ size: expect.any(Number) })]);
  });

  test('is left as it was when what should be added is refused', () => {
    const out = join(scratch(), 'out');
    output(['convert', '-q', otherFile(), out]);
    const before = snapshot(out);
    const lying = dockerSave(
      { ...image, config: { rootfs: { type: 'layers', diff_ids: [strangeDigest('1'), strangeDigest('2')] } } },
      { generation: '1.10' },
    );
    expect(refused(['convert', fileOf(lying), out])).toMatchObject({ status: 4, code: 'digest/mismatch' });
    expect(snapshot(out)).toEqual(before);
  });

  test('of a broken index is refused and left alone', async () => {
    const out = join(scratch(), 'out');
    await writeLayout(ociLayout(image, { index: () => Buffer.from('{"manifests": [') }), out);
    const before = snapshot(out);
    expect(refused(['convert', otherFile(), out])).toMatchObject({ status: 4, code: 'json/syntax' });
    expect(snapshot(out)).toEqual(before);
  });

  test('is reached through a link, and the link stays', () => {
    const folder = scratch();
    output(['convert', '-q', greetingFile(), join(folder, 'real')]);
    symlinkSync('real', join(folder, 'link'));
    output(['convert', '-q', otherFile(), join(folder, 'link')]);
    expect(namesOf(join(folder, 'real'))).toEqual(['greeting:latest', 'other:1']);
    expect(snapshot(folder)).toContain('link -> real');
  });
});

describe('what is no layout', () => {
  test.each(['folder', 'file'])('a %s is refused with 7 and untouched', (kind) => {
    const folder = scratch();
    const out = join(folder, 'out');
    if (kind === 'folder') {
      mkdirSync(out);
      writeFileSync(join(out, 'thesis.txt'), 'the only copy');
    } else writeFileSync(out, 'the only copy');
    const before = snapshot(folder);
    const refusal = refused(['convert', greetingFile(), out]);
    expect(refusal).toMatchObject({ status: 7, code: 'output/exists' });
    expect(refusal.lines.join('\n')).toContain('--force');
    expect(snapshot(folder)).toEqual(before);
    output(['convert', '-q', '--force', greetingFile(), out]);
    expect(namesOf(out)).toEqual(['greeting:latest']);
  });

  test('--force keeps what was there when the source is refused', () => {
    const folder = scratch();
    mkdirSync(join(folder, 'out'));
    writeFileSync(join(folder, 'out/thesis.txt'), 'the only copy');
    const before = snapshot(folder);
    expect(refused(['convert', '--force', fileOf(Buffer.alloc(100)), join(folder, 'out')]).status).toBe(3);
    expect(snapshot(folder)).toEqual(before);
  });

  test('an empty folder is filled', () => {
    const out = join(scratch(), 'out');
    mkdirSync(out);
    output(['convert', '-q', greetingFile(), out]);
    expect(namesOf(out)).toEqual(['greeting:latest']);
  });

  test('--force over a layout leaves only the new image', () => {
    const out = join(scratch(), 'out');
    output(['convert', '-q', otherFile(), out]);
    output(['convert', '-q', '--force', greetingFile(), out]);
    expect(namesOf(out)).toEqual(['greeting:latest']);
  });

  test('a layout can be converted into itself, and stays whole', async () => {
    const out = join(scratch(), 'out');
    output(['convert', '-q', fileOf(layoutTar(ociLayout(image))), out]);
    output(['convert', '-q', '--compress', 'none', out, out]);
    expect(
      readLayout(out, 'spare')
        .at(-1)!
        .layers.map(({ mediaType }) => mediaType),
    ).toEqual(['application/vnd.oci.image.layer.v1.tar', 'application/vnd.oci.image.layer.v1.tar']);
  });
});

test('--force over a folder that the source lies in is refused, and both stay', () => {
  const folder = scratch();
  const layout = join(folder, 'layout');
  output(['convert', '-q', greetingFile(), layout]);
  for (const source of [`oci:${layout}`, `deb:${join(folder, 'layout/index.json')},${layout}`]) {
    const refusal = refused(['unpack', '--force', source, folder]);
    expect([refusal.status, refusal.code]).toEqual([2, 'usage/argument']);
    expect(refusal.lines.join(' ')).toContain('--force would remove');
  }
  expect(existsSync(join(layout, 'index.json'))).toBe(true);
});

test('a link to nothing is in the way of a file, and --force puts the file in its place', () => {
  const folder = scratch();
  const out = join(folder, 'out.tar');
  symlinkSync('nowhere', out);
  const convert = ['convert', '-q', '--to', 'tar', greetingFile(), out];
  const refusal = refused(convert);
  expect(refusal).toMatchObject({ status: 7, code: 'output/exists' });
  expect(refusal.lines.join(' ')).toContain('--force');
  output([...convert, '--force']);
  expect(snapshot(folder)).toEqual([expect.stringMatching(/^out\.tar [0-9a-f]{64}$/)]);
});

describe('a place that cannot be written to', () => {
  test('a missing parent folder gives 7 and is not made', () => {
    const folder = scratch();
    const refusal = refused(['convert', greetingFile(), join(folder, 'no/such/out')]);
    expect(refusal).toMatchObject({ status: 7, code: 'output/write' });
    expect(refusal.lines.join('\n')).toContain('parent folder');
    expect(snapshot(folder)).toEqual([]);
  });

  test('a file in the way of the parent gives 7', () => {
    const folder = scratch();
    writeFileSync(join(folder, 'file'), '');
    expect(refused(['convert', greetingFile(), join(folder, 'file/out')])).toMatchObject({ status: 7 });
  });

  test('a folder without permission to write gives 7', (context) => {
    const folder = scratch();
    chmodSync(folder, 0o555);
    const source = greetingFile();
    if (process.getuid?.() !== 0) {
      expect(refused(['convert', source, join(folder, 'out')])).toMatchObject({ status: 7, code: 'output/write' });
      return;
    }
    // Permissions do not stop root; a file system that is mounted read-only does.
    const script = `mount -t tmpfs -o ro none "$1" && exec "$2" "$3" convert "$4" "$1/out"`;
    const command = join(import.meta.dirname, '../../dist/ocix.js');
    const run = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', folder, process.execPath, command, source]);
    if (/unshare|mount/.test(String(run.error ?? run.stderr)) && run.status !== 7) return context.skip('cannot mount');
    expect(run.stderr.toString()).toMatch(/^ocix: output\/write: .*read-only/m);
    expect(run.status).toBe(7);
  });
});
