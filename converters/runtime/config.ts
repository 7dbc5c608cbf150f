/**
 * `config.json` of a bundle, from the model. Pure: what it has to know of the root filesystem it asks for.
 * https://github.com/opencontainers/runtime-spec/blob/v1.0.2/config.md
 */
import { type Context, note } from '../../formats/base/context.ts';
import { OcixError } from '../../formats/base/errors.ts';
import { didYouMean } from '../../formats/base/nearest.ts';
import type { Json } from '../../formats/json/parse.ts';
import { KNOWN_CAPABILITIES } from '../../formats/model/capabilities.ts';
import { type ImageConfig, platformText } from '../../formats/model/config.ts';
import { type IdMapping, isMapped, type UserNamespace } from '../../formats/rootfs/owners.ts';
import type { FolderInRoot } from '../../formats/rootfs/root-folder.ts';
import { annotationsOf } from './annotations.ts';
import { isolationOf } from './isolation.ts';
import { checkVolumes, mountsOf } from './mounts.ts';
import { checkProcess, processOf } from './process.ts';
import { checkUser, type ResolvedUser, type RootFile, resolveUser } from './user.ts';

export interface RuntimeOptions {
  readonly terminal: boolean;
  readonly readOnly: boolean;
  /** `CAP_…`; where absent, what the image asks for, or else Docker's defaults. */
  readonly capabilities?: readonly string[] | undefined;
  /** For a user without privileges: a user namespace with these mappings. */
  readonly userNamespace?: UserNamespace | undefined;
}

/** What is asked of the root filesystem. */
export interface RootView {
  readonly file: RootFile;
  /** The folder at a path, with every link followed inside the root, and its owner as the image has it. */
  folder(path: string): FolderInRoot | undefined;
}

/** Every runtime of today takes this version; a higher one is for features that need it: errors and actions of seccomp. */
const VERSION = '1.0.2';
const SECCOMP_VERSION = '1.1.0';

const MASKED = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/**
 * Whatever can be refused without a root filesystem, so that nothing is unpacked in vain.
 *
 * @throws OcixError format/unsupported for an image of another system, image/config, image/user for one that cannot be read
 */
export function checkConfig(config: ImageConfig): void {
  checkSystem(config);
  checkProcess(config);
  checkVolumes(config);
  checkUser(config.user);
}

/** @throws OcixError what `checkConfig` throws, and image/user for a user who is not in the root filesystem */
export function runtimeConfig(config: ImageConfig, root: RootView, options: RuntimeOptions, context: Context): Json {
  checkConfig(config);
  noteArchitecture(config, context);
  const namespace = options.userNamespace;
  const named = resolveUser(config.user, root.file);
  const resolved = { ...named, groups: config.supplementaryGroups ?? named.groups };
  const user = namespace ? withinMapping(resolved, namespace, context) : resolved;
  const { capabilities } = options;
  const isolation = isolationOf(config, { capabilities, rootless: namespace !== undefined }, context);
  return {
    ociVersion: 'seccomp' in isolation.linux ? SECCOMP_VERSION : VERSION,
    process: processOf(config, user, { terminal: options.terminal, isolation }),
    root: { path: 'rootfs', ...(options.readOnly ? { readonly: true } : {}) },
    mounts: mountsOf(config, root.folder, namespace, context),
    annotations: annotationsOf(config, context),
    linux: {
      ...(namespace ? { uidMappings: namespace.uids.map(mapping), gidMappings: namespace.gids.map(mapping) } : {}),
      // Without privileges a network of its own would be one without a way out.
      namespaces: ['pid', 'ipc', 'uts', 'mount', ...(namespace ? ['user'] : ['network'])].map((type) => ({ type })),
      maskedPaths: MASKED,
      readonlyPaths: READ_ONLY,
      ...isolation.linux,
    },
  };
}

/** What to give so that an id is mapped. Who starts the container stays its root; others are what he was granted. */
function widened({ uids, gids }: UserNamespace): string {
  const options = (name: string, [root]: readonly IdMapping[]) => `${name} 0:${root?.host}:1 ${name} 1:100000:65536`;
  return `what /etc/subuid and /etc/subgid grant can be mapped, for example ${options('--uid-map', uids)} ${options('--gid-map', gids)}`;
}

/** An id that the namespace does not have cannot be taken on: the process is root there, which outside is who starts it. */
function withinMapping(user: ResolvedUser, { uids, gids }: UserNamespace, context: Context): ResolvedUser {
  const [uid, gid] = [isMapped(user.uid, uids) ? user.uid : 0, isMapped(user.gid, gids) ? user.gid : 0];
  // Who may map no other group than his own may not set any either.
  const most = gids.reduce((sum, { size }) => sum + size, 0);
  const groups = most > 1 ? user.groups.filter((group) => isMapped(group, gids)) : [];
  if (uid !== user.uid || gid !== user.gid) {
    note(
      context,
      'defaulted',
      `the user ${user.uid}:${user.gid} is outside of the mapping, and ${uid}:${gid} is taken instead; ${widened({ uids, gids })}`,
      'configuration',
      '/config/User',
    );
  }
  const lost = user.groups.filter((group) => !groups.includes(group));
  if (lost.length) {
    note(
      context,
      'dropped',
      `supplementary groups outside of the mapping: ${lost.join(', ')}; ${widened({ uids, gids })}`,
      'configuration',
      '/config/User',
    );
  }
  return { ...user, uid, gid, groups };
}

const mapping = ({ container, host, size }: IdMapping): Json => ({ containerID: container, hostID: host, size });

function checkSystem({ platform }: ImageConfig): void {
  if ((platform.os ?? 'linux') === 'linux') return;
  throw new OcixError('format/unsupported', `an image for ${platformText(platform)} makes no Linux bundle`, {
    hint: 'Convert it to a layout instead: ocix convert SOURCE OUT.',
  });
}

function noteArchitecture({ platform }: ImageConfig, context: Context): void {
  const { architecture } = platform;
  if (architecture !== undefined && architecture !== context.host.architecture) {
    note(
      context,
      'defaulted',
      `the image is for ${platformText(platform)}, and this machine is ${context.host.architecture}: running it needs emulation`,
      'configuration',
    );
  }
}

/** Reads `--caps`: names with or without `CAP_`, separated by commas, or `none`. @throws OcixError usage/option */
export function parseCapabilities(text: string): readonly string[] {
  if (text === 'none') return [];
  const names = text.split(',').map((name) => `CAP_${name.trim().toUpperCase().replace(/^CAP_/, '')}`);
  const unknown = names.find((name) => !KNOWN_CAPABILITIES.has(name));
  if (unknown === undefined) return [...new Set(names)].sort();
  throw new OcixError('usage/option', `--caps: there is no capability ${unknown}`, {
    hint: `${didYouMean(unknown, KNOWN_CAPABILITIES)}See capabilities(7); for example --caps CHOWN,NET_BIND_SERVICE, or none.`,
  });
}
