/**
 * Who a process runs as. Names are looked up in the root filesystem; whatever cannot be resolved is an error, never root.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/conversion.md#configuser
 */
import { OcixError } from '../../formats/base/errors.ts';
import { lossyUtf8, printable } from '../../formats/bytes/text.ts';

/** Reads a file of the root filesystem, with every link followed inside it; undefined where there is no regular file. */
export type RootFile = (path: string) => Uint8Array | undefined;

export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
  /** From the user database; absent where the user is not in it. */
  readonly home: string | undefined;
}

/** chown and setuid take the number above this for "leave it". */
const MOST_ID = 2 ** 32 - 2;

/** @param user `user`, `uid`, `user:group`, `uid:gid`, `uid:group` or `user:gid`; empty is root @throws OcixError image/user */
export function resolveUser(user: string | undefined, file: RootFile): ResolvedUser {
  if (user === undefined || user === '') return withId(0, undefined, file);
  const { name, id, group, groupId } = partsOf(user);
  const gid = group === undefined ? undefined : (groupId ?? groupNamed(group, user, file));
  if (id !== undefined) return withId(id, gid, file);
  const entry = passwd(file).find((one) => one.name === name);
  if (!entry) throw bad(user, `there is no user ${printable(name)} in /etc/passwd of the image`);
  // Supplementary groups come with a name that has no group of its own, and in no other case.
  const groups = gid === undefined ? memberships(name, entry.gid, file) : [];
  return { uid: entry.uid, gid: gid ?? entry.gid, groups, home: entry.home };
}

/** Refuses what no database could resolve. @throws OcixError image/user */
export function checkUser(user: string | undefined): void {
  if (user !== undefined && user !== '') partsOf(user);
}

/** The ids are there where the user, or the group, is one. */
function partsOf(user: string) {
  const [name = '', group, ...more] = user.split(':');
  if (more.length || name === '' || group === '') throw bad(user, 'it is not of the form user[:group]');
  return { name, id: numericId(name, user), group, groupId: group === undefined ? undefined : numericId(group, user) };
}

function withId(uid: number, gid: number | undefined, file: RootFile): ResolvedUser {
  const entry = passwd(file).find((one) => one.uid === uid);
  return { uid, gid: gid ?? entry?.gid ?? 0, groups: [], home: entry?.home };
}

/** Digits only count as an id; signs, hexadecimal and exponents are names, and there are none such. */
function numericId(text: string, user: string): number | undefined {
  if (!/^[0-9]+$/.test(text)) return undefined;
  const id = Number(text);
  if (id <= MOST_ID) return id;
  throw bad(user, `${text.slice(0, 30)} is larger than an id can be`);
}

function groupNamed(name: string, user: string, file: RootFile): number {
  const entry = groups(file).find((one) => one.name === name);
  if (entry) return entry.gid;
  throw bad(user, `there is no group ${printable(name)} in /etc/group of the image`);
}

const memberships = (user: string, own: number, file: RootFile): readonly number[] => [
  ...new Set(
    groups(file)
      .filter(({ members, gid }) => members.includes(user) && gid !== own)
      .map(({ gid }) => gid),
  ),
];

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string | undefined;
}

/** Lines that are none are passed over, as the C library does. */
function passwd(file: RootFile): readonly PasswdEntry[] {
  return linesOf(file, 'etc/passwd').flatMap((line) => {
    const [name, , uid, gid, , home] = line.split(':');
    return name && isId(uid) && isId(gid)
      ? [
          {
            name,
            uid: Number(uid),
            gid: Number(gid),
            home: home?.startsWith('/') && !home.includes('\0') ? home : undefined,
          },
        ]
      : [];
  });
}

function groups(
  file: RootFile,
): readonly { readonly name: string; readonly gid: number; readonly members: readonly string[] }[] {
  return linesOf(file, 'etc/group').flatMap((line) => {
    const [name, , gid, members = ''] = line.split(':');
    return name && isId(gid) ? [{ name, gid: Number(gid), members: members.split(',').map((one) => one.trim()) }] : [];
  });
}

function linesOf(file: RootFile, path: string): readonly string[] {
  const bytes = file(path);
  return bytes ? lossyUtf8(bytes).split('\n') : [];
}

const isId = (text: string | undefined): text is string =>
  text !== undefined && /^[0-9]{1,10}$/.test(text) && Number(text) <= MOST_ID;

const bad = (user: string, why: string): OcixError =>
  new OcixError('image/user', `the user ${JSON.stringify(printable(user.slice(0, 80)))} cannot be resolved: ${why}`, {
    at: ['configuration', '/config/User'],
    hint: 'Correct the image, or have it changed by the one who built it.',
  });
