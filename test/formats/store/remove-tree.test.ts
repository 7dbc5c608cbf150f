/** Removal of a tree in which others may rename folders: nothing outside of it goes with it (the class of CVE-2022-21658). */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { removeTree } from '../../../formats/store/remove-tree.ts';
import { asRoot, deepScratch } from '../rootfs/disk.ts';
import { codeOf } from '../support.ts';

const FILES = Array.from({ length: 30 }, (_, i) => `f${i}`);

/** Swaps every folder `e…` of every folder of every tree for a symlink to `outside` and back; says how many. */
const RACER = `
const fs = require('node:fs'), { join } = require('node:path');
const [parent, outside] = process.argv.slice(1);
let swaps = 0;
process.on('SIGTERM', () => { fs.writeSync(1, String(swaps)); process.exit(0); });
function names(folder) { try { return fs.readdirSync(folder); } catch { return []; } }
function swap(path) {
  try {
    fs.renameSync(path, path + '-away');
    fs.symlinkSync(outside, path);
    swaps++;
    fs.unlinkSync(path);
    fs.renameSync(path + '-away', path);
  } catch {}
}
function round() {
  for (const tree of names(parent))
    for (const folder of names(join(parent, tree)))
      for (const name of names(join(parent, tree, folder))) if (/^e[0-9]+$/.test(name)) swap(join(parent, tree, folder, name));
  setImmediate(round);
}
fs.writeSync(1, ' ');
round();
`;

function plant(tree: string): void {
  for (let i = 0; i < 8; i++) {
    for (let j = 0; j < 4; j++) {
      const folder = join(tree, `d${i}/e${j}`);
      mkdirSync(folder, { recursive: true });
      for (const name of FILES) writeFileSync(join(folder, name), '');
      chmodSync(folder, 0o777);
    }
    chmodSync(join(tree, `d${i}`), 0o777);
  }
}

asRoot('by root, while another user swaps its folders for symlinks, leaves what they point to', async () => {
  const scratch = deepScratch();
  chmodSync(scratch, 0o755);
  const outside = join(scratch, 'outside');
  const parent = join(scratch, 'parent');
  mkdirSync(outside);
  mkdirSync(parent);
  for (const name of FILES) writeFileSync(join(outside, name), 'as it was');
  const user = ['--reuid', '54321', '--regid', '54321', '--clear-groups'];
  const racer = spawn('setpriv', [...user, process.execPath, '-e', RACER, parent, outside]);
  onTestFinished(() => void racer.kill('SIGKILL'));
  let swaps = '';
  racer.stdout.on('data', (chunk) => (swaps += chunk));
  await once(racer.stdout, 'data');
  const started = performance.now();
  let gone = 0;
  for (let run = 0; run < 300 && performance.now() - started < 4000; run++) {
    const tree = join(parent, `tree${run}`);
    plant(tree);
    // A folder that is taken away in the middle may make it fail; what it must not do is go astray.
    await removeTree(tree).catch((error) => expect(error).toMatchObject({ code: 'output/write' }));
    if (!existsSync(tree)) gone++;
    expect(readdirSync(outside).sort()).toEqual([...FILES].sort());
  }
  racer.kill('SIGTERM');
  await once(racer, 'close');
  expect(Number(swaps)).toBeGreaterThan(100);
  expect(gone).toBeGreaterThan(0);
});

test('whatever it is: a file, a link, nothing, a tree with the names that removal itself uses', async () => {
  const scratch = deepScratch();
  mkdirSync(join(scratch, 'outside'));
  symlinkSync('outside', join(scratch, 'link'));
  writeFileSync(join(scratch, 'file'), '');
  mkdirSync(join(scratch, 'tree/.flat-1/full'), { recursive: true });
  mkdirSync(join(scratch, 'tree/a/.flat-2'), { recursive: true });
  mkdirSync(join(scratch, 'tree/.flat/0/1'), { recursive: true });
  chmodSync(join(scratch, 'tree/a'), 0);
  chmodSync(join(scratch, 'tree'), 0);
  for (const name of ['link', 'file', 'nothing', 'tree']) await removeTree(join(scratch, name));
  expect(readdirSync(scratch)).toEqual(['outside']);
});

test('too deep for a path', async () => {
  const scratch = deepScratch();
  const nest = 'for i in $(seq 1 60); do d=$(printf "%200s" | tr " " d); mkdir "$d" && cd -P "$d"; done; : >file';
  mkdirSync(join(scratch, 'tree'));
  spawnSync('sh', ['-c', nest], { cwd: join(scratch, 'tree') });
  await removeTree(join(scratch, 'tree'));
  expect(readdirSync(scratch)).toEqual([]);
});

test('below what is no folder is an output that cannot be written', async () => {
  const file = join(deepScratch(), 'file');
  writeFileSync(file, '');
  expect(await codeOf(() => removeTree(join(file, 'tree')))).toBe('output/write');
});
