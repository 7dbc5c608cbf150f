import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { destination, occupied, stageFor, stageInside } from '../../../formats/store/staging.ts';
import { scratch } from '../../fixtures/peers.ts';
import { codeOf } from '../support.ts';

const stageBeside = async (target: string) => stageFor(await destination(target));

const read = (...parts: readonly string[]): string => readFileSync(join(...parts), 'utf8');

describe('destination()', () => {
  test('says what stands at a path', async () => {
    const folder = scratch();
    mkdirSync(join(folder, 'empty'));
    writeFileSync(join(folder, 'file'), 'x');
    const states = ['absent', 'empty', 'file', '.', 'no/parent'].map((name) => destination(join(folder, name)));
    expect((await Promise.all(states)).map(({ state }) => state)).toEqual([
      'absent',
      'empty',
      'file',
      'folder',
      'absent',
    ]);
    const whole = await destination(folder);
    expect(whole.state === 'folder' && [...whole.names].sort()).toEqual(['empty', 'file']);
  });

  test('follows links, so that writing replaces what they point to', async () => {
    const folder = scratch();
    mkdirSync(join(folder, 'real'));
    symlinkSync('real', join(folder, 'link'));
    expect(await destination(join(folder, 'link'))).toMatchObject({ state: 'empty', path: join(folder, 'real') });
  });
});

describe('a staging place', () => {
  test('is beside its target, and hidden', async () => {
    const folder = scratch();
    const staging = await stageBeside(join(folder, 'out'));
    expect(readdirSync(folder)).toEqual([staging.path.slice(folder.length + 1)]);
    expect(staging.path.slice(folder.length + 1)).toMatch(/^\.ocix-/);
    await staging.discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('becomes the target as a whole', async () => {
    const folder = scratch();
    const staging = await stageBeside(join(folder, 'out'));
    writeFileSync(join(staging.path, 'a'), 'new');
    expect(await staging.place()).toBe(true);
    expect([readdirSync(folder), read(folder, 'out/a')]).toEqual([['out'], 'new']);
    await staging.discard();
    expect(read(folder, 'out/a')).toBe('new');
  });

  test('can give one file of it to the target, and is gone then', async () => {
    const folder = scratch();
    const staging = await stageBeside(join(folder, 'out.tar'));
    writeFileSync(join(staging.path, 'made.tar'), 'new');
    writeFileSync(join(staging.path, 'scratch'), 'x');
    expect(await staging.place('made.tar')).toBe(true);
    expect([readdirSync(folder), read(folder, 'out.tar')]).toEqual([['out.tar'], 'new']);
  });

  test('takes the place of an empty folder', async () => {
    const folder = scratch();
    mkdirSync(join(folder, 'out'));
    const staging = await stageBeside(join(folder, 'out'));
    writeFileSync(join(staging.path, 'a'), 'new');
    expect(await staging.place()).toBe(true);
    expect(read(folder, 'out/a')).toBe('new');
  });

  test.each(['folder', 'file'])('leaves a %s that has come to stand there, and itself', async (kind) => {
    const folder = scratch();
    const staging = await stageBeside(join(folder, 'out'));
    writeFileSync(join(staging.path, 'a'), 'new');
    if (kind === 'folder') mkdirSync(join(folder, 'out'));
    writeFileSync(join(folder, kind === 'folder' ? 'out/theirs' : 'out'), 'theirs');
    expect(await staging.place()).toBe(false);
    expect(read(folder, kind === 'folder' ? 'out/theirs' : 'out')).toBe('theirs');
    expect(read(staging.path, 'a')).toBe('new');
    await staging.discard();
    expect(readdirSync(folder)).toEqual(['out']);
  });

  test.each(['folder', 'file', 'link', 'nothing'])('replaces a %s and leaves nothing beside it', async (kind) => {
    const folder = scratch();
    const out = join(folder, 'out');
    if (kind === 'folder') {
      mkdirSync(out);
      writeFileSync(join(out, 'old'), 'old');
    } else if (kind === 'file') writeFileSync(out, 'old');
    else if (kind === 'link') symlinkSync('elsewhere', out);
    const staging = await stageBeside(out);
    writeFileSync(join(staging.path, 'a'), 'new');
    await staging.replace();
    expect([readdirSync(folder), readdirSync(out), read(out, 'a')]).toEqual([['out'], ['a'], 'new']);
  });

  test('that cannot be put there leaves what stood there as it was', async () => {
    const folder = scratch();
    writeFileSync(join(folder, 'out'), 'old');
    const staging = await stageBeside(join(folder, 'out'));
    expect(await codeOf(() => staging.replace('was never made'))).toBe('output/write');
    await staging.discard();
    expect([readdirSync(folder), read(folder, 'out')]).toEqual([['out'], 'old']);
  });

  test('has a name of its own each time', async () => {
    const folder = scratch();
    const [a, b] = await Promise.all([stageInside(folder), stageInside(folder)]);
    expect(a.path).not.toBe(b.path);
    await Promise.all([a.discard(), b.discard()]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('needs a parent that exists and is a folder', async () => {
    const folder = scratch();
    writeFileSync(join(folder, 'file'), '');
    expect(await codeOf(() => stageBeside(join(folder, 'no/out')))).toBe('output/write');
    expect(await codeOf(() => stageBeside(join(folder, 'file/out')))).toBe('output/write');
  });

  test('discards links as links', async () => {
    const folder = scratch();
    writeFileSync(join(folder, 'kept'), 'kept');
    const staging = await stageInside(folder);
    symlinkSync(folder, join(staging.path, 'out-of-here'));
    expect(readlinkSync(join(staging.path, 'out-of-here'))).toBe(folder);
    await staging.discard();
    expect(readdirSync(folder)).toEqual(['kept']);
  });
});

test('a place that is taken is refused with a way out', () => {
  expect(occupied('/some/out', 'is not empty')).toMatchObject({ code: 'output/exists', status: 7 });
  expect(occupied('/some/out', 'is not empty').hint).toContain('--force');
});

describe('a destination that cannot be renamed over', () => {
  test('is filled where it is, when it is the current folder', async () => {
    const folder = scratch();
    const before = process.cwd();
    process.chdir(folder);
    try {
      const staging = await stageFor(await destination('.'));
      expect(staging.path.startsWith(`${process.cwd()}/.ocix-`)).toBe(true);
      writeFileSync(join(staging.path, 'index.json'), '{}');
      expect(await staging.place()).toBe(true);
      expect(readdirSync(process.cwd())).toEqual(['index.json']);
    } finally {
      process.chdir(before);
    }
  });

  test('is empty all the same when a killed run left something hidden in it', async () => {
    const folder = scratch();
    mkdirSync(join(folder, '.ocix-left'));
    expect((await destination(folder)).state).toBe('empty');
  });
});

test('what a process left that is gone is removed by the next run, what a living one has stays', async () => {
  const folder = scratch();
  const own = await stageBeside(join(folder, 'out'));
  const [, host] = own.path.slice(folder.length + 1).split('-');
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  mkdirSync(join(folder, `.ocix-${host}-${pid}-0123abcd`, 'rootfs'), { recursive: true });
  mkdirSync(join(folder, `.ocix-${host}-${process.pid}-0123abcd`));
  mkdirSync(join(folder, `.ocix-ffffff-${pid}-0123abcd`));
  const next = await stageBeside(join(folder, 'other'));
  expect(
    readdirSync(folder)
      .filter((name) => name.includes('0123abcd'))
      .sort(),
  ).toEqual([`.ocix-${host}-${process.pid}-0123abcd`, `.ocix-ffffff-${pid}-0123abcd`].sort());
  await Promise.all([own.discard(), next.discard()]);
});
