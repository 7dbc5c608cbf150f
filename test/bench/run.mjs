#!/usr/bin/env node
// Compares ocix with its peers and prints a table. Usage, after a build, make-image.sh and make-mirror.sh:
//
//   node test/bench/run.mjs [--job NAME]... [--runs N] [--node PATH] [--ocix PATH] [--only ocix|peer]
//                           [--settle MS] [--scratch DIR] [--json]
//
// --node is the node that runs ocix (and the empty program); another version can be had from npm:
//   npm i --prefix build/bench/node24 node@24, then --node build/bench/node24/node_modules/.bin/node
// --scratch is the folder in which both sides write (build/bench): a tmpfs keeps a disk's moods out of the numbers.
// --only measures one side and compares nothing. Status 1: a target was missed, 2: a run failed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkLayout } from './check-layout.mjs';
import { jobs } from './jobs.mjs';
import { median, runOnce } from './measure.mjs';

const project = join(import.meta.dirname, '..', '..');
const bench = join(project, 'build', 'bench');

const { values: options } = parseArgs({
  options: {
    job: { type: 'string', multiple: true },
    runs: { type: 'string' },
    node: { type: 'string', default: process.execPath },
    ocix: { type: 'string', default: join(project, 'dist', 'ocix.js') },
    only: { type: 'string' },
    settle: { type: 'string', default: '300' },
    scratch: { type: 'string', default: bench },
    json: { type: 'boolean', default: false },
  },
});

const scratch = join(resolve(options.scratch), 'ocix-bench'); // a folder of its own: it is emptied

/** Status 2, as for a run that failed: 1 is kept for missed targets. */
function refuse(message) {
  console.error(message);
  process.exit(2);
}

if (options.only && !['ocix', 'peer'].includes(options.only)) refuse('--only takes ocix or peer');
if (options.runs && !(Number(options.runs) >= 1)) refuse('--runs takes a number from 1');

const outputOf = (...command) => spawnSync(command[0], command.slice(1), { encoding: 'utf8' }).stdout?.trim() ?? '';

/** Runs both sides in turn, so that what else the machine does falls on both. */
function compare(comparison) {
  const sides = ['ours', 'peer'].filter(
    (side) => comparison[side] && (!options.only || (options.only === 'peer') === (side === 'peer')),
  );
  const measured = Object.fromEntries(sides.map((side) => [side, []]));
  const settleFor = Number(options.settle);
  // A quick job is short and noisy: it affords more runs.
  const runs = Number(options.runs ?? comparison.runs ?? (comparison.quick ? 20 : 5));
  const run = (side, warmUp) => {
    const withMemory = warmUp || !comparison.quick;
    const result = runOnce(comparison[side], { withMemory, settleFor, scratch });
    const { output, suffix } = comparison[side];
    const diffIds = output && checkLayout(output, { suffix, deep: warmUp && side === 'ours' });
    return { ...result, diffIds: diffIds?.join() };
  };
  const warm = sides.map((side) => ({ side, ...run(side, true) }));
  if (new Set(warm.map(({ diffIds }) => diffIds)).size > 1) throw new Error('the two sides wrote different layers');
  for (let i = 0; i < runs; i++) {
    for (const side of sides) measured[side].push(run(side, false));
  }
  const summary = sides.map((side) => {
    const results = measured[side];
    const seconds = results.map((result) => result.seconds);
    const memory = [warm.find((result) => result.side === side), ...results].map((r) => r.bytesOfMemory ?? 0);
    return [side, { median: median(seconds), seconds, memory: Math.max(...memory), size: results.at(-1).size }];
  });
  return Object.fromEntries(summary);
}

/** The targets of one comparison as [what, limit, value]. */
function verdicts({ target }, { ours, peer }) {
  if (!ours) return [];
  return [
    ['time', target.ratio, peer && ours.median / peer.median],
    ['size', target.size, peer?.size && ours.size / peer.size],
    ['memory', target.memory, ours.memory],
  ]
    .filter(([, limit, value]) => limit !== undefined && value !== undefined)
    .map(([what, limit, value]) => ({ what, limit, value, ok: value <= limit }));
}

const number = (value, digits) => (value === undefined ? '' : value.toFixed(digits));
// Millions of bytes, the stricter reading of MB.
const mb = (value) => (value === undefined ? '' : (value / 1e6).toFixed(1));

function row({ label, ours, peer, verdicts }) {
  const targets = verdicts.map(({ what, limit, ok }) => {
    return `${what} ≤ ${what === 'memory' ? `${mb(limit)} MB` : limit} ${ok ? 'ok' : '**over**'}`;
  });
  const times = [ours, peer].map((side) => number(side?.median, 3));
  const ratio = ours && peer ? number(ours.median / peer.median, 3) : '';
  const rest = [mb(ours?.memory), mb(peer?.memory), mb(ours?.size), mb(peer?.size)];
  return [label, ...times, ratio, ...rest, targets.join(', ')];
}

function print(cells) {
  console.log(`| ${cells.join(' | ')} |`);
}

const nodeHasZstd = outputOf(options.node, '-p', 'typeof require("zlib").createZstdCompress') === 'function';
// npm's bin for node is a link or a script around the binary: the binary itself is what is measured.
const node = realpathSync(outputOf(options.node, '-p', 'process.execPath'));
const all = jobs({ node, ocix: options.ocix, bench, scratch, nodeHasZstd });
const names = options.job ?? Object.keys(all);
const unknown = names.filter((name) => !all[name]);
if (unknown.length) refuse(`no job ${unknown.join(', ')}: there are ${Object.keys(all).join(', ')}`);
if (options.only !== 'peer' && !existsSync(options.ocix)) refuse(`${options.ocix} is not built`);

rmSync(scratch, { recursive: true, force: true });
mkdirSync(scratch, { recursive: true });
// CommonJS, because that starts a little faster: the stricter thing to be compared with.
writeFileSync(join(scratch, 'empty.cjs'), '');

const setting = {
  node: outputOf(node, '--version'),
  skopeo: outputOf('skopeo', '--version'),
  cores: cpus().length,
  load: loadavg()[0],
};
if (!options.json) {
  console.log(`ocix on node ${setting.node} against ${setting.skopeo}; ${setting.cores} cores, load ${setting.load}\n`);
  print(['job', 'ocix s', 'peer s', 'ratio', 'ocix MB', 'peer MB', 'ocix out MB', 'peer out MB', 'targets']);
  print(['---', ...Array(7).fill('---:'), '---']);
}

const results = [];
let status = 0;
for (const name of names) {
  for (const comparison of all[name]) {
    const label = comparison.label ?? name;
    const missing = comparison.needs.filter((path) => !existsSync(path)).map((path) => relative(project, path));
    // ocix is compared with itself, or with nothing.
    if (options.only === 'peer' && (!comparison.peer || comparison.self)) continue;
    try {
      if (missing.length) throw new Error(`${missing.join(', ')} is missing: see make-image.sh and make-mirror.sh`);
      const sides = compare(comparison);
      const result = { job: name, label, ...sides, verdicts: verdicts(comparison, sides) };
      results.push(result);
      if (!options.json) print(row(result));
      if (result.verdicts.some(({ ok }) => !ok)) status = Math.max(status, 1);
    } catch (error) {
      status = 2;
      results.push({ job: name, label, failed: error.message });
      if (!options.json) print([label, ...Array(7).fill(''), `**failed**: ${error.message.trim().split('\n')[0]}`]);
      console.error(`${label}: ${error.message}`);
    }
  }
}
if (options.json) console.log(JSON.stringify({ ...setting, results }, null, 2));
rmSync(scratch, { recursive: true, force: true });
process.exitCode = status;
