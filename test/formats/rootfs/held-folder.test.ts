/** The folder that is written to before anybody sees it, and its removal. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { holdFolder } from '../../../formats/rootfs/held-folder.ts';
import { readInRoot, resolveInRoot } from '../../../formats/rootfs/root-folder.ts';
import { codeOf } from '../support.ts';
import { asRoot, deepScratch } from './disk.ts';

describe('a held folder', () => {
  test('is private, and stays the same folder when its name goes to another', () => {
    const scratch = deepScratch();
    const path = join(scratch, 'own');
    mkdirSync(path, { mode: 0o777 });
    const held = holdFolder(path);
    renameSync(path, join(scratch, 'moved'));
    mkdirSync(join(scratch, 'other'));
    symlinkSync('other', path);
    held.make('inside').release();
    writeFileSync(`${held.path}/file`, '');
    held.release();
    expect([readdirSync(join(scratch, 'moved')).sort(), readdirSync(join(scratch, 'other'))]).toEqual([
      ['file', 'inside'],
      [],
    ]);
    expect(lstatSync(join(scratch, 'moved')).mode & 0o777).toBe(0o700);
  });

  test('is not one that is reached through a link, or that is not there', async () => {
    const scratch = deepScratch();
    mkdirSync(join(scratch, 'a'));
    symlinkSync('a', join(scratch, 'link'));
    expect(await codeOf(() => holdFolder(join(scratch, 'link')))).toBe('output/write');
    expect(await codeOf(() => holdFolder(join(scratch, 'nothing')))).toBe('output/write');
  });

  asRoot('is not one of somebody else', async () => {
    const path = join(deepScratch(), 'theirs');
    mkdirSync(path);
    spawnSync('chown', ['12345', path]);
    expect(await codeOf(() => holdFolder(path))).toBe('path/escape');
  });

  test('is emptied of everything but what is to stay, however deep, closed or strange', () => {
    const scratch = deepScratch();
    const outside = join(scratch, 'outside');
    mkdirSync(join(outside, 'full'), { recursive: true });
    writeFileSync(join(outside, 'full/file'), 'x');
    const path = join(scratch, 'own');
    mkdirSync(path);
    const held = holdFolder(path);
    mkdirSync(join(path, 'keep/inside'), { recursive: true });
    mkdirSync(join(path, 'closed/deeper'), { recursive: true });
    symlinkSync(outside, join(path, 'closed/deeper/link'));
    symlinkSync(outside, join(path, 'link'));
    chmodSync(join(path, 'closed/deeper'), 0);
    chmodSync(join(path, 'closed'), 0);
    spawnSync(
      'sh',
      ['-c', 'for i in $(seq 1 60); do d=$(printf "%200s" | tr " " d); mkdir "$d" && cd -P "$d"; done; : >file'],
      {
        cwd: path,
      },
    );
    held.empty('keep');
    expect(readdirSync(path)).toEqual(['keep']);
    expect(readdirSync(join(path, 'keep'))).toEqual(['inside']);
    held.empty();
    held.release();
    expect(readdirSync(path)).toEqual([]);
    expect(readdirSync(join(outside, 'full'))).toEqual(['file']);
  });
});

describe('looking into a root filesystem that is there', () => {
  test('a path below a file, in a loop, or behind a link to nothing leads to nothing, and never out', async () => {
    const root = deepScratch();
    writeFileSync(join(root, 'etc'), 'a file');
    symlinkSync('/etc', join(root, 'way'));
    symlinkSync('../../../../../../etc/passwd', join(root, 'climb'));
    symlinkSync('loop', join(root, 'loop'));
    expect(readInRoot(root, 'etc/passwd', 100)).toBeUndefined();
    expect(readInRoot(root, 'way/passwd', 100)).toBeUndefined();
    expect(readInRoot(root, 'climb', 100)).toBeUndefined();
    expect(resolveInRoot(root, 'way')).toBe(join(root, 'etc'));
    expect(await codeOf(() => readInRoot(root, 'loop', 100))).toBe('path/link');
    expect(existsSync('/etc/passwd')).toBe(true);
  });

  test('a pipe is not waited for, and a file over the limit is refused', async () => {
    const root = deepScratch();
    spawnSync('mkfifo', [join(root, 'pipe')]);
    writeFileSync(join(root, 'big'), 'x'.repeat(101));
    expect(readInRoot(root, 'pipe', 100)).toBeUndefined();
    expect(await codeOf(() => readInRoot(root, 'big', 100))).toBe('path/invalid');
  });
});
