/** `ocix convert` over every generation of archive, however it is wrapped and wherever it comes from. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { dockerMembers, dockerSave, type Generation, generations, withDotSlash } from '../../fixtures/docker-save.ts';
import { prepare } from '../../fixtures/image-recipe.ts';
import { greeting, greetingUser, windowsImage } from '../../fixtures/images.ts';
import { layoutTar, ociLayout, writeLayout } from '../../fixtures/oci-layout.ts';
import { tar } from '../../fixtures/tar.ts';
import { zstd } from '../../fixtures/zstd.ts';
import { scratch, withPeer } from '../fixtures/peers.ts';
import { fileOf, greetingFile, ocix, output, refused } from './command.ts';
import { readLayout } from './layout.ts';

const image = greeting('amd64');
const wanted = prepare(image);
const diffIds = wanted.layers.map(({ diffId }) => diffId);
const later = generations.filter((generation) => generation !== 'v1');
/** Skopeo writes the registry and the folder that people leave out. */
const nameIn = (generation: Generation): string =>
  generation === 'skopeo' ? 'docker.io/library/greeting:latest' : 'greeting:latest';

describe.each(later)('an archive of the form %s', (generation) => {
  test('keeps its configuration byte for byte, its layers and its name', () => {
    const source = greetingFile({ generation });
    const out = join(scratch(), 'out');
    const stdout = output(['convert', '-q', source, out]);
    const [read, ...more] = readLayout(out);
    expect(more).toEqual([]);
    expect(read).toMatchObject({
      name: nameIn(generation),
      configDigest: wanted.configDigest,
      platform: 'linux/amd64',
      diffIds,
    });
    expect(stdout).toBe(`${nameIn(generation)}\t${read!.digest}\t${out}\n`);
  });

  test('gives the same layout when it comes through a pipe', () => {
    const folder = scratch();
    const bytes = dockerSave(image, { generation });
    const file = output(['convert', '-q', fileOf(bytes, 'in.tar', folder), join(folder, 'file')]);
    const pipe = output(['convert', '-q', '-', join(folder, 'pipe')], { input: bytes });
    expect(pipe.split('\t')[1]).toBe(file.split('\t')[1]);
    expect(readFileSync(join(folder, 'pipe/index.json'))).toEqual(readFileSync(join(folder, 'file/index.json')));
    expect(readLayout(join(folder, 'pipe'))).toEqual(readLayout(join(folder, 'file')));
  });
});

describe('an archive of before Docker 1.10', () => {
  test.each(['file', 'pipe'])('becomes an image with a layer for each step, from a %s', (way) => {
    const source = greetingFile({ generation: 'v1' });
    const out = join(scratch(), 'out');
    if (way === 'file') output(['convert', '-q', source, out]);
    else output(['convert', '-q', '-', out], { input: readFileSync(source) });
    const [read] = readLayout(out);
    expect(read!.name).toBe('greeting:latest');
    expect([read!.diffIds[0], read!.diffIds[2]]).toEqual(diffIds);
    expect(read!.diffIds).toHaveLength(4);
    expect(read!.config).toMatchObject({
      architecture: 'amd64',
      os: 'linux',
      config: { Cmd: ['/bin/greet'], User: greetingUser.name, StopSignal: 'SIGINT', WorkingDir: '/tmp' },
    });
    expect(read!.config.config.Healthcheck).toEqual(
      (wanted.config.config as { readonly Healthcheck: unknown }).Healthcheck,
    );
    expect(read!.config.history.map((step: { created_by: string }) => step.created_by)).toEqual([
      '/bin/sh -c #(nop) ADD file:base in / ',
      '/bin/sh -c #(nop)  USER guest',
      '/bin/sh -c #(nop) COPY dir:top in / ',
      '/bin/sh -c #(nop)  CMD ["/bin/greet"]',
    ]);
    expect(read!.config).not.toHaveProperty('parent');
    expect(read!.config).not.toHaveProperty('container_config');
  });
});

test('all generations since Docker 1.10 that store layers uncompressed give one and the same manifest', () => {
  const digests = (['1.10', '25', '25.0.0', 'skopeo', 'bazel'] as const).map((generation) => {
    const out = join(scratch(), 'out');
    return output(['convert', '-q', greetingFile({ generation }), out]).split('\t')[1];
  });
  expect(new Set(digests).size).toBe(1);
});

test('an archive that GNU tar packed again from a folder, with ./ before every name, is read', () => {
  const out = join(scratch(), 'out');
  const bytes = tar(withDotSlash(dockerMembers(image, { generation: '1.10' })));
  output(['convert', '-q', fileOf(bytes), out]);
  expect(readLayout(out)[0]!.configDigest).toBe(wanted.configDigest);
});

describe('an archive compressed as a whole', () => {
  const plain = dockerSave(image, { generation: '1.10' });
  const system = (tool: string, args: readonly string[]): Buffer =>
    spawnSync(tool, args, { input: plain, maxBuffer: 1 << 28 }).stdout;
  const run = (bytes: Uint8Array): void => {
    const folder = scratch();
    // The name says nothing: what it is shows in its bytes.
    for (const [out, args, input] of [
      ['file', [fileOf(bytes, 'app.tar', folder)], undefined],
      ['pipe', ['-'], bytes],
    ] as const) {
      output(['convert', '-q', ...args, join(folder, out)], input ? { input } : {});
      expect(readLayout(join(folder, out))).toMatchObject([{ configDigest: wanted.configDigest, diffIds }]);
    }
  };

  test('with gzip is read', () => run(gzipSync(plain)));
  test('with gzip in two members, one behind the other, is read', () =>
    run(Buffer.concat([gzipSync(plain.subarray(0, 9000)), gzipSync(plain.subarray(9000))])));
  test('with zstd is read', () => run(zstd(plain)));
  test('with zstd inside gzip is read', () => run(gzipSync(zstd(plain))));
  withPeer('xz')('with xz is read', () => run(system('xz', ['-c'])));
  withPeer('bzip2')('with bzip2 is read', () => run(system('bzip2', ['-c'])));
});

describe('an OCI layout as a source', () => {
  test.each(['none', 'gzip', 'zstd'] as const)('keeps every digest, its layers stored as %s', async (compression) => {
    const folder = scratch();
    const layout = ociLayout(image, { compression });
    await writeLayout(layout, join(folder, 'in'));
    const archive = fileOf(layoutTar(layout), 'in.tar', folder);
    const digest = JSON.parse(layout.get('index.json')!.toString()).manifests[0].digest;
    for (const [name, source] of [
      ['a', join(folder, 'in')],
      ['b', archive],
    ] as const) {
      output(['convert', '-q', source, join(folder, name)]);
      expect(readLayout(join(folder, name))).toMatchObject([{ name: 'greeting:latest', digest, diffIds }]);
    }
  });
});

test('a Windows image keeps its platform with the version, and says where its foreign base came from', () => {
  const out = join(scratch(), 'out');
  output(['convert', '-q', fileOf(dockerSave(windowsImage(), { generation: '1.10' })), out], {
    inherited: ['oci/manifest-nondistributable'],
  });
  const [read] = readLayout(out);
  expect(read).toMatchObject({ platform: 'windows/amd64', config: { 'os.version': '10.0.20348.2322' } });
  expect(read!.layers[0]!.mediaType).toContain('nondistributable');
  expect(JSON.stringify(read!.layers[0])).toContain('https://mirror.example/windows/base.tar.gz');
});

test('a plain tar is an image of one layer when the user says so, and only then', () => {
  const folder = scratch();
  const rootfs = fileOf(tar([{ name: 'bin/' }, { name: 'bin/sh', body: '#!' }]), 'rootfs.tar', folder);
  const refused = ocix(['convert', rootfs, join(folder, 'out')]);
  expect(refused.status).toBe(3);
  expect(refused.stderr).toContain(`tar:${rootfs}`);
  output(['convert', '-q', '--ref', 'root:1', '--platform', 'linux/arm64', `tar:${rootfs}`, join(folder, 'out')]);
  expect(readLayout(join(folder, 'out'))).toMatchObject([{ name: 'root:1', platform: 'linux/arm64' }]);
});

test('an image of no layers is written as one', () => {
  const out = join(scratch(), 'out');
  output(['convert', '-q', fileOf(dockerSave({ layers: [], tags: ['none:1'] }, { generation: 'skopeo' })), out], {
    inherited: ['oci/manifest-layers-some'],
  });
  expect(readLayout(out)).toMatchObject([{ name: 'docker.io/library/none:1', layers: [] }]);
});

test('a path with colons in it is found, and what follows the last is the reference', () => {
  const folder = join(scratch(), 'a:b');
  mkdirSync(folder);
  const path = fileOf(dockerSave(image, { generation: '1.10' }), 'app:1.tar', folder);
  const out = join(folder, 'out');
  output(['convert', '-q', `docker-archive:${path}:greeting:latest`, out]);
  expect(readLayout(out)[0]!.name).toBe('greeting:latest');
});

test('a platform that a source leaves open is guessed where one is written, and nowhere else', () => {
  const source = `tar:${fileOf(tar([{ name: 'etc/passwd', body: 'root:x:0:0::/:' }]))}`;
  const out = join(scratch(), 'out');
  expect(refused(['convert', '--strict', source, out])).toMatchObject({ status: 5, code: 'strict/notes' });
  output(['convert', '--strict', '--to', 'tar', source, `${out}.tar`]);
  output(['unpack', '--strict', source, out]);
});
