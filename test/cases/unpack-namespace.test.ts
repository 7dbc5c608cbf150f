/** A root who is alone in his user namespace, or has less company than an image: `unshare`, or a container without ranges. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { greeting, greetingText } from '../../fixtures/images.ts';
import { asRoot, deepScratch, diskTree } from '../formats/rootfs/disk.ts';
import { ended } from './command.ts';

const OCIX = join(import.meta.dirname, '../../dist/ocix.js');
const works = (tool: string, ...args: readonly string[]): boolean => spawnSync(tool, args).status === 0;
const one = works('unshare', '-r', 'true') ? test : test.skip;

function alone(...args: readonly string[]) {
  const { status, stderr } = spawnSync('unshare', ['-r', process.execPath, OCIX, ...args], { encoding: 'utf8' });
  return { status, stderr };
}

/** In a namespace with the ids below 1000. */
async function amongThousand(...args: readonly string[]) {
  const script = ['-U', 'sh', '-c', 'echo; read go; exec "$@"', 'sh', process.execPath, OCIX, ...args];
  const child = spawn('unshare', script);
  await once(child.stdout, 'data');
  for (const kind of ['uid', 'gid']) writeFileSync(`/proc/${child.pid}/${kind}_map`, '0 0 1000');
  child.stdin.end('\n');
  return ended(child);
}

function source(folder: string): string {
  const path = join(folder, 'app.tar');
  writeFileSync(path, dockerSave(greeting('amd64'), { generation: '1.10' }));
  return path;
}

describe('a root who is the only user of his namespace', () => {
  one('records owners, as with --rootless, and is told so; --strict wants it said', () => {
    const folder = deepScratch();
    const file = source(folder);
    const { status, stderr } = alone('unpack', file, join(folder, 'out'));
    expect([status, stderr]).toEqual([0, expect.stringMatching(/note: defaulted: .*one id only.*--rootless/)]);
    expect(diskTree(join(folder, 'out')).get('home/guest')).toMatchObject({
      uid: process.getuid?.(),
      xattrs: { 'user.rootlesscontainers': '08e80710e807' },
    });
    expect(alone('unpack', '-q', '--strict', file, join(folder, 'strict')).status).toBe(5);
    expect(alone('unpack', '--rootless', file, join(folder, 'said')).stderr).not.toContain('one id only');
  });

  for (const runtime of ['runc', 'crun']) {
    (works(runtime, '--version') ? one : test.skip)(`starts the bundle under ${runtime}`, () => {
      const folder = deepScratch();
      const bundle = join(folder, 'bundle');
      expect(alone('bundle', '-q', source(folder), bundle).status).toBe(0);
      const { linux } = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'));
      expect(linux.uidMappings).toEqual([{ containerID: 0, hostID: 0, size: 1 }]);
      // Runtimes want mounts of their own there; crun refuses a host that mixes the versions of cgroups.
      const start = `cd "$1" && exec unshare -rm ${runtime} --root "$1/../state" run ocix-one-id-${process.pid}`;
      const script = `if [ -d /sys/fs/cgroup/unified ]; then umount /sys/fs/cgroup/unified; fi; ${start}`;
      const started = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', bundle], {
        encoding: 'utf8',
        env: { ...process.env, XDG_RUNTIME_DIR: folder },
      });
      expect([started.status, started.stdout], started.stderr).toEqual([0, greetingText]);
    });
  }
});

asRoot('an owner that the namespace lacks is refused with what to do, and --rootless does it', async () => {
  const folder = deepScratch();
  const file = source(folder);
  const { status, stderr } = await amongThousand('unpack', '-q', file, join(folder, 'out'));
  expect([status, stderr]).toEqual([7, expect.stringMatching(/the owner 0:1000 is not in the user namespace/)]);
  expect(stderr).toMatch(/--rootless.*--uid-map/);
  expect(existsSync(join(folder, 'out'))).toBe(false);
  expect((await amongThousand('unpack', '-q', '--rootless', file, join(folder, 'out'))).status).toBe(0);
});
