/**
 * Archives that were cut off or changed somewhere give a refusal, or images whose layers are what their digests say: never
 * another exception, and never a run without an end.
 */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { aciTar, leastApp } from '../../fixtures/aci.ts';
import { dockerSave, type Generation } from '../../fixtures/docker-save.ts';
import type { ImageRecipe } from '../../fixtures/image-recipe.ts';
import { layoutTar, ociLayout } from '../../fixtures/oci-layout.ts';
import { tar } from '../../fixtures/tar.ts';
import { unwrap } from '../../formats/archive/open.ts';
import type { Context } from '../../formats/base/context.ts';
import { OcixError } from '../../formats/base/errors.ts';
import { digestOf } from '../../formats/bytes/digest.ts';
import { bytesSource, streamSource } from '../../formats/bytes/source.ts';
import { contentOffers, recognise } from '../../formats/detect.ts';
import { CONTENT_READERS, READERS } from '../../formats/index.ts';
import { type Item, imagesOf } from '../../formats/model/image.ts';
import { HEAD_SIZE } from '../../formats/model/reader.ts';
import { contextWith, memoryKeeper, READING, sliced, WAYS, type Way, whole } from '../formats/support.ts';

const image: ImageRecipe = {
  layers: [
    tar([{ name: 'etc/' }, { name: 'etc/a', body: 'one' }]),
    tar([{ name: 'etc/.wh.a' }, { name: 'b', link: 'etc' }]),
  ],
  tags: ['app:1'],
};

const generations: readonly Generation[] = ['v1', '1.10', '25', 'kaniko'];
const inputs: Readonly<Record<string, Readonly<Record<string, Uint8Array>>>> = {
  'docker-archive': Object.fromEntries(
    generations.map((generation) => [generation, dockerSave(image, { generation })]),
  ),
  oci: { gzip: layoutTar(ociLayout(image)), zstd: layoutTar(ociLayout(image, { compression: 'zstd' })) },
  aci: aciInputs(),
};

function aciInputs(): Readonly<Record<string, Uint8Array>> {
  const rootfs = [
    { name: 'etc/' },
    { name: 'etc/passwd', body: 'app:x:7:8::/:\n' },
    { name: 'etc/same', type: '1', link: 'etc/passwd' },
    { name: 'sparse', sparse: { form: 'pax-1.0', size: 5000, extents: [{ offset: 1024, data: 'x'.repeat(512) }] } },
  ] as const;
  const app = leastApp({ user: 'app', isolators: [{ name: 'resource/memory', value: { limit: '1G' } }] });
  return {
    plain: aciTar({ manifest: { app }, rootfs }),
    listed: aciTar({ manifest: { app, pathWhitelist: ['/etc/same', '/sparse'] }, rootfs, order: 'manifest-last' }),
  };
}

/** As a source is opened: readers of whole files first, then those of archives. */
async function itemsIn(bytes: Uint8Array, way: Way, context: Context): Promise<readonly Item[]> {
  const source = way === 'indexed' ? bytesSource('in', bytes) : streamSource('in', sliced(bytes, 1000));
  const unwrapped = await unwrap(source, HEAD_SIZE, context);
  const [offer] = contentOffers(unwrapped.head);
  if (offer) return offer.reader.read({ name: 'in', size: bytes.length, ...unwrapped }, context, READING);
  const archive = await unwrapped.archive(memoryKeeper);
  const { reader } = await recognise(archive);
  return reader.read(archive, context, READING);
}

/** `sound`, or the code of the refusal. */
async function outcome(bytes: Uint8Array, way: Way): Promise<string> {
  const context = contextWith();
  try {
    for (const { layers } of imagesOf(await itemsIn(bytes, way, context))) {
      for (const layer of layers) {
        const content = await whole(layer.open(context));
        if (layer.diffId !== undefined) expect(digestOf(content)).toBe(layer.diffId);
      }
    }
    return 'sound';
  } catch (error) {
    if (!(error instanceof OcixError)) throw error;
    expect([3, 4], `${error.code}: ${error.message}`).toContain(error.status);
    expect(error.message).not.toBe('');
    return error.code;
  }
}

/** How often each outcome came. */
async function tally(
  variants: Iterable<readonly [string, Uint8Array]>,
  way: Way,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const [where, bytes] of variants) {
    const one = await outcome(bytes, way).catch((error: unknown) => {
      throw new Error(`${way}, ${where}`, { cause: error });
    });
    counts.set(one, (counts.get(one) ?? 0) + 1);
  }
  return counts;
}

function* cuts(bytes: Uint8Array): Generator<readonly [string, Uint8Array]> {
  for (let at = 0; at < bytes.length; at += at < bytes.length - 2048 ? 64 : 1)
    yield [`cut at ${at}`, bytes.subarray(0, at)];
}

/** Single bits at places that are the same in every run, but fall anywhere. */
function* flips(bytes: Uint8Array, count: number): Generator<readonly [string, Uint8Array]> {
  let state = 12_345;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const at = Math.floor((state / 2 ** 32) * bytes.length);
    const changed = Uint8Array.from(bytes);
    changed[at] = changed[at]! ^ (1 << (i % 8));
    yield [`bit ${i % 8} at ${at}`, changed];
  }
}

/** What reads folders alone has no file that could be cut; the files in such a folder are those of other readers. */
const FOLDERS_ONLY = ['rkt'];
const readers = [...READERS, ...CONTENT_READERS].map(({ name }) => name).filter((name) => !FOLDERS_ONLY.includes(name));

test('every reader of the tables is tried', () => {
  expect([...readers].sort()).toEqual(Object.keys(inputs).sort());
});

describe.each(readers)('what %s reads', (name) => {
  describe.each(Object.keys(inputs[name]!))('as %s', (kind) => {
    const bytes = inputs[name]![kind]!;

    test.each(WAYS)('is sound as it is, %s', async (way) => {
      expect(await outcome(bytes, way)).toBe('sound');
      expect(await outcome(gzipSync(bytes), way)).toBe('sound');
    });

    test.each(WAYS)(
      'is refused or sound when it is cut off anywhere, %s',
      async (way) => {
        const counts = await tally(cuts(bytes), way);
        const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
        // Only the end of the archive itself can be missing without a loss.
        expect(counts.get('sound') ?? 0).toBeLessThan(2048);
        expect(all - (counts.get('sound') ?? 0)).toBeGreaterThan(all / 4);
        expect(counts.get('tar/truncated')).toBeGreaterThan(0);
      },
      20_000,
    );

    test.each(WAYS)(
      'is refused or sound when a bit of it changes, %s',
      async (way) => {
        const counts = await tally(flips(bytes, 300), way);
        expect(counts.get('tar/checksum')).toBeGreaterThan(0);
        expect(counts.size).toBeGreaterThan(2);
      },
      20_000,
    );
  });
});

describe.each(['1.10', 'v1'])('a docker archive of %s that is compressed as a whole', (kind) => {
  const bytes = gzipSync(inputs['docker-archive']![kind]!);

  test('is refused when it is cut off anywhere', async () => {
    const every = Array.from({ length: bytes.length }, (_, at) => [`cut at ${at}`, bytes.subarray(0, at)] as const);
    const counts = await tally(every, 'indexed');
    expect(counts.get('sound')).toBeUndefined();
    expect(counts.get('codec/truncated')).toBeGreaterThan(0);
  }, 20_000);

  test('is refused, or sound where the bit means nothing, when a bit changes', async () => {
    const counts = await tally(flips(bytes, 300), 'indexed');
    expect(counts.get('codec/corrupt')).toBeGreaterThan(0);
    expect(counts.get('sound') ?? 0).toBeLessThan(30);
  }, 20_000);
});
