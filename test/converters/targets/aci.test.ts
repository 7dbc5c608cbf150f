/** App Container Images as they are written. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ConvertOptions, convert, diff, inspect } from '../../../converters/index.ts';
import { aciEngine } from '../../../converters/targets/aci-file.ts';
import { sha256Digest } from '../../../fixtures/bytes.ts';
import { dockerSave, type Generation, generations, type ImageRecipe } from '../../../fixtures/docker-save.ts';
import { greeting, sampleLayer, windowsImage } from '../../../fixtures/images.ts';
import { tar } from '../../../fixtures/tar.ts';
import { scratch } from '../../fixtures/peers.ts';
import { accepted, aciOf, labelOf } from './aci-images.ts';
import { behaviour, dockerFile, listed, ociFile, varied, written } from './archives.ts';

const file = behaviour('aci');
const image = greeting('amd64');
const configured = (config: NonNullable<ImageRecipe['config']>): ImageRecipe => ({ ...image, config });
const running = (config: Readonly<Record<string, unknown>>): ImageRecipe =>
  configured({ os: 'linux', architecture: 'amd64', config } as NonNullable<ImageRecipe['config']>);

async function madeAs(options: ConvertOptions, source: string) {
  const out = join(scratch(), 'out.aci');
  return { out, ...(await convert(source, out, { to: 'aci', ...options })) };
}

describe('an App Container Image', () => {
  test('has its manifest first, everything else below rootfs, and an entry for rootfs', async () => {
    const { members } = await aciOf(dockerFile(varied()));
    expect(members[0]).toMatchObject({ name: 'manifest', type: 'file', mode: 0o644, owner: '0:0' });
    expect(members.slice(1).every(({ name }) => name.startsWith('rootfs/'))).toBe(true);
    expect(members.filter(({ name }) => name === 'rootfs/').length).toBe(1);
  });

  test('names rootfs also where no layer names the root', async () => {
    const { members } = await aciOf(dockerFile({ layers: [], tags: ['empty:1'] }));
    expect(members.map(({ name, mode }) => [name, mode])).toEqual([
      ['manifest', 0o644],
      ['rootfs/', 0o755],
    ]);
  });

  test('has the tree of the image that it was made from', async () => {
    const source = dockerFile(varied());
    expect(await listed((await aciOf(source)).out)).toEqual(await listed(source));
  });

  test('says how the image runs, in the words of docker2aci', async () => {
    const { manifest } = await aciOf(dockerFile(image), { naming: 'docker2aci' });
    expect(manifest).toMatchObject({
      acKind: 'ImageManifest',
      name: 'registry-1.docker.io/library/greeting',
      labels: [
        { name: 'version', value: 'latest' },
        { name: 'os', value: 'linux' },
        { name: 'arch', value: 'amd64' },
      ],
      app: {
        exec: ['/bin/greet'],
        user: 'guest',
        group: 'guest',
        supplementaryGIDs: [44],
        workingDirectory: '/tmp',
        environment: [{ name: 'PATH' }, { name: 'GREETING', value: 'hello, world' }],
        mountPoints: [{ name: 'volume-var-greetings', path: '/var/greetings' }],
        ports: [
          { name: '53-udp', protocol: 'udp', port: 53, count: 1, socketActivated: false },
          { name: '8080-tcp', protocol: 'tcp', port: 8080, count: 1, socketActivated: false },
        ],
        userLabels: { 'org.example.purpose': 'greeting', 'org.opencontainers.image.title': 'greeting' },
      },
    });
    expect(Object.fromEntries(manifest.annotations!.map(({ name, value }) => [name, value]))).toMatchObject({
      created: '2024-02-29T12:00:00Z',
      authors: 'fixture',
      'appc.io/docker/originalname': 'greeting:latest',
      'appc.io/docker/registryurl': 'registry-1.docker.io',
      'appc.io/docker/repository': 'library/greeting',
      'appc.io/docker/tag': 'latest',
      'appc.io/docker/cmd': '["/bin/greet"]',
    });
  });

  test('says what it cannot keep', async () => {
    const { notes } = await aciOf(dockerFile(image));
    expect(notes).toEqual([expect.stringMatching(/^dropped: .*stopSignal.*healthcheck/)]);
  });

  test('gives Docker’s configuration back: commands apart, names, labels, users by their numbers', async () => {
    const { out } = await aciOf(dockerFile(image));
    const back = await inspect(out);
    expect(back.images[0]).toMatchObject({ names: ['greeting:latest'] });
    const ignore = ['labels', 'stopSignal', 'healthcheck', 'other'];
    const { differences } = await diff(dockerFile(image), out, { ignore });
    // What an ACI states beside it was Docker's default.
    expect(differences.filter(({ kind }) => kind !== 'added')).toEqual([
      { part: 'config', kind: 'changed', field: 'user', a: 'guest', b: '1000:1000' },
    ]);
  });

  test('keeps labels that a reader of ACIs has an idea of its own about', async () => {
    const { out } = await aciOf(dockerFile(image));
    const [back] = (await inspect(out)).images;
    expect(back!.config.labels).toMatchObject({ 'org.opencontainers.image.title': 'greeting' });
  });

  test('is gzip unless something else is asked for, and its digest is that of the file', async () => {
    const folder = scratch();
    const source = dockerFile(image, folder);
    const { images } = await convert(source, join(folder, 'out'), { to: 'aci' });
    const bytes = readFileSync(join(folder, 'out'));
    expect([...bytes.subarray(0, 2)]).toEqual([0x1f, 0x8b]);
    expect(images[0]!.digest).toBe(sha256Digest(bytes));
    accepted(join(folder, 'out'));
  });

  test('reports the image id that rkt knows', async () => {
    const folder = scratch();
    const { images } = await convert(dockerFile(image, folder), join(folder, 'out'), { to: 'aci' });
    const { config } = (await inspect(join(folder, 'out'))).images[0]!;
    expect(images[0]!.layers[0]!.diffId.replace(':', '-')).toBe(config.labels['io.ocix.appc.image-id']);
  });

  test.each(['gzip:9', 'xz', 'xz:1', 'none'])(
    'with --compress %s is accepted, and the same image',
    async (compress) => {
      const source = dockerFile(varied());
      const { out } = await madeAs({ compress }, source);
      accepted(out);
      expect((await diff(out, (await aciOf(source)).out)).differences).toEqual([]);
      expect((await inspect(out)).images[0]!.id).toBe((await inspect((await aciOf(source)).out)).images[0]!.id);
      expect(readFileSync((await madeAs({ compress }, source)).out).equals(readFileSync(out))).toBe(true);
    },
  );

  test('is compressed with xz where there is what compresses it, as an image for each layer too', async () => {
    const plan = { name: 'keep', reproducible: false } as const;
    await expect(aciEngine({ compression: plan, xz: {} }, async () => undefined)).rejects.toMatchObject({
      code: 'usage/option',
      hint: expect.stringContaining('lzma-native'),
    });
    const folder = join(scratch(), 'images');
    const { images } = await convert(dockerFile(image), folder, { to: 'aci', eachLayer: true, compress: 'xz' });
    expect(images[0]!.layers.map(({ compression }) => compression)).toEqual(['xz', 'xz']);
    for (const name of readdirSync(folder)) {
      expect(readFileSync(join(folder, name)).subarray(1, 5).toString()).toBe('7zXZ');
      accepted(join(folder, name));
    }
  });

  test.each([
    ['aci', 'bzip2', 'nothing here compresses with bzip2'],
    ['aci', 'xz:10', 'is not a compression'],
    ['oci', 'xz', '--compress xz means nothing to the target oci'],
    ['docker-archive', 'xz:6', 'means nothing to the target docker-archive'],
  ])('to %s with --compress %s is refused: %s', async (to, compress, message) => {
    await expect(convert(dockerFile(image), join(scratch(), 'out'), { to, compress })).rejects.toMatchObject({
      code: 'usage/option',
      message: expect.stringContaining(message),
    });
  });

  test('is not compressed with what its readers do not know', async () => {
    const options = { to: 'aci', compress: 'zstd' };
    await expect(convert(dockerFile(image), join(scratch(), 'out'), options)).rejects.toMatchObject({
      code: 'usage/option',
    });
  });

  test('is one image: of several one has to be chosen', async () => {
    const two = [image, { layers: [sampleLayer([{ name: 'other' }])], tags: ['other:1'] }];
    const source = dockerFile(two);
    await expect(aciOf(source)).rejects.toMatchObject({
      code: 'image/select',
      hint: expect.stringContaining('greeting:latest, other:1'),
    });
    expect((await aciOf(`docker-archive:${source}:other:1`)).manifest.name).toBe('other');
  });

  test('is not written of an image for a platform that has no name there', async () => {
    await expect(aciOf(dockerFile(windowsImage()))).rejects.toMatchObject({ code: 'format/unsupported' });
  });

  test('leaves the platform open where its source does', async () => {
    const source = `tar:${written(tar([{ name: 'a', body: 'a' }]), scratch(), 'root.tar')}`;
    const { manifest, notes } = await aciOf(source, { ref: 'example.com/any:1' });
    expect(manifest).toEqual({
      acKind: 'ImageManifest',
      acVersion: '0.8.11',
      name: 'example.com/any',
      labels: [{ name: 'version', value: '1' }],
    });
    expect(notes).toEqual([]);
  });

  test('is deterministic', file.isDeterministic);
  test('does not take the place of something else', file.refusesWhatIsThere);
  test('leaves nothing behind when it fails', () => file.leavesNothingWhenItFails(readdirSync));
  test('goes to a stream', file.goesToAStream);
});

describe('what docker2aci had wrong', () => {
  test.each(generations)('an archive of the form %s is read whole', async (generation: Generation) => {
    const source = written(dockerSave(varied(), { generation }), scratch(), 'in.tar');
    expect(await listed((await aciOf(source)).out)).toEqual(await listed(dockerFile(varied())));
  });

  test.each(['gzip', 'zstd'] as const)('layers in %s are read', async (compression) => {
    const source = ociFile(varied(), { compression });
    expect(await listed((await aciOf(source)).out)).toEqual(await listed(source));
  });

  test('a layer in the oldest form of tar is read', async () => {
    const layer = tar([{ name: 'old', body: 'v7' }], { dialect: 'v7' });
    const { members } = await aciOf(dockerFile({ layers: [layer], tags: ['x:1'] }));
    expect(members.map(({ name }) => name)).toContain('rootfs/old');
  });

  test('a layer that is no tar is refused, and not left out', async () => {
    const source = dockerFile({ layers: [Buffer.from('this is no tar'.repeat(100))], tags: ['x:1'] });
    await expect(aciOf(source)).rejects.toMatchObject({ status: 4 });
  });

  test('an opaque whiteout hides what is below it', async () => {
    const layers = [
      sampleLayer([{ name: 'd/' }, { name: 'd/gone', body: 'x' }]),
      sampleLayer([{ name: 'd/.wh..wh..opq' }, { name: 'd/new', body: 'y' }]),
    ];
    const { members } = await aciOf(dockerFile({ layers, tags: ['x:1'] }));
    expect(members.map(({ name }) => name)).toEqual(['manifest', 'rootfs/d/new', 'rootfs/d/', 'rootfs/']);
  });

  test('a whiteout does not remove what its own layer adds', async () => {
    const layers = [
      sampleLayer([{ name: 'a', body: 'old' }]),
      sampleLayer([{ name: 'a', body: 'new' }, { name: '.wh.a' }]),
    ];
    const { members } = await aciOf(dockerFile({ layers, tags: ['x:1'] }));
    expect(members.find(({ name }) => name === 'rootfs/a')?.body.toString()).toBe('new');
  });

  test('a range of ports is a range', async () => {
    const { manifest, out } = await aciOf(dockerFile(running({ ExposedPorts: { '8000-8010/tcp': {} }, Cmd: ['/a'] })));
    expect(manifest.app!.ports).toEqual([
      { name: '8000-8010-tcp', protocol: 'tcp', port: 8000, count: 11, socketActivated: false },
    ]);
    expect((await inspect(out)).images[0]!.config.exposedPorts).toHaveLength(11);
  });

  test('labels are kept', async () => {
    const { manifest } = await aciOf(ociFile(running({ Labels: { 'Any Key': 'any value' }, Cmd: ['/a'] })));
    expect(manifest.app!.userLabels).toEqual({ 'Any Key': 'any value' });
  });

  test('volumes come in one order, and each with a name of its own', async () => {
    const { manifest } = await aciOf(dockerFile(running({ Volumes: { '/b': {}, '/B': {}, '/a/b': {}, '/a-b': {} } })));
    expect(manifest.app!.mountPoints).toEqual([
      { name: 'volume-b', path: '/B' },
      { name: 'volume-a-b', path: '/a-b' },
      { name: 'volume-a-b-1', path: '/a/b' },
      { name: 'volume-b-1', path: '/b' },
    ]);
  });

  test('nothing is added below /dev', async () => {
    const { members } = await aciOf(dockerFile(image));
    expect(members.filter(({ name }) => name.startsWith('rootfs/dev'))).toEqual([]);
  });

  test('the group of a user is that of the user database, and not one that is called like the user', async () => {
    const layer = sampleLayer([
      { name: 'etc/passwd', body: 'web:x:33:100::/:\nshared:x:5:7::/:\n' },
      { name: 'etc/group', body: 'users:x:100:\nshared:x:8:web,other\n' },
    ]);
    const userOf = async (User: string) => {
      const { manifest } = await aciOf(dockerFile({ ...running({ User, Cmd: ['/a'] }), layers: [layer] }));
      const { user, group, supplementaryGIDs } = manifest.app!;
      return [user, group, supplementaryGIDs];
    };
    expect(await userOf('web')).toEqual(['web', '100', [8]]);
    expect(await userOf('shared')).toEqual(['shared', '7', undefined]);
    expect(await userOf('33')).toEqual(['33', '100', undefined]);
    expect(await userOf('1234')).toEqual(['1234', '0', undefined]);
    expect(await userOf('web:users')).toEqual(['web', 'users', undefined]);
    expect(await userOf('')).toEqual(['0', '0', undefined]);
    expect(await userOf('nobody-there')).toEqual(['nobody-there', 'nobody-there', undefined]);
  });
});

describe('names', () => {
  const nameOf = async (ref: string) => {
    const { manifest, notes } = await aciOf(ociFile({ ...image, tags: [] }), { ref });
    return {
      name: manifest.name,
      version: labelOf(manifest.labels, 'version'),
      repaired: notes.some((note) => /cannot be a name/.test(note)),
    };
  };

  test.each([
    ['example.com/app:1.0', 'example.com/app', '1.0'],
    ['app', 'app', undefined],
    ['localhost:5000/team/app:v1', 'localhost_5000/team/app', 'v1'],
    ['Registry.Example/app:Ver_1', 'registry.example/app', 'Ver_1'],
  ])('%s is %s', async (ref, name, version) => {
    expect(await nameOf(ref)).toEqual({ name, version, repaired: false });
  });

  test('capitals make another name than none, and it is said', async () => {
    const { name, repaired } = await nameOf('My+App:1');
    expect(name).toMatch(/^my_app-[0-9a-f]{8}$/);
    expect(repaired).toBe(true);
    expect((await nameOf('my+app:1')).name).not.toBe(name);
    expect((await nameOf('My+App:1')).name).toBe(name);
  });

  test('an image without one is called by its id', async () => {
    const { manifest, notes } = await aciOf(ociFile({ ...image, tags: [] }));
    expect(manifest.name).toMatch(/^image-[0-9a-f]{12}$/);
    expect(notes).toContainEqual(expect.stringMatching(/^defaulted: the image has no name/));
  });
  test('two that have none are not called the same', async () => {
    const nameOf = async (body: string) => {
      const source = `tar:${written(tar([{ name: 'a', body }]), scratch(), 'root.tar')}`;
      return (await aciOf(source)).manifest.name;
    };
    expect(await nameOf('one')).not.toBe(await nameOf('two'));
    expect(await nameOf('one')).toBe(await nameOf('one'));
  });
});
