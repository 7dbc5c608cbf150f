/**
 * A Debian root filesystem as an image of one layer, from Debian's packages. It is built once, which takes a minute and a mirror, and kept
 * below `build/`; where it is missing and OCIX_REQUIRE_PEERS is not set, tests do without.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dockerSave } from '../../fixtures/docker-save.ts';

/** Whether it is there is another question. */
export const debianArchive = join(import.meta.dirname, '../../build/interop/debian.tar');

const SOURCES = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'];

/** Where apt on this machine says that Debian is. */
export const debianSources = (): string | undefined => SOURCES.find((path) => existsSync(path));

/** Builds it where it is missing; false where that cannot be. */
export function buildDebian(): boolean {
  if (existsSync(debianArchive)) return true;
  if (!process.env.OCIX_REQUIRE_PEERS) return false;
  mkdirSync(dirname(debianArchive), { recursive: true });
  const layer = `${debianArchive}.layer.tar`;
  const sources = [debianSources() ?? []].flat();
  const run = spawnSync('mmdebstrap', ['--variant=apt', process.env.SUITE ?? 'bookworm', layer, ...sources], {
    encoding: 'utf8',
    timeout: 600_000,
  });
  if (run.status !== 0) throw new Error(`mmdebstrap: status ${run.status}\n${run.stderr}`);
  const image = { tags: ['debian:apt'], layers: [readFileSync(layer)], config: { config: { Cmd: ['/bin/bash'] } } };
  writeFileSync(`${debianArchive}.part`, dockerSave(image, { generation: '1.10' }));
  renameSync(`${debianArchive}.part`, debianArchive);
  return true;
}
