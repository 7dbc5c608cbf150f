// Runs one command and says how long it took and how much memory it needed.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The median, and for an even count the mean of the two in the middle. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The bytes of all files under a folder, or of one file. */
export function sizeOf(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

/** Waits until what was written is on disk, so that one run's writeback is not billed to the next. */
function settle(milliseconds) {
  spawnSync('sync');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/**
 * Runs `side` once and throws when it fails or leaves a wrong output.
 *
 * The clock is the one of this process, because time(1) counts in hundredths of a second. Its %M is the largest
 * resident set of any one process below it, in KiB; of a run of a few ten milliseconds it would itself be a part
 * worth seeing, therefore such jobs ask for their memory only in the run that warms up.
 */
export function runOnce(side, { withMemory, settleFor, scratch }) {
  for (const path of side.remove ?? []) rmSync(path, { recursive: true, force: true });
  settle(settleFor);
  const report = join(scratch, 'time.txt');
  const [command, ...args] = withMemory ? ['/usr/bin/time', '-f', '%M', '-o', report, ...side.command] : side.command;
  const start = process.hrtime.bigint();
  const result = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], maxBuffer: 1 << 26 });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (result.error) throw result.error;
  if (result.status !== 0) {
    throw new Error(`${side.command.join(' ')}: ${result.signal ?? `status ${result.status}`}\n${result.stderr}`);
  }
  const kib = withMemory ? Number(readFileSync(report, 'utf8').trim().split('\n').at(-1)) : undefined;
  return { seconds, bytesOfMemory: kib && kib * 1024, size: side.output ? sizeOf(side.output) : undefined };
}
