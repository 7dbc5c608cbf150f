/**
 * A pod as bundles: a folder for each app, the volumes that they share, and a script that starts them together. `docs/pods.md`
 * shows one at work; `docs/decisions/0014-pods.md` says why they are started as they are.
 */
import { chmod, chown, mkdir } from 'node:fs/promises';
import { type Context, note, notesWithin } from '../../formats/base/context.ts';
import { within } from '../../formats/base/errors.ts';
import { outputError } from '../../formats/bytes/output-error.ts';
import { utf8Bytes } from '../../formats/bytes/text.ts';
import type { ImageConfig } from '../../formats/model/config.ts';
import type { MountPoint, Volume } from '../../formats/model/isolation.ts';
import type { Pod, PodApp, PodVolume } from '../../formats/model/pod.ts';
import type { HeldFolder } from '../../formats/rootfs/held-folder.ts';
import { hostId } from '../../formats/rootfs/owners.ts';
import { runtimeConfig } from '../runtime/config.ts';
import { configBytes, fillBundle, openToMappedRoot, PLAIN, withNamespace, writeNew } from './bundle-folder.ts';
import { type ExtractionOptions, isRootless } from './extraction.ts';
import { HOLDER, startScript } from './pod-script.ts';
import type { TargetOptions } from './target.ts';

/** Gives the name of what was made in `scratch`. @throws OcixError output/write, and what a bundle of each app throws */
export async function writePodBundle(
  pod: Pod,
  scratch: HeldFolder,
  options: TargetOptions,
  context: Context,
): Promise<string> {
  const { extraction = {}, runtime = PLAIN } = options;
  const folder = scratch.make('bundle');
  try {
    await writeVolumes(pod.volumes, folder, extraction, context);
    const folders = { folder, scratch, volumes: new Map(pod.volumes.map(({ name, volume }) => [name, volume])) };
    for (const app of pod.apps) await within(app.name, () => writeApp(app, folders, options, context));
    noteLost(pod, context);
    if (withNamespace(runtime, extraction).userNamespace) noteAlone(context);
    else await writeStart(pod, folder, context);
    openToMappedRoot(folder, extraction);
    return 'bundle';
  } finally {
    folder.release();
  }
}

/** Names of apps have no dots: what has one is ours, and an app that is called like something of ours gets one. */
export const folderOf = (app: string): string => (app === 'run' || app === 'volumes' ? `${app}.app` : app);

interface Folders {
  readonly folder: HeldFolder;
  readonly scratch: HeldFolder;
  /** By their names. */
  readonly volumes: ReadonlyMap<string, PodVolume['volume']>;
}

async function writeApp(
  app: PodApp,
  { folder, scratch, volumes }: Folders,
  options: TargetOptions,
  context: Context,
): Promise<void> {
  const { runtime = PLAIN } = options;
  const own = folder.make(folderOf(app.name));
  const aside = scratch.make(`aside-${app.name}`);
  try {
    const image = { ...app.image, config: { ...app.config, mountPoints: pointsOf(app, volumes) } };
    const readOnly = runtime.readOnly || app.readOnlyRoot;
    const asked = { ...options, runtime: { ...runtime, readOnly, terminal: false } };
    await fillBundle(image, { folder: own, scratch: aside }, asked, notesWithin(app.name, context));
    aside.empty();
  } finally {
    aside.release();
    own.release();
  }
}

const pointsOf = (app: PodApp, volumes: Folders['volumes']): readonly MountPoint[] => [
  ...(app.config.mountPoints ?? []),
  ...app.mounts.map(({ volume: name, path, readOnly }) => ({
    name,
    path,
    readOnly,
    volume: placeOf(name, volumes.get(name)!),
  })),
];

const placeOf = (name: string, volume: PodVolume['volume']): Volume =>
  volume.kind === 'host' ? { ...volume, readOnly: false } : { kind: 'beside', path: `../volumes/${name}` };

async function writeVolumes(
  volumes: readonly PodVolume[],
  folder: HeldFolder,
  extraction: ExtractionOptions,
  context: Context,
): Promise<void> {
  const empty = volumes.flatMap(({ name, volume }) => (volume.kind === 'empty' ? [{ name, ...volume }] : []));
  if (!empty.length) return;
  const parent = folder.make('volumes');
  const { uidMap = [], gidMap = [] } = extraction;
  try {
    for (const { name, mode, uid, gid } of empty) {
      const path = `${parent.path}/${name}`;
      await mkdir(path);
      if (!isRootless(extraction)) await chown(path, hostId(uid, uidMap, 'uid-map'), hostId(gid, gidMap, 'gid-map'));
      else if (uid || gid)
        note(context, 'dropped', `the owner ${uid}:${gid} of the volume takes privileges`, 'volumes', name);
      await chmod(path, mode);
    }
    openToMappedRoot(parent, extraction);
  } catch (cause) {
    throw outputError('volumes', cause);
  } finally {
    parent.release();
  }
}

async function writeStart(pod: Pod, folder: HeldFolder, context: Context): Promise<void> {
  const holder = folder.make(HOLDER.folder);
  try {
    const root = `${holder.path}/rootfs`;
    for (const path of ['', '/proc', '/dev', '/sys']) await mkdir(`${root}${path}`, { mode: 0o755 });
    await writeNew(`${root}/${HOLDER.program}`, new Uint8Array(0), 0o755);
    const config = holderConfig(pod);
    const nothing = { file: () => undefined, folder: () => undefined };
    const options = { terminal: false, readOnly: true, capabilities: [] };
    await writeNew(
      `${holder.path}/config.json`,
      configBytes(runtimeConfig(config, nothing, options, notesWithin('pod', context))),
    );
  } finally {
    holder.release();
  }
  await writeNew(`${folder.path}/run`, utf8Bytes(startScript(pod.apps.map(({ name }) => folderOf(name)))), 0o755);
}

const holderConfig = ({ isolation }: Pod): ImageConfig => ({
  platform: {},
  entrypoint: [`/${HOLDER.program}`],
  cmd: [],
  env: [],
  user: HOLDER.user,
  supplementaryGroups: [],
  exposedPorts: [],
  volumes: [],
  isolation,
  labels: new Map(),
  onBuild: [],
  shell: [],
  other: {},
});

function noteLost({ ports, annotations, apps }: Pod, context: Context): void {
  const lost = (what: string, ...at: readonly string[]): void =>
    note(context, 'dropped', `${what}: a bundle has no place for it`, 'pod', ...at);
  for (const { name, hostPort } of ports) lost(`the port ${hostPort} of the host that leads to ${name}`);
  if (annotations.size) lost('the annotations of the pod');
  for (const { name, annotations: own } of apps) if (own.size) lost('the annotations of the app', name);
}

const noteAlone = (context: Context): void =>
  note(
    context,
    'dropped',
    'the apps share no namespaces: that takes privileges, and each is a bundle of its own',
    'pod',
  );
