/** What a conversion says about itself: lines, the report, JSON, progress, notes and `--strict`. */
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { prepare } from '../../fixtures/image-recipe.ts';
import { greeting, sampleLayer } from '../../fixtures/images.ts';
import { tar } from '../../fixtures/tar.ts';
import { scratch } from '../fixtures/peers.ts';
import { fileOf, greetingFile, ocix, output, refused, snapshot } from './command.ts';
import { namesOf, readLayout } from './layout.ts';

const image = greeting('amd64');
const diffIds = prepare(image).layers.map(({ diffId }) => diffId);
/** An image whose conversion has to be noted: its platform is guessed. */
const guessed = (): string =>
  fileOf(
    dockerSave(
      { layers: [sampleLayer([{ name: 'a' }])], tags: ['bare:1'], config: { architecture: undefined } },
      { generation: '1.10' },
    ),
  );
/** And one whose history does not fit. */
const mended = (): string =>
  fileOf(
    dockerSave({ ...image, config: { ...image.config, history: [{ created_by: 'one' }] } }, { generation: '1.10' }),
  );

describe('--json and --report', () => {
  test('--json prints one document and nothing else on standard output', () => {
    const out = join(scratch(), 'out');
    const stdout = output(['convert', '--json', greetingFile(), out]);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    const [read] = readLayout(out);
    expect(JSON.parse(stdout)).toEqual({
      source: expect.objectContaining({ format: 'docker-archive', title: expect.stringContaining('1.10') }),
      target: { format: 'oci', out },
      images: [
        {
          names: ['greeting:latest'],
          digest: read!.digest,
          config: read!.configDigest,
          platform: 'linux/amd64',
          layers: read!.layers.map(({ digest, size, tar: plain }, i) => ({
            diffId: diffIds[i],
            plainSize: plain!.length,
            digest,
            size,
            compression: 'gzip',
          })),
        },
      ],
      notes: [],
    });
  });

  test('--report writes the same document, and the lines stay on standard output', () => {
    const folder = scratch();
    const source = mended();
    const lines = output(['convert', '-q', '--report', 'report.json', source, 'out'], { cwd: folder });
    const json = output(['convert', '-q', '--json', source, 'out'], { cwd: folder });
    const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'));
    expect(report).toEqual(JSON.parse(json));
    expect(report.notes).toEqual([{ kind: 'repaired', message: expect.any(String), at: expect.any(Array) }]);
    expect(lines).toBe(`greeting:latest\t${report.images[0].digest}\tout\n`);
  });

  test('a report that cannot be written gives 7', () => {
    const folder = scratch();
    const run = refused([
      'convert',
      '-q',
      '--report',
      join(folder, 'no/report.json'),
      greetingFile(),
      join(folder, 'o'),
    ]);
    expect(run).toMatchObject({ status: 7, code: 'output/write' });
    expect(run.stdout).toBe('');
  });
});

describe('a report that would take the place of something', () => {
  const takesThePlace = (args: readonly string[], folder: string): void => {
    const before = snapshot(folder);
    expect(refused(args, { cwd: folder })).toMatchObject({ status: 2, code: 'usage/argument', stdout: '' });
    expect(snapshot(folder)).toEqual(before);
  };

  test('is refused where it is the source, the estate or the output, whatever way the path is written', () => {
    const folder = scratch();
    fileOf(dockerSave(image, { generation: '1.10' }), 'app.tar', folder);
    symlinkSync('app.tar', join(folder, 'link'));
    takesThePlace(['convert', '--report', 'app.tar', 'app.tar', 'out'], folder);
    takesThePlace(['convert', '--report', 'link', 'docker-archive:app.tar:@0', 'out'], folder);
    takesThePlace(['convert', '--to', 'tar', '--report', './out.tar', 'app.tar', 'out.tar'], folder);
    takesThePlace(['convert', '--report', 'out', 'app.tar', 'oci:out'], folder);
    takesThePlace(['unpack', '--report', join(folder, 'app.tar'), 'app.tar', 'out'], folder);
    takesThePlace(['runtime-config', '--report', 'app.tar', 'app.tar'], folder);
    takesThePlace(['runtime-config', 'app.tar', 'link'], folder);
    takesThePlace(['runtime-config', '--report', 'config.json', 'app.tar', 'config.json'], folder);
    takesThePlace(['migrate', '--report', 'out', '.', 'out'], folder);
  });

  test.each(['', '-'])('is refused where its name is %j', (name) => {
    const run = refused(['convert', '--report', name, greetingFile(), join(scratch(), 'out')]);
    expect(run).toMatchObject({ status: 2, code: 'usage/option' });
    expect(run.lines.join(' ')).toContain('--json');
  });
});

test.skipIf(!existsSync('/dev/full')).each([['convert'], ['unpack'], ['bundle']])(
  'a report that fails at the end leaves the output of %s as it was',
  (command) => {
    const folder = scratch();
    const run = refused([command, '-q', '--report', '/dev/full', greetingFile(), join(folder, 'out')]);
    expect(run).toMatchObject({ status: 7, code: 'output/write', stdout: '' });
    expect(snapshot(folder)).toEqual([]);
  },
);

describe('notes', () => {
  test('are said on standard error, with what --strict would do', () => {
    const run = ocix(['convert', guessed(), join(scratch(), 'out')]);
    expect(run.status).toBe(0);
    expect(run.stderr).toMatch(/^note: guessed: .*platform/m);
    expect(run.stderr).toContain('1 note (--strict refuses them)');
  });

  test.each([
    ['a guessed platform', guessed, 'guessed'],
    ['a mended history', mended, 'repaired'],
  ])('of %s end in 5 with --strict, and nothing is written', (_, source, kind) => {
    const folder = scratch();
    const run = refused(['convert', '--strict', source(), join(folder, 'out')]);
    expect(run).toMatchObject({ status: 5, code: 'strict/notes', stdout: '' });
    expect(run.lines[0]).toContain(kind);
    expect(snapshot(folder)).toEqual([]);
  });

  test('do not come up where the user said what was open', () => {
    const out = join(scratch(), 'out');
    output(['convert', '-q', '--strict', '--platform', 'linux/riscv64', guessed(), out]);
    expect(readLayout(out)).toMatchObject([{ platform: 'linux/riscv64', config: { architecture: 'riscv64' } }]);
  });

  test('are absent for a sound image, which --strict lets pass', () => {
    const out = join(scratch(), 'out');
    expect(ocix(['convert', '--strict', greetingFile(), out])).toMatchObject({ status: 0 });
    expect(namesOf(out)).toEqual(['greeting:latest']);
  });
});

describe('progress', () => {
  const stderrOf = (...options: readonly string[]): string =>
    ocix(['convert', ...options, greetingFile(), join(scratch(), 'out')]).stderr;

  test('plain has a line when each layer starts and ends, without colours or bars', () => {
    for (const text of [stderrOf('--progress', 'plain'), stderrOf()]) {
      expect(text.split('\n').filter((line) => line.startsWith('layer 1/2'))).toHaveLength(2);
      expect(text).toContain(diffIds[0]!.slice(7, 19));
      expect(text).not.toMatch(/[\x1b\r█]/);
    }
  });

  test('json is one event a line', () => {
    const lines = stderrOf('-q', '--progress', 'json');
    expect(lines).toBe('');
    const events = stderrOf('--progress', 'json')
      .split('\n')
      .filter((line) => line.startsWith('{'));
    expect(events.map((line) => JSON.parse(line).type)).toEqual([
      'source',
      ...['layer-start', 'layer-progress', 'layer-end'],
      ...['layer-start', 'layer-progress', 'layer-end'],
    ]);
    expect(JSON.parse(events[0]!)).toMatchObject({ images: 1, layers: 2, format: expect.stringContaining('docker') });
  });

  test('none leaves the summary, -q leaves nothing', () => {
    expect(stderrOf('--progress', 'none')).toMatch(/^2 layers, 12\.8 kB in, [\d.]+ k?B out, [\d.]+ s\n$/);
    expect(stderrOf('-q')).toBe('');
  });

  test('of another name is wrong usage', () => {
    const run = refused(['convert', '--progress', 'loud', greetingFile(), join(scratch(), 'out')]);
    expect(run).toMatchObject({ status: 2, code: 'usage/argument' });
    expect(run.lines.join(' ')).toContain('plain');
  });
});

describe('SOURCE_DATE_EPOCH', () => {
  const rootfs = (): string => `tar:${fileOf(tar([{ name: 'bin/' }]), 'rootfs.tar')}`;
  const createdOf = (source: string, epoch: string): string | undefined => {
    const out = join(scratch(), 'out');
    output(['convert', '-q', source, out], { env: { SOURCE_DATE_EPOCH: epoch } });
    return readLayout(out)[0]!.config.created;
  };

  test('is when an image was created whose source does not say so', () => {
    expect(createdOf(rootfs(), '1709208000')).toBe('2024-02-29T12:00:00Z');
    expect(createdOf(rootfs(), '0')).toBe('1970-01-01T00:00:00Z');
    expect(createdOf(rootfs(), '')).toBeUndefined();
  });

  test('does not change an image that says when it was created', () => {
    expect(createdOf(greetingFile(), '0')).toBe('2024-02-29T12:00:00Z');
  });

  test.each(['tomorrow', '-1', '1.5', '99999999999999'])('of %j is wrong usage', (epoch) => {
    const run = refused(['convert', greetingFile(), join(scratch(), 'out')], { env: { SOURCE_DATE_EPOCH: epoch } });
    expect(run).toMatchObject({ status: 2, code: 'usage/option' });
  });
});
