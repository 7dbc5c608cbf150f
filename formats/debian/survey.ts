/**
 * The files of packages, each data archive read once: what is in it, and its content put aside uncompressed, from where layers
 * are put together in any order and as often as they are wanted.
 */
import { type Context, checkAbort, note } from '../base/context.ts';
import { OcixError, within } from '../base/errors.ts';
import { type Md5, newMd5 } from '../bytes/md5.ts';
import { binaryString, withoutEnd } from '../bytes/text.ts';
import { cleanPath, shownPath } from '../rootfs/path.ts';
import type { Spool } from '../store/spool.ts';
import type { TarFields } from '../tar/encoder.ts';
import type { TarEntry } from '../tar/entry.ts';
import { tarScanner } from '../tar/scanner.ts';
import { plainData } from './data-stream.ts';
import { type DebPackage, packageText } from './package.ts';

/** Where content lies. */
export interface Put {
  readonly spool: Spool;
  /** Bytes. */
  readonly offset: number;
}

export interface PackageEntry {
  /** Clean: without a leading slash; empty for the root. A binary string. */
  readonly path: string;
  readonly fields: TarFields;
  /** Of files that are not empty. */
  readonly content: Put | undefined;
  /** In hexadecimal digits, where somebody will want it. */
  readonly md5: string | undefined;
}

export interface Surveyed {
  readonly package: DebPackage;
  /** In the order of the archive. */
  readonly entries: readonly PackageEntry[];
}

/** @throws OcixError codec/…, tar/…, path/escape, limit/…, debian/package */
export async function surveyPackage(one: DebPackage, spool: Spool, context: Context): Promise<Surveyed> {
  return within(`${one.file} > data.tar`, () => survey(one, spool, context));
}

async function survey(one: DebPackage, spool: Spool, context: Context): Promise<Surveyed> {
  const entries: PackageEntry[] = [];
  const hashed = hashedPaths(one);
  let waiting: Uint8Array[] = [];
  let size = 0;
  let content: Put | undefined;
  let md5: Md5 | undefined;
  let path = '';
  const scanner = tarScanner(context.limits, {
    entry(entry) {
      path = pathOf(entry, one, context);
      content = entry.type === 'file' && entry.size > 0 ? { spool, offset: spool.size + size } : undefined;
      md5 = entry.type === 'file' && hashed(path) ? newMd5() : undefined;
    },
    data(bytes) {
      waiting.push(bytes);
      size += bytes.length;
      md5?.update(bytes);
    },
    end(entry) {
      entries.push({ path, fields: fieldsOf(entry), content, md5: md5?.digest() });
    },
  });
  for await (const chunk of plainData(one.data, context)) {
    checkAbort(context);
    scanner.push(chunk);
    // What waits are views of this chunk, which is ours only until the next.
    await spool.append(waiting);
    waiting = [];
    size = 0;
  }
  scanner.finish();
  return { package: one, entries };
}

/** The paths whose digests go into the database: all files where the package lists no digests itself, else conffiles. */
function hashedPaths({ files }: DebPackage): (path: string) => boolean {
  if (!files.has('md5sums')) return () => true;
  const conffiles = new Set(conffilesOf(files.get('conffiles')).map(({ path }) => path.slice(1)));
  return (path) => conffiles.has(path);
}

export interface Conffile {
  /** Absolute. */
  readonly path: string;
  readonly flag: string | undefined;
}

/** https://manpages.debian.org/bookworm/dpkg-dev/deb-conffiles.5.en.html */
export function conffilesOf(bytes: Uint8Array | undefined): readonly Conffile[] {
  if (!bytes) return [];
  return binaryString(bytes)
    .split('\n')
    .flatMap((line) => {
      const match = /^(?:([a-z][a-z-]*)[ \t]+)?(\/\S.*)$/.exec(withoutEnd(line, ' \t'));
      return match ? [{ path: match[2]!, flag: match[1] }] : [];
    });
}

function pathOf(entry: TarEntry, one: DebPackage, context: Context): string {
  const raw = binaryString(entry.path);
  if (raw.split('/').includes('..'))
    throw new OcixError('path/escape', `${shownPath(raw)} leads out of the package`, {
      hint: 'No tool builds such a package; do not trust it.',
    });
  if (entry.extents)
    throw new OcixError('debian/package', `${shownPath(raw)} is sparse, which no package's files are`, {
      hint: 'No tool builds such a package; do not trust it.',
    });
  if (entry.header[0]?.[156] === 0x78)
    note(context, 'repaired', 'data.tar has PAX headers: dpkg would refuse the package', packageText(one));
  return cleanPath(entry.path).path;
}

/** What has to be kept of an entry: not its header blocks, and no view of memory that holds more. */
const fieldsOf = ({ header: _h, offset: _o, extents: _e, path, link, ...rest }: TarEntry): TarFields => ({
  ...rest,
  path: new Uint8Array(path),
  link: new Uint8Array(link),
});
