/** One entry of a tar, as its headers describe it. Names, link targets and xattr values are bytes. */

export type EntryType = 'file' | 'dir' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo';

/** Seconds since 1970, possibly negative, and nanoseconds from 0 to 999 999 999 that count forward from there. */
export interface Time {
  readonly seconds: number;
  readonly nanos: number;
}

/** A stretch of a sparse file that holds data; everything else up to the size is a hole. In bytes. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

export interface TarEntry {
  readonly type: EntryType;
  /** As written: not cleaned, possibly absolute or climbing. */
  readonly path: Uint8Array;
  /** Target of a symlink, or the archive path a hard link points to; empty for other types. */
  readonly link: Uint8Array;
  /** The twelve permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Logical size in bytes, holes included; 0 for all but files. */
  readonly size: number;
  readonly mtime: Time;
  readonly major: number;
  readonly minor: number;
  /** By name (a binary string: one character a byte). */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** Present for sparse files: ascending, without overlap. */
  readonly extents?: readonly Extent[];
  /** The blocks of its headers, extension headers included, as they stand in the archive. */
  readonly header: readonly Uint8Array[];
  /** Offset of the first header block in the archive, in bytes. */
  readonly offset: number;
}
