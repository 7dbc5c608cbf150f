/**
 * How an app is confined, in the words of Kubernetes.
 * https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
 */
import { type Context, note } from '../../formats/base/context.ts';
import { printable } from '../../formats/bytes/text.ts';
import type { Json } from '../../formats/json/parse.ts';
import type { ImageConfig } from '../../formats/model/config.ts';
import type { PodApp } from '../../formats/model/pod.ts';
import { grantedCapabilities } from '../runtime/isolation.ts';
import type { Lost } from './kube-pod.ts';

interface Members {
  readonly [name: string]: Json;
}

/** What is lost is a note, and so is what the app gets that a container does not have by default. */
export function securityOf({ config, readOnlyRoot }: PodApp, lost: Lost, context: Context): Members {
  const { capabilities, noNewPrivileges, selinuxLabel, seccomp, oomScoreAdj, sysctl, unsupported } =
    config.isolation ?? {};
  if (seccomp) lost('the seccomp filter, which is a file on each node there,');
  if (oomScoreAdj !== undefined) lost(`the OOM score adjustment ${oomScoreAdj}`);
  if (sysctl) lost(`the kernel parameters ${Object.keys(sysctl).map(printable).join(', ')} of one app`);
  for (const { name } of unsupported ?? []) lost(`the isolator ${printable(name.slice(0, 120))}`);
  if (noNewPrivileges === false) granted('that set-user-ID programs work', 'allowPrivilegeEscalation');
  if (selinuxLabel !== undefined)
    granted(`the SELinux label ${printable(selinuxLabel.slice(0, 120))}`, 'seLinuxOptions');
  return {
    ...userOf(config, lost),
    ...(capabilities ? { capabilities: capabilitiesOf(capabilities, context) } : {}),
    ...(readOnlyRoot ? { readOnlyRootFilesystem: true } : {}),
    ...(noNewPrivileges === undefined ? {} : { allowPrivilegeEscalation: !noNewPrivileges }),
    ...(selinuxLabel === undefined ? {} : { seLinuxOptions: seLinux(selinuxLabel) }),
  };

  function granted(what: string, member: string): void {
    note(context, 'defaulted', `the image asks for ${what}, and gets it (${decided(member)})`, 'configuration');
  }
}

const decided = (member: string): string => `${member} in pod.yaml decides`;

function userOf({ user }: ImageConfig, lost: Lost): Members {
  const match = /^([0-9]+):([0-9]+)$/.exec(user ?? '0:0');
  if (match) return { runAsUser: Number(match[1]), runAsGroup: Number(match[2]) };
  lost(`the user ${printable((user ?? '').slice(0, 80))}, who is in no user database of the image,`);
  return {};
}

const capabilitiesOf = (wanted: readonly string[], context: Context): Members => {
  const add = grantedCapabilities(wanted, decided('capabilities'), context).map((name) => name.replace(/^CAP_/, ''));
  return { drop: ['ALL'], ...(add.length ? { add } : {}) };
};

/** The level may have colons itself. */
function seLinux(label: string): Members {
  const [user = '', role = '', type = '', ...level] = label.split(':');
  return { user, role, type, ...(level.length ? { level: level.join(':') } : {}) };
}

/** Thousandths of a core, and bytes. */
export function resourcesOf({ isolation = {} }: ImageConfig, lost: Lost): Members {
  const { cpu = {}, memory = {} } = isolation;
  const weight = cpu.shares === undefined ? cpu.request : Math.ceil((cpu.shares * 1000) / 1024);
  const limits = amounts(cpu.limit, memory.limit);
  const requests = amounts(within(weight, cpu.limit, 'processor time'), within(memory.request, memory.limit, 'memory'));
  return {
    ...(Object.keys(limits).length ? { limits } : {}),
    ...(Object.keys(requests).length ? { requests } : {}),
  };

  function within(request: number | undefined, limit: number | undefined, what: string): number | undefined {
    if (request === undefined || limit === undefined || request <= limit) return request;
    lost(`a request for ${what} that is above the limit`);
    return limit;
  }
}

const amounts = (cpu: number | undefined, memory: number | undefined): Members => ({
  ...(cpu === undefined ? {} : { cpu: `${cpu}m` }),
  ...(memory === undefined ? {} : { memory: `${memory}` }),
});
