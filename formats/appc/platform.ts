/**
 * Operating systems and architectures: the specification has names of its own, OCI has Go's.
 * https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-manifest-schema
 */
import { type Context, note } from '../base/context.ts';
import { printable } from '../bytes/text.ts';
import type { Platform } from '../model/config.ts';

interface Architecture {
  readonly architecture: string;
  readonly variant?: string;
}

/** By the name that the specification has. */
const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  amd64: { architecture: 'amd64' },
  x86_64: { architecture: 'amd64' },
  i386: { architecture: '386' },
  aarch64: { architecture: 'arm64', variant: 'v8' },
  armv6l: { architecture: 'arm', variant: 'v6' },
  armv7l: { architecture: 'arm', variant: 'v7' },
  arm: { architecture: 'arm' },
  ppc64: { architecture: 'ppc64' },
  ppc64le: { architecture: 'ppc64le' },
  s390x: { architecture: 's390x' },
};

/** Names of Go that manifests have where the specification has another. */
const OF_GO = new Set(['386', 'arm64', 'mips64le', 'riscv64']);

/** The name that the specification has for an architecture of Go's; one that it does not know keeps Go's. */
export function architectureLabel(architecture: string, variant?: string): string {
  const named = Object.entries(ARCHITECTURES).filter(([, known]) => known.architecture === architecture);
  const [label] = named.find(([, known]) => known.variant === variant) ?? named.at(-1) ?? [architecture];
  return label;
}

/** What the manifest leaves open stays open. */
export function platformOf(labels: ReadonlyMap<string, string>, context: Context): Platform {
  const os = labels.get('os');
  const arch = labels.get('arch');
  const known = arch !== undefined && Object.hasOwn(ARCHITECTURES, arch) ? ARCHITECTURES[arch] : undefined;
  if (known || arch === undefined || arch === '') return { ...(os ? { os } : {}), ...known };
  const shown = printable(arch.slice(0, 40));
  if (OF_GO.has(arch))
    note(context, 'repaired', `the architecture ${shown} is Go's name, not the specification's`, 'manifest', 'arch');
  else
    note(
      context,
      'guessed',
      `the architecture ${shown} has no name in OCI; it is written as it is`,
      'manifest',
      'arch',
    );
  return { ...(os ? { os } : {}), architecture: arch };
}
