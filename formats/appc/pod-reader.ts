/**
 * A pod as a source: its manifest, and the images that it names, found where dependencies are.
 * https://github.com/appc/spec/blob/v0.8.11/spec/pods.md
 */
import { type Context, note, notesWithin } from '../base/context.ts';
import { OcixError, within } from '../base/errors.ts';
import { checkLimit } from '../base/limits.ts';
import { collect } from '../bytes/chunks.ts';
import { lossyUtf8 } from '../bytes/text.ts';
import type { Image } from '../model/image.ts';
import type { MountPoint } from '../model/isolation.ts';
import type { Pod, PodApp, PodMount, PodVolume } from '../model/pod.ts';
import type { Bid, ContentReader, Reading } from '../model/reader.ts';
import { findImage, type ImageCatalog, withId } from './dependencies.ts';
import type { ImageFile } from './image-file.ts';
import { catalogFor, type PreparedImage, prepareImage, vouched } from './index.ts';
import { isolationOf } from './isolators.ts';
import type { App, AppIsolator } from './manifest.ts';
import { type ManifestVolume, type PodManifest, parsePodManifest, type RuntimeApp, type RuntimeImage } from './pod.ts';

export const pod: ContentReader = {
  name: 'pod',
  aliases: [],
  summary: 'pod manifests of rkt and the App Container specification, with the images that they name (--dep)',
  depends: true,
  recognise: recognisePod,
  async read(content, context, reading) {
    const bytes = await collect(content.open(), context.limits['json-bytes']);
    return [
      await podOf(
        parsePodManifest(bytes, context),
        { names: [], catalog: catalogFor(reading, context) },
        reading,
        context,
      ),
    ];
  },
};

/** An object at the start, with the kind that only pods have somewhere in the first bytes. */
function recognisePod(head: Uint8Array): Bid | undefined {
  const text = lossyUtf8(head);
  if (!/^\s*\{/.test(text) || !/"acKind"\s*:\s*"PodManifest"/i.test(text)) return undefined;
  return { confidence: 95, reason: 'a JSON object whose acKind is PodManifest', title: 'pod manifest' };
}

export interface PodPlace {
  readonly names: readonly string[];
  readonly catalog: () => Promise<ImageCatalog>;
}

/**
 * An image is vouched for and rendered once, however many apps run in it.
 *
 * @throws OcixError appc/…, signature/… where nobody vouches for an image, and what reading the images throws
 */
export async function podOf(manifest: PodManifest, place: PodPlace, reading: Reading, context: Context): Promise<Pod> {
  const prepared = new Map<ImageFile, Promise<PreparedImage>>();
  const shared: SharedByApps = {
    isolators: manifest.isolators,
    volumes: firstBy(manifest.volumes, ({ name }) => name),
    own: [],
    count: counter(context),
  };
  const apps: PodApp[] = [];
  for (const one of manifest.apps) {
    const app = await within(one.name, async () => {
      const inner = notesWithin(one.name, context);
      const file = await imageFor(one.image, await place.catalog(), inner);
      if (!prepared.has(file)) {
        await vouched(reading, inner)?.(file);
        prepared.set(file, prepareImage(file, place.catalog, reading, inner));
      }
      return podApp(one, await prepared.get(file)!, shared, inner);
    });
    apps.push(app);
  }
  notePodLimits(manifest, context);
  const { sysctl } =
    isolationOf(manifest.isolators, { architecture: apps[0]?.config.platform.architecture, context }) ?? {};
  return {
    kind: 'pod',
    names: place.names,
    apps,
    volumes: [...manifest.volumes.map(({ name, volume }) => ({ name, volume })), ...shared.own],
    isolation: sysctl ? { sysctl } : {},
    ports: manifest.ports,
    annotations: new Map([...manifest.userAnnotations, ...manifest.userLabels, ...manifest.annotations]),
  };
}

/** Nothing is fetched: who may ask whom for an image is known of images, and not of a file. @throws OcixError appc/dependency */
async function imageFor(
  { name, id, labels }: RuntimeImage,
  { fetch: _, ...catalog }: ImageCatalog,
  context: Context,
): Promise<ImageFile> {
  if (name !== undefined)
    return findImage({ imageName: name, imageId: id, labels, size: undefined }, [], catalog, context);
  const [found, ...more] = await withId(catalog.all(), id!, context);
  if (found && !more.length) return found;
  throw new OcixError('appc/dependency', found ? `${id} is the beginning of several ids` : `${id} was not found`, {
    hint: catalog.places.length
      ? `Looked in ${catalog.places.join(', ')}. Add a place with --dep.`
      : 'Say where the images are with --dep.',
  });
}

interface SharedByApps {
  readonly isolators: readonly AppIsolator[];
  readonly volumes: ReadonlyMap<string, ManifestVolume>;
  /** Filled with the volumes that one app alone has. */
  readonly own: PodVolume[];
  /** @throws OcixError limit/members */
  count(parts: number): void;
}

/** A large image may be small beside what thousands of apps that run in it have together. */
function counter({ limits }: Context): SharedByApps['count'] {
  let all = 0;
  return (parts) => {
    all += parts;
    checkLimit(limits, 'members', all, 'the number of mounts, ports, variables and isolators of all apps together');
  };
}

function podApp(
  app: RuntimeApp,
  { image, file, configFor }: PreparedImage,
  shared: SharedByApps,
  context: Context,
): PodApp {
  const running = app.app ?? file.manifest.app;
  if (!running)
    throw new OcixError('appc/manifest', 'neither the pod nor the image says what is to run', {
      hint: 'Give the app of the pod an "app", with exec, user and group.',
    });
  const isolators = [...running.isolators, ...inherited(running, shared.isolators)];
  const { mountPoints, environment } = running;
  shared.count(app.mounts.length + mountPoints.length + environment.length + isolators.length);
  shared.count(running.ports.reduce((sum, { count }) => sum + count, 0));
  const config = configFor({ ...running, isolators }, app.name, context);
  const points = config.mountPoints ?? [];
  const mounts = mountsOf(app, points, shared);
  const filled = new Set(mounts.map(({ path }) => tidy(path)));
  const rest = points.filter(({ path }) => !filled.has(tidy(path)));
  return {
    name: app.name,
    image,
    config: { ...config, mountPoints: rest.map((point) => implicit(point, image)) },
    replaced: app.app !== undefined,
    mounts,
    ports: running.ports.map(({ name, protocol, port, count }) => ({
      name,
      protocol: protocol.toLowerCase(),
      port,
      count,
    })),
    readOnlyRoot: app.readOnlyRootFs,
    annotations: app.annotations,
  };
}

/** Two names for one question: an app that answers one of them has no use for the pod's answer to the other. */
const question = (name: string): string => name.replace(/-(?:retain|remove)-set$/, '');

/** What the pod asks for, and the app says nothing of. Kernel parameters belong to namespaces, and those are the pod's. */
function inherited({ isolators }: App, ofPod: readonly AppIsolator[]): readonly AppIsolator[] {
  const answered = new Set(['os/unix/sysctl', ...isolators.map(({ name }) => question(name))]);
  return ofPod.filter(({ name }) => !answered.has(question(name)));
}

/** Resources of a pod were those of its apps together. There is no place to say so. */
function notePodLimits({ apps, isolators }: PodManifest, context: Context): void {
  const shared = isolators.filter(({ name }) => /^resource\/|cpu-shares$/.test(name));
  if (apps.length < 2) return;
  for (const { name, pointer } of shared)
    note(
      context,
      'defaulted',
      `${name} of the pod holds for each app that has none of its own, and not for all together`,
      'manifest',
      pointer,
    );
}

/** Mounts that the pod states, then volumes that are called like a mount point. Of several points at one place the first counts. */
function mountsOf(app: RuntimeApp, points: readonly MountPoint[], { volumes, own }: SharedByApps): readonly PodMount[] {
  const byName = firstBy(points, ({ name }) => name);
  const byPath = firstBy(points, ({ path }) => tidy(path));
  const mounts: PodMount[] = app.mounts.map((mount, i) => {
    const point = 'path' in mount.at ? byPath.get(tidy(mount.at.path)) : pointNamed(byName, mount.at.mountPoint, app);
    const path = point?.path ?? ('path' in mount.at ? mount.at.path : '');
    const volume = mount.own ?? volumes.get(mount.volume)!;
    // No volume of the pod can be called so: names have no dots.
    const name = mount.own ? `${app.name}.${i}` : mount.volume;
    if (mount.own) own.push({ name, volume: volume.volume });
    return { volume: name, path, readOnly: volume.readOnly ?? point?.readOnly ?? false };
  });
  const taken = new Set(mounts.map(({ path }) => tidy(path)));
  for (const point of points) {
    const volume = volumes.get(point.name);
    if (!volume || taken.has(tidy(point.path))) continue;
    taken.add(tidy(point.path));
    mounts.push({ volume: volume.name, path: point.path, readOnly: volume.readOnly ?? point.readOnly });
  }
  return mounts;
}

const tidy = (path: string): string => path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');

/** Everything is hostile here, also how much there is: what is looked up often is looked up by a key. */
function firstBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, T> {
  const found = new Map<string, T>();
  for (const item of items) {
    const key = keyOf(item);
    if (!found.has(key)) found.set(key, item);
  }
  return found;
}

function pointNamed(points: ReadonlyMap<string, MountPoint>, wanted: string, app: RuntimeApp): MountPoint {
  const found = points.get(wanted);
  if (found) return found;
  const known = [...points.keys()].slice(0, 10);
  throw new OcixError('appc/manifest', `the app ${app.name} has no mount point called ${wanted}`, {
    at: ['manifest'],
    hint: `It has ${known.join(', ') || 'none'}.`,
  });
}

/**
 * A mount point that nobody has a volume for gets an empty one. What the image has at the place was copied for images that were Docker's
 * once, as Docker does it; for others it was hidden.
 */
function implicit(point: MountPoint, { config }: Image): MountPoint {
  if (config.labels.has('appc.io/docker/repository')) return point;
  return { ...point, volume: { kind: 'empty', mode: 0o755, uid: 0, gid: 0 } };
}
