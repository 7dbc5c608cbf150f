/**
 * The forms of the image specification's documents.
 * https://github.com/opencontainers/image-spec/tree/v1.1.1/schema
 */
import type { Json } from '../../formats/json/parse.ts';
import { isIndexType, isManifestType } from '../../formats/model/media-types.ts';
import { type AnnotationPlace, annotations, labels } from './annotations.ts';
import { shown } from './findings.ts';
import type { RuleId } from './rules/index.ts';
import {
  anyObject,
  bool,
  both,
  isObject,
  list,
  MOST_INT64,
  mapOf,
  matching,
  member,
  nullable,
  object,
  oneOf,
  passing,
  pointerTo,
  type Report,
  required,
  type Shape,
  text,
  under,
  whole,
} from './shape.ts';
import {
  ARCHITECTURES,
  algorithmIn,
  climbs,
  DIGEST,
  hasRightEncoding,
  isAbsolute,
  isBase64,
  isDigestText,
  isRegistered,
  isSignal,
  isTime,
  isUri,
  isVariant,
  isWebAddress,
  leadsToHost,
  MEDIA_TYPE,
  SYSTEMS,
} from './texts.ts';

const mediaType = matching(MEDIA_TYPE, 'a media type');
const artifactType = under('oci/descriptor-artifact-type', mediaType);

const digest: Shape = (value, pointer, report) => {
  if (typeof value !== 'string' || !DIGEST.test(value))
    return report(pointer, `${shown(value)} is not ALGORITHM:ENCODED`, 'oci/descriptor-digest');
  const algorithm = algorithmIn(value);
  if (!hasRightEncoding(value))
    report(pointer, `${shown(value)} is no digest of ${algorithm}`, 'oci/descriptor-digest-encoding');
  if (!isRegistered(algorithm))
    report(pointer, `${shown(algorithm)} is not a registered algorithm`, 'oci/descriptor-digest-algorithm');
};

const url: Shape = (value, pointer, report) => {
  passing(isUri, 'a URI')(value, pointer, report);
  if (typeof value === 'string' && isUri(value) && !isWebAddress(value))
    report(pointer, `${shown(value)} is neither http nor https`, 'oci/descriptor-urls-scheme');
};

export const platform: Shape = under('oci/platform-form', (value, pointer, report) => {
  object({
    architecture: required(text),
    os: required(text),
    'os.version': text,
    'os.features': list(text),
    variant: text,
  })(value, pointer, report);
  checkPlatformValues(value, pointer, 'oci/platform-values', report);
  if (member(value, 'features') !== undefined)
    report(pointerTo(pointer, 'features'), 'features is reserved', 'oci/platform-features');
});

/** Values that Go knows. What BuildKit keeps beside an image says `unknown`, and is run by nobody. */
export function checkPlatformValues(value: Json, pointer: string, rule: RuleId, report: Report): void {
  const [os, architecture, variant] = ['os', 'architecture', 'variant'].map((name) => member(value, name));
  if (os === 'unknown' && architecture === 'unknown') return;
  const known = [
    ['os', os, SYSTEMS, 'GOOS'],
    ['architecture', architecture, ARCHITECTURES, 'GOARCH'],
  ] as const;
  for (const [name, found, values, list] of known) {
    if (typeof found === 'string' && !values.has(found))
      report(pointerTo(pointer, name), `${shown(found)} is not a value of ${list}`, rule);
  }
  if (typeof variant === 'string' && variant !== '' && !isVariant(String(architecture), variant))
    report(
      pointerTo(pointer, 'variant'),
      `${shown(variant)} is no variant of ${shown(architecture)}`,
      'oci/platform-variant',
    );
}

const descriptorMembers = (place: AnnotationPlace) => ({
  mediaType: required(under('oci/descriptor-media-type', mediaType)),
  digest: required(digest),
  size: required(under('oci/descriptor-size', whole(0, MOST_INT64))),
  urls: under('oci/descriptor-urls', list(url)),
  data: under('oci/descriptor-data', passing(isBase64, 'base64 with its padding')),
  artifactType,
  annotations: annotations(place),
  platform,
});

export const descriptor = (place: AnnotationPlace = 'elsewhere'): Shape =>
  under('oci/descriptor-form', object(descriptorMembers(place)));

/** An entry of an index: what it may be, and for which platform. */
const child = (place: AnnotationPlace): Shape =>
  both(descriptor(place), (value, pointer, report) => {
    const type = member(value, 'mediaType');
    if (typeof type !== 'string' || !MEDIA_TYPE.test(type)) return;
    if (!isIndexType(type) && !isManifestType(type))
      report(
        pointerTo(pointer, 'mediaType'),
        `${shown(type)} is neither a manifest nor an index`,
        'oci/index-child-type',
      );
    // An artifact runs nowhere, so it has no platform.
    if (isManifestType(type) && member(value, 'platform') === undefined && member(value, 'artifactType') === undefined)
      report(pointer, 'the descriptor of a manifest has no platform', 'oci/index-platform');
  });

export const index = (place: AnnotationPlace): Shape =>
  object({
    schemaVersion: required(oneOf(2), 'oci/index-schema-version'),
    mediaType: under('oci/index-media-type', text), // which one is looked at where the descriptor is known
    artifactType,
    manifests: required(under('oci/index-manifests', list(child(place))), 'oci/index-manifests'),
    subject: descriptor(),
    annotations: annotations('elsewhere'),
  });

export const manifest: Shape = object({
  schemaVersion: required(oneOf(2), 'oci/manifest-schema-version'),
  mediaType: under('oci/manifest-media-type', text),
  artifactType,
  config: required(under('oci/manifest-config', anyDescriptor()), 'oci/manifest-config'),
  layers: required(under('oci/manifest-layers', list(anyDescriptor())), 'oci/manifest-layers'),
  subject: descriptor(),
  annotations: annotations('elsewhere'),
});

/** A descriptor; what is none at all breaks the rule of the member that it stands in. */
function anyDescriptor(): Shape {
  const shape = descriptor();
  return (value, pointer, report) =>
    isObject(value) ? shape(value, pointer, report) : anyObject(value, pointer, report);
}

export const layoutFile: Shape = under(
  'oci/layout-version',
  object({ imageLayoutVersion: required(oneOf('1.0.0'), 'oci/layout-version') }),
);

const time = passing(isTime, 'a time as RFC 3339 has it');
const strings = list(text);

/** Docker writes its own members here too; they are nobody's business. */
const execution = object({
  User: nullable(text),
  ExposedPorts: nullable(both(mapOf(anyObject), namesPass('oci/config-ports', isPort, 'a port'))),
  Env: nullable(both(strings, each('oci/config-env', isVariable, 'NAME=VALUE'))),
  Entrypoint: nullable(strings),
  Cmd: nullable(strings),
  Volumes: nullable(
    both(mapOf(anyObject), namesPass('oci/config-volumes', isVolume, 'an absolute path that stays inside')),
  ),
  WorkingDir: nullable(
    both(text, under('oci/config-working-dir', passing(isFolder, 'an absolute path in the container'))),
  ),
  Labels: nullable(labels),
  StopSignal: nullable(
    both(
      text,
      under(
        'oci/config-stop-signal',
        passing((value) => value === '' || isSignal(value), 'a signal'),
      ),
    ),
  ),
  ArgsEscaped: nullable(bool),
});

const step = object({
  created: nullable(time),
  author: nullable(text),
  created_by: nullable(text),
  comment: nullable(text),
  empty_layer: nullable(bool),
});

/** Optional members may be null, which is the same as being absent: the text says so, and the schema does not. */
export const config: Shape = both(
  object({
    created: nullable(under('oci/config-created', time)),
    author: nullable(text),
    architecture: required(text, 'oci/config-platform'),
    variant: nullable(text),
    os: required(text, 'oci/config-platform'),
    'os.version': nullable(text),
    'os.features': nullable(strings),
    config: nullable(execution),
    rootfs: required(
      object({
        type: required(oneOf('layers')),
        diff_ids: required(list(under('oci/config-diff-ids', passing(isDigestText, 'a digest')))),
      }),
      'oci/config-rootfs',
    ),
    history: nullable(under('oci/config-history-form', list(step))),
  }),
  (value, pointer, report) => checkPlatformValues(value, pointer, 'oci/config-platform-values', report),
  (value, pointer, report) => {
    const user = member(member(value, 'config'), 'User');
    // The text has forms for Linux alone; accounts of Windows have spaces and backslashes in their names.
    if (typeof user === 'string' && member(value, 'os') !== 'windows' && !isUser(user))
      report(`${pointer}/config/User`, `${shown(user)} is not a user as Linux can resolve it`, 'oci/config-user');
  },
);

function namesPass(rule: RuleId, test: (name: string) => boolean, expected: string): Shape {
  return (value, pointer, report) => {
    if (!isObject(value)) return;
    for (const name of Object.keys(value))
      if (!test(name)) report(pointerTo(pointer, name), `${shown(name)} is not ${expected}`, rule);
  };
}

function each(rule: RuleId, test: (item: string) => boolean, expected: string): Shape {
  return (value, pointer, report) => {
    if (!Array.isArray(value)) return;
    for (const [index, item] of value.entries())
      if (typeof item === 'string' && !test(item))
        report(pointerTo(pointer, index), `${shown(item)} is not ${expected}`, rule);
  };
}

/** Engines take sctp too, which the text does not name. */
function isPort(name: string): boolean {
  const match = /^(\d{1,5})(?:\/(?:tcp|udp|sctp))?$/.exec(name);
  return match !== null && Number(match[1]) >= 1 && Number(match[1]) <= 65535;
}

/** Windows keeps folders of drives in variables whose names begin with an equals sign. */
function isVariable(line: string): boolean {
  return /^=?[^=\0]+=[^\0]*$/.test(line);
}

function isVolume(path: string): boolean {
  return isAbsolute(path) && !climbs(path) && !path.includes('\0');
}

function isFolder(path: string): boolean {
  return path === '' || (isAbsolute(path) && !path.includes('\0') && !leadsToHost(path));
}

/** One more means "leave it" to chown and setuid. */
const MOST_ID = 2 ** 32 - 2;

function isUser(user: string): boolean {
  if (user === '') return true;
  const parts = user.split(':');
  return parts.length <= 2 && parts.every(isUserPart);
}

/** Signs and hexadecimal numbers became root in one engine (CVE-2024-40635). */
function isUserPart(part: string): boolean {
  if (/^[0-9]+$/.test(part)) return Number(part) <= MOST_ID;
  return part !== '' && !/[\0-\x20\x7f]/.test(part) && !/^[-+]|^0[xX]/.test(part);
}
