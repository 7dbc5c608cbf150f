/**
 * Runtime bundles: a folder with `config.json` and a root filesystem.
 * https://github.com/opencontainers/runtime-spec/blob/v1.2.1/bundle.md
 */
import { type Archive, readDocument } from '../../formats/archive/archive.ts';
import { pathKind } from '../../formats/bytes/source.ts';
import type { Json } from '../../formats/json/parse.ts';
import { attempt, type Run, shown } from './findings.ts';
import { checkHost } from './host.ts';
import { foundAt, parsePlain } from './json-document.ts';
import { checkRuntimeConfig } from './runtime.ts';
import { member } from './shape.ts';
import { climbs } from './texts.ts';

const CONFIG = 'config.json';

/** A folder that nothing else would be. A layout may have a `config.json` beside its own files, an unpacked docker archive too. */
export function isBundle(names: readonly string[]): boolean {
  const there = new Set(names);
  const other = ['oci-layout', 'index.json', 'manifest.json', 'manifest'].some((name) => there.has(name));
  return !other && (there.has(CONFIG) || there.has('rootfs'));
}

export async function checkBundle(path: string, archive: Archive, run: Run): Promise<void> {
  const bytes = await attempt(run, 'bundle/config', [], () => readDocument(archive, CONFIG, run.context));
  const parsed = bytes && parsePlain(bytes, [CONFIG], run);
  if (!parsed) return;
  checkRuntimeConfig(parsed.value, foundAt([CONFIG], run));
  await checkRoot(parsed.value, path, run);
  if (run.host) await checkHost(parsed.value, { host: run.host, folder: path }, foundAt([CONFIG], run));
}

async function checkRoot(value: Json, folder: string, run: Run): Promise<void> {
  const root = member(member(value, 'root'), 'path');
  if (typeof root !== 'string') return;
  const at = [CONFIG, '/root/path'];
  // On Windows it is the address of a volume.
  if (member(value, 'windows') !== undefined) return;
  if (root.startsWith('/') || climbs(root) || root === '' || root === '.')
    run.findings.add('bundle/root-place', at, `${shown(root)} is no name in the bundle`);
  const kind = root.includes('\0') ? 'absent' : await pathKind(root.startsWith('/') ? root : `${folder}/${root}`);
  if (kind !== 'folder')
    run.findings.add('bundle/root', at, `${shown(root)} is ${kind === 'file' ? 'a file' : 'not there'}`);
}
