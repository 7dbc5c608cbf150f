/**
 * What `linux` in `config.json` must be beyond its form.
 * https://github.com/opencontainers/runtime-spec/blob/v1.2.1/config-linux.md
 */
import type { Json } from '../../formats/json/parse.ts';
import { shown } from './findings.ts';
import { type Found, isObject, listOf, member, pointerTo } from './shape.ts';
import { SYSTEM_CALLS } from './syscalls.ts';

/** Types of the namespaces, each with its path if it has one. */
export function namespacesOf(linux: Json | undefined): ReadonlyMap<string, Json | undefined> {
  const namespaces = new Map<string, Json | undefined>();
  for (const one of listOf(member(linux, 'namespaces'))) {
    const type = member(one, 'type');
    if (typeof type === 'string') namespaces.set(type, member(one, 'path'));
  }
  return namespaces;
}

/** Whether mappings have an id; undefined where there are none. */
export function mapped(id: number, mappings: Json | undefined): boolean | undefined {
  const entries = listOf(mappings);
  if (!entries.length) return undefined;
  return entries.some((entry) => {
    const [first, size] = [member(entry, 'containerID'), member(entry, 'size')];
    return typeof first === 'number' && typeof size === 'number' && id >= first && id < first + size;
  });
}

export function checkLinux(value: Json, found: Found): void {
  const linux = member(value, 'linux');
  if (!isObject(linux)) return;
  checkNamespaces(value, linux, found);
  checkUserNamespace(linux, found);
  checkDevices(linux, found);
  checkSeccomp(member(linux, 'seccomp'), found);
  checkResources(member(linux, 'resources'), found);
  for (const name of ['maskedPaths', 'readonlyPaths'])
    for (const [number, path] of listOf(member(linux, name)).entries())
      if (typeof path === 'string' && !path.startsWith('/'))
        found(`/linux/${name}/${number}`, `${shown(path)} is not absolute`, 'runtime/paths');
}

function checkNamespaces(value: Json, linux: Json, found: Found): void {
  const met = new Set<Json>();
  for (const [number, one] of listOf(member(linux, 'namespaces')).entries()) {
    const at = `/linux/namespaces/${number}`;
    const [type, path] = [member(one, 'type'), member(one, 'path')];
    if (type !== undefined && met.has(type))
      found(at, `${shown(type)} is given a second time`, 'runtime/namespace-twice');
    if (type !== undefined) met.add(type);
    if (typeof path === 'string' && path !== '' && !path.startsWith('/'))
      found(`${at}/path`, `${shown(path)} is not absolute`, 'runtime/namespace-path');
  }
  if (listOf(member(value, 'mounts')).length && !met.has('mount'))
    found('/linux/namespaces', 'there are mounts, and no namespace mount', 'runtime/namespace-mount');
  if (member(linux, 'timeOffsets') !== undefined && !met.has('time'))
    found('/linux/timeOffsets', 'there is no namespace time', 'runtime/time-offsets');
}

function checkUserNamespace(linux: Json, found: Found): void {
  const [uids, gids] = [member(linux, 'uidMappings'), member(linux, 'gidMappings')];
  const namespaces = namespacesOf(linux);
  checkMappings(uids, '/linux/uidMappings', found);
  checkMappings(gids, '/linux/gidMappings', found);
  const given = [uids, gids].filter((mappings) => listOf(mappings).length);
  if (given.length === 1)
    found('/linux', `${listOf(uids).length ? 'gidMappings' : 'uidMappings'} is missing`, 'runtime/mappings-together');
  if (given.length && !namespaces.has('user'))
    found('/linux', 'there are mappings, and no namespace user', 'runtime/mappings-together');
  if (!given.length && namespaces.has('user') && !namespaces.get('user'))
    found('/linux/namespaces', 'the new namespace user has no mappings', 'runtime/mappings-missing');
}

/** The kernel takes as many lines. */
const MOST_MAPPINGS = 340;

export function checkMappings(mappings: Json | undefined, at: string, found: Found): void {
  const ranges: { readonly containerID: number; readonly hostID: number; readonly size: number }[] = [];
  const entries = listOf(mappings);
  if (entries.length > MOST_MAPPINGS)
    return found(at, `${entries.length} mappings are more than the kernel takes`, 'runtime/mappings');
  for (const [number, entry] of entries.entries()) {
    const [containerID, hostID, size] = ['containerID', 'hostID', 'size'].map((name) => member(entry, name));
    if (typeof containerID !== 'number' || typeof hostID !== 'number' || typeof size !== 'number') continue;
    const range = { containerID, hostID, size };
    const place = `${at}/${number}`;
    if (size < 1) found(place, 'the size is 0', 'runtime/mappings');
    if (Math.max(containerID, hostID) + size > 2 ** 32)
      found(place, 'the mapping goes beyond 2^32', 'runtime/mappings');
    if (ranges.some((other) => overlap(range, other, 'containerID') || overlap(range, other, 'hostID')))
      found(place, 'the mapping overlaps another one', 'runtime/mappings');
    ranges.push(range);
  }
}

function overlap<K extends 'containerID' | 'hostID'>(
  a: Readonly<Record<K | 'size', number>>,
  b: Readonly<Record<K | 'size', number>>,
  key: K,
): boolean {
  return a[key] < b[key] + b.size && b[key] < a[key] + a.size;
}

function checkDevices(linux: Json, found: Found): void {
  const met = new Set<string>();
  for (const [number, device] of listOf(member(linux, 'devices')).entries()) {
    const at = `/linux/devices/${number}`;
    const [type, path, major, minor] = ['type', 'path', 'major', 'minor'].map((name) => member(device, name));
    if (typeof path === 'string' && !path.startsWith('/'))
      found(`${at}/path`, `${shown(path)} is not absolute`, 'runtime/devices');
    const mode = member(device, 'fileMode');
    if (typeof mode === 'number' && mode > 0o777)
      found(
        `${at}/fileMode`,
        `${mode}, which is 0o${mode.toString(8)}, says more than permissions`,
        'runtime/devices-mode',
      );
    if (type === 'p' || !isObject(device)) continue;
    if (major === undefined || minor === undefined) found(at, 'major or minor is missing', 'runtime/devices');
    const key = JSON.stringify([type, major, minor]);
    if (met.has(key)) found(at, 'another device has this type and these numbers', 'runtime/devices-twice');
    met.add(key);
  }
  for (const [number, rule] of listOf(member(member(linux, 'resources'), 'devices')).entries()) {
    const at = `/linux/resources/devices/${number}`;
    const [type, access] = [member(rule, 'type'), member(rule, 'access')];
    if (typeof type === 'string' && !/^[acb]?$/.test(type))
      found(`${at}/type`, `${shown(type)} is not a, c or b`, 'runtime/device-rules');
    if (typeof access === 'string' && !/^[rwm]{0,3}$/.test(access))
      found(`${at}/access`, `${shown(access)} is not made of r, w and m`, 'runtime/device-rules');
  }
}

/** Actions that return a number. */
const RETURNING = new Set<Json | undefined>(['SCMP_ACT_ERRNO', 'SCMP_ACT_TRACE']);

function checkSeccomp(seccomp: Json | undefined, found: Found): void {
  if (!isObject(seccomp)) return;
  const at = '/linux/seccomp';
  const calls = listOf(member(seccomp, 'syscalls'));
  if (member(seccomp, 'defaultErrnoRet') !== undefined && !RETURNING.has(member(seccomp, 'defaultAction')))
    found(
      `${at}/defaultErrnoRet`,
      `${shown(member(seccomp, 'defaultAction'))} returns no number`,
      'runtime/seccomp-errno',
    );
  for (const [number, call] of calls.entries()) {
    const place = `${at}/syscalls/${number}`;
    if (member(call, 'errnoRet') !== undefined && !RETURNING.has(member(call, 'action')))
      found(`${place}/errnoRet`, `${shown(member(call, 'action'))} returns no number`, 'runtime/seccomp-errno');
    for (const name of listOf(member(call, 'names')))
      if (typeof name === 'string' && !SYSTEM_CALLS.has(name))
        found(`${place}/names`, `there is no system call ${shown(name)}`, 'runtime/seccomp-name');
    for (const [position, argument] of listOf(member(call, 'args')).entries()) {
      const index = member(argument, 'index');
      if (typeof index === 'number' && index > 5)
        found(`${place}/args/${position}/index`, `${index} is not from 0 to 5`, 'runtime/seccomp-args');
    }
  }
  checkListener(seccomp, calls, at, found);
}

const notifies = (rule: Json): boolean =>
  ['action', 'defaultAction'].some((name) => member(rule, name) === 'SCMP_ACT_NOTIFY');

function checkListener(seccomp: Json, calls: readonly Json[], at: string, found: Found): void {
  const listened = member(seccomp, 'listenerPath') !== undefined;
  if (member(seccomp, 'listenerMetadata') !== undefined && !listened)
    found(`${at}/listenerMetadata`, 'there is no listenerPath', 'runtime/seccomp-listener');
  if (!listened && [seccomp, ...calls].some(notifies))
    found(`${at}/listenerPath`, 'SCMP_ACT_NOTIFY has nobody to notify', 'runtime/seccomp-listener');
}

/** Ranges of the kernel: shares and weights of cgroups version 1, swappiness. */
const RANGES: readonly (readonly [readonly [string, string], number, number])[] = [
  [['cpu', 'shares'], 2, 262_144],
  [['cpu', 'period'], 1000, 1_000_000],
  [['cpu', 'idle'], 0, 1],
  [['memory', 'swappiness'], 0, 100],
  [['memory', 'limit'], -1, Number.POSITIVE_INFINITY],
  [['memory', 'reservation'], -1, Number.POSITIVE_INFINITY],
  [['memory', 'swap'], -1, Number.POSITIVE_INFINITY],
  [['blockIO', 'weight'], 10, 1000],
  [['blockIO', 'leafWeight'], 10, 1000],
];

function checkResources(resources: Json | undefined, found: Found): void {
  for (const [[group, name], least, most] of RANGES) {
    const value = member(member(resources, group), name);
    // 0 leaves most of them as they are.
    if (typeof value !== 'number' || value === 0 || (value >= least && value <= most)) continue;
    found(
      `/linux/resources/${group}/${name}`,
      `${value} is not ${most === Number.POSITIVE_INFINITY ? `${least} or more` : `from ${least} to ${most}`}`,
      'runtime/resources',
    );
  }
  checkPairs(resources, found);
  const memory = member(resources, 'memory');
  const [limit, swap] = [member(memory, 'limit'), member(memory, 'swap')];
  if (typeof limit === 'number' && typeof swap === 'number' && swap > 0 && limit > swap)
    found(
      '/linux/resources/memory/swap',
      `swap, which is memory and swap together, is below the limit of ${limit}`,
      'runtime/resources',
    );
}

/** Members of which one has to be there, and those that limit one another. */
function checkPairs(resources: Json | undefined, found: Found): void {
  const at = '/linux/resources';
  const cpu = member(resources, 'cpu');
  const [quota, burst] = [member(cpu, 'quota'), member(cpu, 'burst')];
  if (typeof quota === 'number' && typeof burst === 'number' && quota > 0 && burst > quota)
    found(`${at}/cpu/burst`, `burst is ${burst}, and the quota ${quota}`, 'runtime/resources');
  for (const [number, device] of listOf(member(member(resources, 'blockIO'), 'weightDevice')).entries())
    if (member(device, 'weight') === undefined && member(device, 'leafWeight') === undefined)
      found(`${at}/blockIO/weightDevice/${number}`, 'there is neither weight nor leafWeight', 'runtime/resources');
  const rdma = member(resources, 'rdma');
  for (const [name, limits] of isObject(rdma) ? Object.entries(rdma) : [])
    if (member(limits, 'hcaHandles') === undefined && member(limits, 'hcaObjects') === undefined)
      found(pointerTo(`${at}/rdma`, name), 'there is neither hcaHandles nor hcaObjects', 'runtime/resources');
}
