/**
 * What the model can say of an image, field by field, and how much of it each target has a place for. The pipeline goes by it: what an image
 * states and a target does not carry becomes a note, whichever target it is, and `docs/losses.md` is made of it.
 */
import { type Context, note } from '../../formats/base/context.ts';
import { printable } from '../../formats/bytes/text.ts';
import type { Json } from '../../formats/json/parse.ts';
import type { ImageConfig } from '../../formats/model/config.ts';
import { annotationsOf } from '../../formats/model/descriptor.ts';
import type { Image } from '../../formats/model/image.ts';
import { REF_NAME } from '../../formats/model/media-types.ts';
import { manifestAnnotations } from './oci-documents.ts';

/** What an image says of itself, up to its labels. */
export const STATED_FIELDS = [
  'platform',
  'created',
  'author',
  'entrypoint',
  'cmd',
  'env',
  'runtimeEnv',
  'user',
  'supplementaryGroups',
  'workingDir',
  'stopSignal',
  'exposedPorts',
  'volumes',
  'mountPoints',
  'isolation',
  'labels',
] as const satisfies readonly (keyof ImageConfig)[];

/** What Docker's images say besides. */
export const DOCKER_FIELDS = [
  'healthcheck',
  'onBuild',
  'shell',
  'other',
] as const satisfies readonly (keyof ImageConfig)[];

/** In the order of the documentation. */
export const FIELDS = [
  'names',
  ...STATED_FIELDS,
  ...DOCKER_FIELDS,
  'history',
  'annotations',
  'layers',
] as const satisfies readonly (keyof ImageConfig | keyof Image)[];

export type Field = (typeof FIELDS)[number];

/**
 * `yes`: as it is. `no`: it is lost, and the pipeline says so. `-`: nothing that the target is about, and nobody misses it there. Anything else
 * is a sentence: where it is, or which part of it; the target itself says what it leaves out.
 */
export type Carried = 'yes' | 'no' | '-' | { readonly as: string };

export type Carries = Readonly<Record<Field, Carried>>;

/** What the documents of Docker's and OCI's images have a place for; what they have not is in labels of ours. */
export const IMAGE_FIELDS: Carries = {
  names: 'yes',
  platform: 'yes',
  created: 'yes',
  author: 'yes',
  entrypoint: 'yes',
  cmd: 'yes',
  env: 'yes',
  runtimeEnv: { as: 'label `io.ocix.runtime`' },
  user: 'yes',
  supplementaryGroups: { as: 'label `io.ocix.runtime`' },
  workingDir: 'yes',
  stopSignal: 'yes',
  exposedPorts: 'yes',
  volumes: 'yes',
  mountPoints: { as: 'paths; the rest in label `io.ocix.runtime`' },
  isolation: { as: 'label `io.ocix.runtime`' },
  labels: 'yes',
  healthcheck: 'yes',
  onBuild: 'yes',
  shell: 'yes',
  other: 'yes',
  history: { as: 'where it fits the layers' },
  annotations: 'yes',
  layers: 'yes',
};

/** A tree alone. What says how it was made and for what is not missed in it; how it is to be run is. */
export const TREE_FIELDS: Carries = {
  ...(Object.fromEntries(FIELDS.map((field) => [field, 'no'])) as Record<Field, 'no'>),
  names: '-',
  platform: '-',
  history: '-',
  layers: { as: 'as one tree' },
};

/** Notes what an image states and its target does not carry. `what` is the target in words: `a docker archive`. */
export function noteLosses(
  image: Image,
  { what, carries }: { readonly what: string; readonly carries: Carries },
  context: Context,
): void {
  const lost = FIELDS.filter((field) => carries[field] === 'no').flatMap((field) => statement(field, image));
  if (lost.length)
    note(context, 'dropped', `${what} has no place for ${lost.join(', ')}`, printable(image.names[0] ?? 'image'));
}

/** The field's name where the image says something by it, with what it says where that is more than one thing. */
function statement(field: Field, image: Image): readonly string[] {
  if (field === 'annotations') return listed(field, annotationKeys(image));
  if (field === 'other') return listed(field, otherMembers(image.config.other));
  const value = field in image ? image[field as keyof Image] : image.config[field as keyof ImageConfig];
  return isStated(value) ? [field] : [];
}

const listed = (field: Field, names: readonly string[]): readonly string[] =>
  names.length ? [`${field} (${names.map((name) => printable(name.slice(0, 80))).join(', ')})`] : [];

/** What other formats' documents say in other words. */
const ELSEWHERE: ReadonlySet<string> = new Set([REF_NAME, 'io.containerd.image.name']);

/** Those that the image's labels do not repeat. */
function annotationKeys({
  annotations = new Map(),
  config,
  original: { manifest, descriptor },
}: Image): readonly string[] {
  const all = new Map([
    ...annotations,
    ...Object.entries((manifest && manifestAnnotations(manifest)) ?? {}),
    ...Object.entries(annotationsOf(descriptor)),
  ]);
  return [...all]
    .flatMap(([key, value]) => (ELSEWHERE.has(key) || config.labels.get(key) === value ? [] : [key]))
    .sort();
}

/** What builders and engines leave in a configuration about themselves and their machines, and nobody reads. */
const BOOKKEEPING =
  /^(?:id|parent|container|container_config|docker_version|Size|Image|Hostname|Domainname|Attach(?:Stdin|Stdout|Stderr)|Tty|OpenStdin|StdinOnce|PublishService|PortSpecs|moby\.buildkit\..*)$/;

/** Members inside `config` count like those beside it. */
function otherMembers(other: { readonly [name: string]: Json }): readonly string[] {
  const { config, ...top } = other;
  const inner = typeof config === 'object' && config !== null && !Array.isArray(config) ? config : {};
  return Object.entries({ ...top, ...(inner as { readonly [name: string]: Json }) }).flatMap(([name, value]) =>
    !BOOKKEEPING.test(name) && value !== false && value !== 0 && isStated(value) ? [name] : [],
  );
}

function isStated(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}
