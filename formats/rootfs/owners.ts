/** Owners on the disk: the ids of an image as they are, mapped into a range, or only recorded where we may not give files away. */
import { OcixError } from '../base/errors.ts';
import { concat } from '../bytes/text.ts';

/** `size` ids from `container` on are `host` and following on the disk. */
export interface IdMapping {
  readonly container: number;
  readonly host: number;
  readonly size: number;
}

export interface UserNamespace {
  readonly uids: readonly IdMapping[];
  readonly gids: readonly IdMapping[];
}

/** Without mappings ids are what they are. */
export interface Owners extends UserNamespace {
  /** Whether files can be given to somebody else at all. */
  readonly privileged: boolean;
}

/** An id on the disk. @throws OcixError path/invalid for one outside the mapping */
export function hostId(id: number, mappings: readonly IdMapping[], option: string): number {
  if (!mappings.length) return id;
  const mapping = mappings.find(({ container, size }) => id >= container && id < container + size);
  if (mapping) return mapping.host + id - mapping.container;
  throw new OcixError('path/invalid', `the id ${id} is outside of the mapping`, {
    hint: `Widen the mapping: --${option} CONTAINER:HOST:SIZE, within what /etc/subuid and /etc/subgid grant.`,
  });
}

/** What an owner on the disk is inside the namespace; somebody whom it lacks cannot be named there, and root is. */
export function containerId(id: number, mappings: readonly IdMapping[]): number {
  const mapping = mappings.find(({ host, size }) => id >= host && id < host + size);
  return mapping ? mapping.container + id - mapping.host : 0;
}

/** Whether a process in a user namespace with these mappings can have an id. */
export const isMapped = (id: number, mappings: readonly IdMapping[]): boolean =>
  mappings.some(({ container, size }) => id >= container && id < container + size);

const MOST = 2 ** 32 - 2;

/** Reads `CONTAINER:HOST:SIZE`. @throws OcixError usage/option */
export function parseIdMapping(text: string, option: string): IdMapping {
  const match = /^([0-9]{1,10}):([0-9]{1,10}):([0-9]{1,10})$/.exec(text);
  const [container, host, size] = (match?.slice(1) ?? []).map(Number);
  if (
    container !== undefined &&
    host !== undefined &&
    size !== undefined &&
    size > 0 &&
    container + size - 1 <= MOST &&
    host + size - 1 <= MOST
  ) {
    return { container, host, size };
  }
  throw new OcixError('usage/option', `--${option} ${text} is not a mapping`, {
    hint: 'Write CONTAINER:HOST:SIZE, for example 0:100000:65536.',
  });
}

export const ROOTLESS_XATTR = 'user.rootlesscontainers';

/**
 * The value of `user.rootlesscontainers`, in which rootless tools keep the owner that they could not set: a protocol buffer
 * with uid as field 1 and gid as field 2.
 * https://github.com/rootless-containers/proto/blob/master/rootlesscontainers.proto
 */
export const rootlessRecord = (uid: number, gid: number): Uint8Array => concat([field(1, uid), field(2, gid)]);

function field(number: number, value: number): Uint8Array {
  if (value === 0) return new Uint8Array(0); // the default is not written
  const bytes = [number << 3];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** What a record says; undefined where it is none. */
export function rootlessOwner(record: Uint8Array): { readonly uid: number; readonly gid: number } | undefined {
  const ids = [0, 0];
  for (let at = 0; at < record.length; ) {
    const number = record[at++]! >> 3;
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = record[at++];
      if (byte === undefined || scale > 2 ** 28) return undefined;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    if ((number !== 1 && number !== 2) || value > MOST) return undefined;
    ids[number - 1] = value;
  }
  return { uid: ids[0]!, gid: ids[1]! };
}
