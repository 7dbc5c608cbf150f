/** What `docker load` and its like are given. */
import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { convert, diff, inspect } from '../../../converters/index.ts';
import { sha256Digest, sha256Hex } from '../../../fixtures/bytes.ts';
import { dockerSave } from '../../../fixtures/docker-save.ts';
import { type ImageRecipe, prepare } from '../../../fixtures/image-recipe.ts';
import { greeting, sampleLayer, windowsImage } from '../../../fixtures/images.ts';
import {
  emptyLayout,
  type Layout,
  layoutTar,
  named,
  putArtifact,
  putAttestation,
  putImage,
  putIndex,
  setIndex,
} from '../../../fixtures/oci-layout.ts';
import type { ProgressEvent } from '../../../formats/base/progress.ts';
import { runPeer, scratch, withPeer } from '../../fixtures/peers.ts';
import { inherits } from '../../library-outputs.ts';
import { behaviour, dockerFile, memberJson, membersOf, ociFile, varied, written } from './archives.ts';

const file = behaviour('docker-archive');
const image = greeting('amd64');
const hexOf = (digest: string): string => digest.replace('sha256:', '');
const blob = (digest: string): string => `blobs/sha256/${hexOf(digest)}`;

interface Entry {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
  readonly LayerSources?: Readonly<Record<string, { readonly mediaType: string; readonly urls: readonly string[] }>>;
}

async function made(source: string) {
  const out = join(scratch(), 'out.tar');
  const report = await convert(source, out, { to: 'docker-archive' });
  const members = await membersOf(out);
  const manifest = memberJson(members, 'manifest.json') as readonly Entry[];
  return { out, report, members, manifest, messages: report.notes.map(({ kind, message }) => `${kind}: ${message}`) };
}

const layoutFile = (layout: Layout): string => written(layoutTar(layout), scratch(), 'oci.tar');
const tagged = (...tags: readonly string[]): ImageRecipe => ({ ...image, tags });

// Files with holes, in the images of `varied`.
beforeEach(() => inherits('layer/sparse'));

describe('a docker archive', () => {
  test('names each member by the digest of its bytes, layers uncompressed', async () => {
    const { members, manifest } = await made(ociFile(image, { compression: 'zstd' }));
    const prepared = prepare(image);
    expect(manifest).toEqual([
      {
        Config: blob(prepared.configDigest),
        RepoTags: ['greeting:latest'],
        Layers: prepared.layers.map(({ diffId }) => blob(diffId)),
      },
    ]);
    const blobs = members.filter(({ name }) => /^blobs\/.*[^/]$/.test(name));
    expect(blobs.length).toBe(prepared.layers.length + 2);
    for (const { name, body } of blobs) expect(name).toBe(`blobs/sha256/${sha256Hex(body)}`);
    expect(memberJson(members, 'repositories')).toEqual({
      greeting: { latest: hexOf(prepared.layers.at(-1)!.diffId) },
    });
  });

  test('keeps the image id, which is what its report says', async () => {
    const { report, members, manifest } = await made(ociFile(image));
    const config = members.find(({ name }) => name === manifest[0]!.Config)!;
    expect(sha256Digest(config.body)).toBe(prepare(image).configDigest);
    expect(report.images[0]).toMatchObject({
      digest: prepare(image).configDigest,
      config: prepare(image).configDigest,
    });
  });

  test('is the image that it was made from', async () => {
    const source = ociFile(varied());
    expect((await diff(source, (await made(source)).out)).differences).toEqual([]);
  });

  test('holds several images with all their tags, and a layer that they share once', async () => {
    const base = sampleLayer([{ name: 'base' }]);
    const one = { layers: [base, sampleLayer([{ name: 'one' }])], tags: ['a:1', 'example.com:5000/b/c:2'] };
    const two = { layers: [base, base], tags: ['d:1'] };
    const { manifest, members, out } = await made(dockerFile([one, two]));
    expect(manifest.map(({ RepoTags }) => RepoTags)).toEqual([['a:1', 'example.com:5000/b/c:2'], ['d:1']]);
    expect(manifest[1]!.Layers[0]).toBe(manifest[1]!.Layers[1]);
    // Two layers, two configurations, two manifests.
    expect(members.filter(({ name }) => /^blobs\/.*[^/]$/.test(name)).length).toBe(6);
    expect((await inspect(out)).images.map(({ layers }) => layers.length)).toEqual([2, 2]);
  });

  test('gives one image that two references point to both names', async () => {
    const { manifest, report } = await made(ociFile(tagged('a:1', 'b:2')));
    expect(manifest.map(({ RepoTags }) => RepoTags)).toEqual([['a:1', 'b:2']]);
    expect(report.images.flatMap(({ names }) => names)).toEqual(['a:1', 'b:2']);
  });

  test('holds an image without a name, and one without layers', async () => {
    const { manifest, members } = await made(dockerFile([{ layers: [] }]));
    expect(manifest).toEqual([
      { Config: expect.stringMatching(/^blobs\/sha256\/[0-9a-f]{64}$/), RepoTags: null, Layers: [] },
    ]);
    expect(members.map(({ name }) => name)).not.toContain('repositories');
  });

  test('says where a layer comes from that may not be distributed', async () => {
    const { manifest } = await made(dockerFile(windowsImage()));
    expect(Object.values(manifest[0]!.LayerSources ?? {})).toEqual([
      {
        mediaType: expect.stringContaining('vnd.docker.image.rootfs.foreign.diff.tar'),
        size: expect.any(Number),
        digest: expect.stringMatching(/^sha256:/),
        urls: ['https://mirror.example/windows/base.tar.gz'],
      },
    ]);
  });

  test('has no place for a layer that is not in the source', async () => {
    const windows = windowsImage();
    const [base, top] = windows.layers as readonly [{ readonly tar: Uint8Array }, Uint8Array];
    const absent = { ...windows, layers: [{ ...base, absent: true }, top] };
    await expect(made(ociFile(absent))).rejects.toMatchObject({ code: 'blob/missing' });
  });

  test('is not compressed inside', async () => {
    const options = { to: 'docker-archive', compress: 'zstd' };
    await expect(convert(dockerFile(image), join(scratch(), 'out'), options)).rejects.toMatchObject({
      code: 'usage/option',
    });
  });
});

describe('names', () => {
  test.each([
    ['app:1.0', ['app:1.0'], []],
    [
      'registry.example:5000/Team/app:1',
      null,
      ['dropped: registry.example:5000/Team/app:1 does not fit Docker’s grammar'],
    ],
    ['app', ['app:latest'], ['defaulted: app has no tag, so it is written as app:latest']],
    ['1.0', ['1.0:latest'], ['defaulted: 1.0 has no tag, so it is written as 1.0:latest']],
    ['APP', null, ['dropped: APP does not fit Docker’s grammar']],
    ['a+b', null, ['dropped: a+b does not fit Docker’s grammar']],
    ['f'.repeat(64), null, [`dropped: ${'f'.repeat(64)} does not fit`]],
    [`app:1@sha256:${'0'.repeat(64)}`, ['app:1'], [expect.stringContaining('the digest is left out')]],
    [`app@sha256:${'0'.repeat(64)}`, null, [expect.stringContaining('the image goes without this name')]],
    ['localhost/app:1', ['localhost/app:1'], []],
    ['constructor:constructor', ['constructor:constructor'], []],
    ['app:__proto__', ['app:__proto__'], []],
  ])('%s becomes %j', async (name, tags, notes) => {
    const { manifest, messages, members } = await made(ociFile(tagged(name)));
    expect(manifest[0]!.RepoTags).toEqual(tags);
    const expected = notes.map((one) => (typeof one === 'string' ? expect.stringContaining(one) : one));
    expect(messages).toEqual(expected);
    const repositories = tags && Object.keys(memberJson(members, 'repositories') as object);
    expect(repositories).toEqual(tags && [tags[0]!.slice(0, tags[0]!.lastIndexOf(':'))]);
  });

  test('the whole name that containerd keeps beside a tag counts', async () => {
    const source = written(dockerSave(tagged('example.com/app:1'), { generation: '25' }), scratch(), 'in.tar');
    const { manifest } = await made(`oci-archive:${source}`);
    expect(manifest[0]!.RepoTags).toEqual(['example.com/app:1']);
  });
});

describe('what only OCI has is noted', () => {
  test('annotations of a manifest', async () => {
    const { messages } = await made(ociFile(image, { annotations: { 'org.example.b': 'x', 'org.example.a': 'y' } }));
    expect(messages).toEqual(['dropped: a docker archive has no place for annotations (org.example.a, org.example.b)']);
  });

  test('an index, whose name goes to one of its images, and its attestations', async () => {
    const layout = emptyLayout();
    const amd64 = putImage(layout, { ...image, tags: [] });
    const arm64 = putImage(layout, { ...greeting('arm64'), tags: [] });
    const index = putIndex(layout, [arm64, amd64, putAttestation(layout, amd64)]);
    const { manifest, messages } = await made(layoutFile(setIndex(layout, [named(index, 'app:1')])));
    expect(manifest.map(({ Config, RepoTags }) => [Config, RepoTags])).toEqual([
      [blob(prepare(greeting('arm64')).configDigest), null],
      [blob(prepare(image).configDigest), ['app:1']],
    ]);
    expect(messages).toEqual(
      expect.arrayContaining([
        expect.stringContaining('has no index'),
        expect.stringContaining('app:1 is the one for linux/amd64'),
        expect.stringContaining('holds images only'),
      ]),
    );
  });

  test('artifacts', async () => {
    const layout = emptyLayout();
    const artifact = putArtifact(layout, { artifactType: 'application/vnd.example', files: [] });
    const { manifest, messages } = await made(
      layoutFile(setIndex(layout, [named(putImage(layout, image), 'app:1'), named(artifact, 'thing')])),
    );
    expect(manifest.length).toBe(1);
    expect(messages).toEqual([expect.stringMatching(/^dropped: a docker archive holds images only, and .* is none$/)]);
  });
});

describe('layers that go straight from a plain archive into another one', () => {
  const damaged = (): string => {
    const bytes = dockerSave(varied(), { generation: '1.10' });
    const at = bytes.indexOf('below a folder that is read-only');
    expect(at).toBeGreaterThan(0);
    bytes[at] = 0x42;
    return written(bytes, scratch(), 'in.tar');
  };

  test('are checked on the way, and nothing is left where they are not what they should be', async () => {
    const folder = scratch();
    await expect(convert(damaged(), join(folder, 'out'), { to: 'docker-archive' })).rejects.toMatchObject({
      code: 'digest/mismatch',
      at: expect.arrayContaining(['layer 1']),
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('give the same bytes as those of a pipe, which are stored before', async () => {
    const source = dockerFile([varied(), image]);
    const out = join(scratch(), 'piped');
    await convert({ stream: createReadStream(source) }, out, { to: 'docker-archive' });
    expect(readFileSync(out).equals(readFileSync((await made(source)).out))).toBe(true);
  });

  test('tell how far they are, each once', async () => {
    const base = sampleLayer([{ name: 'base', body: 'x' }]);
    const source = dockerFile([
      { layers: [base, sampleLayer([{ name: 'one' }])], tags: ['a:1'] },
      { layers: [base], tags: ['b:1'] },
    ]);
    const events: ProgressEvent[] = [];
    await convert(source, join(scratch(), 'out'), {
      to: 'docker-archive',
      progress: (event) => void events.push(event),
    });
    const ends = events.flatMap((event) => (event.type === 'layer-end' ? [event.size] : []));
    expect(ends.length).toBe(2);
    expect(events.filter(({ type }) => type === 'layer-start').length).toBe(2);
    for (const size of ends) expect(size).toBeGreaterThan(0);
  });
});

describe('as a file it', () => {
  test('is the same bytes twice', () => file.isDeterministic());
  test('does not take the place of a file, unless that is asked for', () => file.refusesWhatIsThere());
  test('is not there when it cannot be whole', () => file.leavesNothingWhenItFails((folder) => readdirSync(folder)));
  test('is sent to a stream as it would be written', () => file.goesToAStream());
});

describe('peers', () => {
  withPeer('skopeo')('skopeo reads each image of several', async () => {
    const { out } = await made(dockerFile([tagged('a:1', 'a:2'), { ...varied(), tags: ['b:1'] }]));
    for (const name of ['a:1', 'a:2', 'b:1']) {
      const args = ['--insecure-policy', 'copy', `docker-archive:${out}:${name}`, `dir:${join(scratch(), 'copy')}`];
      runPeer({ tool: 'skopeo', args });
    }
  });

  withPeer('podman')('podman loads it under its names', async () => {
    const { out } = await made(ociFile(tagged('example.com/app:1', 'example.com/app:2'), { compression: 'zstd' }));
    const folder = scratch();
    const store = ['--root', join(folder, 's'), '--runroot', join(folder, 'r'), '--storage-driver', 'vfs'];
    runPeer({ tool: 'podman', args: [...store, 'load', '-q', '-i', out] });
    const args = [...store, 'images', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}', '--no-trunc'];
    const id = prepare(image).configDigest;
    expect(runPeer({ tool: 'podman', args }).toString().trim().split('\n').sort()).toEqual([
      `example.com/app:1 ${id}`,
      `example.com/app:2 ${id}`,
    ]);
  });
});
