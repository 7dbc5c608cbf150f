/**
 * Which images an image is made of, in the order in which they are laid over each other.
 * https://github.com/appc/spec/blob/v0.8.11/spec/ace.md#filesystem-setup
 */
import { type Context, checkAbort, note } from '../base/context.ts';
import { OcixError, within } from '../base/errors.ts';
import { checkLimit } from '../base/limits.ts';
import type { ImageDependency } from '../model/image.ts';
import { type ImageFile, imageIdOf } from './image-file.ts';
import type { Dependency } from './manifest.ts';

/** Where dependencies are looked for. */
export interface ImageCatalog {
  /** For a person: `./images (12 images)`. */
  readonly places: readonly string[];
  named(name: string): readonly ImageFile[];
  all(): readonly ImageFile[];
  /** Asked for what is in none of the places. Absent where nothing is fetched. */
  readonly fetch?: (dependency: Dependency, neededBy: ImageFile) => Promise<ImageFile>;
}

/** An image at its place in the graph. */
export interface Rendered {
  readonly file: ImageFile;
  /** From the top of the graph down to this image; the images whose lists count for it. */
  readonly branch: readonly ImageFile[];
}

export interface RenderOrder {
  /** Base first, depth first, each dependency in its place: an image that is needed twice comes twice. */
  readonly order: readonly Rendered[];
  readonly dependencies: readonly ImageDependency[];
}

export interface RenderWatch {
  /** Where it is given, what is not found is told there and left out. */
  readonly onMissing?: ((error: OcixError) => void) | undefined;
  /** Asked about each image that is found, before it is used. */
  readonly onFound?: ((file: ImageFile) => Promise<void>) | undefined;
}

/** @throws OcixError appc/dependency, size/mismatch */
export async function renderOrder(
  top: ImageFile,
  catalog: () => Promise<ImageCatalog>,
  { onMissing, onFound }: RenderWatch,
  context: Context,
): Promise<RenderOrder> {
  const order: Rendered[] = [];
  const known = new Map<string, Promise<ImageFile>>();
  return { dependencies: await visit(top, []), order };

  async function visit(file: ImageFile, above: readonly ImageFile[]): Promise<readonly ImageDependency[]> {
    checkAbort(context);
    if (above.some((one) => one.place === file.place)) throw cycle([...above, file]);
    const branch = [...above, file];
    const found: ImageDependency[] = [];
    for (const dependency of file.manifest.dependencies) {
      const one = await find(dependency, branch);
      if (one) await onFound?.(one);
      const name = describe(dependency);
      found.push(one ? { name, place: one.place, dependencies: await visit(one, branch) } : { name, dependencies: [] });
    }
    order.push({ file, branch });
    checkLimit(context.limits, 'layers', order.length, 'the number of images to lay over each other');
    return found;
  }

  async function find(dependency: Dependency, branch: readonly ImageFile[]): Promise<ImageFile | undefined> {
    const key = JSON.stringify([dependency.imageName, dependency.imageId, [...dependency.labels], dependency.size]);
    try {
      if (!known.has(key)) known.set(key, findImage(dependency, branch, await catalog(), context));
      return await known.get(key)!;
    } catch (error) {
      if (!onMissing || !(error instanceof OcixError) || error.code !== 'appc/dependency') throw error;
      onMissing(error);
      return undefined;
    }
  }
}

/** @throws OcixError appc/dependency */
export async function findImage(
  dependency: Dependency,
  branch: readonly ImageFile[],
  catalog: ImageCatalog,
  context: Context,
): Promise<ImageFile> {
  const named = catalog.named(dependency.imageName);
  const fitting = named.filter(({ manifest }) =>
    [...dependency.labels].every(([name, value]) => !manifest.labels.has(name) || manifest.labels.get(name) === value),
  );
  const candidates = dependency.imageId === undefined ? fitting : await withId(named, dependency.imageId, context);
  const [first, ...more] = candidates;
  if (!first && !catalog.fetch) throw missing(dependency, branch, named, catalog);
  const file = !first
    ? await fetched(dependency, branch, catalog.fetch!, context)
    : more.length
      ? await theOne(candidates, dependency, branch, context)
      : first;
  await checkSize(dependency, file, branch, context);
  return file;
}

async function fetched(
  dependency: Dependency,
  branch: readonly ImageFile[],
  fetch: NonNullable<ImageCatalog['fetch']>,
  context: Context,
): Promise<ImageFile> {
  const at = [...trail(branch), 'dependencies', describe(dependency)];
  return within(at, async () => {
    const file = await fetch(dependency, branch.at(-1)!);
    const { imageId } = dependency;
    if (imageId === undefined || (await withId([file], imageId, context)).length) return file;
    throw new OcixError('digest/mismatch', 'what was fetched is not the image that is depended on', {
      expected: imageId,
      found: await imageIdOf(file, context),
      hint: 'Give the image that was meant, with --dep.',
    });
  });
}

/** All of them where the id is the beginning of one; a whole id is looked for only until it is found. */
export async function withId(
  files: readonly ImageFile[],
  wanted: string,
  context: Context,
): Promise<readonly ImageFile[]> {
  const found: ImageFile[] = [];
  for (const file of files) {
    if (file.key !== undefined && !wanted.startsWith(file.key.slice(0, wanted.length))) continue;
    const id = await imageIdOf(file, context);
    if (id === wanted) return [file];
    if (id.startsWith(wanted)) found.push(file);
  }
  return found;
}

/** As much of an id as a store tells. */
const KEY_LENGTH = 'sha512-'.length + 64;

/** Several files may be one image. A store tells which one came last, as its own engine would choose; files do not. */
async function theOne(
  files: readonly ImageFile[],
  dependency: Dependency,
  branch: readonly ImageFile[],
  context: Context,
): Promise<ImageFile> {
  const ids = new Set<string>();
  for (const file of files) ids.add((file.key ?? (await imageIdOf(file, context))).slice(0, KEY_LENGTH));
  if (ids.size === 1) return files[0]!;
  const several = `${describe(dependency)} could be any of ${files.length} images`;
  const last = lastImported(files);
  if (last) {
    note(context, 'guessed', `${several}; the one that was fetched last is taken`, ...trail(branch));
    return last;
  }
  const places = files.map(({ place }) => place);
  throw new OcixError('appc/dependency', `${several}: ${places.join(', ')}`, {
    at: trail(branch),
    hint: 'Leave one of them where dependencies are looked for, or state its version in the manifest.',
  });
}

function lastImported(files: readonly ImageFile[]): ImageFile | undefined {
  const times = files.map(({ imported }) => imported ?? Number.NaN);
  const latest = Math.max(...times); // not a number where one of them is none
  return times.filter((time) => time === latest).length === 1 ? files[times.indexOf(latest)] : undefined;
}

async function checkSize(
  { size, imageName }: Dependency,
  file: ImageFile,
  branch: readonly ImageFile[],
  context: Context,
): Promise<void> {
  if (size === undefined || size === file.size) return;
  let plain = 0; // the specification does not say whether the size is that before or after compression
  for await (const chunk of file.open()) {
    checkAbort(context);
    plain += chunk.length;
  }
  if (plain === size) return;
  throw new OcixError('size/mismatch', `${imageName} is not as long as the image that needs it says`, {
    at: trail(branch),
    expected: `${size} bytes`,
    found: file.size === undefined ? `${plain} bytes` : `${file.size} bytes, ${plain} uncompressed`,
    hint: `Give the image that was meant instead of ${file.place}.`,
  });
}

function missing(
  dependency: Dependency,
  branch: readonly ImageFile[],
  named: readonly ImageFile[],
  catalog: ImageCatalog,
): OcixError {
  const looked = catalog.places.length
    ? `Looked in ${catalog.places.join(', ')}. Add a place with --dep.`
    : 'Say where it is with --dep.';
  const others = named.length ? ` (there is ${named.slice(0, 5).map(labelled).join(', ')})` : '';
  return new OcixError('appc/dependency', `${describe(dependency)} was not found${others}`, {
    at: [...trail(branch), 'dependencies', describe(dependency)],
    hint: looked,
  });
}

const cycle = (files: readonly ImageFile[]): OcixError =>
  new OcixError('appc/dependency', 'the image depends on itself', {
    at: files.map(({ manifest }) => manifest.name),
    hint: 'No image can be built from these; correct one of the manifests.',
  });

const trail = (branch: readonly ImageFile[]): readonly string[] =>
  branch.flatMap(({ manifest }, i) => (i ? ['dependencies', manifest.name] : [manifest.name]));

const describe = ({ imageName, imageId, labels }: Dependency): string => {
  const words = [
    ...[...labels].map(([name, value]) => `${name}=${value}`),
    ...(imageId === undefined ? [] : [imageId.slice(0, 'sha512-'.length + 12)]),
  ];
  return words.length ? `${imageName} (${words.join(', ')})` : imageName;
};

/** `name:version`, for a person. */
export const labelled = ({ manifest }: ImageFile): string =>
  `${manifest.name}${manifest.labels.has('version') ? `:${manifest.labels.get('version')}` : ''}`;
