/**
 * How a process is to be confined, as far as an image says so itself. Values are plain data in the units of the kernel, so that
 * a reader decides what its format means and the generator of `config.json` need not know any format.
 * https://github.com/appc/spec/blob/v0.8.11/spec/ace.md#isolators
 */
import type { Json } from '../json/parse.ts';

export interface Isolation {
  readonly cpu?: {
    /** Thousandths of a core that are set aside. */
    readonly request?: number;
    /** Thousandths of a core at most. */
    readonly limit?: number;
    /** The kernel's relative weight, 2 to 262144; wins over one that `request` would give. */
    readonly shares?: number;
  };
  /** Bytes. */
  readonly memory?: { readonly request?: number; readonly limit?: number };
  /** `CAP_…`, sorted: the whole set, whatever the format counts from. */
  readonly capabilities?: readonly string[];
  readonly seccomp?: SeccompFilter;
  readonly noNewPrivileges?: boolean;
  /** -1000 to 1000. */
  readonly oomScoreAdj?: number;
  /** `user:role:type:level`. */
  readonly selinuxLabel?: string;
  readonly apparmorProfile?: string;
  readonly sysctl?: Readonly<Record<string, string>>;
  /** What is asked for and no runtime can be told, by name; kept whole. */
  readonly unsupported?: readonly { readonly name: string; readonly value: Json }[];
}

export interface SeccompFilter {
  /** `retain`: what is not listed is refused. `remove`: what is listed is refused. */
  readonly mode: 'retain' | 'remove';
  /** System calls, sorted; sets that a format has names for are expanded. */
  readonly calls: readonly string[];
  /** `ENOSYS` and the like; without it a refused call ends the process with SIGSYS. */
  readonly errno?: string;
}

/** A place that a user may mount something at. */
export interface MountPoint {
  readonly name: string;
  /** Absolute, in the image. */
  readonly path: string;
  readonly readOnly: boolean;
  /** What is mounted, once somebody said so. Absent: a volume like any other, which starts with what the image has at the place. */
  readonly volume?: Volume;
}

export type Volume =
  | { readonly kind: 'host'; readonly source: string; readonly recursive: boolean; readonly readOnly: boolean }
  // A place of its own, with nothing in it whatever the image has there.
  | { readonly kind: 'empty'; readonly mode: number; readonly uid: number; readonly gid: number }
  // A folder that lies beside the bundle, by its path from there: several bundles may have it.
  | { readonly kind: 'beside'; readonly path: string };
