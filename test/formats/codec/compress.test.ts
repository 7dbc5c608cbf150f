import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createContext } from '../../../formats/base/context.ts';
import { chunksOf } from '../../../formats/bytes/chunks.ts';
import { digestOf } from '../../../formats/bytes/digest.ts';
import { concat } from '../../../formats/bytes/text.ts';
import { blockMemory, blocks, inOrder } from '../../../formats/codec/blocks.ts';
import { type CompressionChoice, closeWorkers, compressor } from '../../../formats/codec/compress.ts';
import { portableGunzip } from '../../../formats/codec/gzip-portable.ts';
import { CODECS } from '../../../formats/codec/index.ts';
import { type WorkerPool, workerPool } from '../../../formats/codec/worker-pool.ts';
import { all, expectBytes, itWith, mixture, noise, run, SMALL, sliced, watched } from './vectors.ts';

const root = new URL('../../../', import.meta.url);
const MIB = 2 ** 20;
const GZIP: CompressionChoice = { name: 'gzip' };
const ZSTD: CompressionChoice = { name: 'zstd' };
const context = createContext();

const pools: WorkerPool[] = [];
function poolOf(size: number, script?: string): WorkerPool {
  const pool = workerPool(
    size,
    script === undefined ? undefined : new URL(`data:text/javascript,${encodeURIComponent(script)}`),
  );
  pools.push(pool);
  return pool;
}

async function compress(
  choice: CompressionChoice,
  bytes: Uint8Array,
  pool?: WorkerPool,
  slice = 300_000,
): Promise<Uint8Array> {
  const { compress } = compressor(choice, { reproducible: true, ...(pool ? { pool } : {}) });
  return all(compress(sliced(bytes, slice), context));
}

beforeAll(() => {
  // Threads run the built worker, also from source.
  const built = statSync(new URL('dist/compress-worker.js', root), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = ['compress-worker', 'block-encoders'].map(
    (name) => statSync(new URL(`formats/codec/${name}.ts`, root)).mtimeMs,
  );
  if (built < Math.max(...sources)) execFileSync(process.execPath, ['build.mjs'], { cwd: root });
});

afterAll(async () => {
  await closeWorkers();
  for (const pool of pools) await pool.close();
});

describe.each([GZIP, ZSTD] as const)('compressing to $name', (choice) => {
  const { name } = choice;
  const codec = CODECS[name as 'gzip' | 'zstd'];

  it.each([0, 1, 1000, MIB - 1, MIB, MIB + 1, 4 * MIB, 4 * MIB + 1, 9_999_999])(
    'gives %i bytes back as they were',
    async (size) => {
      const bytes = mixture(size);
      await expectBytes(codec.decompress, chunksOf(await compress(choice, bytes, poolOf(2))), bytes);
    },
  );

  it('does not depend on the number of threads or the size of chunks', async () => {
    const bytes = concat([mixture(6_000_000), noise(3_000_000), new Uint8Array(6_000_000)]);
    const digests = new Set<string>();
    for (const [threads, slice] of [
      [1, 65_536],
      [2, 1_000_000],
      [3, 999],
      [8, bytes.length],
    ] as const) {
      digests.add(digestOf(await compress(choice, bytes, poolOf(threads), slice)));
    }
    expect(digests.size).toBe(1);
  });

  it('makes the same of a last block on a thread as of a small stream on this one', async () => {
    const block = { gzip: MIB, zstd: 4 * MIB, none: 0 }[name];
    // At one level: without one it depends on the number of the block.
    const fixed = name === 'none' ? choice : { ...choice, level: 3 };
    const both = await compress(fixed, concat([new Uint8Array(block), SMALL]), poolOf(1));
    const alone = await compress(fixed, SMALL);
    expect(Buffer.from(both.subarray(-alone.length)).equals(alone)).toBe(true);
  });

  it('compresses several streams at the same time', async () => {
    const pool = poolOf(2);
    const inputs = [1, 2, 3, 4].map((seed) => concat([noise(2_500_000, seed), mixture(2_500_000)]));
    const outputs = await Promise.all(inputs.map((bytes) => compress(choice, bytes, pool)));
    for (const [i, output] of outputs.entries()) await expectBytes(codec.decompress, chunksOf(output), inputs[i]!);
  });

  it('closes its input when the consumer stops early, and the pool goes on', async () => {
    const pool = poolOf(2);
    const input = watched(mixture(50_000_000), 500_000);
    for await (const _ of compressor(choice, { reproducible: true, pool }).compress(input.chunks, context)) break;
    expect(input.closed()).toBe(true);
    await expectBytes(codec.decompress, chunksOf(await compress(choice, mixture(5_000_000), pool)), mixture(5_000_000));
  });

  it('stops when the run is interrupted', async () => {
    const abort = new AbortController();
    async function* input(): AsyncGenerator<Uint8Array> {
      yield mixture(6_000_000);
      abort.abort();
      yield mixture(6_000_000);
    }
    const stopped = compressor(choice, { reproducible: true, pool: poolOf(1) }).compress(
      input(),
      createContext({ signal: abort.signal }),
    );
    await expect(all(stopped)).rejects.toMatchObject({ code: 'interrupted' });
  });

  it('passes an error of its source on', async () => {
    const failure = new Error('the disk is on fire');
    async function* input(): AsyncGenerator<Uint8Array> {
      yield mixture(6_000_000);
      throw failure;
    }
    await expect(all(compressor(choice, { reproducible: true }).compress(input(), context))).rejects.toBe(failure);
  });

  it.each([0, -1, 1.5, 23, Number.NaN])('refuses the level %d', (level) => {
    expect(() => compressor({ ...choice, level }, { reproducible: false })).toThrow(
      expect.objectContaining({ code: 'usage/option' }),
    );
  });

  it('has levels that make a difference', async () => {
    const bytes = mixture(200_000);
    const sizes = await Promise.all([1, 9].map(async (level) => (await compress({ ...choice, level }, bytes)).length));
    expect(sizes[1]).toBeLessThan(sizes[0]!);
  });
});

describe('gzip members', () => {
  it('are read by node:zlib and by fflate as one stream', async () => {
    const bytes = mixture(3_000_000);
    const packed = await compress(GZIP, bytes, poolOf(2));
    expect(gunzipSync(packed).equals(bytes)).toBe(true);
    await expectBytes(portableGunzip, chunksOf(packed), bytes);
  });

  it('have headers without a time or an operating system', async () => {
    const packed = await compress(GZIP, SMALL);
    expect([...packed.subarray(0, 8)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    expect(packed[9]).toBe(255);
  });

  it('stay the same from version to version', async () => {
    // Names of layers hang on this. A change must be wanted, and said in the changelog.
    expect(digestOf(await compress(GZIP, mixture(2_500_000), poolOf(1)))).toMatchInlineSnapshot(
      `"sha256:c52de6a6bcc89fba6c23757361242d753c9a72bade01cc52840185a2c3b892b0"`,
    );
    expect(digestOf(await compress({ name: 'gzip', level: 9 }, mixture(2_500_000), poolOf(1)))).toMatchInlineSnapshot(
      `"sha256:9d1baa3be1a973a7f707b7be1511a85e0260a5501b7e6e32ddc2737cbaa8c982"`,
    );
    expect(digestOf(await compress(ZSTD, mixture(9_000_000), poolOf(1)))).toMatchInlineSnapshot(
      `"sha256:d28ceda06322d0ff2cd0e646207391cceb9a4e37efacc1cc64a6d3f7eadfdd40"`,
    );
  });

  itWith('gzip')('are read by the gzip command', async () => {
    const bytes = mixture(3_000_000);
    expect(Buffer.compare(run('gzip', ['-dc'], await compress(GZIP, bytes, poolOf(2))), bytes)).toBe(0);
  });
});

describe('zstd frames', () => {
  const choices = [true, false].map((reproducible) => ({ reproducible }));

  it.each(choices)('say how long their content is, reproducible or not (%o)', async ({ reproducible }) => {
    const bytes = mixture(9_000_000);
    const packed = await all(compressor(ZSTD, { reproducible }).compress(sliced(bytes, 100_000), context));
    // The two high bits of the descriptor give the width of the field; 4 MiB need four bytes.
    expect(packed[4]! >>> 6).toBe(2);
    await expectBytes(CODECS.zstd.decompress, chunksOf(packed), bytes);
  });

  itWith('zstd').each(choices)('are read by the zstd command (%o)', async ({ reproducible }) => {
    const bytes = mixture(9_000_000);
    const packed = await all(compressor(ZSTD, { reproducible }).compress(sliced(bytes, 100_000), context));
    expect(Buffer.compare(run('zstd', ['-dc'], packed), bytes)).toBe(0);
  });
});

describe('no compression', () => {
  it('passes the stream through', async () => {
    const { mediaSuffix, compress } = compressor({ name: 'none' }, { reproducible: false });
    expect(mediaSuffix).toBe('');
    await expectBytes(compress, chunksOf(SMALL, SMALL), concat([SMALL, SMALL]));
  });
});

it('names the suffix of the media type', () => {
  expect([GZIP, ZSTD].map((choice) => compressor(choice, { reproducible: false }).mediaSuffix)).toEqual([
    '+gzip',
    '+zstd',
  ]);
});

describe('a pool of threads', () => {
  const job = () => ({ format: 'gzip', level: 1, memory: new ArrayBuffer(10), size: 10 }) as const;

  it('rejects when a thread throws', async () => {
    const pool = poolOf(1, `throw new Error('no such thing')`);
    await expect(pool.run(job())).rejects.toThrow('a compression thread was lost');
  });

  it('rejects when a thread ends', async () => {
    const pool = poolOf(
      1,
      `import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => process.exit(3));`,
    );
    await expect(pool.run(job())).rejects.toMatchObject({
      cause: expect.objectContaining({ message: expect.stringContaining('3') }),
    });
  });

  it('fails the stream when a thread is lost, and works again with the next one', async () => {
    const pool = poolOf(
      2,
      `import { parentPort } from 'node:worker_threads'; parentPort.once('message', () => process.exit(1));`,
    );
    await expect(compress(GZIP, mixture(9_000_000), pool)).rejects.toThrow('a compression thread was lost');
    await expect(pool.run(job())).rejects.toThrow('a compression thread was lost');
  });

  it('rejects when the encoder throws, and keeps the thread', async () => {
    const pool = poolOf(1);
    await expect(pool.run({ ...job(), level: 99 })).rejects.toThrow('a block could not be compressed');
    expect((await pool.run(job())).output.length).toBeGreaterThan(10);
  });

  it('gives the memory of a job back', async () => {
    const { memory } = await poolOf(1).run(job());
    expect(memory.byteLength).toBe(10);
  });

  it('starts again after it was closed, and rejects what it was at', async () => {
    const pool = poolOf(2);
    const running = pool.run(job());
    const rejected = expect(running).rejects.toThrow('a compression thread was lost');
    await pool.close();
    await rejected;
    expect((await pool.run(job())).output.length).toBeGreaterThan(10);
  });

  it('does not keep the process alive, whether it is idle or stopped early', async () => {
    const outdir = mkdtempSync(join(tmpdir(), 'ocix-codec-'));
    try {
      const entryPoints = ['compress', 'compress-worker'].map((name) => `formats/codec/${name}.ts`);
      await build({
        absWorkingDir: fileURLToPath(root),
        entryPoints,
        outdir,
        bundle: true,
        splitting: true,
        format: 'esm',
        platform: 'node',
        external: ['@bokuweb/*'],
      });
      writeFileSync(
        join(outdir, 'run.mjs'),
        `import { compressor } from './compress.js';
        async function* input() { for (let i = 0; i < 9; i++) yield new Uint8Array(1e6); }
        const { compress } = compressor({ name: 'gzip' }, { reproducible: true });
        const context = { signal: new AbortController().signal };
        let size = 0;
        for await (const chunk of compress(input(), context)) size += chunk.length;
        for await (const chunk of compress(input(), context)) break;
        console.log(size);`,
      );
      const output = execFileSync(process.execPath, [join(outdir, 'run.mjs')], { timeout: 20_000, encoding: 'utf8' });
      expect(Number(output)).toBeGreaterThan(1000);
    } finally {
      rmSync(outdir, { recursive: true });
    }
  });
});

describe('blocks', () => {
  it('are of one size but the last, and their memory comes back', async () => {
    const memory = blockMemory(10);
    const sizes: number[] = [];
    const seen = new Set<ArrayBuffer>();
    for await (const block of blocks(chunksOf(new Uint8Array(7), new Uint8Array(18), new Uint8Array(5)), 10, memory)) {
      sizes.push(block.size);
      seen.add(block.memory);
      memory.giveBack(block.memory);
    }
    expect(sizes).toEqual([10, 10, 10]);
    expect(seen.size).toBe(1);
  });

  it('are worked on in order, so many at a time and no more', async () => {
    let under = 0;
    let most = 0;
    async function* numbers(): AsyncGenerator<number> {
      for (let i = 0; i < 50; i++) yield i;
    }
    const found: number[] = [];
    const work = async (value: number) => {
      most = Math.max(most, ++under);
      await new Promise((resolve) => setTimeout(resolve, (value * 7) % 5));
      under--;
      return value;
    };
    for await (const value of inOrder(numbers(), 4, work)) found.push(value);
    expect(found).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(most).toBe(4);
  });
});
