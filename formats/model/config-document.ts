/**
 * The configuration document that Docker's and OCI's images share, into the model and back.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
 *
 * What the model has no name for is kept in `other`, so that writing a document anew loses nothing.
 */
import type { Context } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { type Digest, parseDigest } from '../bytes/digest.ts';
import { decode, type JsonNode, type JsonObject, type NameMatch } from '../json/decode.ts';
import { type Json, parseJson } from '../json/parse.ts';
import type { HealthCheck, ImageConfig } from './config.ts';
import type { HistoryStep } from './image.ts';
import { readRuntimeLabel } from './runtime-label.ts';

export interface ConfigDocument {
  readonly config: ImageConfig;
  readonly history: readonly HistoryStep[];
  /** Base first; undefined where the document has no `rootfs`. */
  readonly diffIds: readonly Digest[] | undefined;
}

/** Members of the document that the specification names. */
export const CONFIG_MEMBERS = [
  'architecture',
  'os',
  'variant',
  'os.version',
  'os.features',
  'created',
  'author',
  'config',
  'rootfs',
  'history',
];
const RUN = [
  'Entrypoint',
  'Cmd',
  'Env',
  'User',
  'WorkingDir',
  'StopSignal',
  'ExposedPorts',
  'Volumes',
  'Labels',
  'Healthcheck',
  'OnBuild',
  'Shell',
];

/** With what a label of ours says beside the document's members. @throws OcixError json/…, digest/invalid, image/config */
export function parseConfigDocument(bytes: Uint8Array, match: NameMatch, context: Context): ConfigDocument {
  const document = decodeConfigDocument(parseJson(bytes, context), match);
  return { ...document, config: { ...document.config, ...readRuntimeLabel(document.config, context) } };
}

export function decodeConfigDocument(value: Json, match: NameMatch): ConfigDocument {
  const document = decode(value, match).object();
  const run = document.get('config')?.object() ?? decode({}, match).object();
  return {
    config: {
      platform: {
        os: text(document, 'os'),
        architecture: text(document, 'architecture'),
        variant: text(document, 'variant'),
        osVersion: text(document, 'os.version'),
        osFeatures: document.get('os.features')?.strings(),
      },
      ...some('created', text(document, 'created')),
      ...some('author', text(document, 'author')),
      entrypoint: command(run.get('Entrypoint')),
      cmd: command(run.get('Cmd')),
      env: run.get('Env')?.strings() ?? [],
      ...some('user', text(run, 'User')),
      ...some('workingDir', text(run, 'WorkingDir')),
      ...some('stopSignal', text(run, 'StopSignal')),
      exposedPorts: run.get('ExposedPorts')?.object().names() ?? [],
      volumes: run.get('Volumes')?.object().names() ?? [],
      labels: run.get('Labels')?.stringMap() ?? new Map(),
      ...some('healthcheck', healthcheck(run.get('Healthcheck'))),
      onBuild: run.get('OnBuild')?.strings() ?? [],
      shell: run.get('Shell')?.strings() ?? [],
      other: { ...rest(document, CONFIG_MEMBERS, match), ...nested('config', rest(run, RUN, match)) },
    },
    history: document.get('history')?.array().map(step) ?? [],
    diffIds: diffIds(document),
  };
}

function diffIds(document: JsonObject): readonly Digest[] | undefined {
  const rootfs = document.get('rootfs')?.object();
  if (!rootfs) return undefined;
  const type = rootfs.require('type');
  if (type.string() !== 'layers') {
    throw new OcixError('image/config', 'the root file system is of a kind that nobody defined', {
      at: [type.pointer],
      expected: '"layers"',
      found: JSON.stringify(type.value),
    });
  }
  return (
    rootfs
      .get('diff_ids')
      ?.array()
      .map((id) => parseDigest(id.value, id.pointer)) ?? []
  );
}

function step(node: JsonNode): HistoryStep {
  const entry = node.object();
  return {
    ...some('created', text(entry, 'created')),
    ...some('createdBy', text(entry, 'created_by')),
    ...some('author', text(entry, 'author')),
    ...some('comment', text(entry, 'comment')),
    emptyLayer: entry.get('empty_layer')?.boolean() ?? false,
  };
}

/** Docker's earliest images have a command as one string; a shell ran it. */
function command(node: JsonNode | undefined): readonly string[] {
  if (!node) return [];
  return typeof node.value === 'string' ? ['/bin/sh', '-c', node.value] : node.strings();
}

function healthcheck(node: JsonNode | undefined): HealthCheck | undefined {
  if (!node) return undefined;
  const check = node.object();
  return {
    test: check.get('Test')?.strings() ?? [],
    ...some('interval', check.get('Interval')?.count()),
    ...some('timeout', check.get('Timeout')?.count()),
    ...some('startPeriod', check.get('StartPeriod')?.count()),
    ...some('startInterval', check.get('StartInterval')?.count()),
    ...some('retries', check.get('Retries')?.count()),
  };
}

/** An empty string says as little as an absent member. */
const text = (object: JsonObject, name: string): string | undefined => object.get(name)?.string() || undefined;

function some<K extends string, V>(key: K, value: V | undefined): { readonly [k in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [k in K]: V });
}

const nested = (key: string, value: { readonly [name: string]: Json }): { readonly [name: string]: Json } =>
  Object.keys(value).length ? { [key]: value } : {};

/** Members that are not among `known`. A member called `__proto__` is nobody's and is left behind. */
function rest(object: JsonObject, known: readonly string[], match: NameMatch): { readonly [name: string]: Json } {
  const fold = (name: string): string => (match === 'exact' ? name : name.toLowerCase());
  const names = new Set([...known.map(fold), '__proto__']);
  return Object.fromEntries(Object.entries(object.value).filter(([name]) => !names.has(fold(name))));
}

/** The document for a configuration, its layers and its history; members in a fixed order, so equal input gives equal bytes. */
export function configDocument(
  config: ImageConfig,
  platform: { readonly os: string; readonly architecture: string },
  history: readonly HistoryStep[],
  ids: readonly Digest[],
): Json {
  const { config: otherRun, ...other } = config.other;
  const run: { [name: string]: Json } = {
    ...list('Entrypoint', config.entrypoint),
    ...list('Cmd', config.cmd),
    ...list('Env', config.env),
    ...some('User', config.user),
    ...some('WorkingDir', config.workingDir),
    ...some('StopSignal', config.stopSignal),
    ...keys('ExposedPorts', config.exposedPorts),
    ...keys('Volumes', config.volumes),
    ...(config.labels.size ? { Labels: Object.fromEntries(config.labels) } : {}),
    ...some('Healthcheck', config.healthcheck && healthcheckDocument(config.healthcheck)),
    ...list('OnBuild', config.onBuild),
    ...list('Shell', config.shell),
    ...(otherRun as { readonly [name: string]: Json } | undefined),
  };
  return {
    ...some('created', config.created),
    ...some('author', config.author),
    architecture: platform.architecture,
    ...some('variant', config.platform.variant),
    os: platform.os,
    ...some('os.version', config.platform.osVersion),
    ...list('os.features', config.platform.osFeatures ?? []),
    config: run,
    rootfs: { type: 'layers', diff_ids: ids },
    ...(history.length ? { history: history.map(stepDocument) } : {}),
    ...other,
  };
}

const list = (name: string, values: readonly string[]): { readonly [name: string]: Json } =>
  values.length ? { [name]: values } : {};
const keys = (name: string, values: readonly string[]): { readonly [name: string]: Json } =>
  values.length ? { [name]: Object.fromEntries(values.map((value) => [value, {}])) } : {};

const stepDocument = (one: HistoryStep): Json => ({
  ...some('created', one.created),
  ...some('created_by', one.createdBy),
  ...some('author', one.author),
  ...some('comment', one.comment),
  ...(one.emptyLayer ? { empty_layer: true } : {}),
});

const healthcheckDocument = (check: HealthCheck): Json => ({
  Test: check.test,
  ...some('Interval', check.interval),
  ...some('Timeout', check.timeout),
  ...some('StartPeriod', check.startPeriod),
  ...some('StartInterval', check.startInterval),
  ...some('Retries', check.retries),
});
