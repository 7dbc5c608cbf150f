/** Folders of keys. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { scratch } from '../../fixtures/peers.ts';

export type Tree = Readonly<Record<string, string | Uint8Array>>;

/** A folder with these files, gone when the test is over. */
export function trustFolder(tree: Tree): string {
  const root = scratch();
  for (const [path, bytes] of Object.entries(tree)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), bytes);
  }
  return root;
}
