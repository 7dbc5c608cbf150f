/**
 * Pod manifests: which apps run together, and what they share. rkt kept one of each pod that it ran.
 * https://github.com/appc/spec/blob/v0.8.11/spec/pods.md
 *
 * Read as Go reads JSON, like image manifests. What a reader depends on is refused where it is wrong: the names of apps and volumes, which
 * become paths, and what refers to them. The rest is a note.
 */
import { type Context, note } from '../base/context.ts';
import { checkLimit } from '../base/limits.ts';
import { decode, type JsonNode, type JsonObject } from '../json/decode.ts';
import type { PodPort, PodVolume } from '../model/pod.ts';
import {
  type App,
  type AppIsolator,
  bad,
  checkKind,
  decodeApp,
  isolators,
  namedValues,
  parseManifestJson,
} from './manifest.ts';
import { isIdentifier, isImageId, isName } from './types.ts';

export interface PodManifest {
  readonly apps: readonly RuntimeApp[];
  readonly volumes: readonly ManifestVolume[];
  readonly isolators: readonly AppIsolator[];
  readonly annotations: ReadonlyMap<string, string>;
  readonly ports: readonly PodPort[];
  readonly userAnnotations: ReadonlyMap<string, string>;
  readonly userLabels: ReadonlyMap<string, string>;
}

export interface RuntimeApp {
  readonly name: string;
  readonly image: RuntimeImage;
  /** In the place of the one that the image has. */
  readonly app: App | undefined;
  readonly readOnlyRootFs: boolean;
  readonly mounts: readonly RuntimeMount[];
  readonly annotations: ReadonlyMap<string, string>;
}

/** Has a name or an id, or both. */
export interface RuntimeImage {
  readonly name: string | undefined;
  readonly id: string | undefined;
  readonly labels: ReadonlyMap<string, string>;
}

export interface RuntimeMount {
  readonly volume: string;
  /** Where it goes: a path, or in manifests of before 0.7 the name of a mount point. */
  readonly at: { readonly path: string } | { readonly mountPoint: string };
  /** A volume that no other app has, in the place of one of the pod. */
  readonly own: ManifestVolume | undefined;
  readonly pointer: string;
}

export interface ManifestVolume {
  readonly name: string;
  readonly volume: PodVolume['volume'];
  /** Where it is not said, the mount point decides. */
  readonly readOnly: boolean | undefined;
}

/** @throws OcixError json/…, appc/manifest, limit/members */
export function parsePodManifest(bytes: Uint8Array, context: Context): PodManifest {
  const document = decode(parseManifestJson(bytes, context), 'any-case').object();
  checkKind(document, 'PodManifest', context);
  const apps = itemsOf(document.require('apps'), 'apps', context);
  if (!apps.length) throw bad(document.require('apps'), 'a list with at least one app');
  const volumes = itemsOf(document.get('volumes'), 'volumes', context);
  const manifest: PodManifest = {
    apps: apps.map((one) => runtimeApp(one.object(), context)),
    volumes: volumes.map((one) => volume(one, context)),
    isolators: isolators(document.get('isolators')),
    annotations: namedValues(document.get('annotations'), isIdentifier, context),
    ports: itemsOf(document.get('ports'), 'ports', context).map(podPort),
    userAnnotations: document.get('userAnnotations')?.stringMap() ?? new Map(),
    userLabels: document.get('userLabels')?.stringMap() ?? new Map(),
  };
  checkUnique(apps, manifest.apps);
  checkUnique(volumes, manifest.volumes);
  checkMounts(manifest, apps);
  return manifest;
}

/** Refused where they are too many, before any of them is looked at. */
function itemsOf(list: JsonNode | undefined, what: string, context: Context): readonly JsonNode[] {
  const items = list?.array() ?? [];
  checkLimit(context.limits, 'members', items.length, `the number of ${what}`);
  return items;
}

function checkUnique(nodes: readonly JsonNode[], items: readonly { readonly name: string }[]): void {
  const taken = new Set<string>();
  for (const [i, { name }] of items.entries()) {
    if (taken.has(name)) throw bad(nodes[i]!, 'a name that no other has');
    taken.add(name);
  }
}

function checkMounts({ apps, volumes }: PodManifest, nodes: readonly JsonNode[]): void {
  const names = new Set(volumes.map(({ name }) => name));
  for (const [i, { mounts }] of apps.entries()) {
    const wrong = mounts.findIndex((mount) => !mount.own && !names.has(mount.volume));
    const node = wrong < 0 ? undefined : nodes[i]!.object().require('mounts').array()[wrong];
    if (node) throw bad(node, 'the name of one of the pod’s volumes');
  }
}

function runtimeApp(app: JsonObject, context: Context): RuntimeApp {
  const own = app.get('app');
  return {
    name: nameIn(app),
    image: runtimeImage(app.require('image'), context),
    app: own && decodeApp(own.object(), context),
    readOnlyRootFs: app.get('readOnlyRootFS')?.boolean() ?? false,
    mounts: itemsOf(app.get('mounts'), 'mounts', context).map((one) => mount(one, context)),
    annotations: namedValues(app.get('annotations'), isIdentifier, context),
  };
}

function runtimeImage(node: JsonNode, context: Context): RuntimeImage {
  const image = node.object();
  const [name, id] = [image.get('name'), image.get('id')];
  if (!name?.string() && !id?.string()) throw bad(node, 'an image with an id or a name');
  if (name?.string() && !isIdentifier(name.string())) throw bad(name, 'the name of an image');
  if (id?.string() && !isImageId(id.string())) throw bad(id, 'sha512- and hexadecimal digits');
  const labels = namedValues(image.get('labels'), isIdentifier, context);
  return { name: name?.string() || undefined, id: id?.string() || undefined, labels };
}

function mount(node: JsonNode, context: Context): RuntimeMount {
  const one = node.object();
  const own = one.get('appVolume');
  const at = one.get('path') ? { path: absolute(one.require('path')) } : { mountPoint: nameIn(one, 'mountPoint') };
  return { volume: nameIn(one, 'volume'), at, own: own && volume(own, context), pointer: node.pointer };
}

function volume(node: JsonNode, context: Context): ManifestVolume {
  const one = node.object();
  const kind = one.require('kind');
  if (kind.string() !== 'host' && kind.string() !== 'empty') throw bad(kind, '"empty" or "host"');
  const isHost = kind.string() === 'host';
  const foreign = (isHost ? ['mode', 'uid', 'gid'] : ['source', 'recursive']).filter((name) => one.get(name));
  if (foreign.length)
    note(
      context,
      'dropped',
      `${foreign.join(' and ')} mean nothing for a volume of the kind ${kind.string()}`,
      'manifest',
      node.pointer,
    );
  return {
    name: nameIn(one),
    volume: isHost ? hostVolume(one) : emptyVolume(one),
    readOnly: one.get('readOnly')?.boolean(),
  };
}

const hostVolume = (one: JsonObject): PodVolume['volume'] => ({
  kind: 'host',
  source: absolute(one.require('source')),
  recursive: one.get('recursive')?.boolean() ?? true,
  readOnly: one.get('readOnly')?.boolean() ?? false,
});

function emptyVolume(one: JsonObject): PodVolume['volume'] {
  const mode = one.get('mode');
  const octal = mode?.string() || '0755';
  if (mode && !/^0?[0-7]{3,4}$/.test(octal)) throw bad(mode, 'a mode such as "0755"');
  return { kind: 'empty', mode: Number.parseInt(octal, 8), uid: id(one.get('uid')), gid: id(one.get('gid')) };
}

function id(node: JsonNode | undefined): number {
  const number = node?.count() ?? 0;
  if (node && number > 2 ** 32 - 2) throw bad(node, 'an id from 0 to 4294967294');
  return number;
}

function podPort(node: JsonNode): PodPort {
  const one = node.object();
  return {
    name: nameIn(one),
    hostPort: port(one.require('hostPort')),
    hostIp: one.get('hostIP')?.string() || undefined,
    podPort: one.get('podPort') && one.get('podPort')!.value !== 0 ? port(one.require('podPort')) : undefined,
  };
}

function port(node: JsonNode): number {
  const number = node.count();
  if (number < 1 || number > 65535) throw bad(node, 'a port from 1 to 65535');
  return number;
}

function nameIn(object: JsonObject, member = 'name'): string {
  const name = object.require(member);
  if (!isName(name.string()) || name.string().length > MOST_NAME)
    throw bad(name, `a name of at most ${MOST_NAME} lower-case letters, digits and - between them`);
  return name.string();
}

/** What a file name may have, with something to spare for what is put behind it. */
const MOST_NAME = 200;

function absolute(node: JsonNode): string {
  const path = node.string();
  if (!path.startsWith('/') || path.includes('\0')) throw bad(node, 'an absolute path');
  return path;
}
