/**
 * System calls that Node lacks: extended attributes, device nodes, times to the nanosecond, and opening a folder without
 * following a link on the way. They come through koffi, which is optional and ships prebuilt; without it, or on another system
 * than Linux, there are none, and whoever needs one says what is lost.
 *
 * Each gives 0 or the error number, unless it says otherwise; names and paths are bytes that end in a NUL.
 */
import { constants } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { binaryString, fromBinaryString } from '../bytes/text.ts';
import type { Time } from '../tar/entry.ts';

export interface Syscalls {
  /** https://man7.org/linux/man-pages/man2/lsetxattr.2.html */
  setXattr(path: Uint8Array, name: Uint8Array, value: Uint8Array): number;
  setXattrOfFile(fd: number, name: Uint8Array, value: Uint8Array): number;
  /**
   * Names (binary strings) and values of the thing itself, never of what it points to; or the error number.
   * https://man7.org/linux/man-pages/man2/llistxattr.2.html
   */
  xattrs(path: Uint8Array): ReadonlyMap<string, Uint8Array> | number;
  /** @param mode with the type of the node in it */
  makeNode(path: Uint8Array, mode: number, major: number, minor: number): number;
  /** Of the thing itself, never of what it points to. */
  setTime(path: Uint8Array, time: Time): number;
  setTimeOfFile(fd: number, time: Time): number;
  /**
   * A folder below `root`; no part of the path may be a link or lead out. Gives its descriptor, or the error number below 0.
   * https://man7.org/linux/man-pages/man2/openat2.2.html
   */
  openFolder(root: number, path: Uint8Array): number;
}

/** An error number as the error that Node throws for it. */
export function systemError(errno: number): NodeJS.ErrnoException {
  const code = errno > 0 ? getSystemErrorName(-errno) : 'UNKNOWN';
  return Object.assign(new Error(code), { code, errno: -errno });
}

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const O_PATH_CLOEXEC = 0o2000000;
const OPENAT2 = 437;
const XATTR_MAX = 65_536;
/** It was there a moment ago. */
const ENODATA = 61;
const RESOLVE_BENEATH = 0x08;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_NO_MAGICLINKS = 0x02;

let loading: Promise<Syscalls | undefined> | undefined;

/** The calls, or undefined where this system or installation has none. Loaded once. */
export function loadSyscalls(): Promise<Syscalls | undefined> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Syscalls | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    const { default: koffi } = await import('koffi');
    const libc = koffi.load(null);
    const lsetxattr = libc.func(
      'int lsetxattr(const uint8_t *path, const uint8_t *name, const uint8_t *value, size_t size, int flags)',
    );
    const fsetxattr = libc.func(
      'int fsetxattr(int fd, const uint8_t *name, const uint8_t *value, size_t size, int flags)',
    );
    const llistxattr = libc.func('long llistxattr(const uint8_t *path, uint8_t *list, size_t size)');
    const lgetxattr = libc.func(
      'long lgetxattr(const uint8_t *path, const uint8_t *name, uint8_t *value, size_t size)',
    );
    const mknod = libc.func('int mknod(const uint8_t *path, uint32_t mode, uint64_t dev)');
    const utimensat = libc.func('int utimensat(int fd, const uint8_t *path, const int64_t *times, int flags)');
    const futimens = libc.func('int futimens(int fd, const int64_t *times)');
    const openat2 = libc.func(
      'long syscall(long number, int fd, const uint8_t *path, const uint64_t *how, size_t size)',
    );
    // The error number means something only directly after a call that failed.
    const status = (result: number): number => (result === 0 ? 0 : koffi.errno());
    /** As large as the kernel lets a list of names, or a value, be. */
    const buffer = new Uint8Array(XATTR_MAX);
    const xattrs: Syscalls['xattrs'] = (path) => {
      const size = Number(llistxattr(path, buffer, buffer.length));
      if (size < 0) return koffi.errno();
      const names = binaryString(buffer.subarray(0, size)).split('\0').filter(Boolean);
      const found = new Map<string, Uint8Array>();
      for (const name of names) {
        const length = Number(lgetxattr(path, fromBinaryString(`${name}\0`), buffer, buffer.length));
        if (length >= 0) found.set(name, new Uint8Array(buffer.subarray(0, length)));
        else if (koffi.errno() !== ENODATA) return koffi.errno();
      }
      return found;
    };
    const flags = BigInt(constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | O_PATH_CLOEXEC);
    const how = BigUint64Array.of(flags, 0n, BigInt(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS));
    return {
      setXattr: (path, name, value) => status(lsetxattr(path, name, value, value.length, 0)),
      setXattrOfFile: (fd, name, value) => status(fsetxattr(fd, name, value, value.length, 0)),
      xattrs,
      makeNode: (path, mode, major, minor) => status(mknod(path, mode, device(major, minor))),
      setTime: (path, time) => status(utimensat(AT_FDCWD, path, timespecs(time), AT_SYMLINK_NOFOLLOW)),
      setTimeOfFile: (fd, time) => status(futimens(fd, timespecs(time))),
      openFolder: (root, path) => {
        const fd = Number(openat2(OPENAT2, root, path, how, 24));
        return fd >= 0 ? fd : -koffi.errno();
      },
    };
  } catch {
    return undefined; // not installed, or no build for this system
  }
}

/** Access and modification time, both the same. */
const timespecs = ({ seconds, nanos }: Time): BigInt64Array => {
  const one = [BigInt(seconds), BigInt(nanos)] as const;
  return BigInt64Array.of(...one, ...one);
};

/** As glibc's makedev puts them together. */
const device = (major: number, minor: number): bigint => {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn);
};
