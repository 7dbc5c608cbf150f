/** File systems that a container gets, and a mount for each volume of the image. */
import { type Context, note } from '../../formats/base/context.ts';
import { OcixError } from '../../formats/base/errors.ts';
import { printable } from '../../formats/bytes/text.ts';
import type { Json } from '../../formats/json/parse.ts';
import type { ImageConfig } from '../../formats/model/config.ts';
import { isMapped, type UserNamespace } from '../../formats/rootfs/owners.ts';
import type { FolderInRoot } from '../../formats/rootfs/root-folder.ts';
import { hostOptions, noteVolume, pointsByPath } from './mount-points.ts';

interface Mount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

const mount = (destination: string, type: string, source: string, ...options: readonly string[]): Mount => ({
  destination,
  type,
  source,
  options,
});

export function mountsOf(
  config: ImageConfig,
  folderAt: (path: string) => FolderInRoot | undefined,
  namespace: UserNamespace | undefined,
  context: Context,
): readonly Json[] {
  const own = namespace ? ROOTLESS : PRIVILEGED;
  const points = pointsByPath(config.mountPoints ?? [], clean);
  const volume = (destination: string): Mount => {
    const point = points.get(destination);
    const folder = folderAt(destination.slice(1));
    if (point?.volume) noteVolume(point, { destination, folder, namespace }, context);
    if (point?.volume?.kind === 'host')
      return mount(destination, 'none', point.volume.source, ...hostOptions(point.volume, point));
    if (point?.volume?.kind === 'beside')
      return mount(destination, 'none', point.volume.path, 'bind', 'private', ...FOLDER, point.readOnly ? 'ro' : 'rw');
    const start = point?.volume ? { ...point.volume, isEmpty: true } : folder;
    return mount(
      destination,
      'tmpfs',
      'tmpfs',
      ...(point?.readOnly ? READ_ONLY : VOLUME),
      ...asInImage(start, namespace),
    );
  };
  return [...own, ...volumePaths(config, own, context).map(volume)].map((one) => ({ ...one }));
}

const SHARED_START: readonly Mount[] = [
  mount('/proc', 'proc', 'proc'),
  mount('/dev', 'tmpfs', 'tmpfs', 'nosuid', 'strictatime', 'mode=755', 'size=65536k'),
];
const SHARED_END: readonly Mount[] = [
  mount('/dev/shm', 'tmpfs', 'shm', 'nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'),
  mount('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid', 'noexec', 'nodev'),
];
const PTS = ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'];

const PRIVILEGED: readonly Mount[] = [
  ...SHARED_START,
  mount('/dev/pts', 'devpts', 'devpts', ...PTS, 'gid=5'),
  ...SHARED_END,
  mount('/sys', 'sysfs', 'sysfs', 'nosuid', 'noexec', 'nodev', 'ro'),
  mount('/sys/fs/cgroup', 'cgroup', 'cgroup', 'nosuid', 'noexec', 'nodev', 'relatime', 'ro'),
];

/** Without privileges the group of terminals is not mapped, and only the host's sysfs can be shown. */
const ROOTLESS: readonly Mount[] = [
  ...SHARED_START,
  mount('/dev/pts', 'devpts', 'devpts', ...PTS),
  ...SHARED_END,
  mount('/sys', 'none', '/sys', 'rbind', 'nosuid', 'noexec', 'nodev', 'ro'),
];

const FOLDER = ['nosuid', 'nodev'];
const VOLUME = ['rw', 'nosuid', 'nodev', 'relatime'];
const READ_ONLY = ['ro', 'nosuid', 'nodev', 'relatime'];

/**
 * A volume starts as the folder that the image has at the place: whoever may write there may write to the volume, and what is in
 * it is copied. Where the image has none it gets what Docker makes; a tmpfs would be open to everybody. An id that the
 * namespace lacks cannot be given; the folder below belongs to the root of the namespace then, and so does the volume.
 */
function asInImage(folder: FolderInRoot | undefined, namespace: UserNamespace | undefined): readonly string[] {
  const { mode, uid, gid, isEmpty } = folder ?? { mode: 0o755, uid: 0, gid: 0, isEmpty: true };
  const owner = (option: string, id: number, mappings: UserNamespace['uids'] | undefined): readonly string[] =>
    id !== 0 && (!mappings || isMapped(id, mappings)) ? [`${option}=${id}`] : [];
  return [
    `mode=${mode.toString(8)}`,
    ...owner('uid', uid, namespace?.uids),
    ...owner('gid', gid, namespace?.gids),
    ...(isEmpty ? [] : ['tmpcopyup']),
  ];
}

/** Sorted, since the source's order has no meaning. */
function volumePaths(config: ImageConfig, taken: readonly Mount[], context: Context): readonly string[] {
  const paths = [...config.volumes, ...(config.mountPoints ?? []).map(({ path }) => path)];
  return [...new Set(paths.map(clean))].sort().filter((destination) => {
    if (
      destination === '/' ||
      taken.some((one) => one.destination === destination || one.destination.startsWith(`${destination}/`)) ||
      /^\/(?:proc|sys|dev)(?:\/|$)/.test(destination)
    ) {
      note(
        context,
        'dropped',
        `the volume ${printable(destination)} lies where the container has a file system of its own`,
        'configuration',
        '/config/Volumes',
      );
      return false;
    }
    return true;
  });
}

const clean = (path: string): string =>
  `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`;

/** @throws OcixError image/config for a place that is none in the image */
export function checkVolumes({ volumes, mountPoints = [] }: Pick<ImageConfig, 'volumes' | 'mountPoints'>): void {
  const isInside = (path: string): boolean =>
    path.startsWith('/') && !path.includes('\0') && !/(?:^|\/)\.\.(?:\/|$)/.test(path);
  const path = [...volumes, ...mountPoints.map((point) => point.path)].find((one) => !isInside(one));
  if (path === undefined) return;
  throw new OcixError(
    'image/config',
    `the volume ${JSON.stringify(printable(path.slice(0, 80)))} is not an absolute path that stays inside`,
    {
      at: ['configuration', '/config/Volumes'],
      hint: 'Do not trust this image.',
    },
  );
}
