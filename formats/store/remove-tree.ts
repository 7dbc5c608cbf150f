/**
 * Removes what is at a path, a folder with everything in it: also one that is too deep for a path, or closed to its owner, or that
 * others change meanwhile. Where there are no descriptors to go by, as on another system than Linux, paths have to do.
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { outputError } from '../bytes/output-error.ts';
import { removeHeld } from '../rootfs/held-folder.ts';

/** @throws OcixError output/write */
export async function removeTree(path: string): Promise<void> {
  try {
    if (existsSync('/proc/self/fd')) removeHeld(path);
    else await rm(path, { recursive: true, force: true });
  } catch (cause) {
    throw outputError(path, cause);
  }
}
