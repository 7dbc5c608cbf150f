/**
 * Closures of real packages against those of apt, with the indexes that apt has on this machine: what `apt-get --simulate` would install
 * into an empty root. No network is needed.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type PackageIndex, readIndexes } from '../../formats/apt/package-index.ts';
import { createContext } from '../../formats/base/context.ts';
import { chunksOf } from '../../formats/bytes/chunks.ts';
import { resolve } from '../../formats/debian/resolve.ts';
import { runPeer, scratch } from '../fixtures/peers.ts';
import { debianSources } from './debian.ts';

/** Small ones and large ones, with alternatives, virtual packages, versions and loops below them. apt takes a second for each. */
const PACKAGES = [
  ...['nginx', 'python3'],
  ...(process.env.OCIX_REQUIRE_PEERS
    ? 'apache2 bash build-essential ca-certificates coreutils curl default-jre-headless ffmpeg git mariadb-server nodejs openssh-server perl php-cli postgresql redis-server ruby vim'
    : ''
  ).split(' '),
].filter((name) => name !== '');

const sources = debianSources();
const ONLY = [`Dir::Etc::sourcelist=${sources}`, 'Dir::Etc::sourceparts=/dev/null'].flatMap((one) => ['-o', one]);
const apt = (...args: string[]): string => runPeer({ tool: 'apt-get', args: [...args, ...ONLY] }).toString();
const indexFiles = (): readonly string[] =>
  apt('indextargets', '--format', '$(CREATED_BY) $(FILENAME)').match(/(?<=^Packages ).*$/gm) ?? [];

/**
 * With the indexes of another release apt may choose otherwise where docs/decisions/0015-packages.md says that it does. They are no peer that could be
 * installed: where they are missing, this is skipped in any case.
 */
const isRelease = sources !== undefined && readFileSync(sources, 'utf8').includes('bookworm');
const isApt = spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0;
const there = isRelease && isApt && indexFiles().length > 0;

describe.skipIf(!there)('a closure is that of apt:', () => {
  let architecture = '';
  let index: PackageIndex;

  beforeAll(async () => {
    architecture = runPeer({ tool: 'dpkg', args: ['--print-architecture'] })
      .toString()
      .trim();
    const inputs = indexFiles().map((name) => ({
      name,
      chunks: chunksOf(runPeer({ tool: '/usr/lib/apt/apt-helper', args: ['cat-file', name] })),
    }));
    index = await readIndexes(inputs, createContext());
  }, 60_000);

  test('what it would install in an empty root', { timeout: 300_000 }, () => {
    const folder = scratch();
    writeFileSync(join(folder, 'status'), '');
    const options = [
      ...[`Dir::State::status=${folder}/status`, `APT::Architecture=${architecture}`, 'Debug::NoLocking=1'],
      ...[`Dir::Cache=${folder}`, 'Dir::Cache::pkgcache=pkgcache', 'Dir::Cache::srcpkgcache=srcpkgcache'],
    ].flatMap((one) => ['-o', one]);
    const told = (name: string): readonly string[] => {
      const text = apt('--simulate', '--no-install-recommends', ...options, 'install', name);
      return [...text.matchAll(/^Inst (\S+) \((\S+) /gm)].map(([, one, version]) => `${one}=${version}`).sort();
    };
    const found = (name: string): readonly string[] =>
      resolve([{ name, alternatives: [{ name }] }], index, architecture, createContext())
        .packages.map((one) => `${one.name}=${one.versionText}`)
        .sort();
    const closures = (of: (name: string) => readonly string[]) =>
      Object.fromEntries(PACKAGES.map((name) => [name, of(name)]));
    expect(closures(found)).toEqual(closures(told));
  });
});
