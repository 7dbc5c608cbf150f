/**
 * The entries of one layer, looked at as they go by: names, links, whiteouts, and what readers of tar disagree about.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md
 */
import { OcixError } from '../../formats/base/errors.ts';
import { binaryString } from '../../formats/bytes/text.ts';
import {
  baseOf,
  cleanPath,
  joinPath,
  NAME_MAX,
  PATH_MAX,
  parentOf,
  shownPath,
  whiteoutOf,
} from '../../formats/rootfs/path.ts';
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
/** Characters of a name that are looked up as fast as a short one. */
const LOOKUP = 4;

const AGAIN = 'there is another entry for this path';

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
  /** Folders that are called as whiteouts are. */
  const whiteouts = new Set<string>();
  /** Hard links to what has not come yet, and to such links. */
  const links = new Map<string, string>();
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
        if (path === '') checkRoot(entry);
        else checkEntry(entry, path);
        remember(entry, path);
      },
      warning: (message, path) =>
        path.length
          ? add('layer/tar-portable', binaryString(path), message)
          : run.findings.add('layer/tar-portable', at, message),
    },
    finish() {
      checkChains();
      const open = [...links].flatMap(([path, target]) => (names.has(target) ? [] : [{ path, target }]));
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
    else if (names.has('')) add('layer/duplicate', '', AGAIN);
  }

  function checkEntry(entry: TarEntry, path: string): void {
    if (path.length >= PATH_MAX || path.split('/').some((part) => part.length > NAME_MAX))
      add('layer/name-length', path, 'the path is longer than Linux takes');
    if (entry.extents) add('layer/sparse', path, 'the file is stored sparsely');
    if (names.has(path)) add('layer/duplicate', path, AGAIN);
    if (entry.type === 'hardlink') checkHardLink(entry, path);
    checkWhiteout(entry, path);
  }

  function checkHardLink(entry: TarEntry, path: string): void {
    const target = cleanPath(entry.link).path;
    if (names.get(target) === 'dir') add('layer/hard-link', path, `the link leads to a folder, ${shownPath(target)}`);
    if (target === path) return add('layer/hard-link', path, 'the link leads to itself');
    if (names.has(target) && !links.has(target)) return;
    if (links.size < MOST_LINKS) links.set(path, target);
    else partial = true;
  }

  /** Links that came before their targets: they have to end at a file of this layer, or leave it. */
  function checkChains(): void {
    const done = new Set<string>();
    for (const [start, target] of links) {
      if (names.get(target) === 'dir')
        add('layer/hard-link', start, `the link leads to a folder, ${shownPath(target)}`);
      const chain = new Set<string>();
      let path: string | undefined = start;
      for (; path !== undefined && !done.has(path) && !chain.has(path); path = links.get(path)) chain.add(path);
      if (path !== undefined && chain.has(path)) add('layer/hard-link', path, 'the link leads back to itself');
      for (const one of chain) done.add(one);
    }
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
      if (path.includes('/')) checkFolders(parentOf(path));
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

  /** What lies below a whiteout makes a folder of it, also where that has no entry of its own. The outermost says enough. */
  function checkFolders(path: string): void {
    const [folder] = /^(?:.*?\/)??\.wh\.[^/]*/s.exec(path) ?? [];
    if (folder !== undefined && !whiteouts.has(folder)) add('layer/whiteout-empty', folder, 'the whiteout is a folder');
    if (folder !== undefined) whiteouts.add(folder);
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

/**
 * Hard links of a layer whose target is no file at the time when the layer is unpacked.
 *
 * @param below the base first
 */
export function checkLinks(
  entries: LayerEntries,
  below: readonly LayerEntries[],
  at: readonly string[],
  run: Run,
): void {
  const stack = [entries, ...below.toReversed()];
  if (stack.some(({ partial }) => partial)) return;
  for (const { path, target } of entries.links) {
    run.spent.lookups += stack.length * (1 + Math.ceil((target.split('/').length * target.length) / LOOKUP));
    if (run.spent.lookups > MOST_LOOKUPS)
      return run.findings.add('layer/names-unchecked', at, 'there are too many hard links to look all of them up');
    if (throughLink(target, stack)) continue;
    const hiding = namesThatHide(target);
    const found = stack.find(({ names }) => names.has(target) || isHidden(target, hiding, names));
    const type = found?.names.get(target);
    if (type !== undefined && type !== 'dir') continue;
    const message =
      type === 'dir'
        ? `the link leads to a folder, ${shownPath(target)}`
        : `the target, ${shownPath(target)}, is ${found ? 'removed by a layer up to this one' : 'in no layer up to this one'}`;
    run.findings.add('layer/hard-link', [...at, shownPath(path)], message);
  }
}

/** Whiteouts of a path, of the folders above it, and of all that is in these. */
function namesThatHide(path: string): readonly string[] {
  const hiding: string[] = [];
  for (let one = path; one !== ''; one = parentOf(one)) {
    const folder = parentOf(one);
    hiding.push(joinPath(folder, `.wh.${baseOf(one)}`), joinPath(folder, '.wh..wh..opq'));
  }
  return hiding;
}

/** Whether a layer that does not have a path itself hides what layers below have there. */
function isHidden(path: string, hiding: readonly string[], names: LayerEntries['names']): boolean {
  if (hiding.some((name) => names.has(name))) return true;
  for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder))
    if ((names.get(folder) ?? 'dir') !== 'dir') return true;
  return false;
}

/** A target below a symbolic link may be anywhere; only unpacking tells. */
function throughLink(target: string, stack: readonly LayerEntries[]): boolean {
  for (let folder = parentOf(target); folder !== ''; folder = parentOf(folder))
    if (stack.some(({ names }) => names.get(folder) === 'symlink')) return true;
  return false;
}
