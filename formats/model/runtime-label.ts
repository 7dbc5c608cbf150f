/**
 * What an image of Docker's or OCI's form cannot say about running, kept in one of its labels, so that a bundle made from it is the
 * bundle that the source would have given. `docs/decisions/0011-runtime-label.md` says why, and what a label may not do.
 *
 * Whoever can change an image can change its labels: the value is decoded like any hostile document. A label that is not exactly
 * as described is ignored as a whole, with a note; half of a confinement would pass for all of it.
 */
import { type Context, note } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { printable, utf8Bytes } from '../bytes/text.ts';
import { decode, type JsonNode, type JsonObject } from '../json/decode.ts';
import { type Json, parseJson } from '../json/parse.ts';
import type { ImageConfig } from './config.ts';
import type { Isolation, MountPoint, SeccompFilter, Volume } from './isolation.ts';

export const RUNTIME_LABEL = 'io.ocix.runtime';

export type RuntimeFields = Pick<ImageConfig, 'supplementaryGroups' | 'mountPoints' | 'isolation' | 'runtimeEnv'>;

/** The value of the label: compact, members in a fixed order. Undefined where the image states nothing of the kind. */
export function runtimeLabel(config: RuntimeFields): string | undefined {
  const { isolation = {}, mountPoints, supplementaryGroups, runtimeEnv } = config;
  const { cpu = {}, memory = {}, seccomp, sysctl } = isolation;
  const value = stated({
    supplementaryGroups,
    mountPoints: mountPoints?.map(pointDocument),
    isolation: nonEmpty({
      cpu: nonEmpty({ request: cpu.request, limit: cpu.limit, shares: cpu.shares }),
      memory: nonEmpty({ request: memory.request, limit: memory.limit }),
      capabilities: isolation.capabilities,
      seccomp: seccomp && stated({ mode: seccomp.mode, calls: seccomp.calls, errno: seccomp.errno }),
      noNewPrivileges: isolation.noNewPrivileges,
      oomScoreAdj: isolation.oomScoreAdj,
      selinuxLabel: isolation.selinuxLabel,
      apparmorProfile: isolation.apparmorProfile,
      sysctl: sysctl && Object.fromEntries(Object.entries(sysctl).sort(([a], [b]) => (a < b ? -1 : 1))),
      unsupported: isolation.unsupported?.map(({ name, value }) => ({ name, value })),
    }),
    runtimeEnv,
  });
  return Object.keys(value).length ? JSON.stringify(value) : undefined;
}

/** A folder of the host is left out: it belongs to one machine, and nobody may be handed one by an image. */
function pointDocument({ name, path, readOnly, volume }: MountPoint): Json {
  const own =
    volume?.kind === 'empty' ? { kind: volume.kind, mode: volume.mode, uid: volume.uid, gid: volume.gid } : undefined;
  return stated({ name, path, readOnly, volume: own });
}

/** The configuration with the label that its fields ask for, in place of one that it may have. For readers, as the last step. */
export function withRuntimeLabel(config: ImageConfig): ImageConfig {
  const value = runtimeLabel(config);
  const others = [...config.labels].filter(([name]) => name !== RUNTIME_LABEL);
  return { ...config, labels: new Map([...others, ...(value === undefined ? [] : [[RUNTIME_LABEL, value] as const])]) };
}

/**
 * What the label of a configuration says. Mount points whose path is no volume any more are left out, since somebody has changed
 * the image; a folder of the host is never taken.
 */
export function readRuntimeLabel(
  { labels, volumes }: Pick<ImageConfig, 'labels' | 'volumes'>,
  context: Context,
): RuntimeFields {
  const text = labels.get(RUNTIME_LABEL);
  if (text === undefined) return {};
  try {
    const bytes = utf8Bytes(text);
    const { mountPoints, ...fields } = decodeFields(decode(parseJson(bytes, context)).object());
    const still = mountPoints?.filter(({ path }) => volumes.includes(path));
    return { ...fields, ...(still === undefined ? {} : { mountPoints: still }) };
  } catch (error) {
    if (!(error instanceof OcixError)) throw error;
    const where = ['configuration', `/config/Labels/${RUNTIME_LABEL}`, ...error.at];
    note(
      context,
      'dropped',
      `the label ${RUNTIME_LABEL} is ignored: ${printable(error.message.slice(0, 200))}`,
      ...where,
    );
    return {};
  }
}

function decodeFields(label: JsonObject): RuntimeFields {
  only(label, ['supplementaryGroups', 'mountPoints', 'isolation', 'runtimeEnv']);
  return stated({
    supplementaryGroups: label.get('supplementaryGroups')?.array().map(id),
    mountPoints: label.get('mountPoints')?.array().map(mountPoint),
    isolation: isolation(label.get('isolation')),
    runtimeEnv: label
      .get('runtimeEnv')
      ?.array()
      .map(matching(/^[A-Za-z_][A-Za-z0-9_.-]*=[^\0]*$/s)),
  });
}

function mountPoint(node: JsonNode): MountPoint {
  const point = node.object();
  only(point, ['name', 'path', 'readOnly', 'volume']);
  return {
    name: matching(/^[^\0]{1,512}$/s)(point.require('name')),
    path: matching(/^\/[^\0]{0,4096}$/s)(point.require('path')),
    readOnly: point.require('readOnly').boolean(),
    ...stated({ volume: emptyVolume(point.get('volume')) }),
  };
}

function emptyVolume(node: JsonNode | undefined): Volume | undefined {
  if (!node) return undefined;
  const volume = node.object();
  only(volume, ['kind', 'mode', 'uid', 'gid']);
  return {
    kind: oneOf('empty')(volume.require('kind')),
    mode: within(0, 0o7777)(volume.require('mode')),
    uid: id(volume.require('uid')),
    gid: id(volume.require('gid')),
  };
}

function isolation(node: JsonNode | undefined): Isolation | undefined {
  if (!node) return undefined;
  const whole = node.object();
  const read = <T>(name: string, decodeMember: (member: JsonNode) => T): T | undefined => {
    const member = whole.get(name);
    return member && decodeMember(member);
  };
  const found = {
    cpu: read('cpu', (member) => counts(member, { request: AMOUNT, limit: AMOUNT, shares: within(2, 262144) })),
    memory: read('memory', (member) => counts(member, { request: AMOUNT, limit: AMOUNT })),
    capabilities: read('capabilities', (member) => member.array().map(CAPABILITY)),
    seccomp: read('seccomp', seccomp),
    noNewPrivileges: read('noNewPrivileges', (member) => member.boolean()),
    oomScoreAdj: read('oomScoreAdj', within(-1000, 1000)),
    selinuxLabel: read('selinuxLabel', matching(/^[A-Za-z0-9_.:,-]{1,1024}$/)),
    apparmorProfile: read('apparmorProfile', matching(/^[^\0\n]{1,1024}$/)),
    sysctl: read('sysctl', (member) => Object.fromEntries(member.stringMap())),
    unsupported: read('unsupported', (member) => member.array().map(unsupported)),
  };
  only(whole, Object.keys(found));
  return stated(found);
}

function counts<K extends string>(node: JsonNode, members: Record<K, (member: JsonNode) => number>) {
  const object = node.object();
  const names = Object.keys(members) as K[];
  only(object, names);
  return Object.fromEntries(
    names.flatMap((name) => {
      const member = object.get(name);
      return member ? [[name, members[name](member)]] : [];
    }),
  ) as { readonly [name in K]?: number };
}

function seccomp(node: JsonNode): SeccompFilter {
  const filter = node.object();
  only(filter, ['mode', 'calls', 'errno']);
  const errno = filter.get('errno');
  return {
    mode: oneOf('retain', 'remove')(filter.require('mode')),
    calls: filter
      .require('calls')
      .array()
      .map(matching(/^[a-z0-9_]{1,64}$/)),
    ...(errno && { errno: matching(/^E[A-Z0-9]{1,31}$/)(errno) }),
  };
}

function unsupported(node: JsonNode): { readonly name: string; readonly value: Json } {
  const one = node.object();
  only(one, ['name', 'value']);
  return { name: one.require('name').string(), value: one.value.value ?? null };
}

const AMOUNT = (node: JsonNode): number => node.count();
const within =
  (least: number, most: number) =>
  ({ value, fail }: JsonNode): number => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw fail(`a whole number from ${least} to ${most}`);
  };
const id = within(0, 2 ** 32 - 2);
const matching =
  (pattern: RegExp) =>
  (node: JsonNode): string => {
    if (pattern.test(node.string())) return node.string();
    throw node.fail(`a text like ${pattern}`);
  };
/** Names that Linux does not have are left out where the set is granted, with a note, whatever the source. */
const CAPABILITY = matching(/^CAP_[A-Z_]{1,60}$/);
const oneOf =
  <T extends string>(...texts: readonly T[]) =>
  ({ value, fail }: JsonNode): T => {
    const found = texts.find((text) => text === value);
    if (found !== undefined) return found;
    throw fail(texts.join(' or '));
  };

/** What the label says and we do not understand could matter. */
function only(object: JsonObject, known: readonly string[]): void {
  const other = object.names().find((name) => !known.includes(name));
  if (other !== undefined) throw new OcixError('json/type', `nobody knows the member ${JSON.stringify(other)}`);
}

type Stated<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

/** Without what is undefined. */
const stated = <T extends object>(members: T): Stated<T> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Stated<T>;

const nonEmpty = <T extends object>(members: T): Stated<T> | undefined => {
  const found = stated(members);
  return Object.keys(found).length ? found : undefined;
};
