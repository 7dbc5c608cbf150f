/** The built command, run as a user runs it. Every run is watched for what no run may do: show a stack trace. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import { dockerSave, type SaveOptions } from '../../fixtures/docker-save.ts';
import { greeting } from '../../fixtures/images.ts';
import { scratch } from '../fixtures/peers.ts';

// Whole processes are started; five seconds are not much for that on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

export const OCIX = join(import.meta.dirname, '../../dist/ocix.js');

export interface RunOptions {
  readonly cwd?: string;
  readonly input?: Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds after which the run counts as hung. */
  readonly timeout?: number;
}

export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** How long it took. */
  readonly milliseconds: number;
}

const environment = (more: RunOptions['env']): NodeJS.ProcessEnv => {
  const { SOURCE_DATE_EPOCH: _, OCIX_TRACE: __, NODE_OPTIONS: ___, ...own } = process.env;
  return { ...own, ...more };
};

export function ocix(args: readonly string[], { cwd, input, env, timeout = 60_000 }: RunOptions = {}): Run {
  const started = performance.now();
  const run = spawnSync(process.execPath, [OCIX, ...args], {
    input: input ?? '',
    env: environment(env),
    maxBuffer: 1 << 28,
    timeout,
    killSignal: 'SIGKILL',
    ...(cwd === undefined ? {} : { cwd }),
  });
  // A run that refuses its input early closes the pipe; its status tells the rest.
  if (run.error && (run.error as NodeJS.ErrnoException).code !== 'EPIPE') throw run.error;
  return checked({
    status: run.status,
    stdout: run.stdout.toString(),
    stderr: run.stderr.toString(),
    milliseconds: performance.now() - started,
  });
}

/** A run that goes on while the test does something to it. Whoever starts one ends it. */
export function ocixStarted(args: readonly string[], { cwd, env }: RunOptions = {}): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [OCIX, ...args], { env: environment(env), ...(cwd ? { cwd } : {}) });
  child.stdin.on('error', () => {}); // the run may end before it has read everything
  return child;
}

export async function ended(child: ChildProcessWithoutNullStreams): Promise<Run & { readonly signal: string | null }> {
  const started = performance.now();
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  return new Promise((resolve) =>
    child.on('close', (status, signal) =>
      resolve({ ...checked({ status, stdout, stderr, milliseconds: performance.now() - started }), signal }),
    ),
  );
}

function checked(run: Run): Run {
  if (/^\s+at .*:\d+:\d+\)?$/m.test(run.stderr)) throw new Error(`a stack trace:\n${run.stderr}`);
  return run;
}

/** A successful run's standard output; throws with what it said unless the status is 0. */
export function output(args: readonly string[], options?: RunOptions): string {
  const run = ocix(args, options);
  if (run.status !== 0) throw new Error(`ocix ${args.join(' ')}: status ${run.status}\n${run.stderr}`);
  return run.stdout;
}

export interface Refusal {
  readonly status: number | null;
  /** `docker/id`; absent where nothing was refused. */
  readonly code: string | undefined;
  readonly lines: readonly string[];
  readonly stdout: string;
  readonly milliseconds: number;
}

/** What the command said last, when it ended in an error. */
export function refusalOf({ status, stderr, stdout, milliseconds }: Run): Refusal {
  const lines = stderr.trimEnd().split('\n');
  const start = lines.findIndex((line) => line.startsWith('ocix: '));
  const code = start < 0 ? undefined : /^ocix: ([a-z/-]+): \S/.exec(lines[start]!)?.[1];
  return { status, code, lines: start < 0 ? [] : lines.slice(start), stdout, milliseconds };
}

export const refused = (args: readonly string[], options?: RunOptions): Refusal => refusalOf(ocix(args, options));

/** Everything below a folder: types, links and digests of contents. */
export function snapshot(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const stat = lstatSync(path);
      if (stat.isSymbolicLink()) return `${name} -> ${readlinkSync(path)}`;
      return stat.isFile()
        ? `${name} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`
        : `${name}/ ${stat.mode}`;
    });
}

/** A file in a folder of the test's own. */
export function fileOf(bytes: Uint8Array, name = 'app.tar', folder = scratch()): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** The greeting as an archive file. */
export const greetingFile = (options: SaveOptions = { generation: '1.10' }, name = 'app.tar'): string =>
  fileOf(dockerSave(greeting('amd64'), options), name);
