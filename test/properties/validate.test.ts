/** Damage of every kind: a validation ends in a verdict or a refusal, and what matters in a layout cannot change unseen. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OcixError, type Validation, validate } from '../../converters/index.ts';
import { deb } from '../../fixtures/deb.ts';
import { dockerSave, generations } from '../../fixtures/docker-save.ts';
import { layoutTar, ociLayout } from '../../fixtures/oci-layout.ts';
import { tar } from '../../fixtures/tar.ts';
import { config, index, layoutWith, manifest, runtimeConfig, small } from '../converters/validate/inputs.ts';

const image = { ...small, config: { ...small.config, history: [] } };

const inputs: Readonly<Record<string, Buffer>> = {
  ...Object.fromEntries(generations.map((generation) => [generation, dockerSave(image, { generation })])),
  'oci-archive': layoutTar(ociLayout(image)),
  aci: tar([
    {
      name: 'manifest',
      body: '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"a","app":{"exec":[],"user":"0","group":"0"}}',
    },
    { name: 'rootfs/' },
    { name: 'rootfs/x', body: 'x' },
  ]),
  deb: deb({ files: { md5sums: `${'0'.repeat(32)}  x\n`, conffiles: '/x\n' }, data: { x: 'x' } }),
  ...Object.fromEntries(
    Object.entries({ index, manifest, config, runtimeConfig }).map(([name, value]) => [
      name,
      Buffer.from(JSON.stringify(value)),
    ]),
  ),
};

/** A verdict, or nothing where the input was refused. What is thrown and is no refusal is a fault. */
async function judged(path: string): Promise<Validation | undefined> {
  try {
    return await validate(path);
  } catch (error) {
    if (error instanceof OcixError && error.status >= 2) return undefined;
    throw error;
  }
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ocix-damage-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function pathOf(bytes: Uint8Array | string): string {
  const path = join(folder, 'input');
  writeFileSync(path, bytes);
  return path;
}

const judgedBytes = (bytes: Uint8Array): Promise<Validation | undefined> => judged(pathOf(bytes));

describe.each(Object.keys(inputs))('%s', (name) => {
  const sound = inputs[name]!;

  test('is judged before it is damaged', async () => {
    expect((await judgedBytes(sound))?.verdict.must).toBe(0);
  });

  test('cut anywhere, ends in a verdict or a refusal', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(sound.length), async (size) => void (await judgedBytes(sound.subarray(0, size)))),
      { numRuns: 60 },
    );
  });

  test('with bytes changed anywhere, ends in a verdict or a refusal', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        async (changes) => {
          const damaged = Buffer.from(sound);
          for (const [at, byte] of changes) damaged[at] = byte;
          await judgedBytes(damaged);
        },
      ),
      { numRuns: 80 },
    );
  });
});

test('no bit of any blob of a layout changes unseen', async () => {
  const layout = await layoutWith();
  const blobs = join(layout, 'blobs/sha256');
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...readdirSync(blobs)), fc.nat(), fc.nat(7), async (name, place, bit) => {
      const path = join(blobs, name);
      const bytes = readFileSync(path);
      const damaged = Buffer.from(bytes);
      damaged[place % bytes.length]! ^= 1 << bit;
      writeFileSync(path, damaged);
      const found = await judged(layout);
      writeFileSync(path, bytes);
      expect(found?.verdict.outcome).toBe('not compliant');
    }),
    { numRuns: 150 },
  );
});

test('any JSON in the place of a document is judged', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.jsonValue(),
      fc.constantFrom(
        'index',
        'manifest',
        'config',
        'descriptor',
        'layout-file',
        'runtime-config',
        'docker-manifest',
        'schema1',
      ),
      async (value, from) => {
        const found = await validate(pathOf(JSON.stringify(value)), { from });
        expect(found.verdict.must + found.verdict.should + found.verdict.notes).toBeGreaterThan(
          value === null ? 0 : -1,
        );
      },
    ),
    { numRuns: 300 },
  );
});
