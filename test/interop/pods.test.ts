/** Pods under real engines: apps see each other as the manifest wants, and nothing stays behind when they have ended. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Json, JsonObject } from '../../fixtures/image-recipe.ts';
import { output } from '../cases/command.ts';
import { scratch, withPeer } from '../fixtures/peers.ts';
import { deepScratch, isRoot } from '../formats/rootfs/disk.ts';
import { podmanHome } from './podman.ts';
import { testsWith } from './runtimes.ts';

vi.setConfig({ testTimeout: 120_000 });

const BUSYBOX = join(import.meta.dirname, '../../../shared/corpus/appc/run/busybox.xz.aci');
const HAS_BUSYBOX = existsSync(BUSYBOX);

/** An app that runs a script of the shell as root. */
const app = (name: string, script: string, more: JsonObject = {}, ofApp: JsonObject = {}): JsonObject => ({
  name,
  image: { name: 'example.com/busybox' },
  app: { exec: ['/bin/busybox', 'sh', '-c', `PATH=/bin\n${script}`], user: '0', group: '0', ...ofApp },
  ...more,
});

function podFile(apps: readonly JsonObject[], more: JsonObject = {}): string {
  const path = join(scratch(), 'pod.json');
  writeFileSync(path, JSON.stringify({ acKind: 'PodManifest', acVersion: '0.8.11', apps, ...more } satisfies Json));
  return path;
}

function bundleOf(apps: readonly JsonObject[], more: JsonObject = {}): string {
  const bundle = join(deepScratch(), 'pod');
  output(['bundle', '-q', '--dep', BUSYBOX, podFile(apps, more), bundle]);
  return bundle;
}

let count = 0;
const podName = (): string => `ocix-pod-${process.pid}-${count++}`;

/** crun refuses a host that mixes the versions of cgroups; the mount namespace has one version. */
const command = (bundle: string, name: string): readonly string[] => [
  '-m',
  'sh',
  '-c',
  `if [ -d /sys/fs/cgroup/unified ]; then umount /sys/fs/cgroup/unified; fi; exec "$0" ${name}`,
  join(bundle, 'run'),
];

function environment(runtime: string, bundle: string): NodeJS.ProcessEnv {
  const state = join(bundle, '../state');
  mkdirSync(state, { recursive: true });
  return { ...process.env, OCI_RUNTIME: `${runtime} --root ${state}` };
}

function run(runtime: string, bundle: string) {
  const before = readdirSync(bundle).sort();
  const options = { encoding: 'utf8', timeout: 60_000, env: environment(runtime, bundle) } as const;
  const { status, stdout, stderr } = spawnSync('unshare', command(bundle, podName()), options);
  expect(readdirSync(bundle).sort(), 'nothing is left of the run').toEqual(before);
  expect(readdirSync(join(bundle, '../state')), 'no container is left').toEqual([]);
  return { status, stdout, stderr };
}

const UNTIL = 'n=0; until [ -s /mnt/ready ] || [ $n -gt 100 ]; do n=$((n+1)); busybox usleep 100000; done';
const DATA = { volumes: [{ name: 'data', kind: 'empty', mode: '0750', uid: 5, gid: 6 }] };
const MOUNTS = { mounts: [{ volume: 'data', path: '/mnt' }] };

describe.each(['runc', 'crun'])('%s', (runtime) => {
  const runs = HAS_BUSYBOX ? testsWith(runtime) : test.skip;

  runs('apps talk over 127.0.0.1', () => {
    const bundle = bundleOf([
      app('server', 'echo hello from server | busybox nc -l -p 8080'),
      app('client', 'until busybox nc 127.0.0.1 8080 </dev/null 2>/dev/null; do busybox usleep 50000; done'),
    ]);
    expect(run(runtime, bundle)).toEqual({ status: 0, stdout: 'hello from server\n', stderr: '' });
  });

  runs('apps see each other’s processes and share IPC and the host’s name, and not their files', () => {
    const namespaces = 'for n in pid net ipc uts mnt; do busybox readlink /proc/self/ns/$n; done';
    const bundle = bundleOf(
      [
        app('one', `${namespaces} >/mnt/one; echo $$ >/mnt/ready; exec busybox sleep 20`, MOUNTS),
        app(
          'two',
          `${UNTIL}; ${namespaces} >/mnt/two; n=$(cat /mnt/ready); cat /proc/$n/cmdline >/mnt/seen; kill -9 $n`,
          MOUNTS,
        ),
      ],
      DATA,
    );
    const { status, stderr } = run(runtime, bundle);
    const of = (name: string) =>
      readFileSync(join(bundle, 'volumes/data', name), 'utf8')
        .trim()
        .split('\n');
    const [one, two] = [of('one'), of('two')];
    expect(one.slice(0, 4), stderr).toEqual(two.slice(0, 4));
    expect(one[4]).not.toBe(two[4]);
    expect([status, of('seen')[0]?.split('\0')[0]], 'the process of the app that was ended').toEqual([
      128 + 9,
      expect.stringMatching(/busybox/),
    ]);
  });

  runs('apps share memory that has a name', () => {
    const bundle = bundleOf(
      [
        app('one', 'echo shared >/dev/shm/x; echo >/mnt/ready; busybox stat -c %a /dev/shm', MOUNTS),
        app(
          'two',
          `${UNTIL}; cat /dev/shm/x; busybox grep -c ' /dev/shm .*nosuid,nodev,noexec' /proc/self/mountinfo`,
          MOUNTS,
        ),
      ],
      DATA,
    );
    const { status, stdout, stderr } = run(runtime, bundle);
    expect([status, stdout.trim().split('\n').sort()], stderr).toEqual([0, ['1', '1777', 'shared']]);
  });

  runs('no app can look into the process that holds the namespaces', () => {
    const bundle = bundleOf([
      app('one', 'busybox readlink /proc/1/root /proc/1/fd/0 /proc/1/cwd; ls /proc/1/root/ 2>&1'),
    ]);
    const { status, stdout } = run(runtime, bundle);
    expect([status === 0, stdout.includes('hold')]).toEqual([false, false]);
  });

  runs('a volume is one folder for all that mount it, with its mode and owner, written or only read', () => {
    const image = { volumes: [...DATA.volumes, { name: 'still', kind: 'host', source: scratch(), readOnly: true }] };
    const bundle = bundleOf(
      [
        app('one', "busybox stat -c '%a %u %g' /mnt; echo from one >/mnt/x; echo >/mnt/ready", MOUNTS),
        app('two', `${UNTIL}; cat /srv/x; echo >/still/x || echo still`, {
          mounts: [
            { volume: 'data', path: '/srv' },
            { volume: 'data', path: '/mnt' },
            { volume: 'still', path: '/still' },
          ],
        }),
      ],
      image,
    );
    const { status, stdout } = run(runtime, bundle);
    expect([status, stdout.trim().split('\n').sort()]).toEqual([0, ['750 5 6', 'from one', 'still']]);
  });

  runs('isolators are in force: memory, capabilities, parameters of the kernel, a root that is read only', () => {
    const caps = { name: 'os/linux/capabilities-retain-set', value: { set: ['CAP_CHOWN'] } };
    const memory = (limit: string) => ({ name: 'resource/memory', value: { limit } });
    const look = [
      'busybox grep CapBnd /proc/self/status',
      'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null',
      'cat /proc/sys/net/ipv4/tcp_fin_timeout',
      'touch /new 2>/dev/null && echo written',
      'echo',
    ].join('\n');
    const bundle = bundleOf([app('one', look, { readOnlyRootFS: true }, { isolators: [caps, memory('32Mi')] })], {
      isolators: [memory('64Mi'), { name: 'os/unix/sysctl', value: { 'net.ipv4.tcp_fin_timeout': '7' } }],
    });
    const { stdout, stderr } = run(runtime, bundle);
    expect(stdout.trim().split(/\s+/), stderr).toEqual(['CapBnd:', '0000000000000001', `${32 * 2 ** 20}`, '7']);
  });

  runs('all apps are waited for, and the status is that of the first that failed', () => {
    const bundle = bundleOf(
      [
        app('late', `${UNTIL}; busybox sleep 1; echo late; exit 4`, MOUNTS),
        app('first', 'echo first; echo >/mnt/ready; exit 3', MOUNTS),
        app('good', 'exit 0'),
      ],
      DATA,
    );
    expect(run(runtime, bundle)).toEqual({ status: 3, stdout: 'first\nlate\n', stderr: '' });
  });

  runs.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s ends the apps, and nothing stays behind', async (signal) => {
    const wait = 'while :; do busybox usleep 50000; done';
    const bundle = bundleOf([
      app('polite', `trap 'echo goodbye; exit 0' TERM; echo ready; ${wait}`),
      app('run', `trap 'exit 0' TERM; echo ready; ${wait}`),
    ]);
    const before = readdirSync(bundle).sort();
    const child = spawn('unshare', command(bundle, podName()), { env: environment(runtime, bundle) });
    onTestFinished(() => void child.kill('SIGKILL'));
    let stdout = '';
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    await new Promise<void>((resolve) =>
      child.stdout.on('data', (chunk) => {
        stdout += chunk;
        if (stdout.split('ready').length === 3) resolve();
      }),
    );
    child.kill(signal);
    const numbers = { SIGTERM: 15, SIGINT: 2, SIGHUP: 1 };
    expect([await ended, stdout.includes('goodbye')]).toEqual([128 + numbers[signal], true]);
    expect(readdirSync(bundle).sort()).toEqual(before);
    expect(readdirSync(join(bundle, '../state'))).toEqual([]);
  });

  runs('a bundle of the pod starts alone too', () => {
    const bundle = bundleOf([app('one', 'cat /mnt/x', MOUNTS)], DATA);
    writeFileSync(join(bundle, 'volumes/data/x'), 'alone');
    const script = `if [ -d /sys/fs/cgroup/unified ]; then umount /sys/fs/cgroup/unified; fi; cd "$1" && exec $OCI_RUNTIME run ${podName()}`;
    const env = environment(runtime, bundle);
    const { stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', join(bundle, 'one')], {
      env,
      encoding: 'utf8',
    });
    expect(stdout, stderr).toBe('alone');
  });
});

const plays = HAS_BUSYBOX && isRoot ? withPeer('podman') : test.skip;

plays('podman kube play runs the pod that was written for Kubernetes', () => {
  const { folder, podman } = podmanHome();
  const out = join(folder, 'kube');
  const caps = { name: 'os/linux/capabilities-retain-set', value: { set: ['CAP_CHOWN'] } };
  const memory = { name: 'resource/memory', value: { limit: '32Mi' } };
  const apps = [
    app('server', 'echo hello from server | busybox nc -l -p 8080', MOUNTS),
    app(
      'client',
      [
        'until busybox nc 127.0.0.1 8080 </dev/null 2>/dev/null; do busybox usleep 50000; done',
        'touch /new 2>/dev/null && echo written',
        'echo x >/mnt/x && echo "$A $(busybox id -u) $$" | busybox cut -d" " -f1,2',
        'busybox grep CapBnd /proc/self/status',
        'exit 3',
      ].join('\n'),
      { ...MOUNTS, readOnlyRootFS: true },
      { isolators: [caps, memory], environment: [{ name: 'A', value: 'b:#c' }] },
    ),
  ];
  output(['convert', '-q', '--to', 'kube', '--dep', BUSYBOX, podFile(apps, DATA), out]);
  // Its own limits are higher than those of a machine that is a container itself.
  const limits =
    '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n[engine]\nruntime = "runc"\n';
  writeFileSync(join(folder, 'containers.conf'), limits);
  vi.stubEnv('CONTAINERS_CONF', join(folder, 'containers.conf'));
  onTestFinished(() => void vi.unstubAllEnvs());
  podman('pull', '-q', `oci:${join(out, 'images')}:example.com/busybox:1.0.0`);
  podman('kube', 'play', '--network', 'none', join(out, 'pod.yaml'));
  onTestFinished(() => void podman('pod', 'rm', '-f', 'server'));
  expect(podman('wait', 'server-server', 'server-client').trim().split('\n')).toEqual(['0', '3']);
  expect(podman('logs', 'server-client').trim().split('\n')).toEqual([
    'hello from server',
    'b:#c 0',
    'CapBnd:\t0000000000000001',
  ]);
  const format = '{{.HostConfig.Memory}} {{.HostConfig.ReadonlyRootfs}}';
  expect(podman('inspect', 'server-client', '--format', format).trim()).toBe(`${32 * 2 ** 20} true`);
});
