/** Bundles under real runtimes: they start as they are, and what runs inside sees what config.json promises. */
import { chmodSync, existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { greetingText } from '../../fixtures/images.ts';
import { tar } from '../../fixtures/tar.ts';
import { greetingFile, output } from '../cases/command.ts';
import { readLayout } from '../cases/layout.ts';
import { deepScratch } from '../formats/rootfs/disk.ts';
import { buildDebian, debianArchive } from './debian.ts';
import { start, testsWith } from './runtimes.ts';

vi.setConfig({ testTimeout: 120_000 });

const CORPUS = join(import.meta.dirname, '../../../shared/corpus/docker-save');
const ALPINE = join(CORPUS, 'trivy-alpine-310.tar.gz');
const JIB = join(CORPUS, 'jib-busybox-docker.tar');
function bundleOf(source: string, ...options: readonly string[]): string {
  const bundle = join(deepScratch(), 'bundle');
  output(['bundle', '-q', ...options, source, bundle]);
  return bundle;
}

const configOf = (bundle: string) => JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'));

/** The same bundle with another command. */
function withShell(bundle: string, script: string, user?: object): string {
  const config = configOf(bundle);
  config.process.args = ['/bin/sh', '-c', script];
  if (user) config.process.user = user;
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
  return bundle;
}

/** The layers of an image, as tars. */
function layersOf(source: string, folder: string): readonly Uint8Array[] {
  const layout = join(folder, 'layout');
  output(['convert', '-q', source, layout]);
  return readLayout(layout)[0]!.layers.map(({ tar }) => tar!);
}

const BITS =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP'.split(
    ' ',
  );
const capabilityMask = (names: readonly string[]): string =>
  names
    .reduce((sum, name) => sum | (1n << BigInt(BITS.indexOf(name.replace('CAP_', '')))), 0n)
    .toString(16)
    .padStart(16, '0');

describe.each(['runc', 'crun'])('%s', (runtime) => {
  const runs = testsWith(runtime);
  const withFile = (path: string) => (existsSync(path) ? runs : test.skip);

  runs('starts the bundle of the greeting as it is, as its named user', () => {
    const { status, stdout, stderr } = start(runtime, bundleOf(greetingFile()));
    expect([status, stdout], stderr).toEqual([0, greetingText]);
  });

  withFile(ALPINE)('shows a shell in alpine what config.json promises', () => {
    const bundle = bundleOf(ALPINE);
    const { process, linux } = configOf(bundle);
    const masked = linux.maskedPaths.map(
      (path: string) =>
        `if [ -d ${path} ]; then ls ${path} 2>/dev/null; elif [ -e ${path} ]; then head -c1 ${path} 2>/dev/null; fi`,
    );
    const readOnly = linux.readonlyPaths.map(
      (path: string) => `[ ! -e ${path} ] || grep -q " ${path} ro" /proc/self/mountinfo || echo "writable ${path}"`,
    );
    const script = [
      'cat /proc/self/status',
      'echo @',
      ...masked,
      'echo @',
      ...readOnly,
      'echo @',
      'cat /proc/self/mountinfo',
      'echo @',
      'env',
      'pwd',
      'ulimit -n',
    ].join('\n');
    const { status, stdout, stderr } = start(
      runtime,
      withShell(bundle, script, { uid: 0, gid: 0, additionalGids: [5, 7] }),
    );
    expect(status, stderr).toBe(0);
    const [lines = '', hidden, writable, mounts = '', rest = ''] = stdout.split('@\n');
    const field = (name: string) => new RegExp(`^${name}:\\s*(.*?)\\s*$`, 'm').exec(lines)?.[1];
    const wanted = capabilityMask(process.capabilities.bounding);
    expect([field('CapBnd'), field('CapEff'), field('CapPrm')]).toEqual([wanted, wanted, wanted]);
    expect([field('CapInh'), field('CapAmb')]).toEqual(['0'.repeat(16), '0'.repeat(16)]);
    expect([field('NoNewPrivs'), field('Uid'), field('Gid')]).toEqual(['1', '0\t0\t0\t0', '0\t0\t0\t0']);
    expect(
      field('Groups')
        ?.split(' ')
        .filter((group) => group !== '0'),
    ).toEqual(['5', '7']);
    expect([hidden, writable]).toEqual(['', '']);
    for (const { destination } of configOf(bundle).mounts)
      expect(mounts, destination).toMatch(new RegExp(` ${destination} `));
    expect(mounts).toMatch(/ \/sys ro,/);
    for (const line of process.env) expect(rest.split('\n')).toContain(line);
    expect(rest.split('\n')).toContain(process.cwd);
  });

  withFile(ALPINE)('keeps the user, and an empty set of capabilities, of --caps none and --read-only', () => {
    const bundle = withShell(
      bundleOf(ALPINE, '--caps', 'none', '--read-only'),
      'grep Cap /proc/self/status; touch /x 2>&1',
      { uid: 5, gid: 6 },
    );
    const { stdout } = start(runtime, bundle);
    expect(stdout.match(/^Cap(?:Inh|Prm|Eff|Bnd|Amb):\t0{16}$/gm)).toHaveLength(5);
    expect(stdout).toMatch(/Read-only file system|Permission denied/);
  });

  const mapped = ['--uid-map', '0:100000:65536', '--gid-map', '0:100000:65536'];

  withFile(ALPINE).each([
    ['as they are', []],
    ['mapped', mapped],
  ])('gives volumes to whom the image gives the folders, with what is in them; ids %s', (_, options) => {
    const folder = deepScratch();
    const own = { uid: 1000, gid: 1001 };
    const layer = tar([
      { name: 'data/', mode: 0o2750, ...own },
      { name: 'data/seed', body: 'x', mode: 0o640, ...own },
      { name: 'empty/', mode: 0o700, ...own },
      { name: 'way', link: '/empty' },
    ]);
    const config = { config: { Cmd: ['/x'], User: '1000:1001', Volumes: { '/data': {}, '/way': {}, '/none': {} } } };
    const archive = join(folder, 'volumes.tar');
    writeFileSync(
      archive,
      dockerSave({ layers: [...layersOf(ALPINE, folder), layer], config }, { generation: '1.10' }),
    );
    const bundle = join(folder, 'bundle');
    chmodSync(folder, 0o755);
    output(['bundle', '-q', '--strict', ...options, archive, bundle]);
    expect(lstatSync(bundle).mode & 0o7777).toBe(options.length ? 0o710 : 0o700);
    const script =
      'cd /; touch data/new way/new && stat -c "%n %a %u %g" data data/seed way/ none; ls data; touch none/x';
    const { stdout, stderr } = start(runtime, withShell(bundle, script));
    expect(stdout, stderr).toBe(
      'data 2750 1000 1001\ndata/seed 640 1000 1001\nway/ 700 1000 1001\nnone 755 0 0\nnew\nseed\n',
    );
    expect(stderr).toMatch(/Permission denied/);
  });

  withFile(JIB)('starts busybox made by jib', () => {
    const { status, stdout, stderr } = start(runtime, withShell(bundleOf(JIB), 'busybox | head -1; id -u'));
    expect([status, stdout], stderr).toEqual([0, expect.stringMatching(/^BusyBox v.*\n0\n$/s)]);
  });

  const debian = buildDebian() ? runs : test.skip;
  debian('starts Debian, with apt and su working in it', () => {
    const script = [
      'set -e',
      'su nobody -s /bin/sh -c id',
      // apt becomes a user of its own to fetch things, which takes capabilities.
      'mkdir /repo && : >/repo/Packages && echo "deb [trusted=yes] file:/repo ./" >/etc/apt/sources.list',
      'rm -rf /etc/apt/sources.list.d/* && apt-get -q update && apt-get check && echo "checked by $(id -un _apt)"',
    ];
    const { status, stdout, stderr } = start(runtime, withShell(bundleOf(debianArchive), script.join('\n')));
    expect([status, stdout], stderr).toEqual([
      0,
      expect.stringMatching(/^uid=65534\(nobody\).*Get:1 file:\/repo.*\nchecked by _apt\n$/s),
    ]);
    expect(stderr).not.toMatch(/^[WE]:/m);
  });
});
