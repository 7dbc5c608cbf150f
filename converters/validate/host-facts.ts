/** What has to be known of a machine to say whether it could run a bundle. Whoever calls the library finds it out, or leaves it open. */

export interface HostFacts {
  readonly os: string;
  /** As GOARCH has it. */
  readonly architecture: string;
  /** Who would call the runtime; 0 is root. */
  readonly uid: number;
  /** Types that the kernel knows now: `/proc/filesystems`. Modules that could be loaded are not among them. */
  readonly filesystems: ReadonlySet<string>;
  /** `CAP_…` that can be handed on: the bounding set. */
  readonly capabilities: ReadonlySet<string>;
  /** As `config.json` calls them. */
  readonly namespaces: ReadonlySet<string>;
  readonly cgroups: 'v1' | 'v2' | 'hybrid' | 'none';
  /** Security modules and filters: `apparmor`, `selinux`, `seccomp`. */
  readonly security: ReadonlySet<string>;
}
