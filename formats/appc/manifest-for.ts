/**
 * The inverse of `config.ts`: what the model says of an image, as an image manifest.
 * https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-manifest-schema
 *
 * Annotations are docker2aci's where it has any, since rkt goes by them: a volume starts with what the image has at its place only where
 * one of them says that the image was Docker's.
 */
import { type Context, note } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import type { Digest } from '../bytes/digest.ts';
import { hexOf } from '../bytes/digest.ts';
import { printable } from '../bytes/text.ts';
import type { Json } from '../json/parse.ts';
import { type ImageConfig, platformText } from '../model/config.ts';
import { RUNTIME_LABEL } from '../model/runtime-label.ts';
import { type AppUser, appFor, saysHowToRun } from './app-for.ts';
import { CMD, DOCKER, ENTRYPOINT, isTimestamp, PREFIX } from './config.ts';
import { dockerReference, type ImageName } from './naming.ts';
import { platformLabels } from './platform.ts';
import { isIdentifier } from './types.ts';

/** The version of the specification that manifests are written to. */
const AC_VERSION = '0.8.11';

export interface ImageToDescribe {
  readonly name: ImageName;
  readonly config: ImageConfig;
  readonly user: AppUser;
  /** What stands beside the configuration. */
  readonly annotations: ReadonlyMap<string, string>;
  /** Where the image came in Docker's or OCI's form. */
  readonly docker?: DockerOrigin | undefined;
}

export interface DockerOrigin {
  readonly reference: string | undefined;
  readonly imageId: Digest | undefined;
  readonly manifest: Digest | undefined;
}

/** @throws OcixError format/unsupported for a platform that the specification has no name for */
export function manifestFor(image: ImageToDescribe, context: Context): { readonly [name: string]: Json } {
  const { config, name, user } = image;
  const labels = userLabels(config);
  const annotations = annotationsFor(image, context);
  return {
    acKind: 'ImageManifest',
    acVersion: AC_VERSION,
    name: name.name,
    labels: named(labelsFor(image)),
    ...(saysHowToRun(config, labels) ? { app: appFor(config, user, labels, context) } : {}),
    ...(annotations.size ? { annotations: named(annotations) } : {}),
  };
}

const named = (values: ReadonlyMap<string, string>): Json => [...values].map(([name, value]) => ({ name, value }));

function labelsFor({ config, name: { version } }: ImageToDescribe): ReadonlyMap<string, string> {
  const platform = platformLabels(config.platform);
  if (!platform)
    throw new OcixError(
      'format/unsupported',
      `the App Container specification has no name for ${printable(platformText(config.platform))}`,
      { at: ['configuration'], hint: 'Write another format, or choose another platform with --platform.' },
    );
  const labels = new Map<string, string>();
  if (version !== undefined) labels.set('version', version);
  for (const [label, value] of Object.entries(platform)) labels.set(label, value);
  for (const [label, value] of config.labels) {
    const own = label.startsWith(OTHER_LABEL) ? label.substring(OTHER_LABEL.length) : '';
    if (own !== 'name' && isIdentifier(own) && !labels.has(own)) labels.set(own, value);
  }
  return labels;
}

const OTHER_LABEL = `${PREFIX}label.`;

/** Without those in which a reader of ACIs keeps what has a place of its own here. */
const userLabels = ({ labels }: ImageConfig): ReadonlyMap<string, string> =>
  new Map([...labels].filter(([label]) => !label.startsWith(PREFIX) && label !== RUNTIME_LABEL));

/** Names that say something about the image; nobody else may. */
const OWN = /^(?:created|authors|homepage|documentation|docker-comment|appc\.io\/.*)$/;

function annotationsFor(
  { config, annotations: beside, docker }: ImageToDescribe,
  context: Context,
): ReadonlyMap<string, string> {
  const annotations = new Map<string, string>();
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') annotations.set(name, value);
  };
  add('created', createdFor(config, context));
  add('authors', config.author);
  const { comment } = config.other;
  add('docker-comment', typeof comment === 'string' ? comment : undefined);
  if (docker) addOrigin(docker, add);
  if (docker || config.cmd.length) {
    add(ENTRYPOINT, words(config.entrypoint));
    add(CMD, words(config.cmd));
  }
  for (const [name, value] of beside) {
    if (config.labels.get(name) === value || name.startsWith(PREFIX)) continue;
    if (isIdentifier(name) && !OWN.test(name)) add(name, value);
    else note(context, 'dropped', `an ACI has no annotation called ${printable(name.slice(0, 80))}`, 'annotations');
  }
  return annotations;
}

function createdFor({ created }: ImageConfig, context: Context): string | undefined {
  if (created === undefined || isTimestamp(created)) return created;
  note(context, 'dropped', `${JSON.stringify(printable(created.slice(0, 60)))} is no time`, 'configuration', 'created');
  return undefined;
}

function addOrigin(
  { reference, imageId, manifest }: DockerOrigin,
  add: (name: string, value: string | undefined) => void,
): void {
  if (reference !== undefined) {
    const { registry, repository, tag } = dockerReference(reference);
    add(`${DOCKER}originalname`, reference);
    add(`${DOCKER}registryurl`, registry);
    add(`${DOCKER}repository`, repository);
    add(`${DOCKER}tag`, tag);
  }
  add(`${DOCKER}imageid`, imageId && hexOf(imageId));
  add(`${DOCKER}manifesthash`, manifest);
}

const words = (list: readonly string[]): string | undefined => (list.length ? JSON.stringify(list) : undefined);
