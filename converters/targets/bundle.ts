/**
 * Runtime bundles: a root filesystem and the `config.json` that runs it; and the root filesystem alone. Layers go from the
 * source onto the disk in one step, without a compressed image in between.
 * https://github.com/opencontainers/runtime-spec/blob/v1.0.2/bundle.md
 */
import type { Context } from '../../formats/base/context.ts';
import { digestOf } from '../../formats/bytes/digest.ts';
import type { Image, Storable } from '../../formats/model/image.ts';
import { imagesOfPod, type Pod } from '../../formats/model/pod.ts';
import { type HeldFolder, holdFolder } from '../../formats/rootfs/held-folder.ts';
import { blobStore } from '../../formats/store/blobs.ts';
import { destination, occupied, type Staging, stageFor } from '../../formats/store/staging.ts';
import { theImage } from '../passes/select.ts';
import { fillBundle } from './bundle-folder.ts';
import { type Carries, FIELDS, IMAGE_FIELDS } from './carries.ts';
import { extractImage } from './extraction.ts';
import type { WrittenImage } from './oci-documents.ts';
import { writePodBundle } from './pod-bundle.ts';
import { plainKeeper } from './stream-keeper.ts';
import type { Target, TargetOptions, TargetSink } from './target.ts';

export const bundle: Target = {
  name: 'bundle',
  what: 'a bundle',
  carries: {
    ...IMAGE_FIELDS,
    names: '-',
    platform: { as: 'annotations' },
    created: { as: 'annotation' },
    author: { as: 'annotation' },
    runtimeEnv: 'yes',
    user: { as: 'as numbers' },
    supplementaryGroups: 'yes',
    stopSignal: { as: 'annotation' },
    exposedPorts: { as: 'annotation' },
    volumes: { as: 'a mount each' },
    mountPoints: 'yes',
    isolation: { as: 'what a runtime can be told' },
    labels: { as: 'annotations' },
    healthcheck: { as: 'annotation `io.ocix.healthcheck`' },
    onBuild: '-',
    shell: '-',
    other: '-',
    history: '-',
    annotations: '-',
    layers: { as: 'as one tree' },
  },
  summary: 'an OCI runtime bundle: rootfs/ and config.json',
  async open(out, options, context) {
    const { sink, writeInto } = await openFolder(out, options, context, writeBundle);
    const writePod = (pod: Pod) =>
      writeInto(imagesOfPod(pod), (folder) => writePodBundle(pod, folder, options, context));
    return { ...sink, writePod };
  },
};

/** The root filesystem alone, for `unpack`; it is no target that a user can name. */
export const rootfsFolder = {
  name: 'rootfs',
  what: 'a folder',
  carries: Object.fromEntries(FIELDS.map((field) => [field, '-'])) as Carries,
  summary: 'the root filesystem as a folder',
  open: (out: string, options: TargetOptions, context: Context): Promise<TargetSink> =>
    openFolder(out, options, context, async (image, folder, { extraction = {} }, own) => {
      await extractImage(image, { folder, scratch: folder }, extraction, () => {}, own);
      return 'rootfs';
    }).then(({ sink }) => sink),
};

/** Writes below the private folder; gives the name of what is to be put in place. */
type Write = (image: Image, folder: HeldFolder, options: TargetOptions, context: Context) => Promise<string>;

interface OpenedFolder {
  readonly sink: TargetSink;
  writeInto(images: readonly Image[], work: (folder: HeldFolder) => Promise<string>): Promise<readonly WrittenImage[]>;
}

async function openFolder(out: string, options: TargetOptions, context: Context, write: Write): Promise<OpenedFolder> {
  const there = await destination(out);
  if (!options.replace && (there.state === 'file' || there.state === 'folder'))
    throw occupied(out, there.state === 'file' ? 'is a file' : 'is a folder with something in it');
  const staging = await stageFor(there);
  const { folder, blobs } = await held(staging);
  const release = (): void => {
    blobs.release();
    folder.release();
  };
  let made = '';
  const writeInto: OpenedFolder['writeInto'] = async (images, work) => {
    made = await work(folder);
    return images.map((image) => ({
      image,
      digest: image.original.manifest?.digest ?? digestOf(image.original.config?.bytes ?? new Uint8Array(0)),
      layers: [],
    }));
  };
  const sink: TargetSink = {
    keep: plainKeeper(blobStore(blobs.path, { shown: out, flat: true })),
    async write(items: readonly Storable[]): Promise<readonly WrittenImage[]> {
      const image = theImage(items, context.host);
      return writeInto([image], () => write(image, folder, options, context));
    },
    async commit() {
      folder.empty(made);
      await put(staging, made, out, options);
      release();
    },
    async discard() {
      const removed = emptied(folder);
      release();
      // What somebody keeps putting there stays in a hidden folder: removing it by its path could lead anywhere.
      if (removed) await staging.discard();
    },
  };
  return { sink, writeInto };
}

async function held(staging: Staging): Promise<{ readonly folder: HeldFolder; readonly blobs: HeldFolder }> {
  try {
    const folder = holdFolder(staging.path);
    return { folder, blobs: folder.make('blobs') };
  } catch (error) {
    await staging.discard();
    throw error;
  }
}

function emptied(folder: HeldFolder): boolean {
  try {
    folder.empty();
    return true;
  } catch {
    return false;
  }
}

async function put(staging: Staging, made: string, out: string, { replace }: TargetOptions): Promise<void> {
  if (replace) return staging.replace(made);
  if (!(await staging.place(made))) throw occupied(out, 'has appeared meanwhile');
}

const writeBundle: Write = async (image, scratch, options, context) => {
  const folder = scratch.make('bundle');
  try {
    await fillBundle(image, { folder, scratch }, options, context);
    return 'bundle';
  } finally {
    folder.release();
  }
};
