/**
 * Who an app runs as: the number behind a name, a number, or the owner of a path.
 * https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-manifest-schema
 *
 * The specification looks every value up as a name first, also one of digits only; rkt took digits for a number at once. The
 * specification is followed.
 */
import { lossyUtf8 } from '../bytes/text.ts';
import type { RenderedRoot } from './rendered-root.ts';

/** What has to be known of a root filesystem to find its users. */
export type UserSource = Pick<RenderedRoot, 'file' | 'owner'>;

export interface AppIds {
  /** Undefined where the image has no such user. */
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

/** chown and setuid take the number above this for "leave it". */
const MOST_ID = 2 ** 32 - 2;

export function resolveIds(user: string, group: string, root: UserSource): AppIds {
  return {
    uid: idOf(user, 'etc/passwd', root, (owner) => owner.uid),
    gid: idOf(group, 'etc/group', root, (owner) => owner.gid),
  };
}

function idOf(
  text: string,
  database: string,
  root: UserSource,
  ofOwner: (owner: { readonly uid: number; readonly gid: number }) => number,
): number | undefined {
  if (text.startsWith('/')) {
    const owner = root.owner(text);
    return owner && ofOwner(owner);
  }
  return named(text, root.file(database)) ?? numeric(text) ?? (text === 'root' ? 0 : undefined);
}

/** The third field of the line that starts with the name, in `/etc/passwd` as in `/etc/group`. */
function named(name: string, database: Uint8Array | undefined): number | undefined {
  if (!database) return undefined;
  for (const line of lossyUtf8(database).split('\n')) {
    const [own, , id = ''] = line.split(':');
    const number = own === name ? numeric(id) : undefined;
    if (number !== undefined) return number;
  }
  return undefined;
}

function numeric(text: string): number | undefined {
  if (!/^[0-9]{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= MOST_ID ? id : undefined;
}
