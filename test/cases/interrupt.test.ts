/** Runs that are stopped, killed, or not alone. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { greeting, sampleLayer } from '../../fixtures/images.ts';
import { scratch } from '../fixtures/peers.ts';
import { ended, fileOf, greetingFile, OCIX, ocix, ocixStarted, output, snapshot } from './command.ts';
import { namesOf, readLayout } from './layout.ts';

/** Bytes that no compressor makes short work of, the same every time. */
function noise(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed >>> 0 || 1;
  for (let at = 0; at + 4 <= size; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes.writeUInt32LE((state ^ (state >>> 15)) >>> 0, at);
  }
  return bytes;
}

const large = (tag: string, megabytes: number, seed = 1): Buffer =>
  dockerSave(
    { layers: [sampleLayer([{ name: tag.replace(':', '-'), body: noise(megabytes * 1e6, seed) }])], tags: [tag] },
    { generation: '1.10' },
  );

/** Whether a process has got so far that a signal does not simply end it. */
function catches(pid: number, signal: NodeJS.Signals): boolean {
  if (!existsSync('/proc/self/status')) return true; // nobody can tell
  const [, mask = '0'] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return ((BigInt(`0x${mask}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
}

async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !what(); i++) await sleep(5);
  if (!what()) throw new Error('it never came to that');
}

/** A run has begun to write: its private folder has something in it. */
const writing = (folder: string): boolean =>
  readdirSync(folder).some((name) => name.startsWith('.ocix-') && readdirSync(join(folder, name)).length > 0);

/** A reader that goes away, in the shell's words. */
const piped = (script: string, ...args: readonly string[]): string =>
  spawnSync('bash', ['-c', `set -o pipefail; ${script}`, process.execPath, OCIX, ...args], { encoding: 'utf8' }).stdout;

describe('a stream that is lost', () => {
  test('does not end the run where only what is said of it is lost', () => {
    const folder = scratch();
    const out = join(folder, 'out');
    // The reader is gone before the run says its second line.
    const script = '"$0" "$1" convert --progress plain "$2" "$3" 2> >(head -n 1 >/dev/null) >/dev/null; echo $?';
    expect(piped(script, fileOf(large('large:1', 8)), out)).toBe('0\n');
    expect(readdirSync(folder)).toEqual(['out']);
    expect(namesOf(out)).toEqual(['large:1']);
  });

  test
    .skipIf(!existsSync('/dev/full'))
    .each([
      ['ls "$2"'],
      ['inspect "$2"'],
      ['convert -q --to tar "$2" -'],
      ['completion bash'],
      ['--help'],
      ['--version'],
    ])('%s to a full device ends in 7, and says so once', (command) => {
    const script = `"$0" "$1" ${command} 2>&1 >/dev/full; echo "status $?"`;
    const lines = piped(script, greetingFile()).trimEnd().split('\n');
    expect(lines.at(-1)).toBe('status 7');
    expect(lines.filter((line) => line.startsWith('ocix: output/write: '))).toHaveLength(1);
    expect(lines.length).toBeLessThanOrEqual(4);
  });
});

describe.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s', (signal, status) => {
  test('in the middle of a file ends with its status and leaves nothing', async () => {
    const folder = scratch();
    const child = ocixStarted(['convert', '--compress', 'gzip:9', fileOf(large('large:1', 40)), join(folder, 'out')]);
    const end = ended(child);
    await until(() => writing(folder));
    child.kill(signal);
    expect(await end).toMatchObject({ status, stderr: expect.stringContaining('ocix: interrupted: ') });
    expect(snapshot(folder)).toEqual([]);
  });

  test('while a pipe has nothing to say ends at once, and leaves a layout as it was', async () => {
    const folder = scratch();
    const out = join(folder, 'out');
    output(['convert', '-q', greetingFile(), out]);
    const before = snapshot(folder);
    const child = ocixStarted(['convert', '-', out]);
    const end = ended(child);
    child.stdin.write(large('large:1', 3).subarray(0, 2_000_000));
    await until(() => writing(out));
    const sent = performance.now();
    child.kill(signal);
    expect(await end).toMatchObject({ status, stdout: '' });
    expect(performance.now() - sent).toBeLessThan(5000);
    expect(snapshot(folder)).toEqual(before);
  });

  test('while standard input is waited for ends inspect, ls and detect', async () => {
    for (const command of ['inspect', 'ls', 'detect']) {
      const child = ocixStarted([command, '-']);
      const end = ended(child);
      child.stdin.write(Buffer.alloc(100, 'x'));
      await until(() => catches(child.pid!, signal));
      await sleep(400);
      child.kill(signal);
      expect(await end).toMatchObject({ status, stdout: '' });
    }
  });
});

describe('kill -9', () => {
  const tenths = Array.from({ length: 10 }, (_, i) => (i + 0.5) / 10);
  const archive = large('large:1', 6);

  test.each(['absent', 'a layout'])(
    'at ten moments leaves an OUT that was %s sound, and a later run succeeds',
    async (kind) => {
      const folder = scratch();
      const source = fileOf(archive);
      const whole = ocix(['convert', '-q', source, join(folder, 'measured')]).milliseconds;
      const before = kind === 'a layout' ? ['greeting:latest'] : [];
      for (const [i, part] of tenths.entries()) {
        const out = join(folder, `out${i}`);
        // A run that was quicker than the first is started again and killed sooner, so that each of the ten is killed.
        for (let wait = part * whole; ; wait /= 2) {
          rmSync(out, { recursive: true, force: true });
          if (kind === 'a layout') output(['convert', '-q', greetingFile(), out]);
          const child = ocixStarted(['convert', '-q', source, out]);
          const end = ended(child);
          await sleep(wait);
          child.kill('SIGKILL');
          if ((await end).signal === 'SIGKILL') break;
        }
        if (kind === 'a layout' || existsSync(out)) {
          const names = readLayout(out, 'spare').map(({ name }) => name);
          expect(names.filter((name) => name !== 'large:1')).toEqual(before);
        }
        output(['convert', '-q', source, out]);
        expect(readLayout(out, 'spare').map(({ name }) => name)).toEqual([...before, 'large:1']);
      }
    },
  );
});

describe('several processes that write into one layout at once', () => {
  test.each([
    [2, 'that is not there yet'],
    [4, 'that is not there yet'],
    [4, 'that has an image'],
    [8, 'that is not there yet'],
  ])('%i of them, into one %s, all succeed, and the index names all', async (count, kind) => {
    const out = join(scratch(), 'out');
    if (kind === 'that has an image') output(['convert', '-q', greetingFile(), out]);
    const tags = Array.from({ length: count }, (_, i) => `image${i}:1`);
    const sources = tags.map((tag, i) => fileOf(large(tag, 1, i + 1), `${i}.tar`));
    const runs = await Promise.all(sources.map((source) => ended(ocixStarted(['convert', '-q', source, out]))));
    expect(runs.map(({ status, stderr }) => [status, stderr])).toEqual(runs.map(() => [0, '']));
    expect([...namesOf(out)].sort()).toEqual([...(kind === 'that has an image' ? ['greeting:latest'] : []), ...tags]);
  });

  test('the same image from four processes is there once', async () => {
    const out = join(scratch(), 'out');
    const source = greetingFile();
    const runs = await Promise.all([1, 2, 3, 4].map(() => ended(ocixStarted(['convert', '-q', source, out]))));
    expect(runs.map(({ status }) => status)).toEqual([0, 0, 0, 0]);
    expect(namesOf(out)).toEqual(['greeting:latest']);
  });
});

test('a reader of standard output that goes away ends the run with 7, and no trace', () => {
  const many = sampleLayer(
    Array.from({ length: 20_000 }, (_, i) => ({ name: `a-file-with-a-name-of-some-length-${i}` })),
  );
  const source = fileOf(dockerSave({ layers: [many] }, { generation: '1.10' }));
  const command = join(import.meta.dirname, '../../dist/ocix.js');
  const script = 'set -o pipefail; "$0" "$1" ls "$2" | head -1; echo "$?"';
  const run = spawnSync('bash', ['-c', script, process.execPath, command, source], { encoding: 'utf8' });
  const [line, status] = run.stdout.split('\n');
  expect(line).toMatch(/^-rw-r--r-- .* a-file-with-a-name/);
  expect([status, run.stderr]).toEqual(['7', '']);
});

test('an image that was greeted while others were written is still whole', async () => {
  const out = join(scratch(), 'out');
  output(['convert', '-q', fileOf(dockerSave(greeting('amd64'), { generation: '1.10' })), out]);
  const writer = ended(ocixStarted(['convert', '-q', fileOf(large('large:1', 3)), out]));
  const seen = [ocix(['ls', `oci:${out}:greeting:latest`]), ocix(['inspect', `oci:${out}:greeting:latest`])];
  expect(seen.map(({ status }) => status)).toEqual([0, 0]);
  expect((await writer).status).toBe(0);
});
