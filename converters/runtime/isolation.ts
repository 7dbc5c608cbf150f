/**
 * How an image wants its process confined, in the places where `config.json` says so.
 * https://github.com/opencontainers/runtime-spec/blob/v1.1.0/config-linux.md
 */
import { type Context, note } from '../../formats/base/context.ts';
import { printable } from '../../formats/bytes/text.ts';
import type { Json } from '../../formats/json/parse.ts';
import { DEFAULT_CAPABILITIES, KNOWN_CAPABILITIES } from '../../formats/model/capabilities.ts';
import type { ImageConfig } from '../../formats/model/config.ts';
import type { Isolation } from '../../formats/model/isolation.ts';
import { seccompOf } from './seccomp.ts';

interface Members {
  readonly [name: string]: Json;
}

export interface RuntimeIsolation {
  readonly capabilities: readonly string[];
  /** Members of `process`. */
  readonly process: Members;
  /** Members of `linux`. */
  readonly linux: Members;
}

export interface IsolationOptions {
  /** What the user wants, whatever the image asks for. */
  readonly capabilities?: readonly string[] | undefined;
  /** In a user namespace the host's cgroups and kernel parameters are out of reach. */
  readonly rootless: boolean;
}

/** @throws OcixError image/config */
export function isolationOf(config: ImageConfig, options: IsolationOptions, context: Context): RuntimeIsolation {
  const { isolation = {}, platform } = config;
  const lost = (what: string, why: string): void =>
    note(context, 'dropped', `${what} cannot be kept: ${why}`, 'configuration');
  for (const { name } of isolation.unsupported ?? [])
    lost(printable(name.slice(0, 120)), 'config.json has nothing like it');
  const seccomp = isolation.seccomp && seccompOf(isolation.seccomp, platform.architecture, context);
  return {
    capabilities: options.capabilities ?? capabilitiesOf(isolation, context),
    process: {
      noNewPrivileges: noNewPrivileges(isolation, seccomp !== undefined, context),
      ...oomScoreAdj(isolation, options.rootless, lost),
      ...(isolation.selinuxLabel === undefined ? {} : { selinuxLabel: isolation.selinuxLabel }),
      ...(isolation.apparmorProfile === undefined ? {} : { apparmorProfile: isolation.apparmorProfile }),
    },
    linux: {
      ...resources(isolation, options.rootless, lost, context),
      ...sysctl(isolation, options.rootless, lost),
      ...(isolation.selinuxLabel === undefined ? {} : { mountLabel: isolation.selinuxLabel }),
      ...(seccomp === undefined ? {} : { seccomp }),
    },
  };
}

type Lost = (what: string, why: string) => void;

const capabilitiesOf = ({ capabilities }: Isolation, context: Context): readonly string[] =>
  capabilities ? grantedCapabilities(capabilities, '--caps decides otherwise', context) : DEFAULT_CAPABILITIES;

/**
 * An image gets what it asks for, within what is known; more than a container has by default is said aloud.
 *
 * @param wanted `CAP_…`
 * @param otherwise what a user may do about it
 */
export function grantedCapabilities(wanted: readonly string[], otherwise: string, context: Context): readonly string[] {
  const unknown = wanted.filter((name) => !KNOWN_CAPABILITIES.has(name));
  if (unknown.length) {
    const names = unknown.map((name) => printable(name.slice(0, 40))).join(', ');
    note(context, 'dropped', `Linux has no capability ${names}`, 'configuration');
  }
  const granted = wanted.filter((name) => KNOWN_CAPABILITIES.has(name));
  const more = granted.filter((name) => !DEFAULT_CAPABILITIES.includes(name));
  if (more.length) {
    note(
      context,
      'defaulted',
      `the image asks for ${more.join(', ')}, which a container does not have by default, and gets it (${otherwise})`,
      'configuration',
    );
  }
  return granted;
}

/**
 * True unless the image says that its set-user-ID programs have to work. With a filter it is true in any case, as rkt had it for
 * all but root: without, runtimes put the filter in force first and then fail to set ids and capabilities under it.
 */
function noNewPrivileges({ noNewPrivileges: stated = true }: Isolation, filtered: boolean, context: Context): boolean {
  if (stated || !filtered) return stated;
  note(
    context,
    'dropped',
    'the image wants set-user-ID programs to work and a seccomp filter as well: with the filter they do not',
    'configuration',
  );
  return true;
}

/** Without privileges a process may only be made more likely to be ended. */
function oomScoreAdj({ oomScoreAdj: score }: Isolation, rootless: boolean, lost: Lost): Members {
  if (score === undefined) return {};
  if (!rootless || score >= 0) return { oomScoreAdj: score };
  lost(`the OOM score adjustment ${score}`, 'it takes privileges on the host');
  return {};
}

function resources({ cpu = {}, memory = {} }: Isolation, rootless: boolean, lost: Lost, context: Context): Members {
  const found: Members = {
    ...nonEmpty('memory', { ...has('limit', memory.limit), ...has('reservation', memory.request) }),
    ...nonEmpty('cpu', { ...has('shares', shares(cpu)), ...quota(cpu.limit, context) }),
  };
  if (!rootless) return nonEmpty('resources', found);
  for (const name of Object.keys(found))
    lost(`the limits of ${name === 'cpu' ? 'processor time' : 'memory'}`, 'they take privileges on the host');
  return {};
}

/** A core is 1024, the kernel's own measure. */
const shares = ({ shares: stated, request }: NonNullable<Isolation['cpu']>): number | undefined =>
  stated ?? (request === undefined ? undefined : Math.min(262144, Math.max(2, Math.floor((request * 1024) / 1000))));

/** Microseconds. */
const PERIOD = 100_000;
/** What the kernel takes at least, and more than it can have processors for. */
const [LEAST, MOST] = [1000, 1e11];

/** @param limit thousandths of a core */
function quota(limit: number | undefined, context: Context): Members {
  if (limit === undefined) return {};
  const wanted = (limit * PERIOD) / 1000;
  const given = Math.min(MOST, Math.max(LEAST, wanted));
  if (given !== wanted) {
    note(
      context,
      'repaired',
      `a limit of ${limit / 1000} processors is more or less than the kernel takes: ${given / PERIOD} is written`,
      'configuration',
    );
  }
  return { quota: given, period: PERIOD };
}

/** What the kernel keeps apart for a container; a runtime refuses to start one with any other. */
const NAMESPACED =
  /^(?:kernel\.(?:msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced|domainname)$|fs\.mqueue\.|net\.)/;
const PLAIN_NAME = /^[a-z0-9_]+(?:\.[A-Za-z0-9_-]+)+$/;

function sysctl({ sysctl: stated = {} }: Isolation, rootless: boolean, lost: Lost): Members {
  const kept: [string, string][] = [];
  for (const [name, value] of Object.entries(stated)) {
    const what = `the kernel parameter ${printable(name.slice(0, 120))}`;
    if (!PLAIN_NAME.test(name) || !NAMESPACED.test(name) || value.includes('\0'))
      lost(what, 'it is none that a container can have for itself');
    else if (rootless) lost(what, 'it takes privileges on the host');
    else kept.push([name, value]);
  }
  return nonEmpty('sysctl', Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1))));
}

const has = (name: string, value: number | undefined): Members => (value === undefined ? {} : { [name]: value });
const nonEmpty = (name: string, members: Members): Members => (Object.keys(members).length ? { [name]: members } : {});
