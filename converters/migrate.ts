/**
 * Whole estates: every image of a folder, or of a store, into one layout. What is there already is passed over, so that a run that was stopped
 * goes on; what several images share is converted once; one image that cannot be read is told in the report and stops nothing.
 */
import { folderArchive } from '../formats/archive/folder.ts';
import { unwrap } from '../formats/archive/open.ts';
import { passingKeeper } from '../formats/archive/passing-keeper.ts';
import type { Context } from '../formats/base/context.ts';
import { checkAbort, createContext } from '../formats/base/context.ts';
import { OcixError, STATUS } from '../formats/base/errors.ts';
import { noteList } from '../formats/base/notes.ts';
import { digestOf, hexOf } from '../formats/bytes/digest.ts';
import { fileSource, pathKind } from '../formats/bytes/source.ts';
import { printable, utf8Bytes } from '../formats/bytes/text.ts';
import { contentOffers, offersFor } from '../formats/detect.ts';
import { READERS } from '../formats/index.ts';
import { annotationsOf } from '../formats/model/descriptor.ts';
import { HEAD_SIZE } from '../formats/model/reader.ts';
import { type ConvertOptions, convert } from './convert.ts';
import type { Report } from './report.ts';
import { sharedLayers } from './shared-layers.ts';
import { parseSource } from './source-text.ts';
import { readIndex } from './targets/layout-sink.ts';

export interface MigrateOptions
  extends Omit<ConvertOptions, 'ref' | 'to' | 'output' | 'force' | 'rename' | 'origin' | 'shared'> {
  /** Images converted at a time; 2 unless said. */
  readonly parallel?: number | undefined;
  /** Told of each image when it is done. */
  readonly onImage?: ((image: MigratedImage, left: number) => void) | undefined;
}

export interface MigratedImage {
  /** What was read. */
  readonly source: string;
  readonly state: 'converted' | 'there already' | 'failed';
  /** Absent where it was there already, or failed. */
  readonly report?: Report;
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly at: readonly string[];
    readonly hint?: string;
  };
}

export interface MigrationReport {
  readonly estate: string;
  readonly out: string;
  /** In the order of the estate. */
  readonly images: readonly MigratedImage[];
  /** Files of the estate that are no images. */
  readonly others: number;
}

/** One image to convert. */
interface Unit {
  readonly source: string;
  /** The same for the same content at the same place. */
  readonly origin: string;
  /** Known without reading it, where that is cheap. */
  readonly names: readonly string[];
}

const ORIGIN = 'io.ocix.origin';

/**
 * @param estate a folder of images, or a store with its transport in front
 * @throws OcixError what makes the whole impossible: no such folder, nothing to write to, an interruption
 */
export async function migrate(estate: string, out: string, options: MigrateOptions = {}): Promise<MigrationReport> {
  const context = createContext(options);
  const { units, others, dependencies } = await unitsOf(estate, options.from, context);
  const there = await originsIn(out, context);
  const names = nameGiver(units);
  const layers = sharedLayers(out, context);
  const images: MigratedImage[] = new Array(units.length);
  let next = 0;
  let left = units.length;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < units.length; i = next++) {
      checkAbort(context);
      const unit = units[i]!;
      images[i] = there.has(unit.origin) ? { source: unit.source, state: 'there already' } : await one(unit);
      options.onImage?.(images[i]!, --left);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, options.parallel ?? 2) }, worker));
  return { estate, out, images, others };

  async function one(unit: Unit): Promise<MigratedImage> {
    const shared = layers.forImage();
    try {
      const report = await convert(unit.source, out, {
        ...options,
        from: undefined,
        to: 'oci',
        notes: noteList(),
        dependencies: [...dependencies, ...(options.dependencies ?? [])],
        shared,
        origin: { [ORIGIN]: unit.origin },
        rename: (own) => names(unit, own),
      });
      shared.committed();
      return { source: unit.source, state: 'converted', report };
    } catch (error) {
      shared.failed();
      return { source: unit.source, state: 'failed', error: failure(error) };
    }
  }
}

/** What stops the run instead of failing one image of it: an interruption, and an output that takes nothing. */
function failure(error: unknown): NonNullable<MigratedImage['error']> {
  if (!(error instanceof OcixError))
    return {
      code: 'fault',
      message: `a fault in ocix itself: ${error instanceof Error ? error.message : String(error)}`,
      at: [],
    };
  if (error.status === STATUS.interrupted || error.status === STATUS.output) throw error;
  const { code, message, at, hint } = error;
  return { code, message, at, ...(hint === undefined ? {} : { hint }) };
}

async function unitsOf(estate: string, from: string | undefined, context: Context) {
  const { transport, path } = await parseSource(estate, from);
  if ((await pathKind(path)) !== 'folder')
    throw new OcixError('usage/argument', `${printable(path)} is no folder`, {
      hint: 'An estate is a folder of images, or a store such as rkt:/var/lib/rkt. One image is converted with ocix convert.',
    });
  const archive = await folderArchive(path, context);
  for (const reader of READERS) {
    if (!reader.estate || (transport !== undefined && transport !== reader.name) || !(await reader.bid(archive)))
      continue;
    const images = await reader.estate(archive, context);
    const units = images.map(({ id, names }) => ({ source: `${reader.name}:${path}:@${id}`, origin: id, names }));
    return { units, others: 0, dependencies: [] };
  }
  return { ...(await filesBelow(path, context)), dependencies: [path] };
}

async function filesBelow(
  folder: string,
  context: Context,
): Promise<{ readonly units: readonly Unit[]; readonly others: number }> {
  const archive = await folderArchive(folder, context);
  const units: Unit[] = [];
  let others = 0;
  for (const top of [...archive.names()].sort()) {
    const below = await archive.list(top);
    for (const name of below.length ? below : [top]) {
      checkAbort(context);
      const unit = await unitOf(`${folder.replace(/\/+$/, '')}/${name}`, name, context);
      if (unit) units.push(unit);
      else others++;
    }
  }
  return { units, others };
}

/** A file that some reader takes. What is damaged beyond recognition is no image; a signature beside one is none either. */
async function unitOf(path: string, name: string, context: Context): Promise<Unit | undefined> {
  if ((await pathKind(path)) !== 'file') return undefined;
  const source = await fileSource(path);
  if (source.kind !== 'random') {
    await source.close();
    return undefined;
  }
  const origin = `${name} ${source.size} ${Math.trunc(source.modified ?? 0)}`;
  try {
    const unwrapped = await unwrap(source, HEAD_SIZE, context);
    const [offer] = contentOffers(unwrapped.head);
    if (offer) {
      const content = { name: path, size: source.size, ...unwrapped };
      const names = await offer.reader.names?.(content, context).catch(() => undefined);
      return { source: path, origin, names: names ?? [] };
    }
    const archive = await unwrapped.archive(passingKeeper);
    return (await offersFor(archive)).length ? { source: path, origin, names: [] } : undefined;
  } catch (error) {
    if (error instanceof OcixError && error.status !== STATUS.interrupted) return undefined;
    throw error;
  } finally {
    await source.close();
  }
}

/** Origins of the images that a layout has. */
async function originsIn(out: string, context: Context): Promise<ReadonlySet<string>> {
  if ((await pathKind(out)) !== 'folder') return new Set();
  const index = await readIndex(out, context);
  return new Set(index?.manifests.flatMap((entry) => annotationsOf(entry)[ORIGIN] ?? []));
}

/** No two images under one name: the last one of the estate keeps it, the others are told apart by where they come from. */
function nameGiver(units: readonly Unit[]): (unit: Unit, own: readonly string[]) => readonly string[] {
  const owners = new Map(units.flatMap((unit) => unit.names.map((name) => [name, unit.origin] as const)));
  return (unit, own) =>
    own.map((name) => {
      const owner = owners.get(name);
      if (owner === undefined) owners.set(name, unit.origin);
      if (owner === undefined || owner === unit.origin) return name;
      const apart = hexOf(digestOf(utf8Bytes(unit.origin))).slice(0, 12);
      return `${name}${/:[^/]*$/.test(name) ? '-' : ':'}${apart}`;
    });
}
