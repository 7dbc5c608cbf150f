/**
 * Places that an image says more about than that a volume belongs there.
 * https://github.com/appc/spec/blob/v0.8.11/spec/ace.md#volume-setup
 */
import { type Context, note } from '../../formats/base/context.ts';
import { OcixError } from '../../formats/base/errors.ts';
import { printable } from '../../formats/bytes/text.ts';
import type { MountPoint } from '../../formats/model/isolation.ts';
import { isMapped, type UserNamespace } from '../../formats/rootfs/owners.ts';
import type { FolderInRoot } from '../../formats/rootfs/root-folder.ts';

/** One that lies in another would be hidden or not, as the order has it: an error. @throws OcixError image/config */
export function pointsByPath(
  points: readonly MountPoint[],
  clean: (path: string) => string,
): ReadonlyMap<string, MountPoint> {
  const found = new Map(points.map((point) => [clean(point.path), point]));
  const paths = points.map(({ path }) => clean(path)).sort((a, b) => (`${a}/` < `${b}/` ? -1 : 1));
  for (const [i, path] of paths.entries()) {
    const before = paths[i - 1];
    if (before === undefined || !`${path}/`.startsWith(`${before}/`)) continue;
    throw new OcixError('image/config', `the mount points ${printable(before)} and ${printable(path)} overlap`, {
      at: ['configuration'],
      hint: 'Correct the image: nothing else may be mounted at or below a mount point.',
    });
  }
  return found;
}

export interface Place {
  readonly destination: string;
  /** What the image has there. */
  readonly folder: FolderInRoot | undefined;
  readonly namespace: UserNamespace | undefined;
}

/** Says what a volume that is stated hides, and which of its owners cannot be. */
export function noteVolume({ volume }: MountPoint, { destination, folder, namespace }: Place, context: Context): void {
  if (folder && !folder.isEmpty) {
    const message = `what the image has at ${printable(destination)} is hidden by the volume that belongs there`;
    note(context, 'dropped', message, 'configuration', '/config/Volumes');
  }
  if (volume?.kind !== 'empty' || !namespace) return;
  if (isMapped(volume.uid, namespace.uids) && isMapped(volume.gid, namespace.gids)) return;
  const owner = `${volume.uid}:${volume.gid}`;
  note(
    context,
    'defaulted',
    `the owner ${owner} of the volume ${printable(destination)} is outside of the mapping (--uid-map and --gid-map widen it)`,
    'configuration',
    '/config/Volumes',
  );
}

/** Read-only if either says so. @throws OcixError image/config for a source that is none */
export function hostOptions(
  { source, recursive, readOnly }: { readonly source: string; readonly recursive: boolean; readonly readOnly: boolean },
  point: MountPoint,
): readonly string[] {
  if (!source.startsWith('/') || source.includes('\0')) {
    throw new OcixError('image/config', `the source of the volume ${printable(point.name)} is not an absolute path`, {
      at: ['configuration'],
      hint: 'Name a folder of the host by its absolute path.',
    });
  }
  const bind = recursive ? ['rbind', 'rprivate'] : ['bind', 'private'];
  return [...bind, readOnly || point.readOnly ? 'ro' : 'rw'];
}
