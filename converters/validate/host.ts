/** What the machine at hand could not do with a bundle. Notes only: another machine may. */
import { pathKind } from '../../formats/bytes/source.ts';
import type { Json } from '../../formats/json/parse.ts';
import { shown } from './findings.ts';
import type { HostFacts } from './host-facts.ts';
import { HOOKS, PLATFORMS } from './runtime-shapes.ts';
import { type Found, isObject, listOf, member } from './shape.ts';

export interface Machine {
  readonly host: HostFacts;
  /** Of the bundle; sources of mounts may be relative to it. */
  readonly folder: string;
}

export async function checkHost(value: Json, machine: Machine, found: Found): Promise<void> {
  const { host } = machine;
  const system = PLATFORMS.find((name) => name !== 'vm' && member(value, name) !== undefined) ?? host.os;
  if (system !== host.os)
    return found('', `the bundle is for ${system}, and this machine is ${host.os}`, 'host/platform');
  checkVersion(value, found);
  await checkMounts(value, machine, found);
  await checkHooks(value, found);
  const linux = member(value, 'linux');
  if (!isObject(linux)) return;
  checkKernel(value, linux, host, found);
  checkSecurity(value, linux, host, found);
}

function checkVersion(value: Json, found: Found): void {
  const version = member(value, 'ociVersion');
  const match = typeof version === 'string' ? /^(\d+)\.(\d+)\./.exec(version) : null;
  if (match && (match[1] !== '1' || Number(match[2]) > 1))
    found('/ociVersion', `${shown(version)} is not a version from 1.0 to 1.1`, 'host/version');
}

/** Runtimes give these a meaning of their own. */
const OWN_TYPES = new Set(['cgroup', 'cgroup2', 'none', 'bind', '']);

async function checkMounts(value: Json, { host, folder }: Machine, found: Found): Promise<void> {
  for (const [number, mount] of listOf(member(value, 'mounts')).entries()) {
    const at = `/mounts/${number}`;
    const [type, source] = [member(mount, 'type'), member(mount, 'source')];
    const options = listOf(member(mount, 'options'));
    const isBind = options.includes('bind') || options.includes('rbind');
    if (!isBind && typeof type === 'string' && !OWN_TYPES.has(type) && !host.filesystems.has(type))
      found(`${at}/type`, `the kernel does not know ${shown(type)} now`, 'host/filesystem');
    if (isBind && typeof source === 'string' && (await isAbsent(source, folder)))
      found(`${at}/source`, `${shown(source)} does not exist`, 'host/mount-source');
  }
}

async function checkHooks(value: Json, found: Found): Promise<void> {
  for (const name of HOOKS) {
    // Paths of these are looked up in the container.
    if (name === 'startContainer') continue;
    for (const [number, hook] of listOf(member(member(value, 'hooks'), name)).entries()) {
      const path = member(hook, 'path');
      if (typeof path === 'string' && path.startsWith('/') && (await isAbsent(path, '')))
        found(`/hooks/${name}/${number}/path`, `${shown(path)} does not exist`, 'host/hook');
    }
  }
}

const isAbsent = async (path: string, folder: string): Promise<boolean> =>
  path.includes('\0') ||
  (await pathKind(path.startsWith('/') ? path : `${folder}/${path}`).catch(() => 'absent')) === 'absent';

function checkKernel(value: Json, linux: Json, host: HostFacts, found: Found): void {
  const types = listOf(member(linux, 'namespaces')).map((one) => member(one, 'type'));
  const unknown = types.filter((type) => typeof type === 'string' && !host.namespaces.has(type));
  if (unknown.length) found('/linux/namespaces', `the kernel does not have ${shown(unknown)}`, 'host/namespace');
  if (host.cgroups === 'hybrid') found('/linux', 'cgroups of both versions are mounted', 'host/cgroup');
  if (host.uid !== 0 && !types.includes('user'))
    found('/linux/namespaces', `the user ${host.uid} is not root, and there is no namespace user`, 'host/mappings');
  const bounding = listOf(member(member(member(value, 'process'), 'capabilities'), 'bounding'));
  const withheld = bounding.filter((name) => typeof name === 'string' && !host.capabilities.has(name));
  if (withheld.length && !types.includes('user'))
    found('/process/capabilities/bounding', `${shown(withheld)} cannot be handed on here`, 'host/capability');
}

function checkSecurity(value: Json, linux: Json, { security }: HostFacts, found: Found): void {
  const process = member(value, 'process');
  const wanted = [
    ['apparmor', '/process/apparmorProfile', member(process, 'apparmorProfile')],
    ['selinux', '/process/selinuxLabel', member(process, 'selinuxLabel')],
    ['selinux', '/linux/mountLabel', member(linux, 'mountLabel')],
    ['seccomp', '/linux/seccomp', member(linux, 'seccomp')],
  ] as const;
  for (const [module, at, setting] of wanted)
    if (setting !== undefined && setting !== '' && !security.has(module))
      found(at, `the kernel does not have ${module}`, 'host/security');
}
