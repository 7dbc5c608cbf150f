/** The mode of what has a name, never of what that points to: Linux has no call for it before 6.6, but a detour. */
import { chmodSync, closeSync, constants, openSync } from 'node:fs';

/** Names a thing without opening it; a device does not act, and a pipe does not block. */
const O_PATH = 0o10000000;

/** The mask of the process plays no part. */
export function setMode(path: Buffer, mode: number): void {
  const fd = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    chmodSync(`/proc/self/fd/${fd}`, mode);
  } finally {
    closeSync(fd);
  }
}
