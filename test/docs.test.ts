/** The examples of the documentation run as they stand. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dockerSave } from '../fixtures/docker-save.ts';
import { greeting } from '../fixtures/images.ts';
import { newKey, signed } from './formats/openpgp/keys.ts';

const ROOT = join(import.meta.dirname, '..');
const LIBRARY = pathToFileURL(join(ROOT, 'dist/index.js')).href;
const examples = [...readFileSync(join(ROOT, 'docs/library.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(
  (match) => match[1]!,
);

let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ocix-docs-'));
  const archive = dockerSave(greeting('amd64'), { generation: '1.10' });
  writeFileSync(join(folder, 'app.tar'), archive);
  writeFileSync(join(folder, 'app.tar.gz'), gzipSync(archive));
  const key = await newKey();
  mkdirSync(join(folder, 'keys'));
  writeFileSync(join(folder, 'keys/alice.asc'), key.toPublic().armor());
  writeFileSync(join(folder, 'app.aci'), archive);
  writeFileSync(join(folder, 'app.aci.asc'), await signed(key, archive));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(examples.map((code, i) => [i + 1, code] as const))('example %i of docs/library.md runs', (number, code) => {
  const file = join(folder, `example-${number}.mjs`);
  writeFileSync(file, code.replaceAll("from 'ocix'", `from '${LIBRARY}'`));
  const run = spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
});

test('the examples wrote what they say', () => {
  for (const path of [
    'out/index.json',
    'piped/index.json',
    'watched/index.json',
    'bundle/config.json',
    'rootfs/etc/passwd',
  ]) {
    expect(existsSync(join(folder, path)), path).toBe(true);
  }
});

test('every command of the README exists', () => {
  const names = [...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/^ocix ([a-z0-9-]+)/gm)].map(
    (match) => match[1]!,
  );
  const help = spawnSync(process.execPath, [join(ROOT, 'dist/ocix.js'), '--help'], { encoding: 'utf8' }).stdout;
  expect(names.length).toBeGreaterThan(8);
  for (const name of names) expect(help).toContain(`\n  ${name} `);
});
