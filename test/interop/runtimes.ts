/** Starting a bundle under a real runtime. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { isRoot } from '../formats/rootfs/disk.ts';

let count = 0;

/** crun refuses a host that mixes the versions of cgroups; the mount namespace has one version. */
export function start(
  runtime: string,
  bundle: string,
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const name = `ocix-test-${process.pid}-${count++}`;
  const script = `if [ -d /sys/fs/cgroup/unified ]; then umount /sys/fs/cgroup/unified; fi; cd "$1" && exec "$0" --root "$2" run ${name}`;
  const state = join(bundle, '../state');
  mkdirSync(state, { recursive: true });
  return spawnSync('unshare', ['-m', 'sh', '-c', script, runtime, bundle, state], {
    encoding: 'utf8',
    timeout: 60_000,
  });
}

/** `test` where this runtime can be started, or has to be. */
export function testsWith(runtime: string): typeof test | typeof test.skip {
  const absent = spawnSync(runtime, ['--version']).error !== undefined;
  return isRoot && (!absent || process.env.OCIX_REQUIRE_PEERS) ? test : test.skip;
}
