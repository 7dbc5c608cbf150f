/** Configurations compared: two images in the model's terms; where one side is a bundle, both as `config.json`. */
import type { Context } from '../formats/base/context.ts';
import type { Json } from '../formats/json/parse.ts';
import type { ImageConfig, Platform } from '../formats/model/config.ts';
import type { Image } from '../formats/model/image.ts';
import type { IdMapping } from '../formats/rootfs/owners.ts';
import type { Comparison, ConfigDifference } from './diff.ts';
import type { Side, SideConfiguration } from './diff-side.ts';
import { type RuntimeOptions, runtimeConfig } from './runtime/config.ts';
import { viewOfLayers } from './runtime-config.ts';
import { DOCKER_FIELDS, STATED_FIELDS } from './targets/carries.ts';
import { manifestAnnotations } from './targets/oci-documents.ts';

/** `annotations` are those of the manifest, or what stands in their place. */
export const IMAGE_FIELDS = [...STATED_FIELDS, 'annotations', ...DOCKER_FIELDS] as const;

/** What stands at the top of `config.json`. https://github.com/opencontainers/runtime-spec/blob/v1.2.1/config.md */
const RUNTIME_PARTS: readonly string[] = [
  'ociVersion',
  'root',
  'mounts',
  'process',
  'hostname',
  'domainname',
  'hooks',
  'annotations',
  'linux',
];

/** The parts whose members are compared one by one. */
const DIVIDED = ['root', 'process', 'linux'];

/** Whether a difference can have this place: what is deeper is compared with what it is part of. */
export function isRuntimePlace(place: string): boolean {
  const [part = '', member, ...deeper] = place.split('.');
  return RUNTIME_PARTS.includes(part) && (member === undefined || (DIVIDED.includes(part) && !deeper.length));
}

/**
 * What a conversion says of itself, and not the image: compared only where all is asked for. What an image said, and ocix keeps
 * under a name of its own, is not among it; nor are the fields of `io.ocix.runtime`, which are compared one by one.
 */
const isOfConversion = (name: string): boolean =>
  /^io\.ocix\./.test(name) && !/^io\.ocix\.(?:healthcheck$|appc\.label\.)/.test(name);

export interface ConfigChoice {
  readonly ignored: ReadonlySet<string>;
  readonly all: boolean;
}

interface Compared {
  readonly configuration: Comparison['configuration'];
  readonly differences: readonly ConfigDifference[];
}

export async function configDifferences(a: Side, b: Side, choice: ConfigChoice, context: Context): Promise<Compared> {
  const [one, other] = [a.configuration, b.configuration];
  if (one.kind === 'none' || other.kind === 'none') return { configuration: 'none', differences: [] };
  if (one.kind === 'image' && other.kind === 'image')
    return {
      configuration: 'image',
      differences: between(
        imageFields(one.image, other.image, choice),
        imageFields(other.image, one.image, choice),
        choice,
      ),
    };
  const [before, after] = [await documentOf(one, other, context), await documentOf(other, one, context)];
  return {
    configuration: 'runtime',
    differences: between(runtimeFields(before, after, choice), runtimeFields(after, before, choice), choice),
  };
}

type Fields = ReadonlyMap<string, Json | undefined>;

function between(a: Fields, b: Fields, { ignored }: ConfigChoice): readonly ConfigDifference[] {
  const names = [...new Set([...a.keys(), ...b.keys()])];
  return names
    .filter((field) => !ignored.has(field) && !ignored.has(field.split('.')[0]!))
    .flatMap((field): readonly ConfigDifference[] => {
      const [one, other] = [a.get(field), b.get(field)];
      if (JSON.stringify(one) === JSON.stringify(other)) return [];
      const kind = one === undefined ? 'added' : other === undefined ? 'removed' : 'changed';
      const values = { ...(one === undefined ? {} : { a: one }), ...(other === undefined ? {} : { b: other }) };
      return [{ part: 'config', kind, field, ...values }];
    });
}

function imageFields(image: Image, other: Image, choice: ConfigChoice): Fields {
  const { config } = image;
  const { manifest } = image.original;
  const annotations = manifest ? manifestAnnotations(manifest) : Object.fromEntries(image.annotations ?? []);
  const special: Partial<Record<(typeof IMAGE_FIELDS)[number], unknown>> = {
    platform: choice.all ? config.platform : sharedPlatform(config.platform, other.config.platform),
    // Sets, whatever order a document lists them in.
    exposedPorts: config.exposedPorts.toSorted(),
    volumes: config.volumes.toSorted(),
  };
  const value = (field: (typeof IMAGE_FIELDS)[number]): unknown =>
    field in special ? special[field] : config[field as keyof ImageConfig];
  const fields = new Map(IMAGE_FIELDS.map((field) => [field as string, comparable(value(field))]));
  fields.set('labels', comparableTexts(own(Object.fromEntries(config.labels), choice)));
  fields.set('annotations', comparableTexts(own(annotations, choice)));
  // That there are none is a statement of its own.
  if (config.isolation?.capabilities?.length === 0)
    fields.set('isolation', { ...(fields.get('isolation') as object | undefined), capabilities: [] });
  return fields.set('supplementaryGroups', config.supplementaryGroups && [...config.supplementaryGroups]);
}

/** An image of OCI's form has to have a system and an architecture; where the other does not say, it was filled in, and nothing changed. */
const sharedPlatform = (own: Platform, other: Platform): Platform => ({
  ...own,
  os: other.os === undefined ? undefined : own.os,
  architecture: other.architecture === undefined ? undefined : own.architecture,
});

const PLATFORM = ['org.opencontainers.image.os', 'org.opencontainers.image.architecture'];

/** The same for the annotations that a bundle has of them. */
function sharedAnnotations(own: Json, other: Json | undefined, { all }: ConfigChoice): unknown {
  if (all || own === null || typeof own !== 'object') return own;
  const said = other !== null && typeof other === 'object' ? other : {};
  return Object.fromEntries(Object.entries(own).filter(([name]) => !PLATFORM.includes(name) || name in said));
}

function own(labels: unknown, { all }: ConfigChoice): unknown {
  if (all || labels === null || typeof labels !== 'object') return labels;
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !isOfConversion(name)));
}

/** As JSON with sorted members; what says nothing (an empty list, an absent member) is undefined. */
function comparable(value: unknown): Json | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (Array.isArray(value)) return value.length ? value.map((one) => comparable(one) ?? one) : undefined;
  if (typeof value !== 'object') return value as Json;
  const members = Object.entries(value).flatMap(([name, member]) => {
    const one = comparable(member);
    return one === undefined ? [] : [[name, one] as const];
  });
  return members.length ? Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1))) : undefined;
}

/** Texts by name, of which an empty one says something: a label is there, or it is not. */
function comparableTexts(value: unknown): Json | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return comparable(value);
  const members = Object.entries(value) as [string, Json][];
  return members.length ? Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1))) : undefined;
}

type RuntimeDocument = { readonly [name: string]: Json };
type Stated = Exclude<SideConfiguration, { readonly kind: 'none' }>;

/** An image as the `config.json` that it gives, made the way the other side was made: whether with a terminal is nobody's image's to say. */
async function documentOf(side: Stated, other: Stated, context: Context): Promise<RuntimeDocument> {
  if (side.kind === 'runtime') return side.document;
  const options = other.kind === 'runtime' ? madeWith(other.document) : { terminal: false, readOnly: false };
  const root = await viewOfLayers(side.image, context);
  return runtimeConfig(side.image.config, root, options, context) as RuntimeDocument;
}

function madeWith(document: RuntimeDocument): RuntimeOptions {
  const [process, root, linux] = [part(document, 'process'), part(document, 'root'), part(document, 'linux')];
  const mapping = (name: string): readonly IdMapping[] =>
    (
      (linux[name] ?? []) as readonly { readonly containerID: number; readonly hostID: number; readonly size: number }[]
    ).map(({ containerID, hostID, size }) => ({ container: containerID, host: hostID, size }));
  const namespace = { uids: mapping('uidMappings'), gids: mapping('gidMappings') };
  return {
    terminal: process['terminal'] === true,
    readOnly: root['readonly'] === true,
    ...(namespace.uids.length ? { userNamespace: namespace } : {}),
  };
}

function part(document: RuntimeDocument, name: string): RuntimeDocument {
  const value = document[name];
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as RuntimeDocument) : {};
}

/** Without capabilities a process keeps those of the runtime, and with none it has none. */
function memberOf(place: string, value: Json): Json | undefined {
  if (place === 'process.capabilities' && value !== null) return comparable(value) ?? {};
  return place === 'linux.sysctl' ? comparableTexts(value) : comparable(value);
}

/** Where the root filesystem lies is not compared: it is what else is compared. The version only says what the rest needs. */
function runtimeFields(document: RuntimeDocument, other: RuntimeDocument, choice: ConfigChoice): Fields {
  const fields = new Map<string, Json | undefined>();
  for (const [name, value] of Object.entries(document)) {
    if (DIVIDED.includes(name))
      for (const [member, one] of Object.entries(part(document, name)))
        fields.set(`${name}.${member}`, memberOf(`${name}.${member}`, one));
    else if (name === 'annotations')
      fields.set(name, comparableTexts(own(sharedAnnotations(value, other['annotations'], choice), choice)));
    else if (name !== 'ociVersion' || choice.all) fields.set(name, comparable(value));
  }
  fields.delete('root.path');
  return fields;
}
