/** Whole estates into one layout: what is shared is stored once, what is broken stops nothing, what was stopped goes on. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type AciRecipe, aciTar, graphImage, named, rktStore } from '../../fixtures/aci.ts';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { greeting, sampleLayer } from '../../fixtures/images.ts';
import { scratch } from '../fixtures/peers.ts';
import { ocix, ocixStarted, output, refused, snapshot } from './command.ts';
import { readLayout } from './layout.ts';

/** Writes files into a new folder. */
function folderOf(files: Iterable<readonly [string, Uint8Array]>): string {
  const folder = join(scratch(), 'estate');
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  return folder;
}

/** Bases that are needed by many, one above the other, and applications that need two of them each. */
function estate(count: number): readonly AciRecipe[] {
  const bases = ['base-a', 'base-b', 'base-c', 'base-d'].map((key, i) =>
    graphImage(key, { needs: i ? ['base-a'] : [], rootfs: [{ name: `lib-${key}`, body: key.repeat(5000) }] }),
  );
  const apps = Array.from({ length: count }, (_, i) => graphImage(`app-${i}`, { needs: [`base-${'bcd'[i % 3]}`] }));
  return [...bases, ...apps];
}

const files = (recipes: readonly AciRecipe[]): readonly (readonly [string, Uint8Array])[] =>
  recipes.map((recipe, i) => [`${i % 2 ? 'some' : 'others'}/${i}.aci`, aciTar(recipe)] as const);

interface Line {
  readonly name: string;
  readonly digest: string;
}

const linesOf = (stdout: string): readonly Line[] =>
  stdout
    .trimEnd()
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [name = '', digest = ''] = line.split('\t');
      return { name, digest };
    });

describe('an estate of 200 images', () => {
  test('becomes one layout in which each base is stored once', () => {
    const folder = folderOf(files(estate(196)));
    const out = join(scratch(), 'out');
    const { status, stdout, stderr } = ocix(['migrate', '-q', folder, out]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(linesOf(stdout)).toHaveLength(200);
    const images = readLayout(out); // refuses what nothing refers to
    expect(images).toHaveLength(200);
    const layers = new Set(images.flatMap((image) => image.layers.map(({ digest }) => digest)));
    expect(layers.size).toBe(200); // one for each image, whoever else is made of it
    const app = images.find(({ name }) => name === 'example.com/app-0');
    expect(app?.layers).toHaveLength(3);
    const base = images.find(({ name }) => name === 'example.com/base-b');
    expect(app?.layers.slice(0, 2).map(({ digest }) => digest)).toEqual(base?.layers.map(({ digest }) => digest));
  });

  test('from the store of a host, one image at a time or many, gives the same', () => {
    const folder = folderOf(rktStore(estate(30)));
    const [one, four] = [join(scratch(), 'one'), join(scratch(), 'four')];
    const first = linesOf(output(['migrate', '-q', '--parallel', '1', `rkt:${folder}`, one]));
    const second = linesOf(output(['migrate', '-q', '--parallel', '4', folder, four]));
    expect(first).toHaveLength(34);
    expect(second).toEqual(first);
    expect(
      readLayout(four)
        .map(({ digest }) => digest)
        .sort(),
    ).toEqual(
      readLayout(one)
        .map(({ digest }) => digest)
        .sort(),
    );
  });
});

describe('what is there already', () => {
  test('is passed over, and told', () => {
    const folder = folderOf(files(estate(4)));
    const out = join(scratch(), 'out');
    output(['migrate', '-q', folder, out]);
    const before = readFileSync(join(out, 'index.json'));
    const { status, stdout, stderr } = ocix(['migrate', folder, out]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toContain('8 images: 0 converted, 8 were there, 0 failed');
    expect(readFileSync(join(out, 'index.json')).equals(before)).toBe(true);
  });

  test.each(['out', 'deep/er/out'])('is no part of the estate where it lies in it, as %s', (name) => {
    const folder = folderOf(files(estate(4)));
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    output(['migrate', '-q', '.', name], { cwd: folder });
    const before = snapshot(folder);
    const { status, stdout, stderr } = ocix(['migrate', folder, name], { cwd: folder });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toContain('8 images: 0 converted, 8 were there, 0 failed\n');
    expect(snapshot(folder)).toEqual(before);
  });

  test('stays, and the rest is added, after a run that was killed', async () => {
    const folder = folderOf(files(estate(60)));
    const out = join(scratch(), 'out');
    const run = ocixStarted(['migrate', folder, out]);
    const ended = new Promise((resolve) => run.on('exit', resolve));
    await new Promise<void>((resolve) => {
      let seen = '';
      run.stderr.on('data', (text: Buffer) => {
        seen += text.toString();
        if (seen.split('\n').length > 10) resolve();
      });
    });
    run.kill('SIGKILL');
    await ended;
    const there = readLayout(out, 'spare').length;
    expect(there).toBeGreaterThan(5);
    expect(there).toBeLessThan(64);
    const { status, stderr } = ocix(['migrate', folder, out]);
    expect(status).toBe(0);
    expect(stderr).toContain(`${64 - there} converted, ${there} were there, 0 failed`);
    expect(readLayout(out, 'spare')).toHaveLength(64);
  });
});

describe('one image that cannot be converted', () => {
  const broken = graphImage('lost', { needs: ['nowhere'] });

  test('ends the run in 4 and is told with its reason; the others are written', () => {
    const folder = folderOf([
      ...files([...estate(2), broken]),
      ['cut.aci', aciTar(graphImage('cut')).subarray(0, 2500)],
    ]);
    const out = join(scratch(), 'out');
    const report = join(scratch(), 'report.json');
    const { status, stderr } = ocix(['migrate', '--report', report, folder, out]);
    expect(status).toBe(4);
    expect(stderr).toContain('8 images: 6 converted, 0 were there, 2 failed');
    expect(stderr).toContain('appc/dependency: example.com/nowhere was not found');
    expect(readLayout(out)).toHaveLength(6);
    const { images } = JSON.parse(readFileSync(report, 'utf8'));
    expect(images.filter(({ state }: { state: string }) => state === 'failed')).toEqual([
      { source: join(folder, 'cut.aci'), state: 'failed', error: expect.objectContaining({ code: 'tar/truncated' }) },
      {
        source: expect.stringContaining('.aci'),
        state: 'failed',
        error: expect.objectContaining({ code: 'appc/dependency' }),
      },
    ]);
  });

  test('is one of which anything would be lost, where --strict says so', () => {
    const noted = graphImage('noted', { rootfs: [{ name: '.wh.x', body: 'x' }] });
    const folder = folderOf(
      files([graphImage('sound', { manifest: { labels: named({ os: 'linux', arch: 'amd64' }) } }), noted]),
    );
    const out = join(scratch(), 'out');
    const { status, stderr } = ocix(['migrate', '--strict', folder, out]);
    expect(status).toBe(4);
    expect(stderr).toContain('strict/notes');
    expect(readLayout(out)).toHaveLength(1);
  });
});

test('two images of one name are both there: the last has it, the other is told apart', () => {
  const version = { labels: named({ version: '1.0' }) };
  const older = graphImage('same', { manifest: version, rootfs: [{ name: 'older', body: '1' }] });
  const newer = graphImage('same', { manifest: version, rootfs: [{ name: 'newer', body: '2' }] });
  const folder = folderOf([
    ['1.aci', aciTar(older)],
    ['2.aci', aciTar(newer)],
  ]);
  const out = join(scratch(), 'out');
  const lines = linesOf(output(['migrate', '-q', folder, out]));
  expect(lines.map(({ name }) => name)).toEqual([
    expect.stringMatching(/^example\.com\/same:1\.0-[0-9a-f]{12}$/),
    'example.com/same:1.0',
  ]);
  expect(output(['ls', `oci:${out}:example.com/same:1.0`]).includes('newer')).toBe(true);
});

test('of two archives with one name the first has it, also where the other is read sooner', () => {
  const large = { ...greeting('amd64'), layers: [sampleLayer([{ name: 'large', body: 'x'.repeat(40_000_000) }])] };
  const folder = folderOf([
    ['1.tar.gz', gzipSync(dockerSave(large, { generation: '1.10' }), { level: 1 })],
    ['2.tar', dockerSave(greeting('amd64'), { generation: '1.10' })],
  ]);
  const out = join(scratch(), 'out');
  const lines = linesOf(output(['migrate', '-q', folder, out]));
  expect(lines.map(({ name }) => name)).toEqual([
    'greeting:latest',
    expect.stringMatching(/^greeting:latest-[0-9a-f]{12}$/),
  ]);
  expect(output(['ls', `oci:${out}:greeting:latest`]).includes('large')).toBe(true);
});

test('a folder may hold images of every kind, and files that are none', () => {
  const folder = folderOf([
    ['app.aci', aciTar(graphImage('app'))],
    ['greeting.tar', dockerSave(greeting('amd64'), { generation: '1.10' })],
    ['app.aci.asc', Buffer.from('a signature')],
    ['notes/readme.txt', Buffer.from('x')],
  ]);
  const out = join(scratch(), 'out');
  const { status, stderr } = ocix(['migrate', folder, out]);
  expect(status).toBe(0);
  expect(stderr).toContain('2 images: 2 converted, 0 were there, 0 failed · 2 files no image');
  expect(
    readLayout(out)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['example.com/app', 'greeting:latest']);
});

test('the report can be a page, in which nothing of an image is markup', () => {
  const hostile = graphImage('app', {
    manifest: { app: undefined, labels: named({ version: '<script>alert(1)</script>' }) },
  });
  const folder = folderOf([['<b>bold</b>.aci', aciTar(hostile)]]);
  const page = join(scratch(), 'report.html');
  ocix(['migrate', '-q', '--report', page, folder, join(scratch(), 'out')]);
  const html = readFileSync(page, 'utf8');
  expect(html).toContain('&lt;b&gt;bold&lt;/b&gt;.aci');
  expect(html).not.toMatch(/<b>|<script/);
  expect(html).not.toMatch(/(?:src|href)=/);
});

describe('is refused', () => {
  test('a file, which is no estate', () => {
    const folder = folderOf([['a.aci', aciTar(graphImage('a'))]]);
    const refusal = refused(['migrate', join(folder, 'a.aci'), join(scratch(), 'out')]);
    expect(refusal).toMatchObject({ status: 2, code: 'usage/argument' });
  });

  test('an output that is something else, before anything is read', () => {
    const folder = folderOf([['a.aci', aciTar(graphImage('a'))]]);
    const out = folderOf([['file', Buffer.from('x')]]);
    expect(refused(['migrate', folder, out])).toMatchObject({ status: 7, code: 'output/exists' });
    expect(readdirSync(out)).toEqual(['file']);
    rmSync(out, { recursive: true });
  });
});

describe('a second estate into the same layout', () => {
  const version = { labels: named({ version: '1.0' }) };
  const store = (body: string): string =>
    folderOf(rktStore([graphImage('app', { manifest: version, rootfs: [{ name: 'host', body }] })]));

  test('keeps the names that are there, and says the same when it is run again', () => {
    const [first, second] = [store('one'), store('two')];
    const out = join(scratch(), 'out');
    for (const host of [first, second, first, second])
      expect(ocix(['migrate', '-q', `rkt:${host}`, out]).status).toBe(0);
    const names = readLayout(out).map(({ name }) => name);
    expect(names).toEqual(['example.com/app:1.0', expect.stringMatching(/^example\.com\/app:1\.0-[0-9a-f]{12}$/)]);
    expect(output(['ls', `oci:${out}:example.com/app:1.0`, 'host', '--json', '--digest'])).toBeTruthy();
  });
});

describe('what is damaged', () => {
  test('in a store is a failed image, told by its key', () => {
    const folder = folderOf(rktStore([graphImage('sound'), graphImage('cut'), graphImage('changed')]));
    const blobs = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /blob\/.*sha512-/.test(name),
    );
    const blobOf = (text: string): string =>
      join(folder, blobs.find((name) => readFileSync(join(folder, name)).includes(`example.com/${text}`))!);
    const cut = blobOf('cut');
    writeFileSync(cut, readFileSync(cut).subarray(0, 700));
    const changed = blobOf('changed');
    const bytes = readFileSync(changed);
    bytes[bytes.lastIndexOf('changed')] = 0x43;
    writeFileSync(changed, bytes);
    const out = join(scratch(), 'out');
    const { status, stderr } = ocix(['migrate', `rkt:${folder}`, out]);
    expect(status).toBe(4);
    expect(stderr).toContain('3 images: 1 converted, 0 were there, 2 failed');
    expect(stderr).toContain('digest/mismatch');
    expect(stderr).toContain('tar/truncated');
    expect(refused(['convert', `rkt:${folder}`, join(scratch(), 'all')])).toMatchObject({ status: 4 });
  });

  test('in a folder is a failed image where it looks like one, and is named where it is none', () => {
    const folder = folderOf([
      ['cut.aci', aciTar(graphImage('a')).subarray(0, 700)],
      ['text.txt', Buffer.from('x')],
    ]);
    const { status, stdout } = ocix(['migrate', '--json', folder, join(scratch(), 'out')]);
    expect(status).toBe(4);
    expect(JSON.parse(stdout)).toMatchObject({ images: [{ state: 'failed' }], others: ['text.txt'] });
  });
});

test('a layout in the folder is an image of the estate', () => {
  const folder = folderOf([['app.aci', aciTar(graphImage('app'))]]);
  mkdirSync(join(folder, 'layouts'));
  output(['convert', '-q', join(folder, 'app.aci'), join(folder, 'layouts/one'), '--ref', 'other:1']);
  const out = join(scratch(), 'out');
  expect(ocix(['migrate', '-q', folder, out]).status).toBe(0);
  expect(
    readLayout(out)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['example.com/app', 'other:1']);
});

test('a report that cannot be written is told before anything is', () => {
  const folder = folderOf([['app.aci', aciTar(graphImage('app'))]]);
  const out = join(scratch(), 'out');
  const report = join(scratch(), 'nowhere/report.json');
  expect(refused(['migrate', '--report', report, folder, out])).toMatchObject({ status: 7, code: 'output/write' });
  expect(refused(['convert', '--report', report, join(folder, 'app.aci'), out])).toMatchObject({ status: 7 });
  expect(readdirSync(dirname(out))).toEqual([]);
});
