/** Podman with stores of its own. It wants a short run root, and takes part of a path for a name, which has no capitals. */
import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { runPeer } from '../fixtures/peers.ts';

let homes = 0;

export function podmanHome(): { readonly folder: string; readonly podman: (...args: readonly string[]) => string } {
  const folder = join(tmpdir(), `ocix-p${process.pid}-${homes++}`);
  mkdirSync(folder);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const stores = ['--root', join(folder, 's'), '--runroot', join(folder, 'r'), '--storage-driver', 'vfs'];
  const common = [...stores, '--cgroup-manager=cgroupfs'];
  return { folder, podman: (...args) => runPeer({ tool: 'podman', args: [...common, ...args] }).toString() };
}
