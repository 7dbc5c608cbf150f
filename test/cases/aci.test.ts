/** App Container Images through the built command: `aci2oci`, dependencies, rendering as rkt did, and the way on to a bundle. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  type AciRecipe,
  aci,
  aciGraph,
  aciId,
  aciTar,
  graphImage,
  leastApp,
  named,
  rktStore,
} from '../../fixtures/aci.ts';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { greeting } from '../../fixtures/images.ts';
import { writeLayout } from '../../fixtures/oci-layout.ts';
import { scratch } from '../fixtures/peers.ts';
import { fileOf, ocix, output, refused, snapshot } from './command.ts';
import { readLayout } from './layout.ts';

/** Every field that a bundle is made of. */
const rich: AciRecipe = {
  manifest: {
    name: 'example.com/rich',
    labels: named({ version: '1.2', os: 'linux', arch: 'amd64' }),
    annotations: named({ created: '2015-05-06T07:08:09Z', homepage: 'https://example.com/' }),
    app: leastApp({
      exec: ['/bin/app', '--serve'],
      user: 'app',
      group: 'staff',
      supplementaryGIDs: [20, 21],
      eventHandlers: [{ name: 'pre-start', exec: ['/bin/prepare'] }],
      workingDirectory: '/srv',
      environment: named({ A: '1' }),
      mountPoints: [{ name: 'data', path: '/data', readOnly: true }],
      ports: [{ name: 'http', protocol: 'tcp', port: 80, count: 2 }],
      isolators: [
        { name: 'resource/cpu', value: { request: '250m', limit: '500m' } },
        { name: 'resource/memory', value: { limit: '128Mi' } },
        { name: 'os/linux/capabilities-retain-set', value: { set: ['CAP_NET_BIND_SERVICE', 'CAP_CHOWN'] } },
        { name: 'os/linux/seccomp-remove-set', value: { set: ['@docker/default-blacklist'], errno: 'ENOSYS' } },
        { name: 'os/linux/no-new-privileges', value: true },
        { name: 'os/linux/oom-score-adj', value: 100 },
        { name: 'example.com/own', value: { a: 1 } },
      ],
      userLabels: { 'org.example.team': 'x' },
    }),
  },
  rootfs: [
    { name: 'bin/' },
    { name: 'bin/app', mode: 0o755, body: '#!' },
    { name: 'bin/same', type: '1', link: 'bin/app' },
    { name: 'etc/' },
    { name: 'etc/passwd', body: 'app:x:1000:1001::/:\n' },
    { name: 'etc/group', body: 'staff:x:50:app\n' },
    { name: 'srv/', mode: 0o750 },
    { name: 'srv/link', link: '../etc/passwd' },
  ],
};

async function graphFolder(nodes: Parameters<typeof aciGraph>[0]): Promise<string> {
  const folder = scratch();
  await writeLayout(aciGraph(nodes), folder);
  return folder;
}

const paths = (layout: string): readonly string[] =>
  output(['ls', `oci:${layout}`])
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/\s+/).at(-1)!);

describe('aci2oci', () => {
  test('writes a layout that is called as the file is, in the current folder', () => {
    const cwd = scratch();
    for (const name of ['app.aci', 'other.aci.gz', 'bare']) fileOf(aci(rich), name, cwd);
    for (const name of ['app.aci', 'other.aci.gz', 'bare']) output(['aci2oci', '-q', name], { cwd });
    expect(readdirSync(cwd).sort()).toEqual(['app.aci', 'app.oci', 'bare', 'bare.oci', 'other.aci.gz', 'other.oci']);
  });

  test('prints the name, the digest and where it is', () => {
    const out = join(scratch(), 'out');
    const stdout = output(['aci2oci', '-q', fileOf(aci(rich), 'a.aci'), out]);
    const [image, ...more] = readLayout(out);
    expect(more).toEqual([]);
    expect(image).toMatchObject({ name: 'example.com/rich:1.2', platform: 'linux/amd64' });
    expect(image!.config).toMatchObject({
      created: '2015-05-06T07:08:09Z',
      config: { Entrypoint: ['/bin/app', '--serve'], User: '1000:50', WorkingDir: '/srv', Env: ['A=1'] },
    });
    expect(image!.config.config.Labels['io.ocix.appc.image-id']).toBe(aciId(rich));
    expect(stdout).toBe(`example.com/rich:1.2\t${image!.digest}\t${out}\n`);
  });

  test.each([
    ['plain', aci(rich)],
    ['compressed', gzipSync(aci(rich))],
    ['with the manifest last', aci({ ...rich, order: 'manifest-last' })],
  ])('gives the same from a pipe: %s', (_, bytes) => {
    const folder = scratch();
    output(['aci2oci', '-q', fileOf(bytes, 'in.aci', folder), join(folder, 'file')]);
    output(['aci2oci', '-q', '-', join(folder, 'pipe')], { input: bytes });
    expect(snapshot(join(folder, 'pipe'))).toEqual(snapshot(join(folder, 'file')));
    expect(readdirSync(folder).sort()).toEqual(['file', 'in.aci', 'pipe']);
  });

  test('is what convert does with what it recognises', () => {
    const folder = scratch();
    const file = fileOf(aci(rich), 'in', folder);
    output(['aci2oci', '-q', file, join(folder, 'one')]);
    output(['convert', '-q', file, join(folder, 'two')]);
    output(['convert', '-q', `aci:${file}`, join(folder, 'three')]);
    expect(snapshot(join(folder, 'two'))).toEqual(snapshot(join(folder, 'one')));
    expect(snapshot(join(folder, 'three'))).toEqual(snapshot(join(folder, 'one')));
  });

  test('refuses what is no image of this format, and writes nothing', () => {
    const folder = scratch();
    const out = join(folder, 'out');
    const docker = fileOf(dockerSave(greeting('amd64'), { generation: '1.10' }), 'docker.tar', folder);
    expect(refused(['aci2oci', docker, out])).toMatchObject({ status: 4, code: 'appc/archive' });
    expect(refused(['aci2oci', '-', out], { input: Buffer.from('text') })).toMatchObject({
      status: 4,
      code: 'tar/truncated',
    });
    expect(refused(['aci2oci', folder, out]).status).toBe(3);
    expect(refused(['aci2oci', join(folder, 'nothing'), out])).toMatchObject({ status: 2, code: 'source/missing' });
    expect(refused(['aci2oci', '-'], { input: aci() })).toMatchObject({ status: 2, code: 'usage/argument' });
    expect(existsSync(out)).toBe(false);
  });

  test('ends in 5 with --strict where something is lost, and writes nothing', () => {
    const out = join(scratch(), 'out');
    const recipe: AciRecipe = { ...rich, members: (all) => [...all, { name: 'README', body: 'x' }] };
    expect(refused(['aci2oci', '--strict', fileOf(aci(recipe), 'a.aci'), out])).toMatchObject({
      status: 5,
      code: 'strict/notes',
    });
    expect(existsSync(out)).toBe(false);
  });
});

describe('--dep', () => {
  const diamond = { a: { needs: ['b', 'c'] }, b: { needs: ['d'] }, c: { needs: ['d'] }, d: {} };

  test('takes a folder, files and a store, which all give the same', async () => {
    const folder = await graphFolder(diamond);
    const store = scratch();
    await writeLayout(rktStore(Object.entries(diamond).map(([key, node]) => graphImage(key, node))), store);
    const out = scratch();
    const from = (name: string, ...places: readonly string[]) => {
      output(['aci2oci', '-q', ...places.flatMap((place) => ['--dep', place]), join(folder, 'a.aci'), join(out, name)]);
      return snapshot(join(out, name));
    };
    const wanted = from('folder', folder);
    expect(from('files', ...['b', 'c', 'd'].map((key) => join(folder, `${key}.aci`)))).toEqual(wanted);
    expect(from('store', `rkt:${store}`)).toEqual(wanted);
    const [image] = readLayout(join(out, 'folder'));
    expect(image!.diffIds).toHaveLength(5);
    expect(new Set(image!.diffIds).size).toBe(4);
    expect(paths(join(out, 'folder'))).toEqual(expect.arrayContaining(['a', 'b', 'c', 'd', 'which']));
  });

  test('stores the layer of a base once, however many images need it', async () => {
    const folder = await graphFolder({ x: { needs: ['base'] }, y: { needs: ['base'] }, base: {} });
    const out = join(scratch(), 'out');
    for (const key of ['x', 'y']) output(['aci2oci', '-q', '--dep', folder, join(folder, `${key}.aci`), out]);
    const [x, y] = readLayout(out);
    expect(x!.layers[0]!.digest).toBe(y!.layers[0]!.digest);
    expect(x!.layers[1]!.digest).not.toBe(y!.layers[1]!.digest);
  });

  test('may leave what is missing to be named, with the chain', async () => {
    const folder = await graphFolder(diamond);
    const out = join(scratch(), 'out');
    const refusal = refused([
      'aci2oci',
      join(folder, 'a.aci'),
      out,
      '--dep',
      join(folder, 'b.aci'),
      '--dep',
      join(folder, 'c.aci'),
    ]);
    expect(refusal).toMatchObject({ status: 4, code: 'appc/dependency' });
    expect(refusal.lines[1]).toContain('example.com/a > dependencies > example.com/b > dependencies > example.com/d');
    expect(existsSync(out)).toBe(false);
  });

  test('refuses a cycle at once', async () => {
    const folder = await graphFolder({ a: { needs: ['b'] }, b: { needs: ['a'] } });
    const refusal = refused(['aci2oci', join(folder, 'a.aci'), join(scratch(), 'out'), '--dep', folder]);
    expect(refusal).toMatchObject({ status: 4, code: 'appc/dependency' });
    expect(refusal.milliseconds).toBeLessThan(10_000);
  });

  test('counts for a pipe, and for bundles', async () => {
    const folder = await graphFolder({ ...diamond, a: { ...diamond.a, manifest: { app: leastApp() } } });
    const out = scratch();
    output(['aci2oci', '-q', '--dep', folder, '-', join(out, 'pipe')], { input: readFileSync(join(folder, 'a.aci')) });
    output(['aci2oci', '-q', '--dep', folder, join(folder, 'a.aci'), join(out, 'file')]);
    expect(snapshot(join(out, 'pipe'))).toEqual(snapshot(join(out, 'file')));
    output(['bundle', '-q', '--rootless', '--dep', folder, join(folder, 'a.aci'), join(out, 'bundle')]);
    expect(readdirSync(join(out, 'bundle/rootfs')).sort()).toEqual(
      expect.arrayContaining(['a', 'b', 'c', 'd', 'which']),
    );
  });
});

test('--rkt-compat renders as rkt did, and either way the difference is said', async () => {
  const folder = await graphFolder({
    a: { needs: ['b', 'c'] },
    b: {},
    c: { needs: ['d'], pathWhitelist: ['/c', '/d'] },
    d: {},
  });
  const run = (...options: readonly string[]) => {
    const out = join(scratch(), 'out');
    const { status, stderr } = ocix(['aci2oci', '--dep', folder, ...options, join(folder, 'a.aci'), out]);
    expect(status).toBe(0);
    return { stderr, paths: paths(out) };
  };
  const specified = run();
  const rkt = run('--rkt-compat');
  expect(specified.paths).toContain('b');
  expect(specified.stderr).toContain('/b is rendered as the specification has it');
  expect(rkt.paths).not.toContain('b');
  expect(rkt.stderr).toContain('/b is rendered as rkt did');
});

describe('an image that becomes a bundle', () => {
  test('by way of a layout is the bundle that it becomes at once', () => {
    const folder = scratch();
    const file = fileOf(aci(rich), 'rich.aci', folder);
    output(['bundle', '-q', file, join(folder, 'direct')]);
    output(['aci2oci', '-q', file, join(folder, 'layout')]);
    output(['bundle', '-q', `oci:${join(folder, 'layout')}`, join(folder, 'hop')]);
    const config = (name: string) => JSON.parse(readFileSync(join(folder, name, 'config.json'), 'utf8'));
    expect(config('hop')).toEqual(config('direct'));
    expect(snapshot(join(folder, 'hop', 'rootfs'))).toEqual(snapshot(join(folder, 'direct', 'rootfs')));
    expect(config('direct')).toMatchObject({
      process: {
        user: { uid: 1000, gid: 50, additionalGids: [20, 21] },
        cwd: '/srv',
        noNewPrivileges: true,
        oomScoreAdj: 100,
      },
      linux: { resources: { memory: { limit: 134217728 }, cpu: { quota: 50000, period: 100000 } } },
    });
  });

  test('is refused where its user cannot be found, and is never root instead', () => {
    const out = join(scratch(), 'out');
    const file = fileOf(aci({ manifest: { app: leastApp({ user: 'nobody' }) } }), 'a.aci');
    expect(refused(['bundle', file, out])).toMatchObject({ status: 4, code: 'image/user' });
    expect(existsSync(out)).toBe(false);
  });
});

test('inspect shows an image from a pipe as it shows the file', () => {
  const bytes = aci(rich);
  const shown = (args: readonly string[], input?: Uint8Array) =>
    JSON.parse(output(['inspect', '--json', ...args], input ? { input } : {}));
  const file = shown([fileOf(bytes, 'a.aci')]);
  const pipe = shown(['-'], bytes);
  expect(pipe.images).toEqual(file.images);
});

describe('what is easily overlooked', () => {
  test('a hard link to itself is refused, not left out', () => {
    const file = join(scratch(), 'self.aci');
    writeFileSync(file, aciTar({ rootfs: [{ name: 'b', type: '1', link: 'b' }] }));
    expect(refused(['convert', file, join(scratch(), 'out')])).toMatchObject({ status: 4, code: 'path/link' });
  });

  test('a port of a protocol that an image cannot say is told', () => {
    const file = join(scratch(), 'port.aci');
    writeFileSync(
      file,
      aciTar({ manifest: { app: leastApp({ ports: [{ name: 'evil', protocol: 'tcp/evil\u001b[2J', port: 80 }] }) } }),
    );
    const { status, stderr } = ocix(['convert', file, join(scratch(), 'out')]);
    expect(status).toBe(0);
    expect(stderr).toContain('the port evil has the protocol');
    expect(stderr).not.toContain('\u001b');
  });

  test('OUT with a transport that is a source alone is no folder of that name', () => {
    const file = join(scratch(), 'a.aci');
    writeFileSync(file, aciTar({}));
    expect(refused(['convert', file, 'rkt:out'], { cwd: scratch() })).toMatchObject({ status: 2 });
  });

  test('what another image of the folder had mended is not told of this one', () => {
    const folder = join(scratch(), 'deps');
    mkdirSync(folder);
    writeFileSync(join(folder, 'other.aci'), aciTar({ manifest: { name: 'example.com/other', acVersion: undefined } }));
    const linux = { labels: named({ os: 'linux', arch: 'amd64' }) };
    writeFileSync(join(folder, 'b.aci'), aciTar(graphImage('b', { manifest: linux })));
    const top = join(scratch(), 'top.aci');
    writeFileSync(top, aciTar(graphImage('top', { needs: ['b'], manifest: linux })));
    expect(ocix(['convert', '--strict', '--dep', folder, top, join(scratch(), 'out')])).toMatchObject({ status: 0 });
  });
});
