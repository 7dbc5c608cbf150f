/** The inverse of `isolators.ts`: how the model has an app confined, in the words of the specification. */
import type { Json } from '../json/parse.ts';
import { DEFAULT_CAPABILITIES } from '../model/capabilities.ts';
import type { Isolation } from '../model/isolation.ts';
import { HANDLER } from './isolators.ts';

type Isolator = { readonly name: string; readonly value: Json };

/** In a fixed order; `unsupported` ones as they came. */
export function isolatorsFor(isolation: Isolation): readonly Isolator[] {
  const { cpu = {}, memory, capabilities, seccomp, sysctl } = isolation;
  const cores = amounts(cpu, (milli) => `${milli}m`);
  const bytes = memory && amounts(memory, String);
  return [
    ...one('resource/cpu', cores),
    ...one('resource/memory', bytes),
    ...one('os/linux/cpu-shares', cpu.shares),
    ...(capabilities ? [capabilitySet(capabilities)] : []),
    ...(seccomp
      ? [
          {
            name: `os/linux/seccomp-${seccomp.mode}-set`,
            value: {
              set: seccomp.calls.length ? seccomp.calls : ['@appc.io/empty'],
              ...(seccomp.errno === undefined ? {} : { errno: seccomp.errno }),
            },
          },
        ]
      : []),
    ...one('os/linux/no-new-privileges', isolation.noNewPrivileges),
    ...one('os/linux/oom-score-adj', isolation.oomScoreAdj),
    ...one('os/linux/selinux-context', isolation.selinuxLabel && selinux(isolation.selinuxLabel)),
    ...one('os/linux/apparmor-profile', isolation.apparmorProfile && { profile: isolation.apparmorProfile }),
    ...one('os/unix/sysctl', sysctl && { ...sysctl }),
    ...(isolation.unsupported ?? []).filter(({ name }) => !name.endsWith(HANDLER)),
  ];
}

const one = (name: string, value: Json | undefined): readonly Isolator[] =>
  value === undefined || value === '' ? [] : [{ name, value }];

function amounts(
  { request, limit }: { readonly request?: number; readonly limit?: number },
  text: (amount: number) => string,
): Json | undefined {
  if (request === undefined && limit === undefined) return undefined;
  return {
    ...(request === undefined ? {} : { request: text(request) }),
    ...(limit === undefined ? {} : { limit: text(limit) }),
  };
}

/** A set may not be empty, so that no capability at all is the default ones taken away. */
const capabilitySet = (names: readonly string[]): Isolator =>
  names.length
    ? { name: 'os/linux/capabilities-retain-set', value: { set: names } }
    : { name: 'os/linux/capabilities-remove-set', value: { set: DEFAULT_CAPABILITIES } };

/** Levels may have colons of their own. */
function selinux(label: string): Json {
  const [user = '', role = '', type = '', ...level] = label.split(':');
  return { user, role, type, level: level.join(':') };
}
