/** Puts together what the header blocks before an entry say: its own header, PAX records, GNU long names, a sparse map. */
import { OcixError } from '../base/errors.ts';
import { binaryString } from '../bytes/text.ts';
import type { EntryType, Extent, TarEntry, Time } from './entry.ts';
import { type Header, MOST_ID } from './header.ts';
import { parseDecimal, parsePaxTime } from './number.ts';
import { effective, type PaxRecord, xattrsOf } from './pax.ts';
import { paxSparse } from './sparse.ts';

/** Extended headers that wait for their entry. */
export interface Pending {
  /** Where the first of its blocks stands, in bytes. */
  readonly offset: number;
  readonly header: Uint8Array[];
  readonly records: readonly PaxRecord[];
  readonly longName: Uint8Array | undefined;
  readonly longLink: Uint8Array | undefined;
}

export interface Assembled {
  /** Absent for types that describe no file; `skipped` then says why. */
  readonly entry?: TarEntry;
  readonly skipped?: string;
  /** Bytes of body in the archive. */
  readonly stored: number;
  /** The body starts with a sparse map (PAX 1.0). */
  readonly mapInBody: boolean;
}

const TYPES: Readonly<Record<string, EntryType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'dir',
  D: 'dir',
  '6': 'fifo',
};

/** Types without a body, whatever their size field says: other readers lose their place here. */
const HEADER_ONLY = new Set(['1', '2', '3', '4', '5', '6']);
const NONE = new Uint8Array(0);
const SLASH = 0x2f;

export function assemble(header: Header, pending: Pending, gnuMap: readonly Extent[] | undefined): Assembled {
  const values = effective(pending.records);
  const declared = number(values, 'size', Number.MAX_SAFE_INTEGER) ?? header.size;
  const sparse = header.flag === 'S' ? undefined : paxSparse(pending.records, values);
  const path = pending.longName ?? sparse?.name ?? values.get('path') ?? header.name;
  const type = typeOf(header.flag, path);
  // A folder that only its slash makes one has no body either: Go, Python and libarchive read a header next.
  const stored = HEADER_ONLY.has(header.flag) || (header.flag === '\0' && type === 'dir') ? 0 : declared;
  if (!type) return { stored, mapInBody: false, skipped: reasonToSkip(header.flag) };
  const device = type === 'char' || type === 'block';
  const size = type !== 'file' ? 0 : gnuMap ? header.realSize() : (sparse?.size ?? stored);
  const extents = gnuMap ?? sparse?.extents;
  const entry: TarEntry = {
    type,
    path,
    link:
      type === 'symlink' || type === 'hardlink' ? (pending.longLink ?? values.get('linkpath') ?? header.link) : NONE,
    mode: header.mode,
    uid: number(values, 'uid', MOST_ID) ?? header.uid(),
    gid: number(values, 'gid', MOST_ID) ?? header.gid(),
    size,
    mtime: time(values) ?? header.mtime,
    major: device ? (number(values, 'SCHILY.devmajor', 2 ** 32 - 1) ?? header.major()) : 0,
    minor: device ? (number(values, 'SCHILY.devminor', 2 ** 32 - 1) ?? header.minor()) : 0,
    xattrs: pending.records.length ? xattrsOf(values) : NO_XATTRS,
    header: pending.header,
    offset: pending.offset,
    ...(extents && type === 'file' ? { extents } : {}),
  };
  return { entry, stored, mapInBody: type === 'file' && sparse !== undefined && sparse.extents === undefined };
}

const NO_XATTRS: ReadonlyMap<string, Uint8Array> = new Map();

/** A file of the oldest kind (type NUL) whose name ends in a slash is a folder. */
function typeOf(flag: string, path: Uint8Array): EntryType | undefined {
  if (flag === '\0' && path.at(-1) === SLASH) return 'dir';
  return Object.hasOwn(TYPES, flag) ? TYPES[flag] : undefined;
}

function reasonToSkip(flag: string): string {
  if (flag === 'V') return 'a volume label is no file';
  if (flag === 'M' || flag === 'N') {
    throw new OcixError(
      'tar/header',
      flag === 'M' ? 'a file is continued from another volume' : 'a long name of a kind that GNU tar gave up',
      {
        hint: 'Join the volumes first, or write the archive anew.',
      },
    );
  }
  return `an entry of the unknown type ${JSON.stringify(flag)} is passed over`;
}

function number(values: ReadonlyMap<string, Uint8Array>, key: string, most: number): number | undefined {
  const value = values.get(key);
  return value === undefined ? undefined : parseDecimal(binaryString(value), most, key);
}

function time(values: ReadonlyMap<string, Uint8Array>): Time | undefined {
  const value = values.get('mtime');
  return value === undefined ? undefined : parsePaxTime(binaryString(value));
}
