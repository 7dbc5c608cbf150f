/**
 * The entries of one layer, looked at as they go by: names, links, whiteouts, and what readers of tar disagree about.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md
 */
import { OcixError } from '../../formats/base/errors.ts';
import { binaryString } from '../../formats/bytes/text.ts';
import { baseOf, cleanPath, NAME_MAX, PATH_MAX, parentOf, shownPath, whiteoutOf } from '../../formats/rootfs/path.ts';
import type { EntryType, TarEntry } from '../../formats/tar/entry.ts';
import type { TarHandler } from '../../formats/tar/scanner.ts';
import type { Run } from './findings.ts';
import type { RuleId } from './rules/index.ts';
import { climbs } from './texts.ts';

/** Paths of all layers together that are remembered; about 150 MB of them. */
export const MOST_NAMES = 1_000_000;
/** Links of one layer that may lead to layers below. */
const MOST_LINKS = 10_000;

/** Links are looked up in every layer below, for every image that has them. */
const MOST_LOOKUPS = 50_000_000;

/** What has to be known of a layer by those above it. */
export interface LayerEntries {
  /** Types by clean path. */
  readonly names: ReadonlyMap<string, EntryType>;
  /** Hard links whose target is not in the layer itself. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
  /** Not all names were remembered, so nothing can be said of what is absent. */
  readonly partial: boolean;
}

export interface EntryChecks {
  readonly handler: TarHandler;
  /** After the last entry. */
  finish(): LayerEntries;
}

export function entryChecks(at: readonly string[], run: Run): EntryChecks {
  const names = new Map<string, EntryType>();
  /** Folders with an entry that is no whiteout, and those of them with a whiteout behind it. */
  const folders = new Set<string>();
  const late = new Set<string>();
  const links: { path: string; target: string }[] = [];
  let partial = false;
  const add = (rule: RuleId, path: string, message: string): void =>
    run.findings.add(rule, [...at, shownPath(path)], message);

  return {
    handler: {
      entry(entry) {
        const raw = binaryString(entry.path);
        const { path } = cleanPath(entry.path);
        if (climbs(raw)) add('layer/name-climbs', raw, 'the path has ".." in it');
        else if (raw.startsWith('/')) add('layer/name-absolute', raw, 'the path is absolute');
        if (path === '') return checkRoot(entry);
        checkEntry(entry, path);
        remember(entry, path);
      },
      warning: (message, path) =>
        path.length
          ? add('layer/tar-portable', binaryString(path), message)
          : run.findings.add('layer/tar-portable', at, message),
    },
    finish() {
      const open = links.filter(({ target }) => !names.has(target));
      if (partial)
        run.findings.add(
          'layer/names-unchecked',
          at,
          `the image has more than ${MOST_NAMES} entries; not all are compared`,
        );
      return { names, links: open, partial };
    },
  };

  function checkRoot({ type }: TarEntry): void {
    if (type !== 'dir') add('layer/root', '', `the root is ${article(type)}`);
  }

  function checkEntry(entry: TarEntry, path: string): void {
    if (path.length >= PATH_MAX || path.split('/').some((part) => part.length > NAME_MAX))
      add('layer/name-length', path, 'the path is longer than Linux takes');
    if (entry.extents) add('layer/sparse', path, 'the file is stored sparsely');
    if (names.has(path)) add('layer/duplicate', path, 'there is another entry for this path');
    if (entry.type === 'hardlink') checkHardLink(entry, path);
    checkWhiteout(entry, path);
  }

  function checkHardLink(entry: TarEntry, path: string): void {
    const target = cleanPath(entry.link).path;
    if (names.get(target) === 'dir') add('layer/hard-link', path, `the link leads to a folder, ${shownPath(target)}`);
    if (target === path) return add('layer/hard-link', path, 'the link leads to itself');
    if (names.has(target)) return;
    if (links.length < MOST_LINKS) links.push({ path, target });
    else partial = true;
  }

  function checkWhiteout(entry: TarEntry, path: string): void {
    let whiteout: ReturnType<typeof whiteoutOf>;
    try {
      whiteout = whiteoutOf(path);
    } catch (error) {
      if (!(error instanceof OcixError)) throw error;
      return add('layer/whiteout-name', path, 'the whiteout names nothing that could be removed');
    }
    if (!whiteout) {
      if (!partial) folders.add(parentOf(path));
      return;
    }
    if (whiteout.kind === 'leftover') return add('layer/whiteout-leftover', path, 'AUFS kept this for itself');
    if (entry.type !== 'file' || entry.size > 0)
      add('layer/whiteout-empty', path, `the whiteout is ${entry.type === 'file' ? 'not empty' : article(entry.type)}`);
    if (whiteout.kind === 'opaque') add('layer/whiteout-explicit', path, 'the whiteout is an opaque one');
    const folder = parentOf(path);
    if (!folders.has(folder) || late.has(folder)) return;
    late.add(folder); // once for a folder is enough
    add('layer/whiteout-order', path, `the whiteout ${baseOf(path)} stands behind its siblings`);
  }

  function remember(entry: TarEntry, path: string): void {
    if (run.spent.names >= MOST_NAMES) {
      partial = true;
      return;
    }
    run.spent.names++;
    names.set(path, entry.type);
  }
}

const article = (type: EntryType): string =>
  ({
    file: 'a file',
    dir: 'a folder',
    symlink: 'a symbolic link',
    hardlink: 'a hard link',
    char: 'a character device',
    block: 'a block device',
    fifo: 'a pipe',
  })[type];

/** Hard links of a layer whose target is neither in it nor below it. `below` is in any order. */
export function checkLinks(
  entries: LayerEntries,
  below: readonly LayerEntries[],
  at: readonly string[],
  run: Run,
): void {
  const stack = [entries, ...below];
  if (stack.some(({ partial }) => partial)) return;
  for (const { path, target } of entries.links) {
    run.spent.lookups += stack.length;
    if (run.spent.lookups > MOST_LOOKUPS)
      return run.findings.add('layer/names-unchecked', at, 'there are too many hard links to look all of them up');
    if (stack.some(({ names }) => names.has(target)) || throughLink(target, stack)) continue;
    run.findings.add(
      'layer/hard-link',
      [...at, shownPath(path)],
      `the target, ${shownPath(target)}, is in no layer up to this one`,
    );
  }
}

/** A target below a symbolic link may be anywhere; only unpacking tells. */
function throughLink(target: string, stack: readonly LayerEntries[]): boolean {
  for (let folder = parentOf(target); folder !== ''; folder = parentOf(folder))
    if (stack.some(({ names }) => names.get(folder) === 'symlink')) return true;
  return false;
}
