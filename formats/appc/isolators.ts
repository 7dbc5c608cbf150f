/**
 * Isolators: how an app is to be confined, in the words of the specification, as the model has it.
 * https://github.com/appc/spec/blob/v0.8.11/spec/ace.md#isolators
 *
 * Unknown isolators, and known ones that no runtime can be told, are kept whole; the specification lets an executor ignore them.
 */
import { type Context, note } from '../base/context.ts';
import { OcixError, withinSync } from '../base/errors.ts';
import { printable } from '../bytes/text.ts';
import { decode, type JsonNode } from '../json/decode.ts';
import type { Json } from '../json/parse.ts';
import { DEFAULT_CAPABILITIES } from '../model/capabilities.ts';
import type { Isolation, SeccompFilter } from '../model/isolation.ts';
import { type AppIsolator, bad } from './manifest.ts';
import { parseQuantity } from './quantity.ts';
import { expandSeccomp } from './seccomp-sets.ts';

/** Behind the name of an event handler, which stands among what no runtime can be told. */
export const HANDLER = ' event handler';

const RETAIN = 'os/linux/capabilities-retain-set';
const REMOVE = 'os/linux/capabilities-remove-set';
const SECCOMP_RETAIN = 'os/linux/seccomp-retain-set';
const SECCOMP_REMOVE = 'os/linux/seccomp-remove-set';

/** What a value means depends on. */
interface Surroundings {
  /** GOARCH, where the image says it: some sets of system calls are larger on some processors. */
  readonly architecture: string | undefined;
  readonly context: Context;
}

/** Reads one isolator's value into a part of the whole. */
type Decode = (value: JsonNode, around: Surroundings) => Isolation;

const KNOWN: Readonly<Record<string, Decode>> = {
  'resource/cpu': (value) => ({ cpu: resource(value, 'milli') }),
  'resource/memory': (value) => ({ memory: resource(value, 'one') }),
  'os/linux/cpu-shares': (value) => ({ cpu: { shares: whole(value, 2, 262144) } }),
  'os/linux/oom-score-adj': (value) => ({ oomScoreAdj: whole(value, -1000, 1000) }),
  'os/linux/no-new-privileges': (value) => ({ noNewPrivileges: value.boolean() }),
  'os/linux/selinux-context': (value) => ({ selinuxLabel: selinux(value) }),
  'os/linux/apparmor-profile': (value) => ({ apparmorProfile: profile(value) }),
  'os/unix/sysctl': (value) => ({ sysctl: Object.fromEntries(value.stringMap()) }),
  [RETAIN]: (value) => ({ capabilities: [...new Set(capabilities(value))].sort() }),
  [REMOVE]: (value) => {
    const removed = new Set(capabilities(value));
    return { capabilities: DEFAULT_CAPABILITIES.filter((name) => !removed.has(name)) };
  },
  [SECCOMP_RETAIN]: (value, around) => seccomp(value, 'retain', around),
  [SECCOMP_REMOVE]: (value, around) => seccomp(value, 'remove', around),
};

/** Of two of one name the last counts. @throws OcixError appc/manifest, json/type */
export function isolationOf(isolators: readonly AppIsolator[], around: Surroundings): Isolation | undefined {
  exclusive(isolators, RETAIN, REMOVE);
  exclusive(isolators, SECCOMP_RETAIN, SECCOMP_REMOVE);
  let all: Isolation = {};
  const unsupported: { readonly name: string; readonly value: Json }[] = [];
  for (const { name, value, pointer } of lastOfEach(isolators, around.context)) {
    const read = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
    if (!read) {
      unsupported.push({ name, value });
      continue;
    }
    const part = read(decode(value, 'any-case', `${pointer}/value`), around);
    const cpu = { ...all.cpu, ...part.cpu };
    all = { ...all, ...part, ...(Object.keys(cpu).length ? { cpu } : {}) };
  }
  if (unsupported.length) all = { ...all, unsupported };
  return Object.keys(all).length ? all : undefined;
}

function lastOfEach(isolators: readonly AppIsolator[], context: Context): Iterable<AppIsolator> {
  const last = new Map<string, AppIsolator>();
  for (const one of isolators) {
    if (last.has(one.name))
      note(
        context,
        'repaired',
        `${printable(one.name.slice(0, 80))} is there twice; the last one counts`,
        'manifest',
        one.pointer,
      );
    last.set(one.name, one);
  }
  return last.values();
}

/** rkt refuses an app that has both of them, since neither order of the two means the same. */
function exclusive(isolators: readonly AppIsolator[], one: string, other: string): void {
  const has = (wanted: string): AppIsolator | undefined => isolators.find(({ name }) => name === wanted);
  const second = has(other);
  if (!has(one) || !second) return;
  throw new OcixError('appc/manifest', `${one} and ${other} exclude each other`, {
    at: ['manifest', second.pointer],
    hint: 'Correct the manifest: keep one of them.',
  });
}

function resource(value: JsonNode, scale: 'milli' | 'one'): { readonly request?: number; readonly limit?: number } {
  const object = value.object();
  if (object.get('default')?.value === true) throw bad(value, 'a value without default: true');
  const quantity = (name: 'request' | 'limit') => {
    const node = object.get(name);
    return node ? { [name]: withinSync(node.pointer, () => parseQuantity(node.value, scale)) } : {};
  };
  return { ...quantity('request'), ...quantity('limit') };
}

function whole(value: JsonNode, least: number, most: number): number {
  const number = value.value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most) return number;
  throw bad(value, `a whole number from ${least} to ${most}`);
}

function selinux(value: JsonNode): string {
  const object = value.object();
  const part = (name: string): string => {
    const node = object.require(name);
    if (node.string() === '' || node.string().includes(':')) throw bad(node, 'a name without a colon');
    return node.string();
  };
  const label = [part('user'), part('role'), part('type'), object.require('level').string()].join(':');
  if (!/^[A-Za-z0-9_.:,-]{1,1024}$/.test(label)) throw bad(value, 'a context of letters, digits and _.,-');
  return label;
}

function profile(value: JsonNode): string {
  const name = value.object().require('profile');
  if (!/^[^\n\0]{1,255}$/.test(name.string())) throw bad(name, 'the name of a profile');
  return name.string();
}

function capabilities(value: JsonNode): readonly string[] {
  const set = value.object().require('set');
  const names = set.strings();
  if (!names.length) throw bad(set, 'a list with at least one capability');
  const strange = names.find((name) => !/^CAP_[A-Z_]{1,40}$/.test(name));
  if (strange !== undefined) throw bad(set, 'names such as CAP_NET_ADMIN');
  return names;
}

function seccomp(value: JsonNode, stated: SeccompFilter['mode'], { architecture, context }: Surroundings): Isolation {
  const object = value.object();
  const set = object.require('set');
  const names = set.strings();
  if (!names.length) throw bad(set, 'a list with at least one system call');
  const errno = object.get('errno')?.string() || undefined;
  if (errno !== undefined && !/^E[A-Z0-9]{1,30}$/.test(errno)) throw bad(object.get('errno')!, 'a name such as EPERM');
  const { mode, calls, unknown, approximate, all } = expandSeccomp(names, stated, architecture);
  for (const name of unknown) tell('dropped', name, 'is no system call and no set of them that anybody defined');
  for (const name of approximate)
    tell('guessed', name, 'is a set that systemd defines; the calls of one version of it are taken');
  if (all && mode === 'retain') return {}; // everything is retained: no filter
  return { seccomp: { mode, calls, ...(errno === undefined ? {} : { errno }) } };

  function tell(kind: 'dropped' | 'guessed', name: string, what: string): void {
    note(context, kind, `${printable(name.slice(0, 80))} ${what}`, 'manifest', set.pointer);
  }
}
