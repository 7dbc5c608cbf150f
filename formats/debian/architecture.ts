/**
 * Debian's names of architectures, and what Go and so OCI call them.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#platform-variants
 */
import type { Platform } from '../model/config.ts';

const PLATFORMS: ReadonlyMap<string, Platform> = new Map([
  ['amd64', { os: 'linux', architecture: 'amd64' }],
  ['arm64', { os: 'linux', architecture: 'arm64', variant: 'v8' }],
  // Not in OCI's table of variants, and what Go and Docker call ARM without hardware floating point.
  ['armel', { os: 'linux', architecture: 'arm', variant: 'v5' }],
  ['armhf', { os: 'linux', architecture: 'arm', variant: 'v7' }],
  ['i386', { os: 'linux', architecture: '386' }],
  ['loong64', { os: 'linux', architecture: 'loong64' }],
  ['mips64el', { os: 'linux', architecture: 'mips64le' }],
  ['mipsel', { os: 'linux', architecture: 'mipsle' }],
  ['ppc64el', { os: 'linux', architecture: 'ppc64le' }],
  ['riscv64', { os: 'linux', architecture: 'riscv64' }],
  ['s390x', { os: 'linux', architecture: 's390x' }],
]);

/** What OCI calls an architecture of Debian's; undefined for `all`, and for one that no image can name. */
export const platformOf = (architecture: string): Platform | undefined => PLATFORMS.get(architecture);

/** Debian's name of the architecture that Go calls so. */
export const debianName = (goarch: string): string | undefined =>
  goarch === 'arm' ? 'armhf' : [...PLATFORMS].find(([, platform]) => platform.architecture === goarch)?.[0];
