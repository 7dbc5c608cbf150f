/** Pods from the command line: what is written, what is said of the rest, what is refused. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startScript } from '../../converters/targets/pod-script.ts';
import { leastApp } from '../../fixtures/aci.ts';
import type { JsonObject } from '../../fixtures/image-recipe.ts';
import { runPeer, scratch } from '../fixtures/peers.ts';
import { hostWith, podFiles, runnable } from '../formats/appc/pod-files.ts';
import { isRoot } from '../formats/rootfs/disk.ts';
import { ocix, output, refused } from './command.ts';
import { readLayout } from './layout.ts';

const IMAGE = { name: 'example.com/app' };
const apps = (...names: readonly string[]): JsonObject => ({ apps: names.map((name) => ({ name, image: IMAGE })) });

function bundled(pod: JsonObject, options: readonly string[] = []) {
  const { pod: file, images } = podFiles(pod);
  const out = join(scratch(), 'out');
  const { status, stderr } = ocix(['bundle', ...options, '--dep', images, file, out]);
  const configOf = (app: string) => JSON.parse(readFileSync(join(out, app, 'config.json'), 'utf8'));
  return { status, stderr, out, configOf };
}

describe('a bundle of a pod', () => {
  test.runIf(isRoot)('has a folder for each app, the volumes, and what starts them', () => {
    const mounts = [{ volume: 'data', path: '/srv' }];
    const { status, stderr, out, configOf } = bundled({
      apps: [
        { name: 'web', image: IMAGE, mounts, readOnlyRootFS: true },
        { name: 'db', image: IMAGE, app: leastApp({ exec: ['/db'] }), mounts },
      ],
      volumes: [{ name: 'data', kind: 'empty', mode: '1770', uid: 5, gid: 6 }],
    });
    expect([status, readdirSync(out).sort()], stderr).toEqual([0, ['db', 'pod.holder', 'run', 'volumes', 'web']]);
    const data = statSync(join(out, 'volumes/data'));
    expect([data.mode & 0o7777, data.uid, data.gid]).toEqual([0o1770, 5, 6]);
    expect([configOf('web').process.args, configOf('db').process.args]).toEqual([['/bin/app'], ['/db']]);
    expect([configOf('web').root.readonly, configOf('db').root.readonly]).toEqual([true, undefined]);
    const mounted = configOf('db').mounts.at(-1);
    expect([mounted.destination, mounted.source]).toEqual(['/srv', '../volumes/data']);
    expect(stderr).toMatch(/\nNext: .*\/out\/run \[NAME\]\n/);
  });

  test.runIf(isRoot)('has room for apps that are called like something in it', () => {
    const { out } = bundled({ ...apps('run', 'volumes', 'pod-holder'), volumes: [{ name: 'run', kind: 'empty' }] });
    expect(readdirSync(out).sort()).toEqual(['pod-holder', 'pod.holder', 'run', 'run.app', 'volumes', 'volumes.app']);
    expect(readFileSync(join(out, 'run'), 'utf8')).toContain("\napps='run.app volumes.app pod-holder'\n");
  });

  test('has no script without privileges, and says so', () => {
    const { status, stderr, out, configOf } = bundled(apps('web', 'db'), ['--rootless']);
    expect([status, readdirSync(out).sort()], stderr).toEqual([0, ['db', 'web']]);
    expect(stderr).toContain('the apps share no namespaces');
    expect(configOf('web').linux.namespaces).toContainEqual({ type: 'user' });
    expect(stderr).toMatch(/\nNext: \(cd .*\/out\/APP && runc run NAME\)\n/);
  });

  test('says what it has no place for, and is not written where that may not be', () => {
    const more = { ports: [{ name: 'http', hostPort: 80 }], annotations: [{ name: 'a', value: 'b' }] };
    const { stderr } = bundled({ ...apps('web'), ...more }, ['--rootless']);
    expect(stderr).toContain('the port 80 of the host that leads to http: a bundle has no place for it');
    expect(stderr).toContain('the annotations of the pod: a bundle has no place for it');
    const { pod, images } = podFiles({ ...apps('web'), ...more });
    const out = join(scratch(), 'out');
    expect(refused(['bundle', '--strict', '--dep', images, pod, out])).toMatchObject({
      status: 5,
      code: 'strict/notes',
    });
    expect(existsSync(out)).toBe(false);
  });

  test('leaves nothing where one of the images is not there', () => {
    const { pod, images } = podFiles({
      apps: ['app', 'other'].map((name) => ({ name, image: { name: `example.com/${name}` } })),
    });
    const folder = scratch();
    const { status, code, lines } = refused(['bundle', '--dep', images, pod, join(folder, 'out')]);
    expect([status, code, readdirSync(folder)]).toEqual([4, 'appc/dependency', []]);
    expect(lines[1]).toMatch(/pod\.json > other > /);
  });

  test('of a pod that an rkt host ran is made of what it ran', () => {
    const uuid = '6733c088-a507-4694-aabf-178b28c5ca1c';
    const host = hostWith([runnable()], { [`exited-garbage/${uuid}`]: apps('web') });
    const out = join(scratch(), 'out');
    expect(ocix(['bundle', '--rootless', `rkt:${host}:@${uuid}`, out]).status).toBe(0);
    expect(readdirSync(out)).toEqual(['web']);
  });
});

describe('the script', () => {
  test('is one that a shell takes, whatever the apps are called', () => {
    const script = startScript(['a', 'run.app', 'x-1']);
    expect(spawnSync('sh', ['-n'], { input: script }).status).toBe(0);
  });

  test('has nothing of the pod in it but the names of folders', () => {
    expect(startScript(['web']).replaceAll('web', 'db')).toBe(startScript(['db']));
  });

  test('changes what it has to in config.json and nothing else, whatever labels say', () => {
    const lines = (...more: string[]) => [
      '{',
      '  "root": {',
      '    "path": "rootfs"',
      '  },',
      '  "annotations": {',
      ...more,
      '  }',
      '}',
    ];
    const hostile = ['    "path": "rootfs",', '    "namespaces": "[",', '    "type": "pid"'];
    const expressions = [...startScript(['web']).matchAll(/-e '(.*)' \\$/gm)].map(([, text]) => text!);
    const program = expressions.map((text) => text.replace(/'"\$\w+"'|'"\$\$"'/g, 'X')).join('\n');
    expect(expressions.length).toBe(9);
    const changed = runPeer({ tool: 'sed', args: ['-e', program], input: Buffer.from(lines(...hostile).join('\n')) });
    expect(changed.toString().split('\n')).toEqual(
      lines(...hostile).map((line, i) => (i === 2 ? '    "path": "../X/rootfs"' : line)),
    );
  });

  test('says what the runtime said where it cannot start, and leaves nothing', () => {
    const { out } = bundled(apps('web'), isRoot ? [] : ['--rootless']);
    if (!isRoot) return;
    const before = readdirSync(out).sort();
    const run = spawnSync(join(out, 'run'), [], {
      env: { ...process.env, OCI_RUNTIME: 'no-such-runtime' },
      encoding: 'utf8',
    });
    expect([run.status, run.stdout]).toEqual([1, '']);
    expect(run.stderr).toContain('no-such-runtime');
    expect(readdirSync(out).sort()).toEqual(before);
  });
});

describe('other targets', () => {
  test('get the images as they are on their own, and a note for each thing that is lost', () => {
    const mounts = [{ volume: 'data', path: '/srv' }];
    const { pod, images } = podFiles({
      apps: [
        { name: 'web', image: IMAGE, app: leastApp({ exec: ['/x'] }), mounts, readOnlyRootFS: true },
        { name: 'db', image: IMAGE },
      ],
      volumes: [{ name: 'data', kind: 'empty' }],
    });
    const folder = scratch();
    const { status, stderr } = ocix(['convert', '--dep', images, pod, join(folder, 'pod')]);
    expect(status, stderr).toBe(0);
    for (const lost of ['in the place of the one in the image', 'the mounts of data', 'read only'])
      expect(stderr).toContain(lost);
    output(['convert', join(images, '0.aci'), join(folder, 'image')]);
    expect(readLayout(join(folder, 'pod'))).toEqual(readLayout(join(folder, 'image')));
  });

  test('are given a name where the pod has one image, and refuse it where it has several', () => {
    const { pod, images } = podFiles(apps('web', 'db'));
    const out = join(scratch(), 'out');
    output(['convert', '--ref', 'other:1', '--dep', images, pod, out]);
    expect(readLayout(out)[0]!.name).toBe('other:1');
    const two = podFiles(
      {
        apps: [
          { name: 'web', image: IMAGE },
          { name: 'db', image: { name: 'example.com/db' } },
        ],
      },
      [runnable(), runnable({ name: 'example.com/db' })],
    );
    expect(refused(['convert', '--ref', 'other:1', '--dep', two.images, two.pod, `${out}2`]).code).toBe('image/select');
  });
});

test('a pod is read from a pipe, and where its format is stated', () => {
  const { pod, images } = podFiles(apps('web'));
  const input = readFileSync(pod);
  const out = join(scratch(), 'out');
  expect(output(['convert', '--to', 'kube', '--ref', 'Shop', '--dep', images, '-', out], { input })).toContain(
    'example.com/app:1.0\t',
  );
  expect(readFileSync(join(out, 'pod.yaml'), 'utf8')).toContain('  name: shop\n');
  expect(JSON.parse(output(['inspect', '--json', '--from', 'pod', '--dep', images, pod])).source.format).toBe('pod');
});

test('inspect shows what a pod runs, beside its images', () => {
  const mounts = [{ volume: 'data', path: '/srv' }];
  const { pod, images } = podFiles({
    apps: [{ name: 'web', image: IMAGE, app: leastApp({ exec: ['/x', 'a\u001bb'] }), mounts, readOnlyRootFS: true }],
    volumes: [{ name: 'data', kind: 'empty' }],
  });
  const text = output(['inspect', '--dep', images, pod]);
  expect(text.split('\n').slice(0, 8)).toEqual([
    'pod  1 app',
    '',
    'web  in example.com/app:1.0, as 0:0, root read only',
    expect.stringMatching(/^ {2}runs {4}\/x '[^\u001b]*'$/),
    '  mounts  data at /srv',
    '',
    'Volumes',
    '  data  empty, 0755 of 0:0',
  ]);
  const [summary] = JSON.parse(output(['inspect', '--json', '--dep', images, pod])).pods;
  expect(summary.apps[0]).toMatchObject({
    name: 'web',
    image: ['example.com/app:1.0'],
    readOnlyRoot: true,
    mounts: [{ volume: 'data' }],
  });
});

test('JSON that is no pod is said to be none', () => {
  expect(ocix(['detect', '-'], { input: Buffer.from('{"acKind":"ImageManifest"}') }).status).toBe(3);
});
