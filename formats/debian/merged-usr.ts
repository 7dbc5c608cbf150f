/**
 * Merged /usr: `/bin` and its kin are links into `/usr`, and everything that packages have in them lies there. The links come first,
 * whatever package brings them, as an installer makes them before it unpacks anything.
 * https://wiki.debian.org/UsrMerge
 */
import { binaryString } from '../bytes/text.ts';
import type { NewEntry } from './merge.ts';
import type { PackageEntry } from './survey.ts';

/** Those links among the entries of a package. */
export const mergedLinks = (entries: readonly PackageEntry[]): readonly NewEntry[] =>
  entries.filter(
    ({ path, fields: { type, link } }) =>
      type === 'symlink' && /^(?:bin|sbin|lib[a-z0-9]*)$/.test(path) && binaryString(link) === `usr/${path}`,
  );
