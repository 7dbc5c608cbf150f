/**
 * What an image manifest says, in the words of the model.
 *
 * Everything that the configuration of an OCI image has no name for is kept in labels under `io.ocix.appc.`, the manifest itself among
 * them: labels are what survives every hop, into a registry and into a runtime bundle.
 * https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-manifest-schema
 */
import { type Context, note } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { printable, strictUtf8, withoutEnds } from '../bytes/text.ts';
import { decode } from '../json/decode.ts';
import { parseJson } from '../json/parse.ts';
import type { ImageConfig } from '../model/config.ts';
import type { MountPoint } from '../model/isolation.ts';
import { isReference } from '../model/reference.ts';
import { withRuntimeLabel } from '../model/runtime-label.ts';
import { HANDLER, isolationOf } from './isolators.ts';
import type { App, ImageManifest } from './manifest.ts';
import { dockerNameOf, nameOfReference } from './naming.ts';
import { platformOf } from './platform.ts';
import { nameFrom } from './types.ts';
import { resolveIds, type UserSource } from './users.ts';

/** Labels of our own begin with this. */
export const PREFIX = 'io.ocix.appc.';
/** A manifest that is larger is not repeated in a label: engines pass labels around whole. */
const MOST_MANIFEST = 256 * 1024;

/** Annotations of docker2aci. */
export const DOCKER = 'appc.io/docker/';
export const ENTRYPOINT: string = `${DOCKER}entrypoint`;
export const CMD: string = `${DOCKER}cmd`;

export interface Described {
  readonly manifest: ImageManifest;
  readonly manifestBytes: Uint8Array;
  readonly imageId: string;
  /** What the app is called; the last part of the image's name where nobody says. */
  readonly appName?: string;
}

/** @throws OcixError appc/manifest */
export function configOf(image: Described, root: UserSource, context: Context): ImageConfig {
  const { manifest } = image;
  const { app, annotations } = manifest;
  const labels = labelsOf(image, context);
  const platform = platformOf(manifest.labels, context);
  const config: ImageConfig = {
    platform,
    ...defined('created', createdOf(annotations, context)),
    ...defined('author', annotations.get('authors')),
    ...command(app, annotations, context),
    env: app?.environment.map(({ name, value }) => `${name}=${value}`) ?? [],
    ...(app
      ? running(
          app,
          { annotations, appName: image.appName ?? appNameOf(manifest), root, architecture: platform.architecture },
          context,
        )
      : { exposedPorts: [], volumes: [] }),
    labels,
    onBuild: [],
    shell: [],
    other: {},
  };
  return withRuntimeLabel(config);
}

/** The last part of the image's name. */
const appNameOf = ({ name }: ImageManifest): string => nameFrom(name.slice(name.lastIndexOf('/') + 1));

interface Around {
  readonly annotations: ImageManifest['annotations'];
  readonly appName: string;
  readonly root: UserSource;
  readonly architecture: string | undefined;
}

function running(app: App, { appName, annotations, root, architecture }: Around, context: Context) {
  const mountPoints = mountPointsOf(app, context);
  const isolation = isolationOf(app.isolators, { architecture, context });
  const handlers = app.eventHandlers.map((handler) => ({
    name: `${handler.name}${HANDLER}`,
    value: handler.exec,
  }));
  const unsupported = [...(isolation?.unsupported ?? []), ...handlers];
  const whole = unsupported.length ? { ...isolation, unsupported } : isolation;
  return {
    user: userOf(app, { converted: wasDockers(annotations), root }, context),
    supplementaryGroups: app.supplementaryGids,
    workingDir: app.workingDirectory || '/',
    exposedPorts: portsOf(app, context),
    volumes: mountPoints.map(({ path }) => path),
    ...(mountPoints.length ? { mountPoints } : {}),
    ...defined('isolation', whole),
    runtimeEnv: [`AC_APP_NAME=${appName}`, 'container=oci'],
  };
}

const wasDockers = (annotations: ReadonlyMap<string, string>): boolean =>
  [...annotations.keys()].some((name) => name.startsWith('appc.io/docker/'));

/**
 * Always with a group: a bare user would bring the groups that /etc/group has him in. docker2aci wrote the user's name for a group that Docker's
 * image does not state; where there is no such group, rkt took the user's number.
 * https://github.com/rkt/rkt/blob/v1.30.0/stage1/init/common/pod.go
 */
function userOf(
  { user, group }: App,
  { converted, root }: { readonly converted: boolean; readonly root: UserSource },
  context: Context,
): string {
  const { uid, gid } = resolveIds(user, group, root);
  const shown = (text: string): string => printable(text.slice(0, 80));
  const guess = (message: string): void => note(context, 'guessed', message, 'manifest', '/app');
  if (uid !== undefined && gid === undefined && converted && user === group) {
    guess(`the group ${shown(group)} is not in the image; docker2aci named it after the user, whose number it gets`);
    return `${uid}:${uid}`;
  }
  if (uid === undefined || gid === undefined) {
    const what = uid === undefined ? `user ${shown(user)}` : `group ${shown(group)}`;
    guess(`the ${what} is not in the image; whether it will be when the image runs cannot be known`);
  }
  return `${uid ?? user}:${gid ?? group}`;
}

const mountPointsOf = (app: App, context: Context): readonly MountPoint[] =>
  app.mountPoints.map(({ name, path, readOnly }) => {
    if (path.startsWith('/')) return { name, path, readOnly };
    note(
      context,
      'repaired',
      `the path of the mount point ${name} is relative, and taken from the root`,
      'manifest',
      '/app/mountPoints',
    );
    return { name, path: `/${path}`, readOnly };
  });

/** Every port of two protocols: what a few bytes of ranges may become. */
const MOST_PORTS = 2 * 65535;

/** One by one: a range is valid nowhere but in Docker's command line. */
const PROTOCOLS: ReadonlySet<string> = new Set(['tcp', 'udp', 'sctp']);

function portsOf({ ports }: App, context: Context): readonly string[] {
  const all = ports.reduce((sum, { count }) => sum + count, 0);
  if (all > MOST_PORTS) {
    throw new OcixError('appc/manifest', 'the ranges of ports have more ports in them than there are', {
      at: ['manifest', '/app/ports'],
      expected: `at most ${MOST_PORTS}`,
      found: `${all}`,
      hint: 'Correct the manifest and build the image anew.',
    });
  }
  const known = ports.filter(({ protocol }) => PROTOCOLS.has(protocol.toLowerCase()));
  for (const { name, protocol } of ports) {
    if (PROTOCOLS.has(protocol.toLowerCase())) continue;
    const shown = JSON.stringify(printable(protocol.slice(0, 40)));
    note(
      context,
      'dropped',
      `the port ${name} has the protocol ${shown}, which an image cannot say`,
      'manifest',
      '/app/ports',
    );
  }
  const exposed = known.flatMap(({ protocol, port, count }) =>
    Array.from({ length: count }, (_, i) => `${port + i}/${protocol.toLowerCase()}`),
  );
  return [...new Set(exposed)];
}

/** An image that was Docker's once keeps apart what `exec` has in one. */
function command(
  app: App | undefined,
  annotations: ReadonlyMap<string, string>,
  context: Context,
): Pick<ImageConfig, 'entrypoint' | 'cmd'> {
  const exec = app?.exec ?? [];
  const entrypoint = wordsIn(annotations.get(ENTRYPOINT), context);
  const cmd = wordsIn(annotations.get(CMD), context);
  const both = [...(entrypoint ?? []), ...(cmd ?? [])];
  const same = both.length > 0 && both.length === exec.length && both.every((word, i) => word === exec[i]);
  return same ? { entrypoint: entrypoint ?? [], cmd: cmd ?? [] } : { entrypoint: exec, cmd: [] };
}

function wordsIn(text: string | undefined, context: Context): readonly string[] | undefined {
  if (text === undefined) return undefined;
  try {
    return decode(parseJson(new TextEncoder().encode(text), context)).strings();
  } catch {
    return undefined; // an annotation is for people; one that says nothing useful is kept as a label
  }
}

const TIMESTAMP =
  /^(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** RFC 3339 as Go reads it: tools refuse a whole configuration for a time that is none. https://www.rfc-editor.org/rfc/rfc3339#section-5.6 */
export function isTimestamp(text: string): boolean {
  const [, day] = TIMESTAMP.exec(text) ?? [];
  // A day such as the 30th of February is moved to the next month, not refused.
  const midnight = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(`${day}T`);
}

function createdOf(annotations: ReadonlyMap<string, string>, context: Context): string | undefined {
  const created = annotations.get('created');
  if (created === undefined || isTimestamp(created)) return created;
  note(
    context,
    'dropped',
    `${JSON.stringify(printable(created.slice(0, 60)))} is no time at which an image can have been created`,
    'manifest',
    'created',
  );
  return undefined;
}

/** What has a name of its own in the model, and is no label beside it. */
const MAPPED_LABELS = new Set(['os', 'arch']);
const MAPPED_ANNOTATIONS = new Set(['created', 'authors', 'homepage', 'documentation', ENTRYPOINT, CMD]);

function labelsOf({ manifest, manifestBytes, imageId }: Described, context: Context): ReadonlyMap<string, string> {
  const labels = new Map<string, string>();
  const add = (name: string, value: string): void => {
    const old = labels.get(name);
    if (old !== undefined && old !== value)
      note(
        context,
        'dropped',
        `${printable(name.slice(0, 80))} stands for two things; ${JSON.stringify(printable(old.slice(0, 80)))} is lost`,
        'manifest',
      );
    labels.set(name, value);
  };
  for (const [name, value] of manifest.app?.userAnnotations ?? []) add(name, value);
  for (const [name, value] of manifest.annotations) if (!MAPPED_ANNOTATIONS.has(name)) add(name, value);
  for (const [name, value] of manifest.app?.userLabels ?? []) add(name, value);
  for (const [name, value] of wellKnown(manifest)) if (!labels.has(name)) add(name, value);
  for (const [name, value] of manifest.labels) if (!MAPPED_LABELS.has(name)) add(`${PREFIX}label.${name}`, value);
  add(`${PREFIX}name`, manifest.name);
  add(`${PREFIX}image-id`, imageId);
  const text = manifestBytes.length <= MOST_MANIFEST ? strictUtf8(manifestBytes) : undefined;
  if (text === undefined) note(context, 'dropped', 'the manifest is too large to be kept in a label', 'manifest');
  else add(`${PREFIX}manifest`, text);
  return labels;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md#pre-defined-annotation-keys */
export function wellKnown({ name, labels, annotations }: ImageManifest): ReadonlyMap<string, string> {
  const own = {
    title: name,
    version: labels.get('version'),
    url: annotations.get('homepage'),
    documentation: annotations.get('documentation'),
  };
  return new Map(
    Object.entries(own).flatMap(([key, value]) => (value ? [[`org.opencontainers.image.${key}`, value] as const] : [])),
  );
}

/** `name:version`, as far as a reference can say it. */
export function referencesOf(manifest: ImageManifest, context: Context): readonly string[] {
  const { name, labels } = manifest;
  const version = labels.get('version');
  const original = originalReference(manifest);
  if (original !== undefined) return [original];
  const wanted = version === undefined ? name : `${name}:${version}`;
  if (isReference(wanted)) return [wanted];
  const path = name
    .split('/')
    .map((part) => plainPart(part, '-'))
    .filter(Boolean)
    .join('/');
  const tag = version === undefined ? undefined : plainPart(version.slice(0, 128), '_');
  const nearest = tag ? `${path}:${tag}` : path;
  const possible = isReference(nearest);
  const called = possible ? `the image is called ${nearest}` : 'the image has none';
  note(context, 'repaired', `${printable(wanted.slice(0, 120))} cannot be a reference; ${called}`, 'manifest', 'name');
  return possible ? [nearest] : [];
}

/** What the image was called before it was made an ACI, as long as that still gives its name. */
function originalReference({ name, labels, annotations }: ImageManifest): string | undefined {
  const original = annotations.get(`${DOCKER}originalname`);
  if (original === undefined || !isReference(original)) return undefined;
  const version = labels.get('version');
  const same = [nameOfReference(original), dockerNameOf(original)].some(
    (own) => own.name === name && own.version === version,
  );
  return same ? original : undefined;
}

/**
 * What Docker's grammar and that of `ref.name` both take: letters and digits, and between them a point, an underscore, or one or two dashes.
 * @param other what stands for everything else
 */
const plainPart = (part: string, other: '-' | '_'): string =>
  withoutEnds(
    part.replace(/[^A-Za-z0-9]+/g, (run) => (/^(?:[._]|--?)$/.test(run) ? run : other)),
    '-._',
  );

const defined = <K extends string, V>(key: K, value: V | undefined): { readonly [k in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [k in K]: V });
