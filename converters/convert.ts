/** The pipeline: a source is opened, its images are chosen, a target writes them, and only then anything becomes visible. */
import type { Keeper } from '../formats/archive/archive.ts';
import { type Context, type ContextOptions, checkAbort, createContext, note } from '../formats/base/context.ts';
import { OcixError } from '../formats/base/errors.ts';
import { didYouMean } from '../formats/base/nearest.ts';
import { nameBelow } from '../formats/bytes/source.ts';
import { printable } from '../formats/bytes/text.ts';
import type { Platform } from '../formats/model/config.ts';
import { type Image, type Item, imagesOf, type Storable } from '../formats/model/image.ts';
import { imagesOfPod, type Pod, withImages } from '../formats/model/pod.ts';
import { isReference } from '../formats/model/reference.ts';
import { type OpenedSource, openSource, type Source, type SourceOptions } from './open.ts';
import { createdAt } from './passes/created.ts';
import { withoutPods } from './passes/pods.ts';
import { parsePlatform, selectItems, selectPlatform } from './passes/select.ts';
import { type Report, refuseNotes, reportOf } from './report.ts';
import type { RuntimeOptions } from './runtime/config.ts';
import { isSourceTransport, parseSource, type SourceText } from './source-text.ts';
import { rootfsFolder } from './targets/bundle.ts';
import { noteLosses } from './targets/carries.ts';
import { parseCompression } from './targets/compression.ts';
import type { ExtractionOptions } from './targets/extraction.ts';
import { flattened } from './targets/flattened.ts';
import { TARGETS, targetNamed } from './targets/index.ts';
import { type OwnOptions, ownOptions, type Target, type TargetOptions } from './targets/target.ts';

export interface ConvertOptions extends ContextOptions, SourceOptions, OwnOptions {
  /** The target of a bare OUT: `oci` unless said. */
  readonly to?: string | undefined;
  /** The reference to write. */
  readonly ref?: string | undefined;
  /** `OS/ARCH[/VARIANT]`: chooses among several, and fills in what a source leaves open. */
  readonly platform?: string | undefined;
  /** `gzip`, `zstd`, `none` or `keep`, for an ACI also `xz`, with a level behind a colon. */
  readonly compress?: string | undefined;
  /** The same blobs byte for byte on every machine. */
  readonly reproducible?: boolean | undefined;
  /** Refuses to write when anything would be lost, guessed or repaired. */
  readonly strict?: boolean | undefined;
  /** RFC 3339: when images were created whose source does not say so. */
  readonly created?: string | undefined;
  /** Replaces whatever is at OUT. */
  readonly force?: boolean | undefined;
  /** Writes images with one layer each. */
  readonly flatten?: boolean | undefined;
  /** Names other than the source has, a list an image, from those that it has; called once, before anything is written. */
  readonly rename?: ((names: readonly (readonly string[])[]) => Promise<readonly (readonly string[])[]>) | undefined;
  /** Annotations of the images' entries in a layout's index: where they came from. */
  readonly origin?: Readonly<Record<string, string>> | undefined;
  /** Where OUT `-` goes, for targets that are one file: whole, when all is done. It stays open. */
  readonly output?: TargetOptions['stream'];
  /** How a target that unpacks is to do it. */
  readonly extraction?: ExtractionOptions | undefined;
  /** What a bundle's `config.json` is to say. */
  readonly runtime?: RuntimeOptions | undefined;
  /** Called when all is written, and before anything of it is visible: where it throws, `out` stays as it was. */
  readonly ready?: ((report: Report) => Promise<void>) | undefined;
}

/**
 * Reads images from `source` and writes them to `out` (a path, or `TRANSPORT:PATH`). Either all is written, or `out` stays as
 * it was.
 *
 * @throws OcixError with a code of the table in `formats/base/errors.ts`; its `status` is the command's exit status
 */
export async function convert(source: Source, out: string, options: ConvertOptions = {}): Promise<Report> {
  const { target, path } = targetOf(out, options.to);
  return pipeline(source, target, path, options);
}

/** The root filesystem of the one image of `source`, as the folder `dir`. @throws OcixError as `convert` does */
export async function unpack(source: Source, dir: string, options: ConvertOptions = {}): Promise<Report> {
  return pipeline(source, rootfsFolder, dir, options);
}

async function pipeline(source: Source, target: Target, path: string, options: ConvertOptions): Promise<Report> {
  checkOut(path);
  if (options.ref !== undefined) checkRef(options.ref);
  const context = createContext(options);
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
  const { xz, ...layers } = parseCompression(options.compress ?? 'keep');
  const compression = { ...layers, reproducible: options.reproducible ?? false };
  const stream = path === '-' ? streamFor(target, options.output) : undefined;
  const { extraction, runtime, origin, force: replace = false } = options;
  const own = ownOptions(target, { ...options, xz });
  if (replace) await checkSourceKept(source, path, options.from);
  const sink = await target.open(path, { ...own, compression, replace, stream, origin, extraction, runtime }, context);
  try {
    const opened = await openSource(source, options, sink.keep, context);
    try {
      const wanted = createdAt(chosen(opened, platform, target, context), options.created);
      const pod = sink.writePod && onlyPod(wanted);
      const items = pod ? imagesOfPod(pod) : renamed(withoutPods(wanted, context), options.ref);
      const made = await remade(items, options, sink.keep, context);
      announce(opened, made, context);
      const written = pod
        ? await sink.writePod!(podNamed(withImages(pod, imagesOf(made)), options.ref))
        : await sink.write(made);
      for (const { image } of written) noteLosses(image, target, context);
      const report = reportOf(opened, { format: target.name, out: path }, written, namesIn(made), context);
      if (options.strict) refuseNotes(report);
      await opened.confirm?.();
      await options.ready?.(report);
      checkAbort(context); // what is small may be done before anything looked
      await sink.commit();
      return report;
    } finally {
      await opened.close();
    }
  } catch (error) {
    await sink.discard();
    throw error;
  }
}

/** An empty path is the current folder to the system, and a variable that was never set to whoever wrote it. @throws OcixError usage/argument */
export function checkOut(path: string): void {
  if (path === '')
    throw new OcixError('usage/argument', 'the output has no name', { hint: 'Say where to write; . is this folder.' });
}

/** @throws OcixError usage/option */
function checkRef(ref: string): void {
  if (isReference(ref)) return;
  throw new OcixError('usage/option', `--ref ${JSON.stringify(printable(ref))} cannot name an image`, {
    hint: 'For example --ref example.com/team/app:1.0.',
  });
}

/** What replaces OUT must not take the source away with it. @throws OcixError usage/argument */
async function checkSourceKept(source: Source, out: string, from: string | undefined): Promise<void> {
  if (typeof source === 'object' && 'stream' in source) return;
  const paths = typeof source === 'string' ? pathsOf(await parseSource(source, from)) : source.files;
  for (const path of paths)
    if ((await nameBelow(out, path)) !== undefined)
      throw new OcixError(
        'usage/argument',
        `${printable(path)} lies in ${printable(out)}, which --force would remove`,
        {
          hint: 'Write to another place.',
        },
      );
}

const pathsOf = ({ files, path }: SourceText): readonly string[] => files ?? [path];

function targetOf(out: string, to: string | undefined) {
  const match = /^([a-z][a-z0-9-]*):(.*)$/s.exec(out);
  const own = match && targetNamed(match[1]!);
  if (match && !own) checkNoTransport(match[1]!, match[2]!, out);
  const target = own ?? targetNamed(to ?? 'oci');
  if (target) return { target, path: own ? match[2]! : out };
  throw new OcixError('usage/option', `--to ${to} is not a target that this version of ocix writes`, {
    hint: `${didYouMean(
      to!,
      TARGETS.map(({ name }) => name),
    )}The targets are ${TARGETS.map(({ name }) => name).join(', ')}.`,
  });
}

/** Not written yet, and no names of files for all that: who says one of them means the target. */
const PLANNED = ['static'];

/** A path may begin like a transport; one that begins with what is a transport elsewhere is probably meant so. @throws OcixError usage/argument */
function checkNoTransport(name: string, rest: string, out: string): void {
  if (rest.startsWith('//'))
    throw new OcixError(
      'usage/argument',
      `${printable(out)} is in a registry, and this version of ocix writes files only`,
      {
        hint: 'Write a layout, and push it from there: skopeo copy oci:DIR docker://HOST/NAME:TAG.',
      },
    );
  const what = PLANNED.includes(name)
    ? 'is a target that this version of ocix does not write'
    : 'is a source, and no target';
  if (PLANNED.includes(name) || isSourceTransport(name))
    throw new OcixError('usage/argument', `${name}: ${what}`, {
      hint: `The targets are ${TARGETS.map((one) => one.name).join(', ')}; a path with a colon in it is written as ./${printable(out)}.`,
    });
}

function streamFor(target: Target, output: TargetOptions['stream']): TargetOptions['stream'] {
  if (target.single && output) return output;
  throw new OcixError('usage/argument', `${target.name} cannot be written to ${output ? 'a stream' : '-'}`, {
    hint: target.single
      ? 'Give a path, or a stream to write to as the option output.'
      : `Give a path. What can be sent is ${TARGETS.flatMap(({ name, single }) => (single ? [name] : [])).join(', ')}.`,
  });
}

function chosen(
  opened: OpenedSource,
  platform: Platform | undefined,
  target: Target,
  context: Context,
): readonly Item[] {
  const items = selectPlatform(selectItems(opened.items, opened.selector), platform);
  if (!items.length) throw new OcixError('image/select', 'the source has no image', { hint: 'Save the image again.' });
  const guesses = !target.anyPlatform && target.carries.platform !== '-';
  if (guesses) for (const image of imagesOf(items)) noteGuesses(image, context);
  return items;
}

const onlyPod = ([first, ...more]: readonly Item[]): Pod | undefined =>
  first?.kind === 'pod' && !more.length ? first : undefined;

/** What becomes of every item, whatever the target. */
async function remade(
  items: readonly Storable[],
  { flatten, rename }: ConvertOptions,
  keep: Keeper,
  context: Context,
): Promise<readonly Storable[]> {
  const flat = flatten ? await flattened(items, keep, context) : items;
  const names = await rename?.(flat.map((item) => item.names));
  return names ? flat.map((item, i) => ({ ...item, names: names[i]! })) : flat;
}

const podNamed = (pod: Pod, ref: string | undefined): Pod => (ref === undefined ? pod : { ...pod, names: [ref] });

function renamed(items: readonly Storable[], ref: string | undefined): readonly Storable[] {
  if (ref === undefined) return items;
  const [item, ...more] = items;
  if (more.length) {
    throw new OcixError('image/select', `--ref ${ref} can name one image, and the source has ${items.length}`, {
      hint: 'Choose one by its name or place, for example docker-archive:PATH:@0.',
    });
  }
  return [{ ...item!, names: [ref] }];
}

function noteGuesses({ config, names }: Image, context: Context): void {
  const { os, architecture } = config.platform;
  if (os && architecture) return;
  const guess = `${os ?? context.host.os}/${architecture ?? context.host.architecture}`;
  note(
    context,
    'guessed',
    `the source does not say for which platform it is; ${guess} is written (--platform says otherwise)`,
    names[0] ?? 'image',
  );
}

function announce(opened: OpenedSource, items: readonly Item[], context: Context): void {
  const images = imagesOf(items);
  context.progress({
    type: 'source',
    format: opened.title,
    images: images.length,
    layers: images.reduce((sum, { layers }) => sum + layers.length, 0),
    ...(opened.size === undefined ? {} : { size: opened.size }),
  });
}

/** The names of an image of an index are those of the index. */
function namesIn(items: readonly Storable[]): (written: { readonly image: Image }) => readonly string[] {
  const names = new Map<Image, readonly string[]>();
  const visit = (item: Storable, outer: readonly string[]): void => {
    if (item.kind === 'image') names.set(item, item.names.length ? item.names : outer);
    if (item.kind === 'index') for (const child of item.children) visit(child, item.names.length ? item.names : outer);
  };
  for (const item of items) visit(item, []);
  return ({ image }) => names.get(image) ?? image.names;
}
