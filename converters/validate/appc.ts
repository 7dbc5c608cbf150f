/**
 * App Container Images: the tar from its first entry to its last, and the manifest in it.
 * https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-archives
 */
import { checkAbort } from '../../formats/base/context.ts';
import { binaryString, concat } from '../../formats/bytes/text.ts';
import { parseJson } from '../../formats/json/parse.ts';
import type { Content } from '../../formats/model/reader.ts';
import { cleanPath, shownPath } from '../../formats/rootfs/path.ts';
import type { EntryType, TarEntry } from '../../formats/tar/entry.ts';
import { tarScanner } from '../../formats/tar/scanner.ts';
import { checkAppcManifest } from './appc-manifest.ts';
import { addRefusal, attempt, type Run, shown } from './findings.ts';
import { ruleOfJson } from './json-document.ts';
import { finishWhole } from './layer.ts';
import { MOST_NAMES } from './layer-entries.ts';
import type { ContentRules } from './rule-set.ts';
import type { RuleId } from './rules/index.ts';
import { climbs } from './texts.ts';

export const appcRules: ContentRules = {
  format: 'aci',
  async check(content, run) {
    checkCompression(content, run);
    const archive = archiveChecks(run);
    const whole = await attempt(run, 'appc/archive-tar', [], () => scan(content, archive, run));
    archive.finish(whole === true);
    const manifest = archive.manifest();
    if (manifest) checkManifest(manifest, run);
  },
};

const COMPRESSIONS: readonly string[] = ['gzip', 'bzip2', 'xz'];

function checkCompression({ compression }: Content, run: Run): void {
  const how = compression.join(' in ');
  if (compression.length > 1 || compression.some((name) => !COMPRESSIONS.includes(name)))
    run.findings.add('appc/archive-compression', [], `it is compressed with ${how}`);
}

async function scan(content: Content, { handler }: ArchiveChecks, run: Run): Promise<true> {
  const scanner = tarScanner(run.context.limits, handler);
  for await (const chunk of content.open()) {
    checkAbort(run.context);
    scanner.push(chunk);
  }
  finishWhole(scanner);
  return true;
}

type ArchiveChecks = ReturnType<typeof archiveChecks>;

const MANIFEST = 'manifest';
const ROOT = 'rootfs';

function archiveChecks(run: Run) {
  const names = new Map<string, EntryType>();
  const links: { readonly path: string; readonly target: string }[] = [];
  let partial = false;
  let manifest: Uint8Array | undefined;
  let parts: Uint8Array[] | undefined;
  const add = (rule: RuleId, path: string, message: string): void => run.findings.add(rule, [shownPath(path)], message);

  return {
    handler: {
      entry(entry: TarEntry): void {
        parts = undefined;
        if (entry.offset === 0) checkDialect(entry, run);
        const raw = binaryString(entry.path);
        const { path } = cleanPath(entry.path);
        if (raw.startsWith('/') || climbs(raw))
          add('appc/archive-path', raw, 'the path is absolute, or has ".." in it');
        if (path === '') return;
        if (names.has(path)) add('appc/archive-duplicate', path, 'there is another entry for this path');
        checkTop(entry, path);
        if (entry.type === 'hardlink') addLink(path, entry);
        if (names.size < MOST_NAMES) names.set(path, entry.type);
        else partial = true;
      },
      data: (bytes: Uint8Array): void => void parts?.push(new Uint8Array(bytes)),
      end(): void {
        if (parts) manifest ??= concat(parts);
        parts = undefined;
      },
      warning: (message: string, path: Uint8Array): void =>
        run.findings.add('appc/archive-portable', path.length ? [shownPath(binaryString(path))] : [], message),
    },
    manifest: () => manifest,
    /** @param whole the archive was read to its end, so that what has not come is not there */
    finish(whole: boolean): void {
      if (partial) return run.findings.add('appc/names-unchecked', [], `the image has more than ${MOST_NAMES} entries`);
      if (!whole) return;
      if (!names.has(MANIFEST)) run.findings.add('appc/archive-manifest', [], 'there is no manifest');
      if (!names.has(ROOT)) run.findings.add('appc/archive-rootfs', [], 'there is no entry rootfs');
      for (const { path, target } of links)
        if (!names.has(target)) add('appc/archive-link', path, `the target, ${shownPath(target)}, is not in the image`);
    },
  };

  function checkTop(entry: TarEntry, path: string): void {
    const [top = ''] = path.split('/');
    if (top !== MANIFEST && top !== ROOT) add('appc/archive-top', path, `${shown(top)} is neither manifest nor rootfs`);
    if (path === ROOT && entry.type !== 'dir') add('appc/archive-rootfs', path, 'rootfs is no folder');
    if (top !== MANIFEST) return;
    if (path !== MANIFEST || entry.type !== 'file')
      return add('appc/archive-manifest', path, 'manifest is no regular file');
    if (entry.size <= run.context.limits['json-bytes']) parts = [];
    else
      run.findings.add(
        'input/limits',
        [MANIFEST],
        `the manifest has ${entry.size} bytes (--limit json-bytes=N raises it)`,
      );
  }

  function addLink(path: string, entry: TarEntry): void {
    const target = cleanPath(entry.link).path;
    if (links.length < MOST_NAMES) links.push({ path, target });
    else partial = true;
  }
}

/** The reference implementation looks for `ustar` where nothing is compressed. */
function checkDialect({ header }: TarEntry, run: Run): void {
  const magic = header[0] && binaryString(header[0].subarray(257, 262));
  if (magic !== 'ustar') run.findings.add('appc/archive-ustar', [], 'the tar is of the form of version 7');
}

/** Read as Go reads it: of two members of one name the last counts. */
function checkManifest(bytes: Uint8Array, run: Run): void {
  const at = [MANIFEST];
  try {
    const value = parseJson(bytes, run.context, (name) =>
      run.findings.add('appc/manifest-twice', at, `${shown(name)} is there twice`),
    );
    checkAppcManifest(value, at, run);
  } catch (error) {
    addRefusal(run, ruleOfJson(error), at, error);
  }
}
