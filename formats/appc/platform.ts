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

/**
 * The labels for a platform, or undefined where the specification has no names for it.
 * https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-manifest-schema
 */
export function platformLabels({ os, architecture, variant }: Platform): Readonly<Record<string, string>> | undefined {
  if (os === undefined && architecture === undefined) return {};
  const known = ARCHITECTURES_OF[os ?? ''] ?? [];
  const arch = known.find((name) => {
    const own = ARCHITECTURES[name];
    if (!own) return name === architecture;
    return own.architecture === architecture && (variant ?? own.variant) === own.variant;
  });
  if (arch !== undefined && os !== undefined) return { os, arch };
  // The variants of one architecture run what was made for it alone, but for ARM's, which are named apart.
  return architecture !== 'arm' && variant !== undefined ? platformLabels({ os, architecture }) : undefined;
}

/** What may stand beside an operating system; ARM without a variant is version 7, as everywhere. */
const ARCHITECTURES_OF: Readonly<Record<string, readonly string[]>> = {
  linux: ['amd64', 'i386', 'aarch64', 'aarch64_be', 'armv7l', 'armv6l', 'armv7b', 'ppc64', 'ppc64le', 's390x'],
  freebsd: ['amd64', 'i386', 'arm'],
  darwin: ['x86_64', 'i386'],
};
