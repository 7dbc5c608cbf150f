import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { detect } from '../../../converters/index.ts';
import { open } from '../../../converters/look.ts';
import { type AciRecipe, aciId, leastApp } from '../../../fixtures/aci.ts';
import type { JsonObject } from '../../../fixtures/image-recipe.ts';
import { noteList } from '../../../formats/base/notes.ts';
import { imagesOfPod, type Pod } from '../../../formats/model/pod.ts';
import { codeOf, cpuTime } from '../support.ts';
import { hostWith, type PodFiles, podFiles, runnable } from './pod-files.ts';

async function podFrom(source: string, dependencies: readonly string[]) {
  const notes = noteList();
  const opened = await open(source, { notes, dependencies });
  await opened.close();
  return { pod: opened.items[0] as Pod, notes: notes.all().map(({ message, at }) => [...at, message].join(' > ')) };
}

const read = (pod: JsonObject, images?: readonly AciRecipe[]) => {
  const files: PodFiles = podFiles(pod, images);
  return podFrom(files.pod, [files.images]);
};
const refusal = (pod: JsonObject, images?: readonly AciRecipe[]) => codeOf(() => read(pod, images));

const IMAGE = { name: 'example.com/app' };
const pointed = (mountPoints: readonly JsonObject[], more: JsonObject = {}): AciRecipe =>
  runnable({ app: leastApp({ mountPoints }), ...more });
const EMPTY = { kind: 'empty', mode: 0o755, uid: 0, gid: 0 };

describe('a pod', () => {
  test('is recognised by its content', async () => {
    const [offer] = await detect(podFiles({}).pod);
    expect(offer).toMatchObject({ format: 'pod', title: 'pod manifest' });
  });

  test('has the image’s app, under the name that the pod gives it', async () => {
    const { pod, notes } = await read({});
    const [web] = pod.apps;
    expect(web).toMatchObject({ name: 'web', replaced: false, readOnlyRoot: false });
    expect(web!.config.entrypoint).toEqual(['/bin/app']);
    expect(web!.config.runtimeEnv).toContain('AC_APP_NAME=web');
    expect(notes).toEqual([]);
  });

  test('has an app of its own in the place of the image’s, whole', async () => {
    const image = runnable({ app: leastApp({ environment: [{ name: 'A', value: '1' }], workingDirectory: '/w' }) });
    const { pod } = await read({ apps: [{ name: 'web', image: IMAGE, app: leastApp({ exec: ['/x'] }) }] }, [image]);
    const [web] = pod.apps;
    expect([web!.replaced, web!.config.entrypoint, web!.config.env, web!.config.workingDir]).toEqual([
      true,
      ['/x'],
      [],
      '/',
    ]);
    expect(web!.image.config.env, 'the image stays as it is').toEqual(['A=1']);
  });

  test('finds who runs in the image that it runs in', async () => {
    const passwd = { name: 'etc/passwd', body: 'sam:x:77:88::/:/bin/sh\n' };
    const group = { name: 'etc/group', body: 'team:x:99:\n' };
    const app = leastApp({ user: 'sam', group: 'team' });
    const { pod } = await read({ apps: [{ name: 'web', image: IMAGE, app }] }, [runnable({}, [passwd, group])]);
    expect(pod.apps[0]!.config.user).toBe('77:99');
  });

  test('has an image once, however many apps run in it', async () => {
    const { pod } = await read({ apps: ['a', 'b'].map((name) => ({ name, image: IMAGE })) });
    expect(imagesOfPod(pod).length).toBe(1);
    expect(pod.apps.map(({ config }) => config.runtimeEnv?.[0])).toEqual(['AC_APP_NAME=a', 'AC_APP_NAME=b']);
  });

  test('finds images by labels, by the beginning of an id, and by an id without a name', async () => {
    const [one, two] = ['1.0', '2.0'].map((value) => runnable({ labels: [{ name: 'version', value }] }));
    const version = async (image: JsonObject) => {
      const { pod } = await read({ apps: [{ name: 'web', image }] }, [one!, two!]);
      return pod.apps[0]!.image.names;
    };
    expect(await version({ ...IMAGE, labels: [{ name: 'version', value: '2.0' }] })).toEqual(['example.com/app:2.0']);
    expect(await version({ ...IMAGE, id: aciId(two).slice(0, 40) })).toEqual(['example.com/app:2.0']);
    expect(await version({ id: aciId(one) })).toEqual(['example.com/app:1.0']);
  });

  test('is refused where an image is not there, or nothing says what runs', async () => {
    expect(await refusal({ apps: [{ name: 'web', image: { name: 'example.com/other' } }] })).toBe('appc/dependency');
    expect(await refusal({ apps: [{ name: 'web', image: { id: `sha512-${'0'.repeat(128)}` } }] })).toBe(
      'appc/dependency',
    );
    expect(await refusal({}, [runnable({ app: undefined as unknown as JsonObject })])).toBe('appc/manifest');
  });
});

describe('volumes', () => {
  const volumes = [{ name: 'data', kind: 'empty', mode: '0700', uid: 1, gid: 2 }];

  test('go where the pod says, and where a mount point is called like one', async () => {
    const image = pointed([
      { name: 'data', path: '/by-name' },
      { name: 'other', path: '/other', readOnly: true },
    ]);
    const mounts = [{ volume: 'data', path: '/by-path' }];
    const { pod } = await read({ apps: [{ name: 'web', image: IMAGE, mounts }], volumes }, [image]);
    expect(pod.apps[0]!.mounts).toEqual([
      { volume: 'data', path: '/by-path', readOnly: false },
      { volume: 'data', path: '/by-name', readOnly: false },
    ]);
    expect(pod.volumes).toEqual([{ name: 'data', volume: { kind: 'empty', mode: 0o700, uid: 1, gid: 2 } }]);
    expect(pod.apps[0]!.config.mountPoints, 'what is left is empty').toEqual([
      { name: 'other', path: '/other', readOnly: true, volume: EMPTY },
    ]);
  });

  test('that are not there are copied from images that were Docker’s, and empty in others', async () => {
    const points = [{ name: 'data', path: '/data' }];
    const docker = { annotations: [{ name: 'appc.io/docker/repository', value: 'x' }] };
    const of = async (image: AciRecipe) => (await read({}, [image])).pod.apps[0]!.config.mountPoints![0]!.volume;
    expect(await of(pointed(points))).toEqual(EMPTY);
    expect(await of(pointed(points, docker))).toBeUndefined();
  });

  test('are read-only as they say, or else as the mount point says', async () => {
    const image = pointed([{ name: 'data', path: '/data', readOnly: true }]);
    const readOnly = async (more: JsonObject) =>
      (await read({ volumes: [{ name: 'data', kind: 'host', source: '/srv', ...more }] }, [image])).pod.apps[0]!
        .mounts[0]!.readOnly;
    expect([await readOnly({}), await readOnly({ readOnly: false })]).toEqual([true, false]);
  });

  test('of one app alone are nobody else’s', async () => {
    const mounts = [{ volume: 'own', path: '/own', appVolume: { name: 'own', kind: 'empty' } }];
    const { pod } = await read({ apps: ['a', 'b'].map((name) => ({ name, image: IMAGE, mounts })) });
    expect(pod.volumes.map(({ name }) => name)).toEqual(['a.0', 'b.0']);
    expect(pod.apps.map((app) => app.mounts[0]!.volume)).toEqual(['a.0', 'b.0']);
  });

  test('are refused at a mount point that the app does not have', async () => {
    const mounts = [{ volume: 'data', mountPoint: 'nowhere' }];
    expect(await refusal({ apps: [{ name: 'web', image: IMAGE, mounts }], volumes })).toBe('appc/manifest');
  });
});

describe('hostile numbers', () => {
  const numbered = (count: number) => Array.from({ length: count }, (_, i) => `v${i}`);

  test('of mount points and volumes take time in proportion to them', async () => {
    const names = numbered(20_000);
    const image = pointed(names.map((name) => ({ name, path: `/${name}` })));
    const volumes = names.toReversed().map((name) => ({ name, kind: 'empty' }));
    const mounts = names.slice(0, 5_000).map((volume) => ({ volume, path: `//${volume}/` }));
    const files = podFiles({ apps: [{ name: 'web', image: IMAGE, mounts }], volumes }, [image]);
    const started = cpuTime();
    const { pod } = await podFrom(files.pod, [files.images]);
    // Each place compared with each other would be half a minute.
    expect(cpuTime() - started).toBeLessThan(5000);
    expect([pod.apps[0]!.mounts.length, pod.apps[0]!.config.mountPoints]).toEqual([20_000, []]);
    expect(pod.apps[0]!.mounts[0], 'the path is the one of the mount point').toMatchObject({
      volume: 'v0',
      path: '/v0',
    });
  });

  test('of isolators take time in proportion to them', async () => {
    const isolators = (kind: string) => numbered(20_000).map((name) => ({ name: `${kind}-${name}`, value: {} }));
    const app = leastApp({ isolators: isolators('own') });
    const started = cpuTime();
    const { pod } = await read({ apps: [{ name: 'web', image: IMAGE, app }], isolators: isolators('pod') });
    expect(cpuTime() - started).toBeLessThan(5000);
    expect(pod.apps[0]!.config.isolation?.unsupported?.length).toBe(40_000);
  });

  test.each<[string, JsonObject]>([
    ['ports', { ports: [{ name: 'all', protocol: 'tcp', port: 1, count: 65_535 }] }],
    ['variables', { environment: numbered(65_000).map((name) => ({ name, value: '' })) }],
    ['mount points', { mountPoints: numbered(50_000).map((name) => ({ name, path: `/${name}` })) }],
  ])('of %s are refused where many apps have them from one image', async (_, more) => {
    const apps = numbered(5).map((name) => ({ name, image: IMAGE }));
    expect(await refusal({ apps }, [runnable({ app: leastApp(more) })])).toBe('limit/members');
    expect(await refusal({ apps: apps.slice(0, 3) }, [runnable({ app: leastApp(more) })])).toBe('no refusal');
  });
});

describe('isolators', () => {
  const memory = (limit: string) => ({ name: 'resource/memory', value: { limit } });
  const capabilities = (kind: string, ...set: string[]) => ({
    name: `os/linux/capabilities-${kind}-set`,
    value: { set },
  });

  test('of the pod hold where the app has none of its own, with a note for those of all together', async () => {
    const own = leastApp({ isolators: [memory('1000'), capabilities('retain', 'CAP_CHOWN')] });
    const { pod, notes } = await read({
      apps: [
        { name: 'own', image: IMAGE, app: own },
        { name: 'plain', image: IMAGE },
      ],
      isolators: [memory('2000'), capabilities('remove', 'CAP_CHOWN')],
    });
    expect(pod.apps.map(({ config }) => config.isolation?.memory?.limit)).toEqual([1000, 2000]);
    expect(pod.apps.map(({ config }) => config.isolation?.capabilities?.length)).toEqual([1, 13]);
    expect(notes).toEqual([
      'manifest > /isolators/0 > resource/memory of the pod holds for each app that has none of its own, and not for all together',
    ]);
  });

  test('of the kernel’s parameters are the pod’s, whose namespaces they are', async () => {
    const { pod } = await read({ isolators: [{ name: 'os/unix/sysctl', value: { 'net.core.somaxconn': '5' } }] });
    expect(pod.isolation).toEqual({ sysctl: { 'net.core.somaxconn': '5' } });
    expect(pod.apps[0]!.config.isolation).toBeUndefined();
  });
});

describe('a pod that an rkt host ran', () => {
  const UUID = '6733c088-a507-4694-aabf-178b28c5ca1c';
  const other = '6733c088-b507-4694-aabf-178b28c5ca1c';
  const ran = { apps: [{ name: 'web', image: { id: aciId(runnable()).slice(0, 'sha512-'.length + 64) } }] };
  const host = (...places: readonly string[]) =>
    hostWith([runnable()], Object.fromEntries(places.map((place) => [place, ran])));

  test.each(['run', 'exited-garbage', 'prepared'])('is found among those in %s', async (state) => {
    const { pod } = await podFrom(`rkt:${host(`${state}/${UUID}`)}:@${UUID}`, []);
    expect([pod.kind, pod.names, pod.apps[0]!.image.names]).toEqual(['pod', [`rkt-${UUID}`], ['example.com/app:1.0']]);
  });

  test('is found by the first eight digits or more, where no other begins so', async () => {
    const folder = host(`run/${UUID}`, `exited-garbage/${other}`);
    const { pod } = await podFrom(`rkt:${folder}:@${UUID.slice(0, 13)}`, []);
    expect(pod.names).toEqual([`rkt-${UUID}`]);
    expect(await codeOf(() => podFrom(`rkt:${folder}:@${UUID.slice(0, 8)}`, []))).toBe('image/select');
    expect(await codeOf(() => podFrom(`rkt:${folder}:@00000000`, []))).toBe('image/select');
  });

  test('is refused where rkt had not written its manifest yet', async () => {
    const folder = host();
    mkdirSync(join(folder, 'pods/prepare', UUID), { recursive: true });
    expect(await codeOf(() => podFrom(`rkt:${folder}:@${UUID}`, []))).toBe('image/select');
  });
});
