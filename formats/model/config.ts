/**
 * What an image says about running, whatever its format: a superset, so that nothing is flattened on the way in. A reader
 * fills in what it knows. Absent means that the source does not say.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
 */
import type { Json } from '../json/parse.ts';
import type { Isolation, MountPoint } from './isolation.ts';

export interface Platform {
  readonly os?: string | undefined;
  /** GOARCH. */
  readonly architecture?: string | undefined;
  readonly variant?: string | undefined;
  readonly osVersion?: string | undefined;
  readonly osFeatures?: readonly string[] | undefined;
}

export interface ImageConfig {
  readonly platform: Platform;
  /** RFC 3339. */
  readonly created?: string;
  readonly author?: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** `NAME=VALUE`, in order. */
  readonly env: readonly string[];
  /** What whoever runs it has to add, as `NAME=VALUE`, where `env` does not set the name: in a bundle, and never in an image. */
  readonly runtimeEnv?: readonly string[];
  readonly user?: string;
  /** Ids beside the user's own group. Where they are stated (also as none) nothing is looked up in the image. */
  readonly supplementaryGroups?: readonly number[];
  readonly workingDir?: string;
  readonly stopSignal?: string;
  /** `PORT/PROTOCOL`. */
  readonly exposedPorts: readonly string[];
  /** Paths in the image. */
  readonly volumes: readonly string[];
  /** What a source knows of its volumes beside their paths; each path is in `volumes` too. */
  readonly mountPoints?: readonly MountPoint[];
  readonly isolation?: Isolation;
  readonly labels: ReadonlyMap<string, string>;
  readonly healthcheck?: HealthCheck;
  readonly onBuild: readonly string[];
  /** What `RUN` and the shell form of commands use. */
  readonly shell: readonly string[];
  /** Members of the source's configuration that the model has no name for. */
  readonly other: { readonly [name: string]: Json };
}

export interface HealthCheck {
  /** `["CMD", …]`, `["CMD-SHELL", line]` or `["NONE"]`. */
  readonly test: readonly string[];
  /** Nanoseconds. */
  readonly interval?: number;
  readonly timeout?: number;
  readonly startPeriod?: number;
  /** Between checks during the start period; since Docker 25. */
  readonly startInterval?: number;
  readonly retries?: number;
}

/** `linux/arm/v7`; what is not known is left out, and an unknown platform is `unknown`. */
export function platformText({ os, architecture, variant }: Platform): string {
  return [os ?? 'unknown', architecture ?? 'unknown', ...(variant ? [variant] : [])].join('/');
}

/** Whether an image of the platform `have` is what somebody who asks for `want` means; arm64 without a variant is v8. */
export function platformMatches(want: Platform, have: Platform): boolean {
  if (want.os !== have.os || want.architecture !== have.architecture) return false;
  const fallback = want.architecture === 'arm64' ? 'v8' : undefined;
  return want.variant === undefined || (have.variant ?? fallback) === want.variant;
}
