/**
 * Owner, mode, extended attributes and times of what was written, in the order in which one does not undo another: chown takes
 * setuid bits and file capabilities away, and writing changes the time.
 */
import { fchmodSync, fchownSync, fstatSync, futimesSync, lchownSync, lstatSync, lutimesSync } from 'node:fs';
import { OcixError } from '../base/errors.ts';
import { concat, fromBinaryString, utf8Bytes } from '../bytes/text.ts';
import type { TarEntry, Time } from '../tar/entry.ts';
import type { Confined } from './confined.ts';
import type { Losses } from './losses.ts';
import { setMode } from './mode.ts';
import { hostId, type Owners, ROOTLESS_XATTR, rootlessRecord } from './owners.ts';
import { type Syscalls, systemError } from './syscalls.ts';

export interface MetadataWriter {
  /** Of an open file or folder. `name` is where a folder is reached for attributes: descriptors have no such call for it. */
  ofOpen(fd: number, entry: TarEntry, path: string): void;
  /** Of a symlink, device or pipe. */
  ofName(name: Confined, entry: TarEntry, path: string): void;
}

export interface MetadataOptions {
  readonly owners: Owners;
  readonly syscalls: Syscalls | undefined;
  readonly losses: Losses;
}

const ENOTSUP = 95;
/**
 * Errors that say that a thing cannot be kept here, and why: a loss, which is noted. Any other says that nothing more can be written. ENOSPC
 * is one of them for attributes, since ext4 says so of those that need more than a block, on a disk that is empty.
 */
const NOT_KEPT: ReadonlyMap<number, string> = new Map([
  [1, 'no permission'], // EPERM
  [13, 'no permission'], // EACCES
  [22, 'the file system does not take it'], // EINVAL
  [38, 'the file system does not take it'], // ENOSYS
  [ENOTSUP, 'the file system does not take it'],
]);
const NOT_KEPT_ATTRIBUTES: ReadonlyMap<number, string> = new Map([
  ...NOT_KEPT,
  [7, 'the file system has no room for it'], // E2BIG
  [28, 'the file system has no room for it'], // ENOSPC
  [34, 'the file system has no room for it'], // ERANGE
]);
const CAPABILITY = 'security.capability';
/** Attributes that are no image's: labels belong to the host that unpacks, overlay marks to the driver that wrote them. */
export const isOfHost = (xattr: string): boolean =>
  /^(?:security\.selinux$|system\.nfs4_acl$|trusted\.overlay\.)/.test(xattr);
const ROOTLESS = utf8Bytes(`${ROOTLESS_XATTR}\0`);
const NUL = Uint8Array.of(0);

export function metadataWriter({ owners, syscalls, losses }: MetadataOptions): MetadataWriter {
  return {
    ofOpen(fd, entry, path) {
      const setXattr = (name: Uint8Array, value: Uint8Array) => syscalls!.setXattrOfFile(fd, name, value);
      if (owners.privileged) {
        given(entry, () => fchownSync(fd, ...ownerOf(entry)));
        fchmodSync(fd, entry.mode);
        setXattrs(entry, path, setXattr);
      } else {
        // Whoever is not root may set attributes only while the mode lets him write.
        setXattrs(entry, path, setXattr);
        recordOwner(entry, path, (value) => syscalls?.setXattrOfFile(fd, ROOTLESS, value));
        fchmodSync(fd, entry.mode);
      }
      setTime(entry.mtime, path, {
        exact: syscalls && ((time) => syscalls.setTimeOfFile(fd, time)),
        coarse: (seconds) => futimesSync(fd, seconds, seconds),
        now: () => fstatSync(fd, { bigint: true }).mtimeNs,
      });
    },
    ofName(name, entry, path) {
      if (owners.privileged) given(entry, () => lchownSync(name.path, ...ownerOf(entry)));
      if (entry.type !== 'symlink') setMode(name.path, entry.mode);
      setXattrs(entry, path, (key, value) => syscalls!.setXattr(name.terminated, key, value));
      // User attributes exist on files and folders only, so the owner of anything else cannot be recorded either.
      if (!owners.privileged) recordOwner(entry, path, () => undefined);
      setTime(entry.mtime, path, {
        exact: syscalls && ((time) => syscalls.setTime(name.terminated, time)),
        coarse: (seconds) => lutimesSync(name.path, seconds, seconds),
        now: () => lstatSync(name.path, { bigint: true }).mtimeNs,
      });
    },
  };

  function ownerOf({ uid, gid }: TarEntry): [number, number] {
    return [hostId(uid, owners.uids, 'uid-map'), hostId(gid, owners.gids, 'gid-map')];
  }

  function recordOwner({ uid, gid }: TarEntry, path: string, record: (value: Uint8Array) => number | undefined): void {
    if (uid === 0 && gid === 0) return;
    const errno = record(rootlessRecord(uid, gid)) ?? ENOTSUP;
    if (lostFor(errno, NOT_KEPT_ATTRIBUTES)) losses.add('the owner is not kept without privileges', path);
  }

  function setXattrs(entry: TarEntry, path: string, set: (name: Uint8Array, value: Uint8Array) => number): void {
    if (!entry.xattrs.size) return;
    const names = [...entry.xattrs.keys()].filter((name) => !isOfHost(name));
    // The capability goes last: whatever else is written could take it away.
    names.sort((a, b) => Number(a === CAPABILITY) - Number(b === CAPABILITY));
    for (const name of names) {
      const errno = syscalls ? set(concat([fromBinaryString(name), NUL]), entry.xattrs.get(name)!) : ENOTSUP;
      const reason = lostFor(errno, NOT_KEPT_ATTRIBUTES);
      if (reason)
        losses.add(`the extended attribute ${name} is not kept: ${syscalls ? reason : 'koffi is not installed'}`, path);
    }
  }

  function setTime(time: Time, path: string, { exact, coarse, now }: TimeCalls): void {
    const reason = exact && lostFor(exact(time), NOT_KEPT);
    const isSet = exact !== undefined && reason === undefined;
    // Half a microsecond more, since the number is cut off where a double cannot say it.
    if (!exact) coarse(time.seconds + (Math.floor(time.nanos / 1000) + 0.5) / 1e6);
    // A file system takes a time beyond its range, and keeps another.
    if (isSet && Math.abs(time.seconds) < 2 ** 31) return;
    if (now() === BigInt(time.seconds) * 1_000_000_000n + BigInt(time.nanos)) return;
    if (!exact && time.nanos % 1000) losses.add('nanoseconds of times are not kept: koffi is not installed', path);
    else losses.add(`the time is not kept: ${reason ?? 'the file system cannot say it'}`, path);
  }
}

/** Why a thing is lost; undefined where it is not. @throws the error of the system that is no loss */
function lostFor(errno: number, losses: ReadonlyMap<number, string>): string | undefined {
  if (errno !== 0 && !losses.has(errno)) throw systemError(errno);
  return losses.get(errno);
}

/** What a user namespace lacks has no number on the disk either. */
function given({ uid, gid }: TarEntry, give: () => void): void {
  try {
    give();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EINVAL') throw cause;
    throw new OcixError('output/write', `the owner ${uid}:${gid} is not in the user namespace that this runs in`, {
      hint: 'Have owners recorded with --rootless, or map ids that it has with --uid-map and --gid-map.',
      cause,
    });
  }
}

interface TimeCalls {
  readonly exact: ((time: Time) => number) | undefined;
  /** Takes seconds with a fraction. */
  readonly coarse: (seconds: number) => void;
  /** The time that is there, in nanoseconds. */
  readonly now: () => bigint;
}
