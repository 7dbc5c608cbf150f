/**
 * Image manifests of the App Container specification.
 * https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-manifest-schema
 */

import { isolationOf } from '../../formats/appc/isolators.ts';
import { type AppIsolator, isolators as isolatorsIn } from '../../formats/appc/manifest.ts';
import { isEnvironmentName, isIdentifier, isImageId, isName, isVersion } from '../../formats/appc/types.ts';
import { noteList } from '../../formats/base/notes.ts';
import { decode } from '../../formats/json/decode.ts';
import type { Json } from '../../formats/json/parse.ts';
import { attemptSync, type Run, shown } from './findings.ts';
import { formOf } from './image-documents.ts';
import { foundAt } from './json-document.ts';
import type { RuleId } from './rules/index.ts';
import {
  bool,
  both,
  type Found,
  isObject,
  list,
  listOf,
  mapOf,
  member,
  nullable,
  object,
  oneOf,
  passing,
  pointerTo,
  required,
  type Shape,
  text,
  under,
  whole,
} from './shape.ts';
import { SYSTEM_CALLS } from './syscalls.ts';
import { isTime, isUri, isWebAddress } from './texts.ts';

/** As Go's encoding/json has it, null is the same as nothing. */
const optional = nullable;

const identifier: Shape = under('appc/name', (value, pointer, report) => {
  passing(isIdentifier, 'a name of lower-case letters, digits and -._~/ between them')(value, pointer, report);
  if (typeof value === 'string' && isIdentifier(value) && /[-._~/]{2}/.test(value))
    report(pointer, `${shown(value)} has two separators side by side`, 'appc/name-pattern');
});
const acName: Shape = under('appc/name', (value, pointer, report) => {
  passing(isName, 'a name of lower-case letters, digits and - between them')(value, pointer, report);
  if (typeof value === 'string' && isName(value) && value.includes('--'))
    report(pointer, `${shown(value)} has two separators side by side`, 'appc/name-pattern');
});

const named = list(object({ name: required(identifier), value: optional(text) }));
const strings = list(text);

const app = object({
  exec: optional(strings),
  user: required(
    passing((value) => value !== '', 'a name, a number or a path'),
    'appc/app-user',
  ),
  group: required(
    passing((value) => value !== '', 'a name, a number or a path'),
    'appc/app-user',
  ),
  supplementaryGIDs: optional(list(whole(0, 2 ** 32 - 2))),
  eventHandlers: optional(
    list(object({ name: required(oneOf('pre-start', 'post-stop'), 'appc/app-handlers'), exec: optional(strings) })),
  ),
  workingDirectory: optional(
    under(
      'appc/app-folder',
      passing((value) => value === '' || value.startsWith('/'), 'an absolute path'),
    ),
  ),
  environment: optional(
    list(
      object({
        name: required(passing(isEnvironmentName, 'the name of a variable'), 'appc/app-environment'),
        value: optional(text),
      }),
    ),
  ),
  mountPoints: optional(
    under(
      'appc/app-mount-points',
      list(object({ name: required(acName), path: required(text), readOnly: optional(bool) })),
    ),
  ),
  ports: optional(
    under(
      'appc/app-ports',
      list(
        object({
          name: required(acName),
          protocol: required(text),
          port: required(whole(1, 65535)),
          count: optional(whole(0, 65535)),
          socketActivated: optional(bool),
        }),
      ),
    ),
  ),
  isolators: optional(list(object({ name: required(identifier) }))),
  userAnnotations: optional(mapOf(text)),
  userLabels: optional(mapOf(text)),
});

const manifestShape: Shape = object({
  acKind: required(oneOf('ImageManifest'), 'appc/kind'),
  acVersion: required(passing(isVersion, 'a version'), 'appc/version'),
  name: required(identifier, 'appc/name'),
  labels: optional(named),
  app: optional(app),
  dependencies: optional(
    under(
      'appc/dependencies',
      list(
        object({
          imageName: required(identifier),
          imageID: optional(passing(isImageId, 'sha512- and hexadecimal digits')),
          labels: optional(named),
          size: optional(whole(0, Number.MAX_SAFE_INTEGER)),
        }),
      ),
    ),
  ),
  pathWhitelist: optional(
    both(
      strings,
      list(
        under(
          'appc/path-whitelist',
          passing((value) => value.startsWith('/'), 'an absolute path'),
        ),
      ),
    ),
  ),
  annotations: optional(named),
});

export function checkAppcManifest(written: Json, at: readonly string[], run: Run): void {
  const changed = new Set<string>();
  const value = spelled(written, changed);
  if (changed.size) run.findings.add('appc/manifest-case', at, `written otherwise: ${shown([...changed])}`);
  const found = foundAt(at, run);
  manifestShape(value, '', formOf('appc/manifest-form', found));
  if (!isObject(value)) return;
  checkLabels(listOf(member(value, 'labels')), found);
  checkAnnotations(listOf(member(value, 'annotations')), found);
  const app = member(value, 'app');
  if (!isObject(app)) return;
  checkTwice(listOf(member(app, 'environment')), '/app/environment', 'appc/app-environment', found);
  checkTwice(listOf(member(app, 'eventHandlers')), '/app/eventHandlers', 'appc/app-handlers', found);
  checkPorts(listOf(member(app, 'ports')), found);
  checkMountPoints(listOf(member(app, 'mountPoints')), found);
  checkIsolators(member(app, 'isolators'), at, run);
}

const MEMBERS = new Map(
  (
    'acKind acVersion name labels value app exec user group supplementaryGIDs eventHandlers workingDirectory environment ' +
    'mountPoints path readOnly ports protocol port count socketActivated isolators userAnnotations userLabels dependencies ' +
    'imageName imageID size pathWhitelist annotations'
  )
    .split(' ')
    .map((name) => [name.toLowerCase(), name]),
);
/** What is in these is not the manifest's own. */
const FREE = new Set(['value', 'userAnnotations', 'userLabels']);

function spelled(value: Json, changed: Set<string>): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((one) => spelled(one, changed));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, found]): [string, Json] => {
      const exact = MEMBERS.get(name.toLowerCase()) ?? name;
      if (exact !== name) changed.add(name);
      return [exact, FREE.has(exact) ? found : spelled(found, changed)];
    }),
  );
}

function checkTwice(items: readonly Json[], at: string, rule: RuleId, found: Found): void {
  const met = new Set<Json>();
  for (const [number, item] of items.entries()) {
    const name = member(item, 'name');
    if (typeof name !== 'string') continue;
    if (met.has(name)) found(pointerTo(at, number), `${shown(name)} is given a second time`, rule);
    met.add(name);
  }
}

/** By system, the architectures that are specified. */
const PLATFORMS: Readonly<Record<string, readonly string[]>> = {
  linux: 'amd64 i386 aarch64 aarch64_be armv6l armv7l armv7b ppc64 ppc64le s390x'.split(' '),
  freebsd: ['amd64', 'i386', 'arm'],
  darwin: ['x86_64', 'i386'],
};

const labelled = (items: readonly Json[], name: string): Json | undefined =>
  member(
    items.findLast((item) => member(item, 'name') === name),
    'value',
  );

function checkLabels(labels: readonly Json[], found: Found): void {
  checkTwice(labels, '/labels', 'appc/labels', found);
  if (labels.some((label) => member(label, 'name') === 'name'))
    found('/labels', 'a label is called name', 'appc/labels');
  const [os, arch] = [labelled(labels, 'os'), labelled(labels, 'arch')];
  if (typeof os !== 'string') return; // an architecture alone is not checked, by the reference either
  if (!Object.hasOwn(PLATFORMS, os))
    return found('/labels', `${shown(os)} is no operating system that is specified`, 'appc/platform');
  if (typeof arch === 'string' && !PLATFORMS[os]!.includes(arch))
    found('/labels', `${shown(arch)} is no architecture of ${os}`, 'appc/platform');
}

const DEFINED: Readonly<Record<string, (value: string) => boolean>> = {
  created: isTime,
  homepage: isWebUri,
  documentation: isWebUri,
};

function isWebUri(value: string): boolean {
  return isUri(value) && isWebAddress(value);
}

function checkAnnotations(annotations: readonly Json[], found: Found): void {
  checkTwice(annotations, '/annotations', 'appc/annotations', found);
  for (const [number, annotation] of annotations.entries()) {
    // What is absent is empty, as Go reads it.
    const [name, value] = [member(annotation, 'name'), member(annotation, 'value') ?? ''];
    if (typeof name !== 'string' || typeof value !== 'string' || !Object.hasOwn(DEFINED, name)) continue;
    if (!DEFINED[name]!(value))
      found(`/annotations/${number}/value`, `${shown(value)} is no value of ${name}`, 'appc/annotations');
  }
}

function checkPorts(ports: readonly Json[], found: Found): void {
  for (const [number, port] of ports.entries()) {
    const [first, count] = [member(port, 'port'), member(port, 'count')];
    if (typeof first === 'number' && typeof count === 'number' && first + count > 65536)
      found(`/app/ports/${number}/count`, `${count} ports from ${first} on go beyond 65535`, 'appc/app-ports');
  }
}

function checkMountPoints(points: readonly Json[], found: Found): void {
  const met = new Set<string>();
  for (const [number, point] of points.entries()) {
    const path = member(point, 'path');
    const at = `/app/mountPoints/${number}/path`;
    if (typeof path !== 'string') continue;
    if (!path.startsWith('/')) found(at, `${shown(path)} is not absolute`, 'appc/app-mount-paths');
    if (met.has(path)) found(at, `${shown(path)} is given a second time`, 'appc/app-mount-paths');
    met.add(path);
  }
}

/** Resources of which only a limit for all devices or interfaces is specified. */
const LIMITED: readonly string[] = ['block-bandwidth', 'block-iops', 'network-bandwidth'].map(
  (name) => `resource/${name}`,
);

const EXCLUSIVE = ['os/linux/capabilities', 'os/linux/seccomp'];

/** Each on its own, by the reader's own decoder, so that one that is wrong does not hide the next. */
function checkIsolators(value: Json | undefined, at: readonly string[], run: Run): void {
  if (!Array.isArray(value)) return;
  const read = attemptSync(run, 'appc/isolators', at, () =>
    isolatorsIn(decode(value as Json, 'any-case', '/app/isolators')),
  );
  for (const one of read ?? []) checkIsolator(one, at, run);
  const names = new Set((read ?? []).map(({ name }) => name));
  for (const kind of EXCLUSIVE)
    if (names.has(`${kind}-retain-set`) && names.has(`${kind}-remove-set`))
      run.findings.add(
        'appc/isolators-exclusive',
        [...at, '/app/isolators'],
        `there are both of ${kind}-retain-set and -remove-set`,
      );
}

function checkIsolator(one: AppIsolator, at: readonly string[], run: Run): void {
  const context = { ...run.context, notes: noteList() };
  const isolation = attemptSync(run, 'appc/isolators', at, () =>
    isolationOf([one], { architecture: undefined, context }),
  );
  for (const { message } of context.notes.all())
    run.findings.add('appc/isolators-ignored', [...at, one.pointer], message);
  if (LIMITED.includes(one.name)) checkLimited(one, at, run);
  const calls = one.name.startsWith('os/linux/seccomp-') ? listOf(member(one.value, 'set')) : [];
  for (const call of calls)
    if (typeof call === 'string' && !call.startsWith('@') && !SYSTEM_CALLS.has(call))
      run.findings.add('appc/isolators-ignored', [...at, one.pointer], `there is no system call ${shown(call)}`);
  for (const { name } of isolation?.unsupported ?? [])
    run.findings.add('appc/isolators-ignored', [...at, one.pointer], `${shown(name)} is an isolator that is ignored`);
}

function checkLimited({ name, value, pointer }: AppIsolator, at: readonly string[], run: Run): void {
  const add = (message: string): void => run.findings.add('appc/isolators', [...at, `${pointer}/value`], message);
  if (member(value, 'default') !== true) add(`default of ${name} is not true`);
  if ((member(value, 'request') ?? null) !== null) add(`${name} has a limit only, and no request`);
}
