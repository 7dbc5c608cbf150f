/**
 * A pod in the words of Kubernetes. What it has no words for is a note.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
 */
import { type Context, note, notesWithin } from '../../formats/base/context.ts';
import { printable } from '../../formats/bytes/text.ts';
import type { Json } from '../../formats/json/parse.ts';
import type { Image } from '../../formats/model/image.ts';
import type { Pod, PodApp, PodPort, PodVolume } from '../../formats/model/pod.ts';
import { checkVolumes } from '../runtime/mounts.ts';
import { resourcesOf, securityOf } from './kube-security.ts';

interface Members {
  readonly [name: string]: Json;
}

/** Says what is lost of something, by its place in the pod. */
export type Lost = (what: string, ...at: readonly string[]) => void;

/** The part of a reference in front of its tag or digest; undefined where Docker's grammar, which engines read, has no such name. */
export function repositoryOf(reference: string): string | undefined {
  const name = reference.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  const path = /^(?:[A-Za-z0-9.-]+(?::[0-9]+)?\/)?[a-z0-9]+(?:(?:[._/]|__|-+)[a-z0-9]+)*$/;
  return name.length <= 255 && path.test(name) ? name : undefined;
}

/**
 * @param references what each image is called, with its digest
 * @throws OcixError image/config for a mount that leads out of the image
 */
export function kubePod(pod: Pod, references: ReadonlyMap<Image, string>, context: Context): Json {
  const lost: Lost = (what, ...at) =>
    note(context, 'dropped', `${what} has no place in a Pod of Kubernetes`, 'pod', ...at);
  const names = labels(pod.apps.map(({ name }) => name));
  const called = labels([...pod.volumes, ...pod.apps.flatMap(implicitVolumes)].map(({ name }) => name));
  const leading = new Map(pod.ports.toReversed().map((port) => [port.name, port])); // of two of one name the first counts
  const containers = pod.apps.map((app) =>
    container(
      app,
      { name: names.get(app.name)!, image: references.get(app.image)!, volumes: called, ports: leading },
      lost,
      context,
    ),
  );
  const volumes = [
    ...pod.volumes.map(({ name, volume }) => volumeOf(called.get(name)!, volume, lost)),
    ...pod.apps.flatMap((app) => implicitVolumes(app).map(({ name }) => ({ name: called.get(name)!, emptyDir: {} }))),
  ];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: filled({
      name: podName(pod),
      annotations: filled({ ...annotationsOf(pod, lost), ...appArmor(pod, names) }),
    })!,
    spec: {
      restartPolicy: 'Never',
      shareProcessNamespace: true,
      ...nonEmpty('securityContext', podSecurity(pod, lost)),
      containers,
      ...(volumes.length ? { volumes } : {}),
    },
  };
}

interface Place {
  readonly name: string;
  /** As it is called, with its digest. */
  readonly image: string;
  /** What each volume is called here. */
  readonly volumes: ReadonlyMap<string, string>;
  /** Those of the host, by the name of the app's port that they lead to. */
  readonly ports: ReadonlyMap<string, PodPort>;
}

function container(
  app: PodApp,
  { name, image, volumes, ports: outside }: Place,
  lost: Lost,
  context: Context,
): Members {
  const { config } = app;
  checkVolumes({ ...config, volumes: app.mounts.map(({ path }) => path) });
  const own: Lost = (what, ...at) => lost(what, app.name, ...at);
  for (const key of app.annotations.keys()) own(`the annotation ${printable(key)} of the app`);
  const ports = portsOf(app, outside, own);
  const variables = variablesOf(app);
  const literal = literalIn(new Set(variables.keys()), own);
  const mounts = [...app.mounts, ...implicitVolumes(app).map((one) => ({ ...one, volume: one.name }))]
    .filter(({ path }) => !path.includes(':') || own(`the mount at ${printable(path)}, with a colon in it,`))
    .map(({ volume, path, readOnly }) => ({
      name: volumes.get(volume)!,
      mountPath: path,
      ...(readOnly ? { readOnly } : {}),
    }));
  return {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    command: [...config.entrypoint, ...config.cmd].map(literal),
    ...(config.workingDir ? { workingDir: config.workingDir } : {}),
    ...some('env', environmentOf(app, variables, literal, own)),
    ...some('ports', ports),
    ...nonEmpty('resources', resourcesOf(config, own)),
    ...nonEmpty('securityContext', securityOf(app, own, notesWithin(app.name, context))),
    ...some('volumeMounts', mounts),
  };
}

/**
 * `$(NAME)` would be replaced where there is a variable of that name, and `$$` is how to say `$`; everything else stays as it is. Not
 * more is doubled than has to be, since podman takes all of it as it stands.
 * https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/
 */
function literalIn(names: ReadonlySet<string>, lost: Lost): (text: string) => string {
  return (text) =>
    text.replace(/\$(?=\$)|\$(?=\(([A-Za-z0-9_.-]*)\))/g, (sign, name: string | undefined) => {
      if (name !== undefined && !names.has(name)) return sign;
      lost(
        'that a dollar sign in a command or variable is only a dollar sign, which is doubled here and podman does not halve,',
      );
      return '$$';
    });
}

const variablesOf = ({ config }: PodApp): ReadonlyMap<string, string> =>
  new Map([...(config.runtimeEnv ?? []), ...config.env].map(split));

function environmentOf(
  { image }: PodApp,
  stated: ReadonlyMap<string, string>,
  literal: (text: string) => string,
  lost: Lost,
): readonly Json[] {
  for (const [name] of image.config.env.map(split))
    if (!stated.has(name)) lost(`that the variable ${printable(name)} of the image is not set`);
  return [...stated].map(([name, value]) => ({ name, value: literal(value) }));
}

function split(line: string): readonly [string, string] {
  const equals = line.indexOf('=');
  return [line.slice(0, equals), line.slice(equals + 1)];
}

const PROTOCOLS = new Set(['TCP', 'UDP', 'SCTP']);

function portsOf(app: PodApp, leading: Place['ports'], lost: Lost): readonly Json[] {
  return app.ports.flatMap(({ name, protocol: stated, port, count }) => {
    const protocol = stated.toUpperCase();
    if (!PROTOCOLS.has(protocol)) {
      lost(`the port ${name}, of the protocol ${printable(stated.slice(0, 20))},`);
      return [];
    }
    const outside = leading.get(name);
    const first = outside?.podPort ?? port;
    // A service name has at most fifteen characters, and names one port.
    const isName = count === 1 && name.length <= 15 && /[a-z]/.test(name) && !name.includes('--');
    return Array.from({ length: count }, (_, i) => ({
      ...(isName ? { name } : {}),
      containerPort: first + i,
      protocol,
      ...(outside && outside.hostPort + i <= 65535 ? { hostPort: outside.hostPort + i } : {}),
      ...(outside?.hostIp === undefined ? {} : { hostIP: outside.hostIp }),
    }));
  });
}

function volumeOf(name: string, volume: PodVolume['volume'], lost: Lost): Members {
  if (volume.kind === 'host') {
    if (!volume.recursive) lost('that what is mounted below is left out', 'volumes', name);
    return { name, hostPath: { path: volume.source } };
  }
  const { mode, uid, gid } = volume;
  if (mode !== 0o777 || uid || gid)
    lost(
      `that the volume belongs to ${uid}:${gid} and has the mode ${mode.toString(8).padStart(4, '0')}`,
      'volumes',
      name,
    );
  return { name, emptyDir: {} };
}

/** Mount points without a volume of the pod. Where what the image has is to be copied, the engine makes the volume by itself. */
const implicitVolumes = ({ name: app, config }: PodApp) =>
  (config.mountPoints ?? [])
    .filter(({ volume }) => volume !== undefined)
    .map(({ path, readOnly }, i) => ({ name: `${app}.${i}.own`, path, readOnly }));

function podSecurity({ apps, isolation }: Pod, lost: Lost): Members {
  const groups = apps.map(({ config }) => [...(config.supplementaryGroups ?? [])].sort((a, b) => a - b));
  const [first = []] = groups;
  const same = groups.every((one) => JSON.stringify(one) === JSON.stringify(first));
  for (const [i, own] of groups.entries())
    if (!same && own.length) lost(`that this app alone has the groups ${own.join(', ')}`, apps[i]!.name);
  const sysctls = Object.entries(isolation.sysctl ?? {}).map(([name, value]) => ({ name, value }));
  return { ...some('supplementalGroups', same ? first : []), ...some('sysctls', sysctls) };
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/#syntax-and-character-set */
const ANNOTATION = /^(?:[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

function annotationsOf({ annotations }: Pod, lost: Lost): Members {
  const found: [string, string][] = [];
  for (const [name, value] of annotations) {
    if (ANNOTATION.test(name)) found.push([name, value]);
    else lost(`the annotation ${printable(name.slice(0, 120))}`);
  }
  return Object.fromEntries(found);
}

const appArmor = ({ apps }: Pod, names: ReadonlyMap<string, string>): Members =>
  Object.fromEntries(
    apps.flatMap(({ config, name }) => {
      const profile = config.isolation?.apparmorProfile;
      return profile
        ? [[`container.apparmor.security.beta.kubernetes.io/${names.get(name)}`, `localhost/${profile}`]]
        : [];
    }),
  );

function podName({ names, apps }: Pod): string {
  const name = (names[0] ?? '')
    .replace(/[:@].*$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return labelFor(name || apps[0]!.name);
}

/** Names as RFC 1123 has them: 63 characters, no dots. */
const MOST_LABEL = 63;
const labelFor = (name: string): string => name.replaceAll('.', '-').slice(0, MOST_LABEL).replace(/-+$/, '');

/** Such a name for each, and no two the same. */
function labels(names: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const taken = new Set(names.filter((name) => labelFor(name) === name));
  const numbers = new Map<string, number>();
  for (const name of names) {
    const stem = labelFor(name.slice(0, 56));
    let number = numbers.get(stem) ?? 2;
    let label = labelFor(name);
    while (label !== name && taken.has(label)) label = `${stem}-${number++}`;
    numbers.set(stem, number);
    taken.add(label);
    found.set(name, label);
  }
  return found;
}

const filled = (members: { readonly [name: string]: Json | undefined }): Members | undefined => {
  const found = Object.entries(members).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return found.length ? Object.fromEntries(found) : undefined;
};
const nonEmpty = (name: string, members: Members): Members => (Object.keys(members).length ? { [name]: members } : {});
const some = (name: string, items: readonly Json[]): Members => (items.length ? { [name]: items } : {});
