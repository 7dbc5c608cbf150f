/** Bundles the fuzzer, which Node cannot load from source, into build/fuzz/, and starts it. */
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '../..');
const outdir = join(root, 'build/fuzz');

await build({
  absWorkingDir: root,
  entryPoints: {
    main: 'test/fuzz/main.ts',
    batch: 'test/fuzz/batch.ts',
    'hash-worker': 'formats/bytes/hash-worker.ts',
    'compress-worker': 'formats/codec/compress-worker.ts',
  },
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'warning',
});
await import(join(outdir, 'main.js'));
