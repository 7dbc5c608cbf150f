/**
 * Image manifests: the document that says what an App Container Image is.
 * https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-manifest-schema
 *
 * Read as Go reads JSON, since every manifest was written for that: names of members without regard to case, the last of two,
 * unknown ones passed over. What breaks a rule that a reader depends on is refused; the rest is a note.
 */
import { type Context, note } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { printable } from '../bytes/text.ts';
import { decode, type JsonNode, type JsonObject } from '../json/decode.ts';
import { type Json, parseJson } from '../json/parse.ts';
import { isEnvironmentName, isIdentifier, isImageId, isName, isVersion } from './types.ts';

export interface ImageManifest {
  readonly name: string;
  /** `version`, `os`, `arch` and others, in order. */
  readonly labels: ReadonlyMap<string, string>;
  readonly app: App | undefined;
  readonly dependencies: readonly Dependency[];
  /** Absolute paths as written; undefined where every path counts. */
  readonly pathWhitelist: readonly string[] | undefined;
  readonly annotations: ReadonlyMap<string, string>;
}

export interface Dependency {
  readonly imageName: string;
  readonly imageId: string | undefined;
  readonly labels: ReadonlyMap<string, string>;
  /** Bytes. */
  readonly size: number | undefined;
}

export interface App {
  readonly exec: readonly string[];
  readonly user: string;
  readonly group: string;
  readonly supplementaryGids: readonly number[];
  readonly eventHandlers: readonly { readonly name: string; readonly exec: readonly string[] }[];
  readonly workingDirectory: string;
  readonly environment: readonly { readonly name: string; readonly value: string }[];
  readonly mountPoints: readonly AppMountPoint[];
  readonly ports: readonly AppPort[];
  readonly isolators: readonly AppIsolator[];
  readonly userAnnotations: ReadonlyMap<string, string>;
  readonly userLabels: ReadonlyMap<string, string>;
}

export interface AppMountPoint {
  readonly name: string;
  readonly path: string;
  readonly readOnly: boolean;
}

export interface AppPort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
  readonly count: number;
  readonly socketActivated: boolean;
}

export interface AppIsolator {
  readonly name: string;
  readonly value: Json;
  readonly pointer: string;
}

/** @throws OcixError json/…, appc/manifest */
export function parseImageManifest(bytes: Uint8Array, context: Context): ImageManifest {
  return decodeImageManifest(parseManifestJson(bytes, context), context);
}

/** Duplicate names are the one thing that Go reads and `parseJson` otherwise refuses. */
export const parseManifestJson = (bytes: Uint8Array, context: Context): Json =>
  parseJson(bytes, context, (name) =>
    note(
      context,
      'repaired',
      `the manifest has ${printable(name.slice(0, 80))} twice; the last one counts`,
      'manifest',
    ),
  );

function decodeImageManifest(value: Json, context: Context): ImageManifest {
  const document = decode(value, 'any-case').object();
  checkKind(document, 'ImageManifest', context);
  const name = document.require('name');
  check(isIdentifier(name.string()), name, 'a name of lower-case letters, digits and -._~/ between them');
  const labels = namedValues(document.get('labels'), isIdentifier, context);
  if (labels.has('name')) throw bad(document.get('labels')!, 'a list without a label called name');
  const app = document.get('app');
  return {
    name: name.string(),
    labels,
    app: app && decodeApp(app.object(), context),
    dependencies:
      document
        .get('dependencies')
        ?.array()
        .map((one) => dependency(one.object(), context)) ?? [],
    pathWhitelist: nonEmpty(document.get('pathWhitelist')?.strings()),
    annotations: namedValues(document.get('annotations'), isIdentifier, context),
  };
}

/** Images of early tools lack one or the other; what they are is plain all the same. */
export function checkKind(document: JsonObject, wanted: string, context: Context): void {
  const kind = document.get('acKind');
  if (kind && kind.string() !== wanted) throw bad(kind, JSON.stringify(wanted));
  const version = document.get('acVersion');
  if (version) check(isVersion(version.string()), version, 'a version such as 0.8.11');
  const missing = [kind ? [] : ['acKind'], version ? [] : ['acVersion']].flat();
  if (missing.length) note(context, 'repaired', `the manifest has no ${missing.join(' and no ')}`, 'manifest');
}

function dependency(object: JsonObject, context: Context): Dependency {
  const name = object.require('imageName');
  check(isIdentifier(name.string()), name, 'the name of an image');
  const id = object.get('imageID');
  if (id && id.string() !== '') check(isImageId(id.string()), id, 'sha512- and the digits of an image’s id');
  return {
    imageName: name.string(),
    imageId: id?.string() || undefined,
    labels: namedValues(object.get('labels'), isIdentifier, context),
    size: object.get('size')?.count() || undefined,
  };
}

/** @throws OcixError json/type, appc/manifest */
export function decodeApp(app: JsonObject, context: Context): App {
  const folder = app.get('workingDirectory');
  const workingDirectory = folder?.string() ?? '';
  if (folder && workingDirectory !== '') check(workingDirectory.startsWith('/'), folder, 'an absolute path');
  return {
    exec: app.get('exec')?.strings() ?? [],
    user: required(app, 'user'),
    group: required(app, 'group'),
    supplementaryGids: app.get('supplementaryGIDs')?.array().map(groupId) ?? [],
    eventHandlers: app.get('eventHandlers')?.array().map(eventHandler) ?? [],
    workingDirectory,
    environment: environment(app.get('environment'), context),
    mountPoints: app.get('mountPoints')?.array().map(mountPoint) ?? [],
    ports: app.get('ports')?.array().map(port) ?? [],
    isolators: isolators(app.get('isolators')),
    userAnnotations: app.get('userAnnotations')?.stringMap() ?? new Map(),
    userLabels: app.get('userLabels')?.stringMap() ?? new Map(),
  };
}

function required(object: JsonObject, name: string): string {
  const node = object.require(name);
  check(node.string() !== '', node, 'a name, a number or a path');
  return node.string();
}

function groupId(node: JsonNode): number {
  const id = node.count();
  check(id <= 2 ** 32 - 2, node, 'an id from 0 to 4294967294');
  return id;
}

function eventHandler(node: JsonNode): App['eventHandlers'][number] {
  const handler = node.object();
  const name = handler.require('name');
  check(['pre-start', 'post-stop'].includes(name.string()), name, '"pre-start" or "post-stop"');
  return { name: name.string(), exec: handler.get('exec')?.strings() ?? [] };
}

function environment(node: JsonNode | undefined, context: Context): App['environment'] {
  const variables = new Map<string, string>();
  for (const one of node?.array() ?? []) {
    const name = one.object().require('name');
    check(isEnvironmentName(name.string()), name, 'the name of a variable');
    const value = one.object().get('value')?.string() ?? '';
    if (variables.has(name.string()))
      note(context, 'repaired', `${name.string()} is set twice; the last value counts`, 'manifest', one.pointer);
    variables.set(name.string(), value);
  }
  return [...variables].map(([name, value]) => ({ name, value }));
}

export function mountPoint(node: JsonNode): AppMountPoint {
  const point = node.object();
  const name = point.require('name');
  check(isName(name.string()), name, 'a name of lower-case letters, digits and - between them');
  return {
    name: name.string(),
    path: point.require('path').string(),
    readOnly: point.get('readOnly')?.boolean() ?? false,
  };
}

function port(node: JsonNode): AppPort {
  const one = node.object();
  const name = one.require('name');
  check(isName(name.string()), name, 'a name of lower-case letters, digits and - between them');
  const first = one.require('port');
  const number = first.count();
  check(number >= 1 && number <= 65535, first, 'a port from 1 to 65535');
  const counted = one.get('count');
  const count = counted?.count() || 1;
  if (counted) check(number + count <= 65536, counted, 'a number of ports that ends by 65535');
  return {
    name: name.string(),
    protocol: one.require('protocol').string(),
    port: number,
    count,
    socketActivated: one.get('socketActivated')?.boolean() ?? false,
  };
}

export const isolators = (node: JsonNode | undefined): readonly AppIsolator[] =>
  node?.array().map((one) => ({
    name: one.object().require('name').string(),
    value: one.object().get('value')?.value ?? null,
    pointer: one.pointer,
  })) ?? [];

/** `[{name, value}]`, as labels and annotations are. Of two with one name the last counts. */
export function namedValues(
  node: JsonNode | undefined,
  isNameOf: (text: string) => boolean,
  context: Context,
): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const one of node?.array() ?? []) {
    const name = one.object().require('name');
    check(isNameOf(name.string()), name, 'a name of lower-case letters, digits and -._~/ between them');
    if (values.has(name.string()))
      note(context, 'repaired', `${name.string()} is there twice; the last value counts`, 'manifest', one.pointer);
    values.set(name.string(), one.object().get('value')?.string() ?? '');
  }
  return values;
}

const nonEmpty = <T>(list: readonly T[] | undefined): readonly T[] | undefined => (list?.length ? list : undefined);

function check(good: boolean, node: JsonNode, expected: string): void {
  if (!good) throw bad(node, expected);
}

export const bad = (node: JsonNode, expected: string): OcixError =>
  new OcixError(
    'appc/manifest',
    `${node.pointer || 'the document'} of the manifest is not as the specification has it`,
    {
      at: ['manifest', node.pointer],
      expected,
      found: printable(JSON.stringify(node.value)?.slice(0, 80) ?? 'nothing'),
      hint: 'Correct the manifest and build the image anew.',
    },
  );
