/** A Docker daemon of our own: its data, socket and network are in a folder that is gone afterwards. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, test } from 'vitest';
import { runPeer } from '../fixtures/peers.ts';

export const has = (tool: string): boolean => !spawnSync(tool, ['--version'], { stdio: 'ignore' }).error;
export const hasDaemon = process.getuid?.() === 0 && has('dockerd') && has('docker');

export const withDaemon: typeof test | typeof test.skip = hasDaemon ? test : test.skip;

/** Runs for the tests of the group in which this is called; gives what `docker ARGS` prints. */
export function dockerDaemon(): (...args: readonly string[]) => Buffer {
  /** The path of a socket may have 107 characters. */
  const home = mkdtempSync(join(tmpdir(), 'ocix-d'));
  const host = ['--host', `unix://${home}/sock`];
  let daemon: ChildProcess | undefined;
  let said = '';

  beforeAll(async () => {
    if (!hasDaemon) return;
    const places = ['data-root', 'exec-root'].map((name) => `--${name}=${home}/${name}`);
    const options = ['--bridge=none', '--iptables=false', ...places, ...host, `--pidfile=${home}/pid`];
    daemon = spawn('dockerd', options, { stdio: ['ignore', 'ignore', 'pipe'] });
    daemon.stderr!.on('data', (chunk) => (said += chunk));
    for (let i = 0; i < 240; i++) {
      if (spawnSync('docker', [...host, 'version'], { stdio: 'ignore' }).status === 0) return;
      if (daemon.exitCode !== null) break;
      await sleep(250);
    }
    throw new Error(`the Docker daemon did not come up:\n${said.slice(-3000)}`);
  }, 70_000);

  afterAll(async () => {
    if (daemon && daemon.exitCode === null) {
      const gone = new Promise((resolve) => daemon!.once('exit', resolve));
      daemon.kill('SIGTERM');
      await Promise.race([gone, sleep(20_000).then(() => daemon!.kill('SIGKILL'))]);
    }
    rmSync(home, { recursive: true, force: true });
  }, 30_000);

  return (...args) => runPeer({ tool: 'docker', args: [...host, ...args] });
}
