/** Images against what was made of them: bundles, and root filesystems on the disk. */
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Comparison, convert, type DiffOptions, diff, unpack } from '../../converters/index.ts';
import { aci, leastApp, leastManifest } from '../../fixtures/aci.ts';
import { greeting, sampleLayer } from '../../fixtures/images.ts';
import { scratch } from '../fixtures/peers.ts';
import { isRoot } from '../formats/rootfs/disk.ts';
import { dockerFile, ociFile, varied, written } from './targets/archives.ts';

/** Whoever is not root has his own id for the container's root. */
const namespace = isRoot
  ? undefined
  : {
      uids: [{ container: 0, host: process.getuid!(), size: 1 }],
      gids: [{ container: 0, host: process.getgid!(), size: 1 }],
    };

function lines({ differences }: Comparison): readonly string[] {
  return differences.map((one) =>
    one.part === 'config'
      ? `${one.kind} config ${one.field}`
      : `${one.kind} ${one.path} ${one.fields.join(',')}`.trim(),
  );
}

async function rootfsOf(source: string): Promise<string> {
  const folder = join(scratch(), 'rootfs');
  await unpack(source, folder);
  return folder;
}

async function bundleOf(source: string, options: Parameters<typeof convert>[2] = {}): Promise<string> {
  const folder = join(scratch(), 'bundle');
  await convert(source, folder, { ...options, to: 'bundle' });
  return folder;
}

const edited = (bundle: string, change: (config: Record<string, never>) => void): void => {
  const file = join(bundle, 'config.json');
  const config = JSON.parse(readFileSync(file, 'utf8'));
  change(config);
  writeFileSync(file, JSON.stringify(config));
};

const plain = sampleLayer([
  { name: './', mode: 0o755 },
  { name: 'etc/' },
  { name: 'etc/conf', body: 'a=1\nb=2\n' },
  { name: 'etc/again', type: '1', link: 'etc/conf' },
  { name: 'link', link: '/etc/conf' },
  { name: 'gone', body: 'x' },
]);
const image = { layers: [plain], tags: ['x:1'], config: { config: { Cmd: ['sh'], Env: ['A=1'] } } };

describe('nothing differs', () => {
  test.skipIf(!isRoot)(
    'between an image and its root filesystem: links, devices, holes, attributes, times, ids',
    async () => {
      const source = dockerFile(varied());
      const found = await diff(source, `rootfs:${await rootfsOf(source)}`);
      // The kernel takes no capability that is none; unpacking has a note of it.
      expect(lines(found)).toEqual(['changed capable xattrs']);
      expect(found).toMatchObject({ configuration: 'none', notCompared: [{ side: 'b' }] });
    },
  );

  test('between an image and its root filesystem, whoever unpacks it; a folder needs no transport', async () => {
    const source = dockerFile(image);
    expect(lines(await diff(source, await rootfsOf(source), { namespace }))).toEqual([]);
    expect(lines(await diff(await rootfsOf(source), source, { namespace }))).toEqual([]);
  });

  test('between an image and a bundle of it, however that is to run', async () => {
    const source = ociFile(greeting('amd64'));
    for (const runtime of [
      { terminal: false, readOnly: false },
      { terminal: true, readOnly: true },
    ]) {
      const found = await diff(source, await bundleOf(source, { runtime }));
      expect(lines(found)).toEqual([]);
      expect(found).toMatchObject({ equal: true, configuration: 'runtime', notCompared: [] });
    }
  });

  test('between an image and a bundle without privileges, whose owners are recorded', async () => {
    const source = dockerFile(greeting('amd64'));
    const bundle = await bundleOf(source, { extraction: { rootless: true } });
    expect(lines(await diff(source, `bundle:${bundle}`))).toEqual([]);
  });

  test('between an ACI, its image, and the bundles of both', async () => {
    const app = leastApp({
      isolators: [{ name: 'resource/memory', value: { limit: '1G' } }],
      supplementaryGIDs: [7],
      mountPoints: [{ name: 'data', path: '/data', readOnly: true }],
    });
    const source = written(aci({ manifest: { ...leastManifest, app } }), scratch(), 'app.aci');
    const out = join(scratch(), 'out');
    await convert(source, out);
    const all = [source, `oci:${out}`, await bundleOf(source), await bundleOf(`oci:${out}`)];
    for (const one of all) for (const other of all) expect(lines(await diff(one, other))).toEqual([]);
    // What had to be filled in is told with all the rest.
    expect(lines(await diff(source, `oci:${out}`, { all: true }))).toEqual(['added config platform']);
  });
});

describe('a difference', () => {
  test('is found in what was added, removed and changed on the disk', async () => {
    const source = dockerFile(image);
    const folder = await rootfsOf(source);
    writeFileSync(join(folder, 'new'), '');
    unlinkSync(join(folder, 'gone'));
    appendFileSync(join(folder, 'etc/conf'), 'c=3\n');
    const found = await diff(source, folder, { namespace, ignore: ['mtime'] });
    expect(lines(found)).toEqual([
      'changed etc/again size,content',
      'changed etc/conf size,content',
      'removed gone',
      'added new',
    ]);
    expect(found.layers).toEqual([expect.objectContaining({ side: 'a', layer: 0, removed: 1, changed: 2, added: 0 })]);
  });

  test('is found in hard links and where links point', async () => {
    const source = dockerFile(image);
    const folder = await rootfsOf(source);
    unlinkSync(join(folder, 'link'));
    symlinkSync('/etc/other', join(folder, 'link'));
    linkSync(join(folder, 'gone'), join(folder, 'more'));
    const ignore = ['mtime'];
    expect(lines(await diff(source, folder, { namespace, ignore }))).toEqual(['changed link link', 'added more']);
  });

  test('is found between no capabilities and nothing said of them', async () => {
    const source = dockerFile(image);
    const [none, unsaid] = [await bundleOf(source), await bundleOf(source)];
    edited(none, (config: { process?: { capabilities?: object } }) =>
      Object.assign(config.process!, { capabilities: {} }),
    );
    edited(unsaid, (config: { process?: { capabilities?: object } }) => delete config.process!.capabilities);
    expect(lines(await diff(none, unsaid))).toEqual(['removed config process.capabilities']);
  });

  test('is found between no capabilities and the usual ones of an ACI', async () => {
    const of = (isolators: readonly object[]): string =>
      written(aci({ manifest: { ...leastManifest, app: leastApp({ isolators } as never) } }), scratch(), 'app.aci');
    const usual =
      'AUDIT_WRITE CHOWN DAC_OVERRIDE FSETID FOWNER KILL MKNOD NET_RAW NET_BIND_SERVICE SETUID SETGID SETPCAP SETFCAP SYS_CHROOT';
    const set = usual.split(' ').map((name) => `CAP_${name}`);
    const none = of([{ name: 'os/linux/capabilities-remove-set', value: { set } }]);
    expect(lines(await diff(none, of([])))).toEqual(['removed config isolation']);
    expect(lines(await diff(none, none))).toEqual([]);
  });

  test('is found where an annotation or a kernel parameter without a text is there, or is not', async () => {
    const [one, other] = [await bundleOf(dockerFile(image)), await bundleOf(dockerFile(image))];
    edited(one, (config: { annotations?: object; linux?: object }) => {
      Object.assign(config.annotations!, { 'com.example.a': '' });
      Object.assign(config.linux!, { sysctl: { 'kernel.domainname': '' } });
    });
    expect(lines(await diff(one, other))).toEqual(['changed config annotations', 'removed config linux.sysctl']);
  });

  test('is found in config.json by its place', async () => {
    const source = dockerFile(image);
    const bundle = await bundleOf(source);
    edited(bundle, (config: { process?: { cwd?: string; env?: string[] }; hooks?: object; ociVersion?: string }) => {
      config.process!.cwd = '/tmp';
      config.process!.env!.push('B=2');
      config.hooks = { poststop: [{ path: '/bin/true' }] };
      config.ociVersion = '1.0.0';
    });
    expect(lines(await diff(source, bundle))).toEqual([
      'changed config process.env',
      'changed config process.cwd',
      'added config hooks',
    ]);
    expect(lines(await diff(source, bundle, { ignore: ['process', 'hooks'] }))).toEqual([]);
    expect(lines(await diff(source, bundle, { ignore: ['process', 'hooks'], all: true }))).toEqual([
      'changed config ociVersion',
    ]);
  });

  test('is found in fields that only an ACI states', async () => {
    const of = (app: object): string =>
      written(aci({ manifest: { ...leastManifest, app: leastApp(app as never) } }), scratch(), 'app.aci');
    const limited = of({ isolators: [{ name: 'resource/memory', value: { limit: '1G' } }] });
    expect(lines(await diff(of({}), limited))).toEqual(['added config isolation']);
    expect(lines(await diff(of({}), of({ supplementaryGIDs: [7] })))).toEqual(['changed config supplementaryGroups']);
    const mounted = of({ mountPoints: [{ name: 'd', path: '/d' }] });
    expect(lines(await diff(of({}), mounted))).toEqual(['added config volumes', 'added config mountPoints']);
    // Only the label that says where it came from would tell them apart.
    expect(lines(await diff(of({}), limited, { all: true }))).toEqual([
      'added config isolation',
      'changed config labels',
      'changed config annotations',
    ]);
  });

  test('is told by the layers of both sides that brought it', async () => {
    const layer = (body: string) =>
      sampleLayer([
        { name: 'same', body: '' },
        { name: 'x', body },
      ]);
    const a = { layers: [layer('1'), sampleLayer([{ name: 'y', body: '' }])], tags: ['x:1'] };
    const b = { layers: [layer('1'), sampleLayer([{ name: 'z', body: '' }]), layer('2')], tags: ['x:1'] };
    const { layers } = await diff(dockerFile(a), dockerFile(b));
    expect(layers.map(({ diffId: _, ...share }) => share)).toEqual([
      { side: 'a', layer: 0, added: 0, removed: 0, changed: 1 },
      { side: 'a', layer: 1, added: 0, removed: 1, changed: 0 },
      { side: 'b', layer: 1, added: 1, removed: 0, changed: 0 },
      { side: 'b', layer: 2, added: 0, removed: 0, changed: 1 },
    ]);
  });
});

describe('content', () => {
  const textOf = async (before: string | Buffer, after: string | Buffer, options: DiffOptions = {}) => {
    const of = (body: string | Buffer) => dockerFile({ layers: [sampleLayer([{ name: 'f', body }])], tags: ['x:1'] });
    const [found] = (await diff(of(before), of(after), { content: true, ...options })).differences;
    return found?.text;
  };

  test('of small texts is a unified diff', async () => {
    expect(await textOf('a\nb\nc\n', 'a\nB\nc\n')).toEqual({ unified: '@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n' });
  });

  test('of what is no text, large, or made to take long says why there is none', async () => {
    expect(await textOf('a', Buffer.from([0]))).toEqual({ omitted: 'no text' });
    expect(await textOf('a', Buffer.from([0xff]))).toEqual({ omitted: 'no text' });
    expect(await textOf('a', 'b'.repeat(70_000))).toEqual({ omitted: 'larger than 64 KiB' });
    const numbers = (start: number) => Array.from({ length: 8000 }, (_, i) => `${start + i}\n`).join('');
    expect(await textOf(numbers(10_000), numbers(20_000))).toEqual({ omitted: 'more than 2000 lines differ' });
  });

  test('is that of the disk and of a layer behind it, and of configurations', async () => {
    const source = dockerFile(image);
    const bundle = await bundleOf(source);
    appendFileSync(join(bundle, 'rootfs/etc/conf'), 'c=3\n');
    edited(bundle, (config: { process?: { cwd?: string } }) => {
      config.process!.cwd = '/tmp';
    });
    const { differences } = await diff(source, bundle, { content: true, ignore: ['mtime'] });
    expect(differences.map(({ text }) => text)).toEqual([
      { unified: '@@ -1,1 +1,1 @@\n-/\n+/tmp\n' },
      { unified: '@@ -1,2 +1,3 @@\n a=1\n b=2\n+c=3\n' },
      { unified: '@@ -1,2 +1,3 @@\n a=1\n b=2\n+c=3\n' },
    ]);
  });
});

describe('on a disk', () => {
  test('nothing leads out: links are entries, and a root filesystem that is one is refused', async () => {
    const source = dockerFile(image);
    const outside = scratch();
    writeFileSync(join(outside, 'secret'), 'secret');
    const folder = await rootfsOf(source);
    rmSync(join(folder, 'etc'), { recursive: true });
    symlinkSync(outside, join(folder, 'etc'));
    const found = await diff(source, folder, { namespace, content: true, ignore: ['mtime'] });
    expect(JSON.stringify(found)).not.toContain('secret');
    expect(lines(found)).toContain('removed etc/conf');

    const bundle = await bundleOf(source);
    renameSync(join(bundle, 'rootfs'), join(bundle, 'other'));
    symlinkSync('other', join(bundle, 'rootfs'));
    await expect(diff(source, bundle)).rejects.toMatchObject({ code: 'path/escape' });
    for (const path of ['../other', '/', 'a/../../b', '.']) {
      edited(bundle, (config: { root?: object }) => {
        config.root = { path };
      });
      await expect(diff(source, bundle)).rejects.toMatchObject({ code: 'path/escape' });
    }
  });

  test('a socket is told, and is no difference', async () => {
    const source = dockerFile(image);
    const folder = await rootfsOf(source);
    const server = createServer().listen(join(folder, 's'));
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      const found = await diff(source, folder, { namespace, ignore: ['mtime'] });
      expect(found).toMatchObject({ equal: true, notCompared: [{ side: 'b' }, { side: 'b', path: 's' }] });
    } finally {
      server.close();
    }
  });

  test('a limit on the number of names holds', async () => {
    const folder = scratch();
    mkdirSync(join(folder, 'a'));
    writeFileSync(join(folder, 'a/b'), '');
    await expect(diff(folder, folder, { limits: { entries: 1 } })).rejects.toMatchObject({ code: 'limit/entries' });
  });
});
