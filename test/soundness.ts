/** What there is to validate where something was written, and what the oldest validator of layouts says of it. */
import { spawnSync } from 'node:child_process';
import { readdirSync, realpathSync, statSync } from 'node:fs';
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

/**
 * It is older than zstd and than artifacts, wants a layer in every image, also those that may lie elsewhere, and gives up where others
 * write while it looks.
 */
const BEYOND_THE_TOOL =
  /invalid descriptor MediaType|layers: Array must have at least 1 items|layer validation failed: stat|error walking path/;

let hasTool: boolean | undefined;

/** What `oci-image-tool` has to object to in a layout, where it is here and understands what it reads. It fails at the end of any archive. */
export function objectionOfTool(path: string): string | undefined {
  if (stateOf(join(path, 'index.json')) === '') return undefined;
  hasTool ??= spawnSync('oci-image-tool', ['--version'], { stdio: 'ignore' }).error === undefined;
  if (!hasTool) return undefined;
  const { status, stderr } = spawnSync('oci-image-tool', ['validate', '--type', 'image', realpathSync(path)], {
    encoding: 'utf8',
  });
  return status === 0 || BEYOND_THE_TOOL.test(stderr) ? undefined : `  oci-image-tool: ${stderr.trim()}`;
}
