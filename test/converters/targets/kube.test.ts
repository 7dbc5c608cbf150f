import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { convert } from '../../../converters/convert.ts';
import { kubePod, repositoryOf } from '../../../converters/targets/kube-pod.ts';
import { DEFAULT_CAPABILITIES } from '../../../formats/model/capabilities.ts';
import type { Image } from '../../../formats/model/image.ts';
import type { Pod, PodApp } from '../../../formats/model/pod.ts';
import { readLayout } from '../../cases/layout.ts';
import { scratch } from '../../fixtures/peers.ts';
import { podFiles } from '../../formats/appc/pod-files.ts';
import { codeOf, contextWith, cpuTime } from '../../formats/support.ts';
import { configWith } from '../runtime/generate.ts';

const image: Image = {
  kind: 'image',
  names: ['example.com/app:1'],
  config: configWith(),
  layers: [],
  history: [],
  original: {},
};

const AT_WEB = ['web', 'configuration'];
const NOTHING = {
  kind: 'pod',
  names: [],
  volumes: [],
  isolation: {},
  ports: [],
  annotations: new Map<string, string>(),
} as const;

type Given = Partial<Omit<PodApp, 'config'>> & { readonly config?: Parameters<typeof configWith>[0] };

const appWith = ({ config, ...more }: Given = {}): PodApp => ({
  name: 'web',
  image,
  config: configWith({ user: '0:0', ...config }),
  replaced: false,
  mounts: [],
  ports: [],
  readOnlyRoot: false,
  annotations: new Map(),
  ...more,
});

function kube(apps: readonly Given[], more: Partial<Pod> = {}) {
  const context = contextWith();
  const pod: Pod = { ...NOTHING, apps: apps.map(appWith), ...more };
  const references = new Map(pod.apps.map((app) => [app.image, 'example.com/app@sha256:00']));
  // biome-ignore lint/suspicious/noExplicitAny: a document as it is
  const document = kubePod(pod, references, context) as any;
  const notes = context.notes.all().map(({ message }) => message.replace(/ has no place in a Pod of Kubernetes$/, ''));
  return { document, first: document.spec.containers[0], notes };
}

test('a pod that says little gives a document that says little', () => {
  const { document, notes } = kube([{}]);
  expect(notes).toEqual([]);
  expect(document).toEqual({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web' },
    spec: {
      restartPolicy: 'Never',
      shareProcessNamespace: true,
      containers: [
        {
          name: 'web',
          image: 'example.com/app@sha256:00',
          imagePullPolicy: 'IfNotPresent',
          command: ['/bin/app'],
          securityContext: { runAsUser: 0, runAsGroup: 0 },
        },
      ],
    },
  });
});

test('how an app is confined is said, and what cannot be is a note', () => {
  const isolation = {
    cpu: { limit: 500, shares: 512 },
    memory: { limit: 1000, request: 2000 },
    capabilities: ['CAP_CHOWN'],
    noNewPrivileges: true,
    selinuxLabel: 'u:r:t:s0:c1',
    apparmorProfile: 'mine',
    seccomp: { mode: 'retain', calls: ['read'] },
    oomScoreAdj: 5,
    sysctl: { 'net.a': '1' },
    unsupported: [{ name: 'odd', value: null }],
  } as const;
  const { document, first, notes } = kube([{ config: { user: '7:8', isolation }, readOnlyRoot: true }]);
  expect(first.resources).toEqual({
    limits: { cpu: '500m', memory: '1000' },
    requests: { cpu: '500m', memory: '1000' },
  });
  expect(first.securityContext).toEqual({
    runAsUser: 7,
    runAsGroup: 8,
    capabilities: { drop: ['ALL'], add: ['CHOWN'] },
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    seLinuxOptions: { user: 'u', role: 'r', type: 't', level: 's0:c1' },
  });
  expect(document.metadata.annotations).toEqual({
    'container.apparmor.security.beta.kubernetes.io/web': 'localhost/mine',
  });
  expect(notes).toEqual([
    'a request for memory that is above the limit',
    'the seccomp filter, which is a file on each node there,',
    'the OOM score adjustment 5',
    'the kernel parameters net.a of one app',
    'the isolator odd',
    'the image asks for the SELinux label u:r:t:s0:c1, and gets it (seLinuxOptions in pod.yaml decides)',
  ]);
});

test('what an app gets that a container does not have by default is said aloud, by the app', () => {
  const isolation = {
    capabilities: ['CAP_ALL', 'CAP_CHOWN', 'CAP_SYS_ADMIN'],
    noNewPrivileges: false,
    selinuxLabel: 'system_u:system_r:spc_t:s0',
  };
  const context = contextWith();
  const app = appWith({ config: { isolation } });
  const pod: Pod = { ...NOTHING, apps: [app] };
  const text = JSON.stringify(kubePod(pod, new Map([[app.image, 'example.com/app@sha256:00']]), context));
  expect(text, 'ALL would be every capability there is').toContain('"add":["CHOWN","SYS_ADMIN"]');
  expect(text).toContain('"allowPrivilegeEscalation":true');
  expect(context.notes.all()).toEqual([
    expect.objectContaining({ kind: 'defaulted', message: expect.stringContaining('set-user-ID'), at: AT_WEB }),
    expect.objectContaining({ kind: 'defaulted', message: expect.stringContaining(':spc_t:'), at: AT_WEB }),
    expect.objectContaining({ kind: 'dropped', message: 'Linux has no capability CAP_ALL', at: AT_WEB }),
    expect.objectContaining({
      kind: 'defaulted',
      message: expect.stringMatching(/CAP_SYS_ADMIN.*pod\.yaml/),
      at: AT_WEB,
    }),
  ]);
});

test('what a container has by default is no note', () => {
  expect(
    kube([{ config: { isolation: { capabilities: DEFAULT_CAPABILITIES, noNewPrivileges: true } } }]).notes,
  ).toEqual([]);
});

test.each(['/../../x', '/a/..', 'relative', '/a\0b'])(
  'a mount at %j is refused, whether the pod or the image says it',
  async (path) => {
    const empty = { kind: 'empty', mode: 0o777, uid: 0, gid: 0 } as const;
    const mounts = [{ volume: 'v', path, readOnly: false }];
    const volumes = [{ name: 'v', volume: empty }];
    expect(await codeOf(() => kube([{ mounts }], { volumes }))).toBe('image/config');
    const mountPoints = [{ name: 'p', path, readOnly: false, volume: empty }];
    expect(await codeOf(() => kube([{ config: { mountPoints } }]))).toBe('image/config');
  },
);

test('an empty set of capabilities is none, and a user without a number is a note', () => {
  const { first, notes } = kube([{ config: { user: 'sam:0', isolation: { capabilities: [] } } }]);
  expect(first.securityContext).toEqual({ capabilities: { drop: ['ALL'] } });
  expect(notes).toEqual(['the user sam:0, who is in no user database of the image,']);
});

test('dollar signs stay dollar signs, and are doubled only where Kubernetes reads them', () => {
  const { first, notes } = kube([{ config: { cmd: ['$(A) $(B) $$ $A', '$'], env: ['A=$(A)', 'C=='] } }]);
  expect(first.command).toEqual(['$$(A) $(B) $$$ $A', '$']);
  expect(first.env).toEqual([
    { name: 'A', value: '$$(A)' },
    { name: 'C', value: '=' },
  ]);
  expect(notes).toHaveLength(1);
  expect(kube([{ config: { cmd: ['sh', '-c', 'echo $(hostname) $HOME'] } }]).notes).toEqual([]);
});

test('variables that only the image has are a note, since they cannot be unset', () => {
  const own = { ...image, config: configWith({ env: ['A=1'] }) };
  expect(kube([{ image: own }]).notes).toEqual(['that the variable A of the image is not set']);
});

test('ports are those of the app, with what leads to them from the host', () => {
  const ports = [
    { name: 'http', protocol: 'tcp', port: 80, count: 1 },
    { name: 'a-name-that-is-too-long', protocol: 'udp', port: 90, count: 2 },
    { name: 'odd', protocol: 'dccp', port: 1, count: 1 },
  ];
  const { first, notes } = kube([{ ports }], {
    ports: [{ name: 'http', hostPort: 8080, hostIp: '127.0.0.1', podPort: 81 }],
  });
  expect(first.ports).toEqual([
    { name: 'http', containerPort: 81, protocol: 'TCP', hostPort: 8080, hostIP: '127.0.0.1' },
    { containerPort: 90, protocol: 'UDP' },
    { containerPort: 91, protocol: 'UDP' },
  ]);
  expect(notes).toEqual(['the port odd, of the protocol dccp,']);
});

test('volumes have names that Kubernetes takes, and no two the same', () => {
  const long = 'v'.repeat(80);
  const names = [`${long}1`, `${long}2`, 'web-0', 'web.0', 'v'];
  const mounts = names.map((volume, i) => ({ volume, path: `/${i}`, readOnly: i === 1 }));
  const empty = { kind: 'empty', mode: 0o777, uid: 0, gid: 0 } as const;
  const mountPoints = [
    { name: 'p', path: '/p', readOnly: false, volume: empty },
    { name: 'seeded', path: '/seeded', readOnly: false },
  ];
  const { document, first, notes } = kube([{ mounts, config: { mountPoints } }], {
    volumes: names.map((name) => ({
      name,
      volume: name === 'v' ? { kind: 'host', source: '/srv', recursive: false, readOnly: false } : empty,
    })),
  });
  const called: readonly string[] = document.spec.volumes.map(({ name }: { readonly name: string }) => name);
  expect(new Set(called).size).toBe(6);
  for (const name of called) expect(name).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
  expect(called[2]).toBe('web-0');
  expect(document.spec.volumes[4]).toEqual({ name: 'v', hostPath: { path: '/srv' } });
  expect(first.volumeMounts.map((mount: { readonly name: string }) => mount.name)).toEqual(called);
  expect(first.volumeMounts[1]).toMatchObject({ mountPath: '/1', readOnly: true });
  expect(notes).toEqual(['that what is mounted below is left out']);
});

test('names that differ only where Kubernetes has no more room take time in proportion to them', () => {
  const empty = { kind: 'empty', mode: 0o777, uid: 0, gid: 0 } as const;
  const volumes = Array.from({ length: 20_000 }, (_, i) => ({ name: `${'v'.repeat(80)}${i}`, volume: empty }));
  const started = cpuTime();
  const { document } = kube([{}], { volumes });
  // Counting from two for each of them would be 2 * 10^8 names.
  expect(cpuTime() - started).toBeLessThan(5000);
  expect(new Set(document.spec.volumes.map(({ name }: { readonly name: string }) => name)).size).toBe(20_000);
});

test('groups are the pod’s where all apps have the same, and otherwise a note', () => {
  const groups = (...of: readonly (readonly number[])[]) =>
    kube(of.map((supplementaryGroups, i) => ({ name: `a${i}`, config: { supplementaryGroups } })));
  expect(groups([2, 1], [1, 2]).document.spec.securityContext).toEqual({ supplementalGroups: [1, 2] });
  const differing = groups([1], []);
  expect([differing.document.spec.securityContext, differing.notes.length]).toEqual([undefined, 1]);
});

test('annotations stay where their names may be there', () => {
  const { document, notes } = kube([{}], {
    annotations: new Map([
      ['example.com/a', 'b'],
      ['a/b/c', 'd'],
    ]),
    names: ['rkt-67'],
  });
  expect(document.metadata).toEqual({ name: 'rkt-67', annotations: { 'example.com/a': 'b' } });
  expect(notes).toEqual(['the annotation a/b/c']);
});

test.each([
  ['example.com/a/b:1.0', 'example.com/a/b'],
  ['localhost:5000/a:1@sha256:00', 'localhost:5000/a'],
  ['a', 'a'],
  ['example.com/a+b', undefined],
  ['example.com/A', undefined],
])('the repository of %s is %s', (reference, repository) => expect(repositoryOf(reference)).toBe(repository));

test('the folder has the pod, and the images that it names', async () => {
  const { pod, images } = podFiles({});
  const out = join(scratch(), 'out');
  await convert(pod, out, { to: 'kube', dependencies: [images] });
  const [own] = readLayout(join(out, 'images'));
  expect(own!.name).toBe('example.com/app:1.0');
  expect(readFileSync(join(out, 'pod.yaml'), 'utf8')).toContain(`image: example.com/app@${own!.digest}\n`);
  const plain = join(scratch(), 'layout');
  await convert(pod, plain, { dependencies: [images] });
  expect(readLayout(plain)[0]!.digest, 'the image is the same wherever it is written').toBe(own!.digest);
});

test('an image that engines have no name for is called after its app', async () => {
  const strange = { acKind: 'ImageManifest', acVersion: '0.8.11', name: 'example.com/a--b~c' };
  const { pod, images } = podFiles({ apps: [{ name: 'web', image: { name: strange.name } }] }, [
    { manifest: { ...strange, app: { exec: ['/x'], user: '0', group: '0' } } },
  ]);
  const out = join(scratch(), 'out');
  const { images: written } = await convert(pod, out, { to: 'kube', dependencies: [images] });
  const [, reference = ''] = /image: (\S+)/.exec(readFileSync(join(out, 'pod.yaml'), 'utf8')) ?? [];
  const name = readLayout(join(out, 'images'))[0]!.name!;
  expect(reference).toBe(`${repositoryOf(name)}@${written[0]!.digest}`);
});

test('an image alone is no pod, and what stands at OUT stays', async () => {
  const { images, pod } = podFiles({});
  const out = scratch();
  expect(await codeOf(() => convert(join(images, '0.aci'), join(out, 'a'), { to: 'kube' }))).toBe('format/unsupported');
  expect(await codeOf(() => convert(pod, images, { to: 'kube', dependencies: [images] }))).toBe('output/exists');
});
