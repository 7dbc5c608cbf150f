/**
 * `config.json` of the runtime specification: its form, and what its members have to do with one another. Pure.
 * https://github.com/opencontainers/runtime-spec/blob/v1.2.1/config.md
 */
import type { Json } from '../../formats/json/parse.ts';
import { KNOWN_CAPABILITIES } from '../../formats/model/capabilities.ts';
import { STEERING } from '../runtime/annotations.ts';
import { shown } from './findings.ts';
import { formOf } from './image-documents.ts';
import type { RuleId } from './rules/index.ts';
import { checkLinux, checkMappings, mapped, namespacesOf } from './runtime-linux.ts';
import { HOOKS, PLATFORMS, runtimeConfigShape } from './runtime-shapes.ts';
import { type Found, isObject, listOf, member, pointerTo } from './shape.ts';
import { climbs, isAbsolute, isBelowDomain, leadsToHost } from './texts.ts';

export function checkRuntimeConfig(value: Json, found: Found): void {
  runtimeConfigShape(value, '', formOf('runtime/form', found));
  if (!isObject(value)) return;
  const sections = PLATFORMS.filter((name) => member(value, name) !== undefined && name !== 'vm');
  if (sections.length > 1) found('', `there are members of ${sections.join(' and ')}`, 'runtime/platform');
  checkRoot(value, found);
  checkProcess(value, found);
  checkMounts(value, found);
  checkHooks(value, found);
  checkAnnotations(value, found);
  checkHostname(value, found);
  if (member(value, 'linux') !== undefined) checkLinux(value, found);
}

/** Members that only Windows has say for which system it is, where nothing else does. */
const isWindows = (value: Json): boolean => member(value, 'windows') !== undefined;
const isOtherSystem = (value: Json): boolean =>
  member(value, 'linux') === undefined && PLATFORMS.some((name) => name !== 'vm' && member(value, name) !== undefined);

function checkRoot(value: Json, found: Found): void {
  const root = member(value, 'root');
  const isHyperV = member(member(value, 'windows'), 'hyperv') !== undefined;
  if (root === undefined && !isHyperV && member(value, 'vm') === undefined)
    found('', 'root is missing', 'runtime/root');
  if (root !== undefined && isHyperV) found('/root', 'Hyper-V has no root', 'runtime/root');
  if (isWindows(value) && member(root, 'readonly') === true)
    found('/root/readonly', 'the root of Windows cannot be read-only', 'runtime/root');
}

function checkProcess(value: Json, found: Found): void {
  const process = member(value, 'process');
  const args = member(process, 'args');
  checkStart(value, process, found);
  if (!isObject(process)) return;
  for (const [number, word] of listOf(args).entries())
    if (typeof word === 'string' && (word.includes('\0') || (number === 0 && word === '')))
      found(`/process/args/${number}`, `${shown(word)} cannot be executed`, 'runtime/process-args');
  const cwd = member(process, 'cwd');
  if (typeof cwd === 'string') {
    if (!isAbsolute(cwd)) found('/process/cwd', `${shown(cwd)} is not absolute`, 'runtime/process-cwd');
    if (leadsToHost(cwd))
      found('/process/cwd', `${shown(cwd)} is what the runtime has open`, 'runtime/process-cwd-host');
  }
  checkEnvironment(listOf(member(process, 'env')), found);
  checkUser(value, process, found);
  if (member(process, 'consoleSize') !== undefined && member(process, 'terminal') !== true)
    found('/process/consoleSize', 'there is no terminal', 'runtime/process-console');
  checkLimits(listOf(member(process, 'rlimits')), found);
  checkCapabilities(member(process, 'capabilities'), found);
  checkRange(member(process, 'oomScoreAdj'), [-1000, 1000], '/process/oomScoreAdj', 'runtime/oom-score', found);
  checkRange(
    member(member(process, 'ioPriority'), 'priority'),
    [0, 7],
    '/process/ioPriority/priority',
    'runtime/io-priority',
    found,
  );
}

/** A container can be created without a process, or without args; args that are there have to have something in them. */
function checkStart(value: Json, process: Json | undefined, found: Found): void {
  const args = member(process, 'args');
  if ((Array.isArray(args) && args.length > 0) || member(process, 'commandLine') !== undefined) return;
  if (isObject(process) && isWindows(value))
    return found('/process', 'there is neither args nor commandLine', 'runtime/process-args');
  if (Array.isArray(args)) return found('/process/args', 'there is no executable', 'runtime/process-args');
  found(process === undefined ? '' : '/process', 'there is nothing to run', 'runtime/process-start');
}

function checkRange(
  value: Json | undefined,
  [least, most]: readonly [number, number],
  at: string,
  rule: RuleId,
  found: Found,
): void {
  if (typeof value === 'number' && (value < least || value > most))
    found(at, `${value} is not from ${least} to ${most}`, rule);
}

function checkEnvironment(env: readonly Json[], found: Found): void {
  const names = new Set<string>();
  for (const [number, line] of env.entries()) {
    if (typeof line !== 'string') continue;
    const at = `/process/env/${number}`;
    const name = /^(=?[^=\0]+)=[^\0]*$/.exec(line)?.[1];
    if (name === undefined) {
      found(at, `${shown(line)} is not NAME=VALUE`, 'runtime/process-env');
      continue;
    }
    if (names.has(name)) found(at, `${shown(name)} is set a second time`, 'runtime/process-env-twice');
    names.add(name);
  }
}

const NOBODY = 2 ** 32 - 1;

function checkUser(value: Json, process: Json, found: Found): void {
  const user = member(process, 'user');
  if (!isObject(user) || isWindows(value)) return;
  const linux = member(value, 'linux');
  const isMapped = namespacesOf(linux).has('user');
  for (const [name, mappings] of [
    ['uid', 'uidMappings'],
    ['gid', 'gidMappings'],
  ] as const) {
    const id = member(user, name);
    const at = `/process/user/${name}`;
    if (id === undefined) found('/process/user', `${name} is missing`, 'runtime/process-user');
    if (id === NOBODY) found(at, `${id} means "leave it" to the kernel`, 'runtime/process-user');
    const groups = name === 'gid' ? listOf(member(user, 'additionalGids')) : [];
    for (const one of [id, ...groups])
      if (isMapped && typeof one === 'number' && mapped(one, member(linux, mappings)) === false)
        found(at, `${one} is in none of ${mappings}`, 'runtime/process-user-mapped');
  }
}

const LIMITS = new Set(
  'AS CORE CPU DATA FSIZE LOCKS MEMLOCK MSGQUEUE NICE NOFILE NPROC RSS RTPRIO RTTIME SIGPENDING STACK'
    .split(' ')
    .map((name) => `RLIMIT_${name}`),
);

function checkLimits(limits: readonly Json[], found: Found): void {
  const met = new Set<Json>();
  for (const [number, limit] of limits.entries()) {
    const at = `/process/rlimits/${number}`;
    const [type, soft, hard] = ['type', 'soft', 'hard'].map((name) => member(limit, name));
    if (typeof type === 'string' && /^RLIMIT_[A-Z]+$/.test(type) && !LIMITS.has(type))
      found(`${at}/type`, `there is no ${shown(type)}`, 'runtime/rlimits');
    if (typeof type === 'string' && met.has(type))
      found(`${at}/type`, `${shown(type)} is given a second time`, 'runtime/rlimits');
    if (type !== undefined) met.add(type);
    if (typeof soft === 'number' && typeof hard === 'number' && soft > hard)
      found(at, `soft is ${soft}, hard is ${hard}`, 'runtime/rlimits');
  }
}

const SETS = ['bounding', 'effective', 'permitted', 'inheritable', 'ambient'] as const;

function checkCapabilities(capabilities: Json | undefined, found: Found): void {
  if (!isObject(capabilities)) return;
  const sets = new Map(
    SETS.map((name) => [name, listOf(member(capabilities, name)).filter((one) => typeof one === 'string')]),
  );
  const at = (name: string): string => `/process/capabilities/${name}`;
  for (const [name, values] of sets) {
    for (const one of values)
      if (!KNOWN_CAPABILITIES.has(one)) found(at(name), `there is no ${shown(one)}`, 'runtime/capability-name');
  }
  type Set = (typeof SETS)[number];
  const within = (inner: Set, outer: Set, rule: RuleId): void => {
    const strange = sets.get(inner)!.filter((one) => !sets.get(outer)!.includes(one));
    if (strange.length) found(at(inner), `${shown(strange)} is not in ${outer}`, rule);
  };
  within('effective', 'permitted', 'runtime/capability-sets');
  within('ambient', 'permitted', 'runtime/capability-ambient');
  within('ambient', 'inheritable', 'runtime/capability-ambient');
  const idle = sets.get('inheritable')!.filter((one) => !sets.get('ambient')!.includes(one));
  if (idle.length)
    found(at('inheritable'), `${shown(idle)} is inheritable, and not ambient`, 'runtime/capability-inheritable');
}

const DEFAULT_PLACES = ['/proc', '/sys', '/dev/pts', '/dev/shm'];

function checkMounts(value: Json, found: Found): void {
  const mounts = listOf(member(value, 'mounts'));
  const places = new Set<string>();
  const linux = member(value, 'linux');
  const strict = /^(?:0\.|1\.[01]\.)/.test(String(member(value, 'ociVersion'))) || isOtherSystem(value);
  for (const [number, mount] of mounts.entries()) {
    const at = `/mounts/${number}`;
    const destination = member(mount, 'destination');
    if (typeof destination === 'string') checkDestination(destination, `${at}/destination`, strict, found);
    if (typeof destination === 'string' && places.has(destination))
      found(`${at}/destination`, `${shown(destination)} is mounted over a second time`, 'runtime/mount-twice');
    if (typeof destination === 'string') places.add(destination);
    if (isObject(linux)) checkMount(mount, linux, at, found);
  }
  if (isWindows(value)) checkNested([...places], found);
  if (!isObject(linux)) return;
  const absent = DEFAULT_PLACES.filter((place) => !places.has(place));
  if (absent.length) found('/mounts', `${absent.join(', ')} is not mounted`, 'runtime/default-filesystems');
}

function checkDestination(destination: string, at: string, strict: boolean, found: Found): void {
  if (!isAbsolute(destination))
    found(
      at,
      `${shown(destination)} is not absolute`,
      strict ? 'runtime/mount-destination-1.0' : 'runtime/mount-destination',
    );
  if (climbs(destination)) found(at, `${shown(destination)} climbs`, 'runtime/mount-climbs');
}

function checkNested(places: readonly string[], found: Found): void {
  const folders = places.map((place) => `${place.toLowerCase().replaceAll('/', '\\').replace(/\\+$/, '')}\\`);
  const outer = folders.findIndex((one) => folders.some((other) => other !== one && other.startsWith(one)));
  if (outer >= 0) found('/mounts', `another mount lies within ${shown(places[outer])}`, 'runtime/mount-nested');
}

function checkMount(mount: Json, linux: Json, at: string, found: Found): void {
  const options = listOf(member(mount, 'options'));
  const isBind = options.includes('bind') || options.includes('rbind');
  const type = member(mount, 'type');
  if (isBind && member(mount, 'source') === undefined)
    found(at, 'the bind mount has no source', 'runtime/mount-source');
  if (!isBind && type === undefined) found(at, 'the mount has no type', 'runtime/mount-type');
  if (!isBind && (type === 'bind' || type === 'none'))
    found(
      `${at}/type`,
      `${shown(type)} is no file system, and neither bind nor rbind is an option`,
      'runtime/mount-type',
    );
  const [uids, gids] = [member(mount, 'uidMappings'), member(mount, 'gidMappings')];
  if ((uids === undefined) !== (gids === undefined))
    found(at, `${uids === undefined ? 'uidMappings' : 'gidMappings'} is missing`, 'runtime/mount-mappings');
  const isMapped = options.includes('idmap') || options.includes('ridmap');
  if ((uids !== undefined || gids !== undefined) && !isMapped)
    found(`${at}/options`, 'there is neither idmap nor ridmap', 'runtime/mount-idmap');
  if (isMapped && uids === undefined && gids === undefined && !namespacesOf(linux).has('user'))
    found(at, 'there are no mappings, and no namespace user', 'runtime/mount-mappings');
  checkMappings(uids, `${at}/uidMappings`, found);
  checkMappings(gids, `${at}/gidMappings`, found);
}

function checkHooks(value: Json, found: Found): void {
  const hooks = member(value, 'hooks');
  for (const name of HOOKS) {
    for (const [number, hook] of listOf(member(hooks, name)).entries()) {
      const at = `/hooks/${name}/${number}`;
      const path = member(hook, 'path');
      if (typeof path === 'string' && !path.startsWith('/'))
        found(`${at}/path`, `${shown(path)} is not absolute`, 'runtime/hook-path');
      if (name === 'prestart') found(at, 'prestart is deprecated', 'runtime/hook-prestart');
      found(at, `${shown(path)} is run`, 'runtime/hooks');
    }
  }
}

function checkAnnotations(value: Json, found: Found): void {
  const annotations = member(value, 'annotations');
  if (!isObject(annotations)) return;
  for (const name of Object.keys(annotations)) {
    const at = pointerTo('/annotations', name);
    if (name === '') found('/annotations', 'there is an annotation without a name', 'runtime/annotations-key');
    else if (/^org\.opencontainers(?:\.(?!image\.)|$)/.test(name))
      found(at, `${shown(name)} is reserved, and no specification defines it`, 'runtime/annotations-reserved');
    else if (!isBelowDomain(name)) found(at, `${shown(name)} is below no domain`, 'runtime/annotations-domain');
    if (STEERING.some((start) => name.startsWith(start)))
      found(at, `${shown(name)} tells some runtimes what to do`, 'runtime/annotations-steering');
  }
}

function checkHostname(value: Json, found: Found): void {
  const linux = member(value, 'linux');
  if (!isObject(linux)) return;
  // An empty one is none to runtimes.
  for (const name of ['hostname', 'domainname'])
    if ((member(value, name) ?? '') !== '' && !namespacesOf(linux).has('uts'))
      found(`/${name}`, `${name} is set, and there is no namespace uts`, 'runtime/hostname');
}
