/** What is in a docker archive for the oldest engines, and for those that read layouts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { extract, pack } from 'tar-stream';
import { beforeEach, describe, expect, test } from 'vitest';
import { convert, diff, validate } from '../../../converters/index.ts';
import type { ImageRecipe } from '../../../fixtures/image-recipe.ts';
import { prepare } from '../../../fixtures/image-recipe.ts';
import { greeting, sampleLayer, windowsImage } from '../../../fixtures/images.ts';
import { runPeer, scratch, withPeer } from '../../fixtures/peers.ts';
import { inherits } from '../../library-outputs.ts';
import { dockerFile, memberJson, membersOf, ociFile, varied, written } from './archives.ts';

const greets = greeting('amd64');

async function made(source: string) {
  const out = join(scratch(), 'out.tar');
  await convert(source, out, { to: 'docker-archive' });
  return { out, members: await membersOf(out) };
}

interface Index {
  readonly manifests: readonly {
    readonly mediaType: string;
    readonly digest: string;
    readonly platform: object;
    readonly annotations?: Readonly<Record<string, string>>;
  }[];
}

// Files with holes, in the images of `varied`.
beforeEach(() => inherits('layer/sparse'));

describe('the image layout that a docker archive is besides', () => {
  const several: readonly ImageRecipe[] = [
    { ...varied(), tags: ['app:1.0', 'example.com/team/app:1.0'] },
    { ...varied(), config: {}, tags: [] },
    { ...varied(), config: { author: 'x' }, tags: ['db:1.0'] },
  ];

  test('names every image as manifest.json does, and no two alike', async () => {
    const { members } = await made(dockerFile(several));
    const { manifests } = memberJson(members, 'index.json') as Index;
    expect(manifests.map(({ annotations }) => annotations)).toEqual(
      [
        ['app:1.0', 'docker.io/library/app:1.0'],
        ['example.com/team/app:1.0', 'example.com/team/app:1.0'],
        undefined,
        ['db:1.0', 'docker.io/library/db:1.0'],
      ].map(
        (names) => names && { 'org.opencontainers.image.ref.name': names[0], 'io.containerd.image.name': names[1] },
      ),
    );
    expect(manifests[0]).toMatchObject({ platform: { architecture: 'amd64', os: 'linux' } });
  });

  test('is the same images, and follows every rule there is', async () => {
    for (const source of [dockerFile(several), dockerFile(greets), dockerFile(windowsImage())]) {
      const { out } = await made(source);
      for (const half of ['docker-archive', 'oci-archive']) {
        expect((await diff(`${half}:${out}:@0`, `docker-archive:${source}:@0`)).differences).toEqual([]);
        const { findings } = await validate(`${half}:${out}`);
        // What its layers are is not the archive's doing.
        expect(findings.filter(({ level, rule }) => level !== 'note' && !/sparse|nondistributable/.test(rule))).toEqual(
          [],
        );
      }
    }
  });

  test('keeps the image that is converted from either half', async () => {
    const { out } = await made(ociFile(varied()));
    for (const half of ['docker-archive', 'oci-archive']) {
      const { images } = await convert(`${half}:${out}`, join(scratch(), 'back'));
      expect(images.map(({ names, config }) => [names, config])).toEqual([
        [['varied:1'], prepare(varied()).configDigest],
      ]);
    }
  });

  test.each(['Healthcheck', 'OnBuild', 'Shell'])('has Docker’s manifest for an image with %s', async (field) => {
    const value = field === 'Healthcheck' ? { Test: ['CMD', 'true'] } : ['/bin/x'];
    const { members } = await made(dockerFile({ ...varied(), config: { config: { [field]: value } } }));
    const { manifests } = memberJson(members, 'index.json') as Index;
    expect(manifests[0]!.mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
    const { config, layers } = memberJson(members, `blobs/sha256/${manifests[0]!.digest.slice(7)}`) as Manifest;
    expect([config, ...layers].map(({ mediaType }) => mediaType)).toEqual([
      'application/vnd.docker.container.image.v1+json',
      ...Array(3).fill('application/vnd.docker.image.rootfs.diff.tar'),
    ]);
  });

  withPeer('skopeo')('is read by skopeo', async () => {
    const { out } = await made(dockerFile(several));
    for (const name of ['app:1.0', 'example.com/team/app:1.0', 'db:1.0']) {
      const args = ['--insecure-policy', 'copy', '-q', `oci-archive:${out}:${name}`, `dir:${join(scratch(), 'copy')}`];
      runPeer({ tool: 'skopeo', args });
    }
  });

  withPeer('podman')('does not cost the image its health check in podman', async () => {
    const { out } = await made(dockerFile({ ...greets, tags: ['example.com/checked:1'] }));
    const folder = scratch();
    const store = ['--root', join(folder, 's'), '--runroot', join(folder, 'r'), '--storage-driver', 'vfs'];
    runPeer({ tool: 'podman', args: [...store, 'load', '-q', '-i', out] });
    const args = [...store, 'image', 'inspect', '--format', '{{json .HealthCheck}}', 'example.com/checked:1'];
    const { Healthcheck } = (greets.config as { readonly config: { readonly Healthcheck: object } }).config;
    expect(JSON.parse(runPeer({ tool: 'podman', args }).toString())).toMatchObject(Healthcheck);
  });
});

interface Manifest {
  readonly config: { readonly mediaType: string };
  readonly layers: readonly { readonly mediaType: string }[];
}

describe('what Docker before 1.10 reads', () => {
  async function madeForAll(source: string) {
    const out = join(scratch(), 'out.tar');
    const { notes } = await convert(source, out, { to: 'docker-archive', version1: true });
    return { out, notes, members: await membersOf(out) };
  }

  test('is there on request, and says the same without manifest.json', async () => {
    const source = dockerFile(varied());
    const { out, members } = await madeForAll(source);
    expect((await diff(source, out)).differences).toEqual([]);
    const reader = extract();
    reader.end(readFileSync(out));
    const old = pack();
    for await (const entry of reader) {
      const parts: Buffer[] = [];
      for await (const chunk of entry) parts.push(Buffer.from(chunk as Uint8Array));
      if (entry.header.name !== 'manifest.json') old.entry(entry.header, Buffer.concat(parts));
    }
    old.finalize();
    const parts: Buffer[] = [];
    for await (const chunk of old) parts.push(Buffer.from(chunk as Uint8Array));
    const path = written(Buffer.concat(parts), scratch(), 'old.tar');
    expect((await diff(source, path)).differences).toEqual([]);
    const { varied: tags } = memberJson(members, 'repositories') as { readonly varied: Record<string, string> };
    expect(members.map(({ name }) => name)).toContain(`${tags['1']}/json`);
  });

  test('has the layers that images share once', async () => {
    const base = sampleLayer([{ name: 'base' }]);
    const images = [
      { layers: [base, sampleLayer([{ name: 'one' }])], tags: ['a:1'] },
      { layers: [base, sampleLayer([{ name: 'two' }])], tags: ['b:1'] },
    ];
    const { members } = await madeForAll(dockerFile(images));
    expect(members.filter(({ name }) => name.endsWith('/json')).length).toBe(3);
    expect(members.filter(({ name }) => /^[^/]+\.tar$/.test(name)).length).toBe(3);
  });

  test('is no image layout: those engines take every folder for an image', async () => {
    const { members } = await madeForAll(dockerFile(varied()));
    const folders = members.filter(({ type }) => type === 'directory').map(({ name }) => name);
    expect(folders.length).toBe(3);
    for (const name of folders) expect(members.map((one) => one.name)).toContain(`${name.replace(/\/$/, '')}/json`);
    expect(members.map(({ name }) => name)).not.toContain('index.json');
  });

  test('cannot be said of an image without layers', async () => {
    const { notes } = await madeForAll(dockerFile({ layers: [], tags: ['x:1'] }));
    expect(notes.map(({ message }) => message)).toContain('Docker before 1.10 has no image without layers');
  });
});
