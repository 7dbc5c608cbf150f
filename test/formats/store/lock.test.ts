import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { withLock } from '../../../formats/store/lock.ts';
import { scratch } from '../../fixtures/peers.ts';
import { codeOf } from '../support.ts';

/** A process that lives until it is told to end. */
function sleeper(): ChildProcess & { readonly pid: number } {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child as ChildProcess & { readonly pid: number };
}

const gonePid = (): number => spawnSync(process.execPath, ['-e', '']).pid;

describe('a lock', () => {
  test('lets one of many tasks in at a time, and every one in the end', async () => {
    const folder = scratch();
    const lock = join(folder, 'lock');
    let inside = 0;
    let most = 0;
    const task = async (number: number): Promise<number> =>
      withLock(lock, async () => {
        most = Math.max(most, ++inside);
        await sleep(3);
        inside--;
        return number;
      });
    expect(await Promise.all([1, 2, 3, 4, 5].map(task))).toEqual([1, 2, 3, 4, 5]);
    expect(most).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('names its owner while it is held', async () => {
    const lock = join(scratch(), 'lock');
    const text = await withLock(lock, async () => readFileSync(lock, 'utf8'));
    expect(text).toBe(`${process.pid} ${hostname()}\n`);
    expect(existsSync(lock)).toBe(false);
  });

  test('is given back when the work fails', async () => {
    const folder = scratch();
    const lock = join(folder, 'lock');
    const failing = withLock(lock, async () => {
      throw new RangeError('broken');
    });
    await expect(failing).rejects.toThrow('broken');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('of another process is waited for', async () => {
    const folder = scratch();
    const lock = join(folder, 'lock');
    const child = sleeper();
    writeFileSync(lock, `${child.pid} ${hostname()}\n`);
    let entered = false;
    const work = withLock(lock, async () => {
      entered = true;
    });
    await sleep(150);
    expect(entered).toBe(false);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    await work;
    expect(entered).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('of a process that is dead is broken', async () => {
    const folder = scratch();
    writeFileSync(join(folder, 'lock'), `${gonePid()} ${hostname()}\n`);
    expect(await withLock(join(folder, 'lock'), async () => 'in')).toBe('in');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('of a process that is dead is broken by one of many tasks, and still excludes the others', async () => {
    const folder = scratch();
    const lock = join(folder, 'lock');
    writeFileSync(lock, `${gonePid()} ${hostname()}\n`);
    let inside = 0;
    let most = 0;
    await Promise.all(
      [1, 2, 3, 4].map(() =>
        withLock(lock, async () => {
          most = Math.max(most, ++inside);
          await sleep(5);
          inside--;
        }),
      ),
    );
    expect(most).toBe(1);
  });

  test.each(['', 'no number at all', `1 another-host-${'x'.repeat(8)}\n`])(
    'that says %j is nobody’s to break',
    async (content) => {
      const folder = scratch();
      const lock = join(folder, 'lock');
      writeFileSync(lock, content);
      let entered = false;
      const work = withLock(lock, async () => {
        entered = true;
      });
      await sleep(100);
      expect(entered).toBe(false);
      spawnSync('rm', [lock]);
      await work;
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  test('in a folder that is not there is refused', async () => {
    expect(await codeOf(() => withLock(join(scratch(), 'no/lock'), async () => {}))).toBe('output/write');
  });

  test('of two processes is held by one at a time', async () => {
    const folder = scratch();
    const lock = join(folder, 'lock');
    const module = new URL('../../../formats/store/lock.ts', import.meta.url).pathname;
    const script = join(folder, 'script.mjs');
    const bundle = join(folder, 'lock.mjs');
    const { build } = await import('esbuild');
    await build({ entryPoints: [module], outfile: bundle, bundle: true, platform: 'node', format: 'esm' });
    writeFileSync(
      script,
      `import { withLock } from './lock.mjs';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
for (let i = 0; i < 15; i++) await withLock(${JSON.stringify(lock)}, async () => {
  writeFileSync(${JSON.stringify(join(folder, 'inside'))}, '', { flag: 'wx' });
  await sleep(2);
  rmSync(${JSON.stringify(join(folder, 'inside'))});
});`,
    );
    const run = () =>
      new Promise<number | null>((resolve) => {
        spawn(process.execPath, [script], { stdio: 'ignore' }).once('exit', resolve);
      });
    expect(await Promise.all([run(), run()])).toEqual([0, 0]);
    expect(existsSync(lock)).toBe(false);
  }, 20_000);
});

test('a lock that a living process keeps is waited for, and no longer than that', async () => {
  const lock = join(scratch(), 'lock');
  writeFileSync(lock, `${sleeper().pid} ${hostname()}\n`);
  expect(await codeOf(() => withLock(lock, async () => {}, 100))).toBe('output/locked');
});
