/** File systems that a container gets, and a mount for each volume of the image. */
import { type Context, note } from '../../formats/base/context.ts';
import { OcixError } from '../../formats/base/errors.ts';
import { printable } from '../../formats/bytes/text.ts';
import type { Json } from '../../formats/json/parse.ts';
import type { ImageConfig } from '../../formats/model/config.ts';

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
  rootless: boolean,
  isFolderWithFiles: (path: string) => boolean,
  context: Context,
): readonly Json[] {
  const own = rootless ? ROOTLESS : PRIVILEGED;
  return [...own, ...volumes(config, own, isFolderWithFiles, context)].map((one) => ({ ...one }));
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

/** Sorted, since the source's order has no meaning; what the image has at the place is copied into the volume. */
function volumes(
  config: ImageConfig,
  taken: readonly Mount[],
  isFolderWithFiles: (path: string) => boolean,
  context: Context,
): readonly Mount[] {
  for (const path of config.volumes) checkVolume(path);
  const clean = (path: string): string =>
    `/${path
      .split('/')
      .filter((part) => part !== '' && part !== '.')
      .join('/')}`;
  return [...new Set(config.volumes.map(clean))].sort().flatMap((destination) => {
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
      return [];
    }
    const seeded = isFolderWithFiles(destination.slice(1)) ? ['tmpcopyup'] : [];
    return [mount(destination, 'tmpfs', 'tmpfs', 'rw', 'nosuid', 'nodev', 'relatime', ...seeded)];
  });
}

function checkVolume(path: string): void {
  if (path.startsWith('/') && !path.includes('\0') && !/(?:^|\/)\.\.(?:\/|$)/.test(path)) return;
  throw new OcixError(
    'image/config',
    `the volume ${JSON.stringify(printable(path.slice(0, 80)))} is not an absolute path that stays inside`,
    {
      at: ['configuration', '/config/Volumes'],
      hint: 'Do not trust this image.',
    },
  );
}
