/** What there is to validate where something was written. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes above which layers are not read: what is in them came from the source, and takes longer than the run. */
const SMALL = 4 << 20;

export interface Part {
  readonly path: string;
  /** Layers are small enough to be read. */
  readonly whole: boolean;
}

/** An image, each bundle of a pod, or each of several images. */
export function partsOf(path: string): readonly Part[] {
  if (!statSync(path).isDirectory()) return [{ path, whole: statSync(path).size <= SMALL }];
  const names = readdirSync(path);
  if (names.includes('config.json')) return [{ path, whole: true }];
  if (names.includes('index.json')) return [{ path, whole: bytesBelow(join(path, 'blobs')) <= SMALL }];
  const parts = names
    .map((name) => join(path, name))
    .filter((part) => part.endsWith('.aci') || stateOf(join(part, 'config.json')) !== '');
  if (parts.length === 0) throw new Error(`${path} is neither a layout nor a bundle`);
  return parts.map((part) => ({ path: part, whole: true }));
}

const bytesBelow = (folder: string): number =>
  readdirSync(folder, { recursive: true }).reduce((sum, name) => sum + statSync(join(folder, String(name))).size, 0);

/** Changes whenever what is there is written anew; empty where there is nothing. */
export function stateOf(path: string): string {
  try {
    const stat = statSync(path, { bigint: true });
    const index = stat.isDirectory() ? stateOf(join(path, 'index.json')) : '';
    return [stat.ino, stat.mtimeNs, stat.ctimeNs, stat.size, index].join(' ');
  } catch {
    return '';
  }
}
