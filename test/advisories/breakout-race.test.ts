/**
 * A second process, with the same rights, that takes folders away while ocix writes into them, and puts symlinks to somewhere else in
 * their place (the class of CVE-2018-15664, CVE-2025-47290). The run may fail; nothing outside may change.
 */
import { spawn } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { sampleLayer } from '../../fixtures/images.ts';
import { ended, ocixStarted } from '../cases/command.ts';
import { scratch } from '../fixtures/peers.ts';

/** Renames folders below every `.ocix-*`, three levels deep, and puts symlinks to `outside` there, and prints a dot for each. */
const RACER = `
const fs = require('node:fs'), { join } = require('node:path');
const [parent, outside] = process.argv.slice(1);
let number = 0;
process.on('SIGTERM', () => process.exit(0));
function names(folder) { try { return fs.readdirSync(folder, { withFileTypes: true }); } catch { return []; } }
function swap(path) {
  try {
    const away = join(parent, '.ocix-away-' + number++);
    fs.renameSync(path, away);
    try { fs.symlinkSync(outside, path); fs.writeSync(1, '.'); } catch {}
    if (number % 3) { try { fs.unlinkSync(path); fs.renameSync(away, path); } catch {} }
  } catch {}
}
function round() {
  for (const staging of names(parent)) {
    if (!staging.name.startsWith('.ocix-') || staging.name.startsWith('.ocix-away')) continue;
    let level = [join(parent, staging.name)];
    for (let depth = 0; depth < 4; depth++) {
      const next = [];
      for (const folder of level) {
        const folders = names(folder).filter((entry) => entry.isDirectory());
        if (folders.length) next.push(join(folder, folders[Math.floor(Math.random() * folders.length)].name));
      }
      if (!next.length) break;
      if (Math.random() < DENSITY) swap(next[0]);
      // The walk itself must not go through what it has put there.
      try { if (!fs.lstatSync(next[0]).isDirectory()) break; } catch { break; }
      level = next;
    }
  }
  setImmediate(round);
}
round();
`;

/** Swaps the one folder that is being filled, wherever the tree is, and puts it back at once (a dot each): whoever goes by paths is led out. */
const FOCUSED = `
const fs = require('node:fs'), { join } = require('node:path');
const [parent, outside] = process.argv.slice(1);
process.on('SIGTERM', () => process.exit(0));
function round() {
  for (const name of fs.readdirSync(parent)) {
    if (!name.startsWith('.ocix-')) continue;
    for (const root of ['rootfs', 'bundle/rootfs']) {
      const path = join(parent, name, root, 'd');
      try {
        fs.renameSync(path, path + '-away');
        fs.symlinkSync(outside, path);
        fs.unlinkSync(path);
        fs.renameSync(path + '-away', path);
        fs.writeSync(1, '.');
      } catch {}
    }
  }
  setImmediate(round);
}
round();
`;

function sentinel(folder: string): string {
  const outside = join(folder, 'outside');
  mkdirSync(join(outside, 'rootfs/d0/e0'), { recursive: true });
  mkdirSync(join(outside, 'aside'));
  mkdirSync(join(outside, 'blobs/sha256'), { recursive: true });
  mkdirSync(join(outside, 'bundle/rootfs'), { recursive: true });
  for (const name of [
    'file',
    'f0',
    'config.json',
    'd0',
    'rootfs/d0/f0',
    'rootfs/d0/e0/f1',
    'aside/0',
    'bundle/rootfs/f0',
  ])
    if (!existsSync(join(outside, name))) writeFileSync(join(outside, name), 'as it was');
  return outside;
}

function stateOf(path: string): readonly string[] {
  const stat = lstatSync(path, { bigint: true });
  const line = [path, stat.ino, stat.mode, stat.uid, stat.gid, stat.nlink, stat.size, stat.mtimeNs, stat.ctimeNs].join(
    ' ',
  );
  if (!stat.isDirectory()) return [`${line} ${readFileSync(path)}`];
  return [
    line,
    ...readdirSync(path)
      .sort()
      .flatMap((name) => stateOf(join(path, name))),
  ];
}

const entries = Array.from({ length: 40 }, (_, i) => i).flatMap((i) => [
  { name: `d${i}/`, mode: 0o777 },
  ...Array.from({ length: 4 }, (_, j) => j).flatMap((j) => [
    { name: `d${i}/e${j}/`, mode: 0o777 },
    ...Array.from({ length: 12 }, (_, k) => ({ name: `d${i}/e${j}/f${k}`, body: 'x'.repeat(700), mode: 0o4777 })),
    { name: `d${i}/e${j}/pipe`, type: '6', mode: 0o777 },
    { name: `d${i}/e${j}/hard`, type: '1', link: `d${i}/e${j}/f0` },
    { name: `d${i}/e${j}/link`, link: 'f0' },
  ]),
  { name: '.wh..wh.plnk/1', body: 'x' },
]);
const archive = dockerSave(
  {
    layers: [
      sampleLayer(entries),
      sampleLayer(
        entries.filter(({ name }) => name.endsWith('f3')).map(({ name }) => ({ name: name.replace('f3', '.wh.f3') })),
      ),
      sampleLayer(entries),
    ],
    config: { config: { Cmd: ['/x'] } },
  },
  { generation: '1.10' },
);

const crowded = dockerSave(
  {
    layers: [
      sampleLayer([
        { name: 'd/', mode: 0o777 },
        ...Array.from({ length: 2000 }, (_, i) => ({ name: `d/n${i}`, body: 'x' })),
      ]),
    ],
    config: { config: { Cmd: ['/x'] } },
  },
  { generation: '1.10' },
);

describe('a process that swaps folders for symlinks while', () => {
  test.each([
    ['unpack', 0.02],
    ['unpack', 0.5],
    ['bundle', 0.02],
    ['bundle', 0.5],
    ['bundle', 1],
  ] as const)(
    '%s runs, at the rate %d: nothing outside changes, and the run ends well or is refused',
    async (command, density) => {
      const folder = scratch();
      const outside = sentinel(folder);
      const parent = join(folder, 'parent');
      mkdirSync(parent);
      const source = join(folder, 'app.tar');
      writeFileSync(source, archive);
      const before = stateOf(outside);
      const racer = spawn(process.execPath, ['-e', RACER.replace('DENSITY', String(density)), parent, outside]);
      onTestFinished(() => void racer.kill('SIGKILL'));
      let swaps = '';
      racer.stdout.on('data', (chunk) => (swaps += chunk));
      const racerEnd = new Promise((resolve) => racer.on('close', resolve));
      const statuses: (number | null)[] = [];
      const started = performance.now();
      // A machine with much else to do gives the racer few turns: it gets more runs there, not fewer swaps.
      const enough = (run: number) => swaps.length > 3 && (run >= 12 || performance.now() - started > 1500);
      for (let run = 0; run < 60 && !enough(run); run++) {
        // Every other time from a pipe, whose layers are kept beside the tree.
        const child = ocixStarted([command, '-q', run % 2 ? '-' : source, join(parent, `out${run}`)], {
          inherited: 'all',
        });
        child.stdin.end(run % 2 ? archive : '');
        const { status, stderr } = await ended(child);
        statuses.push(status);
        expect([0, 4, 7], stderr).toContain(status);
        expect(stateOf(outside)).toEqual(before);
      }
      racer.kill('SIGTERM');
      await racerEnd;
      expect(stateOf(outside)).toEqual(before);
      expect(swaps.length).toBeGreaterThan(3);
    },
  );

  test.each(['unpack', 'bundle'])('%s fills one of them: not a file gets outside', async (command) => {
    const folder = scratch();
    const outside = sentinel(folder);
    const parent = join(folder, 'parent');
    mkdirSync(parent);
    const source = join(folder, 'app.tar');
    writeFileSync(source, crowded);
    const before = stateOf(outside);
    const racer = spawn(process.execPath, ['-e', FOCUSED, parent, outside]);
    onTestFinished(() => void racer.kill('SIGKILL'));
    let swaps = '';
    racer.stdout.on('data', (chunk) => (swaps += chunk));
    const racerEnd = new Promise((resolve) => racer.on('close', resolve));
    for (let run = 0; run < 60 && (run < 2 || swaps.length <= 20); run++) {
      const { status, stderr } = await ended(
        ocixStarted([command, '-q', source, join(parent, `out${run}`)], { inherited: 'all' }),
      );
      expect([0, 4, 7], stderr).toContain(status);
      expect(stateOf(outside)).toEqual(before);
    }
    racer.kill('SIGTERM');
    await racerEnd;
    expect(swaps.length).toBeGreaterThan(20);
  });
});
