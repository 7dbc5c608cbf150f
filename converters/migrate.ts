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
import { type ByteSource, fileSource, nameBelow, pathKind, sourceError } from '../formats/bytes/source.ts';
import { printable, utf8Bytes } from '../formats/bytes/text.ts';
import { contentOffers, offersFor } from '../formats/detect.ts';
import { READERS } from '../formats/index.ts';
import { annotationsOf } from '../formats/model/descriptor.ts';
import { REF_NAME } from '../formats/model/media-types.ts';
import { HEAD_SIZE } from '../formats/model/reader.ts';
import { nameApart } from '../formats/model/reference.ts';
import { isStaged } from '../formats/store/staging.ts';
import { type ConvertOptions, checkOut, convert } from './convert.ts';
import { decrypted } from './decrypted.ts';
import type { OnlyFor } from './only-for.ts';
import type { Report } from './report.ts';
import { sharedLayers } from './shared-layers.ts';
import { parseSource } from './source-text.ts';
import { readIndex } from './targets/layout-sink.ts';

export interface MigrateOptions
  extends Omit<ConvertOptions, 'ref' | 'to' | 'output' | 'force' | 'rename' | 'origin' | 'ready' | 'shared'> {
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
  /** Files of the estate that are no images, by their names in it. */
  readonly others: readonly string[];
}

/** One image to convert. */
interface Unit {
  readonly source: string;
  /** The same for the same content at the same place. */
  readonly origin: string;
  /** Digits that tell it from another image of its name. */
  readonly apart: string;
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
  checkOut(out);
  checkForEstates(options.onlyFor ?? {});
  const { units, others, dependencies } = await unitsOf(estate, out, options, context);
  const there = await namesIn(out, context);
  const origins = new Set(there.values());
  const names = nameGiver(units, there);
  const layers = sharedLayers(out, context);
  const images: MigratedImage[] = new Array(units.length);
  let next = 0;
  let left = units.length;
  let stopped = false;
  const worker = async (): Promise<void> => {
    try {
      for (let i = next++; i < units.length && !stopped; i = next++) {
        checkAbort(context);
        const unit = units[i]!;
        try {
          images[i] = origins.has(unit.origin) ? { source: unit.source, state: 'there already' } : await one(unit, i);
        } finally {
          names.pass(i);
        }
        options.onImage?.(images[i]!, --left);
      }
    } catch (error) {
      stopped = true;
      throw error;
    }
  };
  // Nobody goes on writing when the caller has been told that it is over.
  const ends = await Promise.allSettled(Array.from({ length: Math.max(1, options.parallel ?? 2) }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return { estate, out, images, others };

  async function one(unit: Unit, i: number): Promise<MigratedImage> {
    // Who waits for a name must not be waited for: a layer of its own it makes alone.
    const shared = unit.names.length ? layers.forImage() : undefined;
    try {
      const report = await convert(unit.source, out, {
        ...options,
        from: undefined,
        onlyFor: undefined, // another image of the estate may be what they are for
        to: 'oci',
        notes: noteList(),
        dependencies: [...dependencies, ...(options.dependencies ?? [])],
        shared,
        origin: { [ORIGIN]: unit.origin },
        rename: (own) => names.give(i, own),
      });
      shared?.committed();
      return { source: unit.source, state: 'converted', report };
    } catch (error) {
      shared?.failed();
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

/** What no image of an estate can follow: it is there, as a file or in a store. @throws OcixError usage/option */
function checkForEstates({ repositories = [], discovered = [] }: OnlyFor): void {
  const [stray] = [...repositories, ...discovered];
  if (stray !== undefined)
    throw new OcixError('usage/option', `${stray} means nothing to an estate: nothing of it is fetched`, {
      hint: 'Leave it out.',
    });
}

async function unitsOf(estate: string, out: string, { from, passphrase }: MigrateOptions, context: Context) {
  const { transport, path } = await parseSource(estate, from);
  const kind = await pathKind(path);
  if (kind === 'absent') throw sourceError(path, { code: 'ENOENT' });
  if (kind !== 'folder')
    throw new OcixError('usage/argument', `${printable(path)} is no folder`, {
      hint: 'An estate is a folder of images, or a store such as rkt:/var/lib/rkt. One image is converted with ocix convert.',
    });
  const archive = await folderArchive(path, context);
  for (const reader of READERS) {
    if (!reader.estate || (transport !== undefined && transport !== reader.name) || !(await reader.bid(archive)))
      continue;
    const images = await reader.estate(archive, context);
    const units = images.map(({ id, names }) => ({
      source: `${reader.name}:${path}:@${id}`,
      origin: id,
      apart: id.slice(id.indexOf('-') + 1),
      names,
    }));
    return { units, others: [], dependencies: [] };
  }
  // What an earlier run has written into the estate is no part of it.
  const own = await nameBelow(path, out);
  return { ...(await filesBelow(path.replace(/\/+$/, '') || '/', own, passphrase, context)), dependencies: [path] };
}

interface Estate {
  readonly units: readonly Unit[];
  readonly others: readonly string[];
}

async function filesBelow(
  folder: string,
  own: string | undefined,
  passphrase: Uint8Array | undefined,
  context: Context,
): Promise<Estate> {
  const isOurs = (name: string): boolean => isStaged(name) || (own !== undefined && `${name}/`.startsWith(`${own}/`));
  const archive = await folderArchive(folder, context);
  const units: Unit[] = [];
  const others: string[] = [];
  for (const top of [...archive.names()].sort()) {
    if (isOurs(top)) continue;
    const all = await archive.list(top);
    const below = all.filter((name) => !isOurs(name));
    const layouts = below
      .filter((name) => name.endsWith('/oci-layout'))
      .map((name) => name.slice(0, -'oci-layout'.length));
    for (const layout of layouts) units.push(unitFrom(`oci:${folder}/${layout}`, layout));
    for (const name of all.length ? below : [top]) {
      checkAbort(context);
      if (layouts.some((layout) => name.startsWith(layout))) continue;
      const unit = await unitOf(`${folder}/${name}`, name, passphrase, context);
      if (unit) units.push(unit);
      else others.push(name);
    }
  }
  return { units, others };
}

const unitFrom = (source: string, origin: string, names: readonly string[] = []): Unit => ({
  source,
  origin,
  apart: hexOf(digestOf(utf8Bytes(origin))),
  names,
});

/**
 * A file that some reader takes, or would take if it were sound: the conversion says what is wrong with it. A text, a signature beside an image, a tar
 * of something else are no images.
 */
async function unitOf(
  path: string,
  name: string,
  passphrase: Uint8Array | undefined,
  context: Context,
): Promise<Unit | undefined> {
  let source: ByteSource | undefined;
  try {
    if ((await pathKind(path)) !== 'file') return undefined;
    source = await fileSource(path);
    if (source.kind !== 'random') return undefined;
    const origin = `${name} ${source.size} ${Math.trunc(source.modified ?? 0)}`;
    try {
      const plain = await decrypted(source, passphrase, context);
      const unwrapped = await unwrap(plain, HEAD_SIZE, context);
      const [offer] = contentOffers(unwrapped.head);
      if (!offer) {
        const archive = await unwrapped.archive(passingKeeper);
        return (await offersFor(archive)).length ? unitFrom(path, origin) : undefined;
      }
      const content = { name: path, size: source.size, ...unwrapped };
      const names = await offer.reader.names?.(content, context).catch(() => undefined);
      return unitFrom(path, origin, names);
    } catch (error) {
      if (!(error instanceof OcixError) || error.status === STATUS.interrupted) throw error;
      return error.status === STATUS.refused ? unitFrom(path, origin) : undefined;
    }
  } catch (error) {
    if (!(error instanceof OcixError) || error.status === STATUS.interrupted) throw error;
    return unitFrom(path, name); // it is there and cannot be read
  } finally {
    await source?.close();
  }
}

/** The names that a layout has, each with the origin of its image, as far as that is known. */
async function namesIn(out: string, context: Context): Promise<ReadonlyMap<string, string>> {
  if ((await pathKind(out)) !== 'folder') return new Map();
  const index = await readIndex(out, context);
  return new Map(
    index?.manifests.map((entry, i) => {
      const { [ORIGIN]: origin = `image ${i}`, [REF_NAME]: name = `image ${i}` } = annotationsOf(entry);
      return [name, origin];
    }),
  );
}

interface NameGiver {
  /** Where names were not known before, waits for those before it, so that who gets one does not depend on who is quicker. */
  give(unit: number, own: readonly (readonly string[])[]): Promise<readonly (readonly string[])[]>;
  /** It has its names, or needs none. */
  pass(unit: number): void;
}

/**
 * No two images under one name, and none that loses it: what is in the layout keeps its names, then the last image of the estate has them as far
 * as they are known before it is read, then the first; the others are told apart.
 */
function nameGiver(units: readonly Unit[], there: ReadonlyMap<string, string>): NameGiver {
  const owners = new Map([
    ...units.flatMap((unit) => unit.names.map((name) => [name, unit.origin] as const)),
    ...there,
  ]);
  const pass: (() => void)[] = [];
  /** When all before have passed. */
  const turns = [Promise.resolve()];
  for (const [i, unit] of units.entries()) {
    const passed = new Promise<void>((resolve) => pass.push(resolve));
    if (unit.names.length) pass[i]!();
    turns.push(turns[i]!.then(() => passed));
  }
  return {
    async give(unit, own) {
      const { origin, apart, names: known } = units[unit]!;
      if (!known.length) await turns[unit];
      const names = own.map((some) => some.map((name) => nameFor(name, origin, apart)));
      pass[unit]!();
      return names;
    },
    pass: (unit) => pass[unit]!(),
  };

  function nameFor(name: string, origin: string, apart: string): string {
    const owner = owners.get(name) ?? origin;
    owners.set(name, owner);
    return owner === origin ? name : nameApart(name, apart);
  }
}
