/**
 * Merged /usr: `/bin` and its kin are links into `/usr`, and everything that packages have in them lies there. The links come first,
 * whatever package brings them, as an installer makes them before it unpacks anything.
 * https://wiki.debian.org/UsrMerge
 */
import { binaryString, fromBinaryString } from '../bytes/text.ts';
import type { NewEntry } from './merge.ts';
import type { PackageEntry } from './survey.ts';

const TOP = /^(?:bin|sbin|lib[a-z0-9]*)$/;

/** Those links among the entries of a package. */
export const mergedLinks = (entries: readonly PackageEntry[]): readonly NewEntry[] =>
  entries.filter(
    ({ path, fields: { type, link } }) => type === 'symlink' && TOP.test(path) && binaryString(link) === `usr/${path}`,
  );

/** What every system has, so that it does not depend on the packages whether they are there. */
const ALWAYS = ['bin', 'lib', 'sbin'];

/**
 * The links that packages need and none of them brings, as an installer makes them.
 * @param time seconds since 1970
 */
export function installerLinks(all: readonly (readonly PackageEntry[])[], time: number): readonly NewEntry[] {
  const used = new Set<string>();
  for (const entries of all)
    for (const { path, fields } of entries) {
      const top = path.split('/', 1)[0]!;
      if (!TOP.test(top)) continue;
      if (path === top && fields.type === 'symlink') return [];
      used.add(top);
    }
  if (!used.size) return [];
  const names = [...new Set([...ALWAYS, ...used])].sort();
  return [
    entry('usr', 'dir', '', time),
    ...names.map((name) => entry(`usr/${name}`, 'dir', '', time)),
    ...names.map((name) => entry(name, 'symlink', `usr/${name}`, time)),
  ];
}

function entry(path: string, type: 'dir' | 'symlink', link: string, time: number): NewEntry {
  const fields = {
    type,
    path: fromBinaryString(path),
    link: fromBinaryString(link),
    mode: type === 'dir' ? 0o755 : 0o777,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: { seconds: time, nanos: 0 },
    major: 0,
    minor: 0,
    xattrs: new Map(),
  };
  return { path, fields, content: undefined };
}
