/**
 * The inverse of `config.ts`, for what an app is: what an image says about running, as the `app` of an image manifest.
 * https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-manifest-schema
 *
 * Names follow docker2aci, so that what is written against its images (volumes given by name, ports) works with these.
 */
import { type Context, note } from '../base/context.ts';
import { printable, withoutEnds } from '../bytes/text.ts';
import { decode } from '../json/decode.ts';
import type { Json } from '../json/parse.ts';
import type { ImageConfig } from '../model/config.ts';
import { HANDLER } from './isolators.ts';
import { isolatorsFor } from './isolators-for.ts';
import { isEnvironmentName, nameFrom } from './types.ts';

/** Who the app runs as: names, numbers or paths of files; both are always stated. */
export interface AppUser {
  readonly user: string;
  readonly group: string;
  readonly supplementaryGids: readonly number[];
}

/** @param labels those that are to become `userLabels` */
export function appFor(
  config: ImageConfig,
  { user, group, supplementaryGids }: AppUser,
  labels: ReadonlyMap<string, string>,
  context: Context,
): Json {
  const { isolation } = config;
  const mountPoints = mountPointsFor(config);
  const ports = portsFor(config, context);
  const isolators = isolation ? isolatorsFor(isolation) : [];
  return {
    exec: [...config.entrypoint, ...config.cmd],
    user,
    group,
    ...some('supplementaryGIDs', supplementaryGids),
    ...some('eventHandlers', handlersFor(config)),
    ...(config.workingDir === undefined ? {} : { workingDirectory: absolute(config.workingDir, context) }),
    ...some('environment', environmentFor(config, context)),
    ...some('mountPoints', mountPoints),
    ...some('ports', ports),
    ...some('isolators', isolators),
    ...(labels.size ? { userLabels: Object.fromEntries(labels) } : {}),
  };
}

/** Whether an image says anything that only an app can say. */
export const saysHowToRun = (config: ImageConfig, labels: ReadonlyMap<string, string>): boolean =>
  config.entrypoint.length + config.cmd.length + config.env.length + labels.size > 0 ||
  config.exposedPorts.length + config.volumes.length > 0 ||
  config.user !== undefined ||
  config.workingDir !== undefined ||
  config.isolation !== undefined;

const some = (name: string, list: readonly Json[]): { readonly [name: string]: Json } =>
  list.length ? { [name]: list } : {};

/** Docker takes a relative one from the root. */
function absolute(path: string, context: Context): string {
  if (path.startsWith('/')) return path;
  note(context, 'repaired', `the working directory ${shown(path)} is relative, and taken from the root`, ...RUN);
  return `/${path}`;
}

const RUN = ['configuration', '/config'] as const;
const shown = (text: string): string => JSON.stringify(printable(text.slice(0, 80)));

/** Of two values of one name the last counts, as for a process. */
function environmentFor({ env }: ImageConfig, context: Context): readonly Json[] {
  const values = new Map<string, string>();
  for (const variable of env) {
    const equals = variable.indexOf('=');
    const name = variable.substring(0, Math.max(0, equals));
    if (isEnvironmentName(name)) values.set(name, variable.substring(equals + 1));
    else note(context, 'dropped', `an ACI has no variable such as ${shown(variable)}`, ...RUN, 'Env');
  }
  return [...values].map(([name, value]) => ({ name, value }));
}

/** Sorted by path, and by name where a source has several names for one. */
function mountPointsFor({ volumes, mountPoints = [] }: ImageConfig): readonly Json[] {
  const names = uniqueNames(mountPoints.map(({ name }) => name));
  const known = mountPoints.map(({ name, path, readOnly }) => ({
    name,
    path,
    ...(readOnly ? { readOnly } : {}),
  }));
  const paths = new Set(mountPoints.map(({ path }) => path));
  const added = volumes
    .filter((path) => !paths.has(path))
    .toSorted()
    .map((path) => ({ name: names(nameFrom(`volume-${withoutEnds(path, '/')}`)), path }));
  return [...known, ...added];
}

function portsFor({ exposedPorts }: ImageConfig, context: Context): readonly Json[] {
  const names = uniqueNames([]);
  return exposedPorts.flatMap((text): readonly Json[] => {
    const [, first = '', last = first, protocol = 'tcp'] =
      /^([0-9]{1,5})(?:-([0-9]{1,5}))?(?:\/([A-Za-z0-9]{1,16}))?$/.exec(text) ?? [];
    const [port, end] = [Number(first), Number(last)];
    if (!first || port < 1 || end < port || end > 65535) {
      note(context, 'dropped', `${shown(text)} is no port`, ...RUN, 'ExposedPorts');
      return [];
    }
    return [{ name: names(nameFrom(text)), protocol, port, count: end - port + 1, socketActivated: false }];
  });
}

/** A name that is taken gets a number, as docker2aci has it. */
function uniqueNames(taken: readonly string[]): (wanted: string) => string {
  const used = new Set(taken);
  return (wanted) => {
    let name = wanted;
    for (let i = 1; used.has(name); i++) name = `${wanted}-${i}`;
    used.add(name);
    return name;
  };
}

function handlersFor({ isolation }: ImageConfig): readonly Json[] {
  return (isolation?.unsupported ?? []).flatMap(({ name, value }) =>
    name.endsWith(HANDLER) && Array.isArray(value)
      ? [{ name: name.substring(0, name.length - HANDLER.length), exec: decode(value).strings() }]
      : [],
  );
}
