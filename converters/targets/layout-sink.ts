/**
 * An image layout folder as a place to write to. A new layout is made beside its destination and renamed; one that exists gets its blobs first
 * and its index last, under a lock, so that several processes can write into one layout and each reader sees a whole one.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Context } from '../../formats/base/context.ts';
import { OcixError, within } from '../../formats/base/errors.ts';
import type { Digest } from '../../formats/bytes/digest.ts';
import { outputError } from '../../formats/bytes/output-error.ts';
import { decode } from '../../formats/json/decode.ts';
import { type Json, parseJson } from '../../formats/json/parse.ts';
import { jsonBytes } from '../../formats/json/write.ts';
import { annotationsOf, decodeDescriptor } from '../../formats/model/descriptor.ts';
import type { Descriptor } from '../../formats/model/image.ts';
import { MEDIA, REF_NAME } from '../../formats/model/media-types.ts';
import { type BlobStore, blobStore } from '../../formats/store/blobs.ts';
import { withLock } from '../../formats/store/lock.ts';
import {
  type Destination,
  destination,
  occupied,
  type Staging,
  stageFor,
  stageInside,
} from '../../formats/store/staging.ts';

export interface LayoutSink {
  readonly blobs: BlobStore;
  /** Makes the images visible. Blobs that are not referenced are thrown away. */
  commit(entries: readonly Descriptor[], referenced: ReadonlySet<Digest>): Promise<void>;
  discard(): Promise<void>;
}

export const MARKER = '{"imageLayoutVersion":"1.0.0"}';

/** @throws OcixError output/exists where something else than a layout is in the way */
export async function openLayout(out: string, context: Context): Promise<LayoutSink> {
  const there = await destination(out);
  if (there.state === 'file') throw occupied(out, 'is a file');
  if (there.state !== 'folder')
    return newLayout(there, (staging, entries) => place(staging, there.path, entries, context));
  if (!isLayout(there.names)) throw occupied(out, 'is a folder with other things in it, and no image layout');
  const existing = await readIndex(there.path, context); // what cannot be read now could not be added to later
  if (!existing) throw occupied(out, 'is an image layout without an index.json');
  const staging = await stageInside(there.path);
  return layoutSink(staging, (entries) => merge(staging, there.path, entries, context));
}

/** The same in the place of whatever is there. */
export async function replaceLayout(out: string): Promise<LayoutSink> {
  const there = await destination(out);
  return newLayout(there, (staging) => staging.replace());
}

export const isLayout = (names: readonly string[]): boolean => names.includes('oci-layout');

async function newLayout(
  there: Destination,
  publish: (staging: Staging, entries: readonly Descriptor[]) => Promise<void>,
): Promise<LayoutSink> {
  const staging = await stageFor(there);
  return layoutSink(staging, async (entries) => {
    await attempt(there.path, async () => {
      await mkdir(join(staging.path, 'blobs'), { recursive: true });
      await writeFile(join(staging.path, 'oci-layout'), MARKER);
      await writeFile(join(staging.path, 'index.json'), indexBytes([], entries, {}));
    });
    await publish(staging, entries);
  });
}

function layoutSink(staging: Staging, publish: (entries: readonly Descriptor[]) => Promise<void>): LayoutSink {
  const blobs = blobStore(join(staging.path, 'blobs'));
  return {
    blobs,
    async commit(entries, referenced) {
      for (const digest of blobs.written()) if (!referenced.has(digest)) await blobs.remove(digest);
      await publish(entries);
    },
    discard: () => staging.discard(),
  };
}

/** Somebody else may have made a layout there meanwhile: then ours is added to it. */
async function place(staging: Staging, path: string, entries: readonly Descriptor[], context: Context): Promise<void> {
  if (await staging.place()) return;
  const now = await destination(path);
  if (now.state !== 'folder' || !isLayout(now.names))
    throw occupied(path, 'has appeared meanwhile, and is no image layout');
  await merge(staging, path, entries, context);
}

async function merge(staging: Staging, path: string, entries: readonly Descriptor[], context: Context): Promise<void> {
  await attempt(path, async () => {
    for (const entry of await stagedBlobs(staging)) {
      const target = join(path, 'blobs', entry);
      await mkdir(dirname(target), { recursive: true });
      await rename(join(staging.path, 'blobs', entry), target);
    }
    await withLock(join(path, '.ocix-lock'), async () => {
      const existing = await readIndex(path, context);
      const made = join(staging.path, 'merged.json');
      await writeFile(made, indexBytes(existing?.manifests ?? [], entries, existing?.members ?? {}));
      await rename(made, join(path, 'index.json'));
    });
  });
  await rm(staging.path, { recursive: true, force: true });
}

/** Paths below `blobs/`. */
async function stagedBlobs(staging: Staging): Promise<readonly string[]> {
  const found: string[] = [];
  for (const algorithm of await readdir(join(staging.path, 'blobs')).catch(() => [])) {
    for (const name of await readdir(join(staging.path, 'blobs', algorithm))) found.push(`${algorithm}/${name}`);
  }
  return found;
}

export interface ExistingIndex {
  readonly manifests: readonly Descriptor[];
  readonly members: { readonly [name: string]: Json };
}

export async function readIndex(path: string, context: Context): Promise<ExistingIndex | undefined> {
  const file = join(path, 'index.json');
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw outputError(file, cause);
  });
  if (!bytes) return undefined;
  return within(file, async () => {
    const index = decode(parseJson(bytes, context)).object();
    const { manifests: _, ...members } = index.value;
    return { manifests: (index.get('manifests')?.array() ?? []).map(decodeDescriptor), members };
  });
}

/** The index. New entries follow the old ones; a name moves to its new image, and an image that is there already stays as it is. */
export function indexBytes(
  old: readonly Descriptor[],
  added: readonly Descriptor[],
  members: { readonly [name: string]: Json },
): Uint8Array {
  const names = new Set(added.map(nameOf).filter((name) => name !== undefined));
  const kept = old.filter((entry) => !names.has(nameOf(entry) ?? ''));
  const news = added.filter(
    (entry) => nameOf(entry) !== undefined || !kept.some(({ digest }) => digest === entry.digest),
  );
  return jsonBytes({
    schemaVersion: 2,
    mediaType: MEDIA.index,
    ...members,
    manifests: [...kept, ...news].map(({ json }) => json),
  });
}

const nameOf = (entry: Descriptor): string | undefined => annotationsOf(entry)[REF_NAME];

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof OcixError ? cause : outputError(path, cause);
  }
}
