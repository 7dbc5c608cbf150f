/** The library's own face: convert, detect, inspect, open and list without the command around them. */
import { createReadStream, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  convert,
  detect,
  imagesOf,
  inspect,
  list,
  OcixError,
  open,
  type ProgressEvent,
} from '../../converters/index.ts';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { prepare } from '../../fixtures/image-recipe.ts';
import { greeting, sampleLayer } from '../../fixtures/images.ts';
import { emptyLayout, layoutTar, named, putArtifact, putImage, setIndex } from '../../fixtures/oci-layout.ts';
import { fileOf, snapshot } from '../cases/command.ts';
import { readLayout } from '../cases/layout.ts';
import { scratch } from '../fixtures/peers.ts';
import { inherits } from '../library-outputs.ts';

const image = greeting('amd64');
const bytes = dockerSave(image, { generation: '1.10' });
const wanted = prepare(image);

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no refusal',
    (error) => (error instanceof OcixError ? error.code : `a fault: ${error}`),
  );
}

describe('convert()', () => {
  test('gives the report of what it wrote, and tells its progress in order', async () => {
    const events: ProgressEvent[] = [];
    const out = join(scratch(), 'out');
    const report = await convert(fileOf(bytes), out, { progress: (event) => void events.push(event) });
    expect(report).toMatchObject({ target: { format: 'oci', out }, notes: [] });
    expect(report.images).toMatchObject([
      { names: ['greeting:latest'], config: wanted.configDigest, platform: 'linux/amd64' },
    ]);
    expect(readLayout(out)[0]!.digest).toBe(report.images[0]!.digest);
    expect(events.map(({ type }) => type)).toEqual([
      'source',
      ...Array(2).fill(['layer-start', 'layer-progress', 'layer-end']).flat(),
    ]);
  });

  test('reads a stream', async () => {
    const out = join(scratch(), 'out');
    await convert({ stream: createReadStream(fileOf(bytes), { highWaterMark: 777 }), name: 'a pipe' }, out);
    expect(readLayout(out)).toMatchObject([{ configDigest: wanted.configDigest }]);
  });

  test('stops where it is asked to before it begins, and leaves nothing', async () => {
    const folder = scratch();
    const source = fileOf(bytes);
    expect(await codeOf(convert(source, join(folder, 'out'), { signal: AbortSignal.abort() }))).toBe('interrupted');
    expect(snapshot(folder)).toEqual([]);
  });

  test('fills the platform that is asked for into an image that states none, and drops its old document', async () => {
    const bare = { layers: [sampleLayer([{ name: 'a' }])], tags: ['bare:1'], config: { architecture: undefined } };
    const out = join(scratch(), 'out');
    inherits('oci/manifest-layers-some');
    const report = await convert(fileOf(dockerSave(bare, { generation: '1.10' })), out, { platform: 'linux/arm/v7' });
    expect(report.notes).toEqual([]);
    expect(readLayout(out)[0]!.config).toMatchObject({ os: 'linux', architecture: 'arm', variant: 'v7' });
  });

  test('makes up the platform of the host where nobody says, and notes it', async () => {
    const bare = { layers: [], tags: ['bare:1'], config: { architecture: undefined } };
    const out = join(scratch(), 'out');
    const host = { os: 'linux', architecture: 'riscv64' };
    inherits('oci/manifest-layers-some');
    const report = await convert(fileOf(dockerSave(bare, { generation: '1.10' })), out, { host });
    expect(report.notes.map(({ kind, at }) => [kind, at])).toEqual([['guessed', ['bare:1']]]);
    expect(readLayout(out)[0]!.config.architecture).toBe('riscv64');
  });

  test('copies an artifact whole beside the images', async () => {
    const layout = emptyLayout();
    const own = named(putImage(layout, image), 'app:1');
    const files = [{ title: 'sbom.json', bytes: Buffer.from('{"sbom":true}') }];
    const artifact = putArtifact(layout, { artifactType: 'application/spdx+json', files, subject: own });
    const out = join(scratch(), 'out');
    inherits('oci/ref-name-place');
    const report = await convert(fileOf(layoutTar(setIndex(layout, [own, artifact]))), out);
    expect(report.images).toHaveLength(1);
    expect(JSON.parse(readFileSync(join(out, 'index.json'), 'utf8')).manifests[1]).toMatchObject({
      digest: artifact.digest,
    });
    expect(readLayout(out).map(({ name }) => name)).toEqual(['app:1']);
  });
});

describe('open()', () => {
  test('gives layers that can be opened again and again, also of a compressed source, and leaves no temporary folder', async () => {
    const temporary = (): readonly string[] =>
      readdirSync(tmpdir()).filter((name) => /^ocix-[A-Za-z0-9]{6}$/.test(name));
    const before = temporary();
    const opened = await open({ stream: createReadStream(fileOf(gzipSync(bytes))) });
    const [first] = imagesOf(opened.items);
    const { createContext } = await import('../../formats/base/context.ts');
    for (let i = 0; i < 2; i++) {
      const parts: Uint8Array[] = [];
      for await (const chunk of first!.layers[0]!.open(createContext())) parts.push(chunk.slice());
      expect(Buffer.concat(parts).equals(wanted.layers[0]!.tar)).toBe(true);
    }
    await opened.close();
    expect(temporary()).toEqual(before);
  });

  test('closes its source where no image of it is meant', async () => {
    const file = fileOf(bytes);
    const isOpen = () =>
      readdirSync('/proc/self/fd').some((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === file;
        } catch {
          return false; // the one that lists them
        }
      });
    expect(await codeOf(open(`docker-archive:${file}:none`))).toBe('image/select');
    expect(await codeOf(open(file, { platform: 'linux/s390x' }))).toBe('image/select');
    expect(isOpen()).toBe(false);
    const source = await open(file);
    expect(isOpen()).toBe(true);
    await source.close();
    expect(isOpen()).toBe(false);
  });

  test('refuses and cleans up where the source is none', async () => {
    expect(await codeOf(open({ stream: createReadStream(fileOf(gzipSync('x'.repeat(9000)))) }))).toBe('format/unknown');
  });
});

describe('inspect(), detect() and list()', () => {
  test('inspect reads no layer: one that is damaged is shown all the same', async () => {
    const damaged = Buffer.from(bytes);
    damaged.fill(0x41, bytes.indexOf('Hello from a layer.'), bytes.indexOf('Hello from a layer.') + 5);
    const { images } = await inspect(fileOf(damaged));
    expect(images[0]!.id).toBe(wanted.configDigest);
    expect(await codeOf(list(fileOf(damaged)))).toBe('digest/mismatch');
  });

  test('detect orders its offers, and refuses what nobody takes', async () => {
    const offers = await detect(fileOf(dockerSave(image, { generation: '25' })));
    expect(offers.map(({ format }) => format)).toEqual(['docker-archive', 'oci']);
    expect(offers[0]!.confidence).toBeGreaterThan(offers[1]!.confidence);
    expect(await codeOf(detect(fileOf(Buffer.from('no'))))).toBe('format/unknown');
  });

  test('list names a damaged layer as convert does', async () => {
    const damaged = Buffer.from(image.layers[1] as Uint8Array);
    damaged[600] = 0x7a;
    const file = fileOf(dockerSave({ ...image, layers: [image.layers[0]!, damaged] }, { generation: '1.10' }));
    const places = [list(file), convert(file, join(scratch(), 'out'))].map((work) =>
      work.then(
        () => 'no refusal',
        (error) => (error as OcixError).at.filter((place) => place.startsWith('layer')),
      ),
    );
    expect(await Promise.all(places)).toEqual([['layer 2'], ['layer 2']]);
  });

  test('list gives the merged tree, one layer, or a part of either', async () => {
    const source = fileOf(bytes);
    expect((await list(source)).map(({ path }) => path)).toContain('etc/greet.conf');
    expect((await list(source, { layer: 1 })).map(({ path }) => path)).toContain('etc/.wh.motd');
    expect((await list(source, { layer: 0, path: 'home' })).map(({ path }) => path)).toEqual(['home', 'home/guest']);
    expect(await codeOf(list(source, { layer: 9 }))).toBe('image/select');
    expect(await codeOf(list(source, { path: 'nowhere' }))).toBe('image/select');
    expect((await list(source, { digest: true })).filter(({ sha256 }) => sha256)).not.toEqual([]);
  });
});
