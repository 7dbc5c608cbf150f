/**
 * The user namespace that this process runs in. `unshare -r`, or a container of somebody without ranges in /etc/subuid, has a
 * root who is the only user there is: he can give files to nobody else.
 * https://man7.org/linux/man-pages/man7/user_namespaces.7.html
 */
import { readFileSync } from 'node:fs';

/** Whether there is one user, or one group, only. */
export const hasOneId = (): boolean => ['uid', 'gid'].some((kind) => countIds(mapOf(kind)) === 1);

/** Ids in the text of a map; 0 where there is none. */
export const countIds = (map: string): number =>
  map
    .split('\n')
    .map((line) => Number(line.trim().split(/ +/)[2] ?? 0))
    .reduce((sum, size) => sum + size, 0);

function mapOf(kind: string): string {
  try {
    return readFileSync(`/proc/self/${kind}_map`, 'utf8');
  } catch {
    return ''; // a system without user namespaces
  }
}
