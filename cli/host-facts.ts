/** What this machine could run: read from /proc and /sys. What cannot be read counts as there, so that nothing is said of it. */
import { access, readdir, readFile } from 'node:fs/promises';
import type { HostFacts } from '../converters/validate/host-facts.ts';
import { CAPABILITIES } from '../formats/model/capabilities.ts';

const SYSTEMS: Readonly<Record<string, string>> = { win32: 'windows', sunos: 'solaris' };

/** What `/proc/self/ns` calls otherwise than `config.json`. */
const NAMESPACES: Readonly<Record<string, string>> = { mnt: 'mount', net: 'network' };

/** Undefined where nothing can be found out: on another system than Linux. */
export async function hostFacts(architecture: string): Promise<HostFacts | undefined> {
  const os = SYSTEMS[process.platform] ?? process.platform;
  if (os !== 'linux') return undefined;
  const [filesystems, status, namespaces] = await Promise.all([
    readFile('/proc/filesystems', 'utf8').catch(() => undefined),
    readFile('/proc/self/status', 'utf8').catch(() => undefined),
    readdir('/proc/self/ns').catch(() => undefined),
  ]);
  if (filesystems === undefined || status === undefined || namespaces === undefined) return undefined;
  return {
    os,
    architecture,
    uid: process.geteuid?.() ?? 0,
    filesystems: new Set(filesystems.split('\n').map((line) => line.split('\t')[1] ?? '')),
    capabilities: boundingSet(status),
    namespaces: new Set(namespaces.map((name) => NAMESPACES[name] ?? name)),
    cgroups: await cgroups(),
    security: await security(status),
  };
}

function boundingSet(status: string): ReadonlySet<string> {
  const bits = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return new Set(CAPABILITIES.filter((_, number) => (bits >> BigInt(number)) & 1n));
}

async function cgroups(): Promise<HostFacts['cgroups']> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  const types = new Set(mounts.split('\n').map((line) => / - (cgroup2?) /.exec(line)?.[1]));
  if (types.has('cgroup') && types.has('cgroup2')) return 'hybrid';
  return types.has('cgroup2') ? 'v2' : types.has('cgroup') ? 'v1' : 'none';
}

async function security(status: string): Promise<ReadonlySet<string>> {
  const there = async (path: string): Promise<boolean> =>
    access(path).then(
      () => true,
      () => false,
    );
  const found = new Set<string>();
  if (/^Seccomp:/m.test(status)) found.add('seccomp');
  if (await there('/sys/kernel/security/apparmor')) found.add('apparmor');
  if (await there('/sys/fs/selinux/enforce')) found.add('selinux');
  return found;
}
