/** `detect`, `inspect` and `ls`: looking without writing. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { sha256Hex } from '../../fixtures/bytes.ts';
import { dockerSave, generations } from '../../fixtures/docker-save.ts';
import { greetingElf } from '../../fixtures/elf.ts';
import { prepare } from '../../fixtures/image-recipe.ts';
import { greeting, greetingText, sampleLayer, sampleTime } from '../../fixtures/images.ts';
import { layoutTar, ociLayout } from '../../fixtures/oci-layout.ts';
import { fileOf, greetingFile, output, refused } from './command.ts';

const image = greeting('amd64');
const wanted = prepare(image);

describe('detect', () => {
  test.each(generations)('says that the form %s is a docker archive, and why', (generation) => {
    const source = greetingFile({ generation }, 'no-suffix');
    const [first, second] = output(['detect', source]).split('\n');
    expect(first).toMatch(/^docker-archive\tdocker archive/);
    expect(second).toMatch(/^ {2}because of \S/);
    const json = JSON.parse(output(['detect', '--json', '-'], { input: readFileSync(source) }));
    expect(json).toMatchObject({ format: 'docker-archive', reason: expect.any(String), title: expect.any(String) });
    expect(json.offers.map((offer: { format: string }) => offer.format)[0]).toBe('docker-archive');
  });

  test('says what else an archive could be read as', () => {
    const text = output(['detect', greetingFile({ generation: '25' })]);
    expect(text).toMatch(/could also be read as oci/);
    expect(text).toContain('25 or later');
  });

  test('tells an OCI archive from a docker archive', () => {
    expect(output(['detect', fileOf(layoutTar(ociLayout(image)))])).toMatch(/^oci\t/);
  });
});

describe('inspect', () => {
  test.each(generations)('shows name, command and layers of the form %s', (generation) => {
    const text = output(['inspect', greetingFile({ generation })]);
    expect(text).toMatch(/^(?:docker\.io\/library\/)?greeting:latest .*linux\/amd64/);
    expect(text).toMatch(/^Runs +\/bin\/greet$/m);
    expect(text).toMatch(/^User +guest$/m);
    expect(text).toMatch(/^ +GREETING=hello, world$/m);
    expect(text).toMatch(/^Ports +53\/udp {2}8080\/tcp$/m);
    expect(text).toMatch(/^ {2}1 .*ADD file:base in \/$/m);
    expect(text).toContain(generation === 'v1' ? '4 layers' : '2 layers');
    expect(text).not.toContain('undefined');
  });

  test('--json has every field of the configuration, and the layers with their diffIDs', () => {
    const { images, ...rest } = JSON.parse(output(['inspect', '--json', greetingFile()]));
    expect(rest).toMatchObject({ source: { format: 'docker-archive' }, artifacts: [], notes: [] });
    expect(images).toHaveLength(1);
    expect(images[0]).toMatchObject({
      names: ['greeting:latest'],
      platform: 'linux/amd64',
      id: wanted.configDigest,
      config: {
        cmd: ['/bin/greet'],
        user: 'guest',
        workingDir: '/tmp',
        stopSignal: 'SIGINT',
        exposedPorts: ['53/udp', '8080/tcp'],
        volumes: ['/var/greetings'],
        labels: { 'org.example.purpose': 'greeting' },
        healthcheck: { test: ['CMD', '/bin/greet'], interval: 30e9, timeout: 5e9, retries: 3 },
      },
      layers: wanted.layers.map(({ diffId, tar }) => ({ diffId, plainSize: tar.length, compression: 'none' })),
    });
    expect(images[0].history).toHaveLength(4);
  });

  test.each(generations)('reads the form %s from a pipe and compressed, and says the same', (generation) => {
    const source = greetingFile({ generation });
    const wanted = JSON.parse(output(['inspect', '--json', source]));
    const bytes = readFileSync(source);
    const zipped = fileOf(gzipSync(bytes), 'app.tar.gz');
    for (const text of [output(['inspect', '--json', '-'], { input: bytes }), output(['inspect', '--json', zipped])]) {
      const { images } = JSON.parse(text);
      const known = images[0].layers.map(({ digest: _, ...layer }: { digest?: string }) => layer);
      expect(known).toEqual(wanted.images[0].layers.map(({ digest: _, ...layer }: { digest?: string }) => layer));
      expect(images[0].config).toEqual(wanted.images[0].config);
    }
  });

  test('reads a pipe, and prints nothing that could move a cursor', () => {
    const labels = { evil: '\x1b]0;owned\x07\u202e' };
    const bytes = dockerSave({ ...image, config: { config: { Labels: labels } } }, { generation: '1.10' });
    const text = output(['inspect', '-'], { input: bytes });
    expect(text).toContain('evil=\\x1b]0;owned\\x07\\u202e');
    expect(text).not.toMatch(/[\x1b\x07\u202e]/);
  });
});

describe('ls', () => {
  const lines = (...args: readonly string[]) =>
    output(['ls', '--json', ...args])
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  const mtime = `${sampleTime}.000000000`;

  test('merges the layers: what a whiteout removes is gone, paths are sorted by their bytes', () => {
    const listed = lines(greetingFile());
    const paths = listed.map(({ path }) => path);
    expect(paths).not.toContain('etc/motd');
    expect(paths).not.toContain('etc/.wh.motd');
    expect(paths).toEqual([...paths].sort());
    expect(listed.find(({ path }) => path === 'etc/greet.conf')).toEqual({
      path: 'etc/greet.conf',
      type: 'file',
      mode: '0640',
      uid: 0,
      gid: 1000,
      size: 14,
      mtime,
    });
    expect(listed.find(({ path }) => path === 'tmp')).toEqual({
      path: 'tmp',
      type: 'dir',
      mode: '1777',
      uid: 0,
      gid: 0,
      mtime,
    });
    expect(listed.find(({ path }) => path === 'etc/greet.conf.d')).toMatchObject({
      type: 'symlink',
      link: '../usr/share/greet',
    });
    expect(listed.find(({ path }) => path === 'usr/bin/greet')).toMatchObject({ type: 'hardlink', link: 'bin/greet' });
  });

  test('--layer gives the entries of one layer in their order, whiteouts as they are', () => {
    expect(lines('--layer', '1', greetingFile()).map(({ path }) => path)).toEqual([
      'etc',
      'etc/.wh.motd',
      'etc/greet.conf',
      'etc/greet.conf.d',
    ]);
    expect(lines('--layer', '0', greetingFile())[0].path).toBe('bin');
    expect(refused(['ls', '--layer', '2', greetingFile()])).toMatchObject({ status: 4, code: 'image/select' });
  });

  test.each(['etc', '/etc', './etc/', '/etc/../etc'])('below %j it lists that folder alone', (path) => {
    const source = greetingFile();
    const paths = ['etc', 'etc/greet.conf', 'etc/greet.conf.d', 'etc/group', 'etc/passwd'];
    expect(lines(source, path).map((entry) => entry.path)).toEqual(paths);
  });

  test('a path that is not there is refused by its name', () => {
    const refusal = refused(['ls', greetingFile(), '/no/such']);
    expect(refusal).toMatchObject({ status: 4, code: 'image/select' });
    expect(refusal.lines[0]).toContain('/no/such');
  });

  test('--digest adds the sha256 to files, under each of their names, and to nothing else', () => {
    const listed = lines('--digest', greetingFile());
    const greet = listed.find(({ path }) => path === 'bin/greet');
    expect(greet.sha256).toBe(sha256Hex(greetingElf('amd64', greetingText)));
    const withDigest = new Set(listed.filter(({ sha256 }) => sha256).map(({ type }) => type));
    expect([...withDigest].sort()).toEqual(['file', 'hardlink']);
    expect(listed.filter(({ type, sha256 }) => type === 'file' && !sha256)).toEqual([]);
  });

  test('every generation has the same tree', () => {
    const listings = generations.map((generation) =>
      output(['ls', '--json', '--digest', greetingFile({ generation })]),
    );
    expect(new Set(listings).size).toBe(1);
  });

  test('devices, pipes, extended attributes, fractions of seconds and names that are no text have their fields', () => {
    const odd = sampleLayer([
      { name: './', mode: 0o700 },
      { name: 'null', type: '3', major: 1, minor: 3, mode: 0o666 },
      { name: 'disk', type: '4', major: 259, minor: 65536 },
      { name: 'pipe', type: '6', mtime: '12.5' },
      { name: Uint8Array.of(0x66, 0xff), body: 'x' },
      { name: 'cap', pax: [['SCHILY.xattr.security.capability', Uint8Array.of(1, 0, 0, 2)]], mode: 0o4755 },
      { name: 'old', mtime: '-1.5' },
    ]);
    const listed = new Map(
      lines(fileOf(dockerSave({ layers: [odd] }, { generation: '1.10' }))).map((entry) => [entry.path, entry]),
    );
    expect(listed.get('.')).toMatchObject({ type: 'dir', mode: '0700' });
    expect(listed.get('null')).toMatchObject({ type: 'char', major: 1, minor: 3 });
    expect(listed.get('disk')).toMatchObject({ type: 'block', major: 259, minor: 65536 });
    expect(listed.get('pipe')).toMatchObject({ type: 'fifo', mtime: '12.500000000' });
    expect(listed.get('f\ufffd')).toMatchObject({ type: 'file', pathBytes: Buffer.of(0x66, 0xff).toString('base64') });
    expect(listed.get('cap')).toMatchObject({ mode: '4755', xattrs: { 'security.capability': 'AQAAAg==' } });
    expect(listed.get('old').mtime).toBe('-2.500000000');
  });

  test('for people it looks as tar -tv does', () => {
    const text = output(['ls', greetingFile()]);
    expect(text).toMatch(/^-rw-r----- 0\/1000 +14 2024-02-29 12:00 etc\/greet\.conf$/m);
    expect(text).toMatch(/^lrwxrwxrwx .* etc\/greet\.conf\.d -> \.\.\/usr\/share\/greet$/m);
    expect(text).toMatch(/^drwxrwxrwt .* tmp$/m);
  });

  test('wants one image, and says how to choose it', () => {
    const two = fileOf(dockerSave([image, { ...greeting('arm64'), tags: ['other:1'] }], { generation: '1.10' }));
    const refusal = refused(['ls', two]);
    expect(refusal).toMatchObject({ status: 4, code: 'image/select' });
    expect(refusal.lines.join('\n')).toContain('other:1');
    expect(output(['ls', `docker-archive:${two}:other:1`])).toContain('bin/greet');
  });
});
