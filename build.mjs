/**
 * Bundles the command, the library and the workers into dist/. Dependencies stay outside; what is a
 * devDependency and gets bundled (commander, since every command loads it; libdeflate, so that it cannot change) has its licence written to dist/THIRD-PARTY-LICENSES.txt.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, 'dist');
const { dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const ENTRIES = {
  ocix: 'cli/main.ts',
  index: 'converters/index.ts',
  'compress-worker': 'formats/codec/compress-worker.ts',
  'decompress-worker': 'formats/codec/decompress-worker.ts',
  'hash-worker': 'formats/bytes/hash-worker.ts',
};
const COMMAND = join(dist, 'ocix.js');

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: Object.fromEntries(Object.entries(ENTRIES).filter(([, path]) => existsSync(join(root, path)))),
  outdir: dist,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  external: Object.keys({ ...dependencies, ...optionalDependencies }).flatMap((name) => [name, `${name}/*`]),
  // commander is CommonJS, and asks for Node's own modules in the old way.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  metafile: true,
  logLevel: 'warning',
});

// Chunks of earlier builds go, after the new ones are there. The declarations in dist/types are not made here, and stay.
const built = new Set(Object.keys(metafile.outputs).map((path) => join(root, path)));
for (const name of readdirSync(dist))
  if (name.endsWith('.js') && !built.has(join(dist, name))) rmSync(join(dist, name));

if (existsSync(COMMAND)) {
  const text = readFileSync(COMMAND, 'utf8');
  if (!text.startsWith('#!')) writeFileSync(COMMAND, `#!/usr/bin/env node\n${text}`);
  chmodSync(COMMAND, 0o755);
}
writeFileSync(join(dist, 'THIRD-PARTY-LICENSES.txt'), licences(metafile));

/** The licence of every package that a bundled file comes from. */
function licences({ inputs }) {
  const paths = Object.keys(inputs).map((path) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path));
  const folders = new Map(paths.filter(Boolean).map(([folder, name]) => [name, join(root, folder)]));
  return [...folders]
    .sort()
    .map(([name, folder]) => {
      const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
      if (!file) throw new Error(`${name} would be bundled, but comes without a licence text`);
      return `${name} ${version}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}

// The man pages are made of the commands, so by a program of their own that has all of them in it; it is no part of the package.
await build({
  absWorkingDir: root,
  entryPoints: ['cli/man/main.ts'],
  outfile: join(root, 'build', 'man.js'),
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  logLevel: 'warning',
});
execFileSync(process.execPath, [join(root, 'build', 'man.js'), join(dist, 'man')], { stdio: 'inherit' });

// The recipe of the archive that `make convert` takes by default; it is no part of the package.
await build({
  absWorkingDir: root,
  entryPoints: ['fixtures/make.ts'],
  outfile: join(root, 'build', 'make-fixture.js'),
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  logLevel: 'warning',
});
