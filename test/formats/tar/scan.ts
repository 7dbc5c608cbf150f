/** Entries and content of a whole tar, as plain data that tests can compare. */
import { type TarEntry as Recipe, tar } from '../../../fixtures/tar.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../formats/base/limits.ts';
import { binaryString } from '../../../formats/bytes/text.ts';
import type { TarEntry } from '../../../formats/tar/entry.ts';
import { tarScanner } from '../../../formats/tar/scanner.ts';

export interface Seen {
  readonly type: string;
  readonly path: string;
  readonly link: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** `SECONDS.NANOS`. */
  readonly mtime: string;
  readonly device: string;
  readonly xattrs: Readonly<Record<string, string>>;
  readonly offset: number;
  readonly blocks: number;
  /** With its holes filled; a binary string. */
  readonly body: string;
  readonly ended: boolean;
}

export interface Scan {
  readonly entries: readonly Seen[];
  readonly warnings: readonly string[];
  readonly position: number;
}

export interface ScanOptions {
  /** Bytes pushed at once; absent: everything. */
  readonly chunk?: number;
  readonly limits?: Partial<Limits>;
}

export function scan(bytes: Uint8Array, { chunk = bytes.length || 1, limits }: ScanOptions = {}): Scan {
  const found: { entry: TarEntry; body: Buffer; ended: boolean }[] = [];
  const warnings: string[] = [];
  const scanner = tarScanner(
    { ...DEFAULT_LIMITS, ...limits },
    {
      entry: (entry) => void found.push({ entry, body: Buffer.alloc(Math.min(entry.size, 2 ** 24)), ended: false }),
      data: (piece, offset) => void found.at(-1)!.body.set(piece, offset),
      end: (entry) => {
        if (found.at(-1)!.entry.offset !== entry.offset) throw new Error('an entry ends that is not the last one');
        found.at(-1)!.ended = true;
      },
      warning: (message) => void warnings.push(message),
    },
  );
  for (let at = 0; at < bytes.length; at += chunk) scanner.push(bytes.subarray(at, at + chunk));
  scanner.finish();
  return { entries: found.map(seenOf), warnings, position: scanner.position };
}

function seenOf({ entry, body, ended }: { entry: TarEntry; body: Buffer; ended: boolean }): Seen {
  const { type, mode, uid, gid, size, offset } = entry;
  return {
    type,
    path: binaryString(entry.path),
    link: binaryString(entry.link),
    mode,
    uid,
    gid,
    size,
    mtime: `${entry.mtime.seconds}.${String(entry.mtime.nanos).padStart(9, '0')}`,
    device: `${entry.major}:${entry.minor}`,
    xattrs: Object.fromEntries([...entry.xattrs].map(([name, value]) => [name, binaryString(value)])),
    offset,
    blocks: entry.header.length,
    body: body.toString('latin1'),
    ended,
  };
}

export const pathsIn = (bytes: Uint8Array, options?: ScanOptions): readonly string[] =>
  scan(bytes, options).entries.map(({ path }) => path);

/** What is seen of one entry, and of a file that stands behind it. */
export const one = (entry: Partial<Recipe>, chunk?: number) => {
  const bytes = tar([{ name: 'a', ...entry } as Recipe, { name: 'behind', body: 'found' }]);
  const { entries, warnings } = scan(bytes, chunk === undefined ? {} : { chunk });
  return { entry: entries[0]!, behind: entries.at(-1)!, paths: entries.map(({ path }) => path), warnings };
};
