import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { leastApp } from '../../../fixtures/aci.ts';
import type { Json, JsonObject } from '../../../fixtures/image-recipe.ts';
import { parsePodManifest } from '../../../formats/appc/pod.ts';
import { codeOf, contextWith, cpuTime } from '../support.ts';
import { leastPod } from './pod-files.ts';

const IMAGE = { name: 'example.com/app' };
const bytesOf = (more: JsonObject): Uint8Array => Buffer.from(JSON.stringify({ ...leastPod, ...more }));

function parsed(more: JsonObject) {
  const context = contextWith();
  const manifest = parsePodManifest(bytesOf(more), context);
  return { manifest, notes: context.notes.all().map(({ kind, message }) => `${kind}: ${message}`) };
}

const refusal = (more: JsonObject) => codeOf(() => parsePodManifest(bytesOf(more), contextWith()));
const withApp = (app: JsonObject): JsonObject => ({ apps: [{ name: 'web', image: IMAGE, ...app }] });
const withVolume = (volume: JsonObject): JsonObject => ({ volumes: [{ name: 'data', ...volume }] });

describe('a pod manifest', () => {
  test('that says only what it must has what the specification says for the rest', () => {
    const { manifest, notes } = parsed({});
    expect(notes).toEqual([]);
    expect(manifest.apps).toEqual([
      {
        name: 'web',
        image: { name: 'example.com/app', id: undefined, labels: new Map() },
        app: undefined,
        readOnlyRootFs: false,
        mounts: [],
        annotations: new Map(),
      },
    ]);
    expect([manifest.volumes, manifest.isolators, manifest.ports]).toEqual([[], [], []]);
  });

  test('gives each of its members', () => {
    const id = `sha512-${'ab'.repeat(32)}`;
    const { manifest, notes } = parsed({
      apps: [
        {
          name: 'web',
          image: { name: 'example.com/app', id, labels: [{ name: 'version', value: '2' }] },
          app: leastApp({ exec: ['/other'] }),
          readOnlyRootFS: true,
          mounts: [
            { volume: 'data', path: '/srv' },
            { volume: 'own', path: '/own', appVolume: { name: 'own', kind: 'empty' } },
          ],
          annotations: [{ name: 'a', value: 'b' }],
        },
      ],
      volumes: [
        { name: 'data', kind: 'host', source: '/srv', recursive: false, readOnly: true },
        { name: 'tmp', kind: 'empty', mode: '1777', uid: 5, gid: 6 },
      ],
      isolators: [{ name: 'resource/memory', value: { limit: '1G' } }],
      annotations: [{ name: 'c', value: 'd' }],
      ports: [{ name: 'http', hostPort: 80, hostIP: '127.0.0.1', podPort: 8080 }],
      userAnnotations: { e: 'f' },
      userLabels: { g: 'h' },
    });
    expect(notes).toEqual([]);
    const [app] = manifest.apps;
    expect(app).toMatchObject({ image: { id, labels: new Map([['version', '2']]) }, readOnlyRootFs: true });
    expect([app!.app!.exec, app!.annotations]).toEqual([['/other'], new Map([['a', 'b']])]);
    expect(app!.mounts.map(({ volume, at, own }) => [volume, at, own?.volume])).toEqual([
      ['data', { path: '/srv' }, undefined],
      ['own', { path: '/own' }, { kind: 'empty', mode: 0o755, uid: 0, gid: 0 }],
    ]);
    expect(manifest.volumes).toEqual([
      { name: 'data', volume: { kind: 'host', source: '/srv', recursive: false, readOnly: true }, readOnly: true },
      { name: 'tmp', volume: { kind: 'empty', mode: 0o1777, uid: 5, gid: 6 }, readOnly: undefined },
    ]);
    expect(manifest.ports).toEqual([{ name: 'http', hostPort: 80, hostIp: '127.0.0.1', podPort: 8080 }]);
    expect([manifest.isolators.length, manifest.annotations, manifest.userAnnotations, manifest.userLabels]).toEqual([
      1,
      new Map([['c', 'd']]),
      new Map([['e', 'f']]),
      new Map([['g', 'h']]),
    ]);
  });

  test('of before 0.7 mounts by the name of a mount point', () => {
    const { manifest } = parsed({
      ...withApp({ mounts: [{ volume: 'data', mountPoint: 'work' }] }),
      ...withVolume({ kind: 'empty' }),
    });
    expect(manifest.apps[0]!.mounts[0]!.at).toEqual({ mountPoint: 'work' });
  });

  test('is told what means nothing in it', () => {
    expect(parsed(withVolume({ kind: 'host', source: '/srv', mode: '0700' })).notes).toEqual([
      'dropped: mode mean nothing for a volume of the kind host',
    ]);
    expect(parsed({ acVersion: undefined as unknown as Json }).notes).toEqual([
      'repaired: the manifest has no acVersion',
    ]);
  });

  const WRONG: Readonly<Record<string, JsonObject>> = {
    'is an image’s': { acKind: 'ImageManifest' },
    'has no app': { apps: [] },
    'has two apps of one name': { apps: [leastPod['apps'], leastPod['apps']].flat() as Json[] },
    'has an app that climbs': { apps: [{ name: '../etc', image: IMAGE }] },
    'has an app that is a command': { apps: [{ name: 'a; rm -rf /', image: IMAGE }] },
    'has an app that a file name cannot be': { apps: [{ name: 'a'.repeat(300), image: IMAGE }] },
    'has an app without an image': { apps: [{ name: 'web', image: {} }] },
    'has an image with an id that is none': { apps: [{ name: 'web', image: { id: 'sha256-aa' } }] },
    'mounts what it does not have': withApp({ mounts: [{ volume: 'data', path: '/srv' }] }),
    'mounts at a place that is relative': {
      ...withApp({ mounts: [{ volume: 'data', path: 'srv' }] }),
      ...withVolume({ kind: 'empty' }),
    },
    'has two volumes of one name': { volumes: [1, 2].map(() => ({ name: 'data', kind: 'empty' })) },
    'has a volume that climbs': { volumes: [{ name: '../x', kind: 'empty' }] },
    'has a volume of no kind that there is': withVolume({ kind: 'nfs' }),
    'has a host volume from nowhere': withVolume({ kind: 'host', source: 'srv' }),
    'has a mode that is none': withVolume({ kind: 'empty', mode: '0o7' }),
    'has an owner that cannot be': withVolume({ kind: 'empty', uid: 2 ** 32 }),
    'has a port that cannot be': { ports: [{ name: 'http', hostPort: 65536 }] },
  };
  test.each(Object.entries(WRONG))('is refused where it %s', async (_, more) => {
    expect(await refusal(more)).toBe('appc/manifest');
  });

  test.each(['apps', 'volumes', 'ports', 'mounts'])(
    'is refused where it has more %s than the limit has members',
    async (list) => {
      const items = (count: number) => Array.from({ length: count }, () => ({}));
      const more = list === 'mounts' ? withApp({ mounts: items(4) }) : { [list]: items(4) };
      const parse = () => parsePodManifest(bytesOf(more), contextWith({ members: 3 }));
      expect(await codeOf(parse), 'and before it is looked at, or {} would be refused').toBe('limit/members');
    },
  );

  test('takes time in proportion to what is in it', () => {
    const volumes = Array.from({ length: 60_000 }, (_, i) => ({ name: `v${i}`, kind: 'empty' }));
    const mounts = volumes.toReversed().map(({ name }) => ({ volume: name, path: '/' }));
    const apps = [0, 1].map((i) => ({
      name: `a${i}`,
      image: IMAGE,
      mounts: mounts.slice(i * 15_000, (i + 1) * 15_000),
    }));
    const bytes = bytesOf({ volumes, apps });
    const started = cpuTime();
    parsePodManifest(bytes, contextWith());
    // Every name compared with every other would be 10^9 comparisons, and some ten seconds.
    expect(cpuTime() - started).toBeLessThan(2500);
  });

  const CORPUS = join(import.meta.dirname, '../../../../shared/corpus/appc/manifests/pods');
  test.runIf(existsSync(CORPUS))('of others is read', () => {
    const apps = readdirSync(CORPUS).map((name) => {
      const { apps: found } = parsePodManifest(readFileSync(join(CORPUS, name)), contextWith());
      return [name, ...found.map((app) => app.name)];
    });
    expect(apps).toEqual([
      ['pod_runtime.json', 'reduce-worker', 'backup', 'register'],
      ['pod_template.json', 'reduce-worker', 'backup', 'register'],
      ['rkt-walkthrough.json', 'etcd', 'busybox'],
    ]);
  });
});
