/** What the tests of extraction share: layers onto a real disk, and a reading of what is there, with nothing of the product's. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { onTestFinished, test } from 'vitest';
import { type TarEntry, tar } from '../../../fixtures/tar.ts';
import { type Context, createContext } from '../../../formats/base/context.ts';
import type { Limits } from '../../../formats/base/limits.ts';
import { extractor } from '../../../formats/rootfs/extract.ts';
import { holdFolder } from '../../../formats/rootfs/held-folder.ts';
import type { Owners } from '../../../formats/rootfs/owners.ts';
import { loadSyscalls, type Syscalls } from '../../../formats/rootfs/syscalls.ts';
import { tarScanner } from '../../../formats/tar/scanner.ts';

export const isRoot = process.getuid?.() === 0;

/** For what only root can do; the reason is in the name of what is skipped. */
export const asRoot: typeof test | typeof test.skip = isRoot ? test : test.skip;

export interface Found {
  readonly type: 'file' | 'dir' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket';
  /** Four octal digits; the mode of a symlink means nothing. */
  readonly mode?: string;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: bigint;
  readonly size?: number;
  readonly link?: string;
  /** `MAJOR:MINOR`. */
  readonly device?: string;
  readonly sha256?: string;
  readonly xattrs?: Readonly<Record<string, string>>;
  /** The first name, by bytes, of the same file. */
  readonly same?: string;
}

export interface Disk {
  /** By path (a binary string), sorted; the root is `.`. */
  readonly tree: ReadonlyMap<string, Found>;
  readonly notes: readonly string[];
  readonly root: string;
  /** A path of a name as Node takes it. */
  at(name: string): Buffer;
}

export interface UnpackOptions {
  /** `undefined` is a system without koffi. */
  readonly syscalls?: Syscalls | undefined;
  readonly owners?: Partial<Owners>;
  readonly keepDirlinks?: boolean;
  readonly limits?: Partial<Limits>;
}

export const realSyscalls = await loadSyscalls();

/** Layers, each a list of entries or a tar, through the scanner onto the disk. */
export function unpack(
  layers: readonly (readonly TarEntry[] | Uint8Array)[],
  options: UnpackOptions = { syscalls: realSyscalls },
): Disk {
  const folder = holdFolder(deepScratch());
  onTestFinished(() => folder.release());
  const context: Context = createContext({ limits: options.limits });
  folder.make('root').release();
  folder.make('aside').release();
  const extraction = extractor({
    root: `${folder.path}/root`,
    aside: `${folder.path}/aside`,
    owners: { privileged: isRoot, uids: [], gids: [], ...options.owners },
    syscalls: options.syscalls,
    keepDirlinks: options.keepDirlinks ?? false,
  });
  try {
    for (const layer of layers) {
      extraction.nextLayer();
      const scanner = tarScanner(context.limits, extraction.handler);
      // In small pieces, as they may come.
      const bytes = layer instanceof Uint8Array ? layer : tar(layer);
      for (let at = 0; at < bytes.length; at += 700) scanner.push(bytes.subarray(at, at + 700));
      scanner.finish();
      extraction.finishLayer();
    }
    extraction.finish(context);
    const root = `${folder.path}/root`;
    let known: Disk['tree'] | undefined;
    return {
      get tree() {
        return (known ??= diskTree(root));
      },
      root,
      notes: context.notes.all().map(({ message }) => message),
      at: (name) => Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name, 'latin1')]),
    };
  } finally {
    extraction.close();
  }
}

/** A folder that is gone when the test is over, also when what is in it is too deep for Node to remove. */
export function deepScratch(): string {
  const folder = mkdtempSync(`${tmpdir()}/ocix-disk-`);
  onTestFinished(() => void spawnSync('rm', ['-rf', folder]));
  return folder;
}

/** Everything below a folder. */
export function diskTree(root: string): ReadonlyMap<string, Found> {
  const xattrs = xattrsBelow(root);
  const first = new Map<string, string>();
  return new Map(
    ['.', ...pathsBelow(root).sort()].map((path): [string, Found] => {
      const full = Buffer.from(path === '.' ? root : `${root}/${path}`, 'latin1');
      const stat = path === '.' ? lstatSync(`${root}/.`, { bigint: true }) : lstatSync(full, { bigint: true });
      const type = typeOf(Number(stat.mode));
      const inode = `${stat.dev}:${stat.ino}`;
      const same = type === 'dir' ? undefined : first.get(inode);
      if (same === undefined) first.set(inode, path);
      const attributes = xattrs.get(path);
      return [
        path,
        {
          type,
          ...(type === 'symlink' ? {} : { mode: (Number(stat.mode) & 0o7777).toString(8).padStart(4, '0') }),
          uid: Number(stat.uid),
          gid: Number(stat.gid),
          mtime: stat.mtimeNs,
          ...(type === 'file' ? { size: Number(stat.size) } : {}),
          ...(type === 'symlink' ? { link: readlinkSync(full, 'latin1') } : {}),
          ...(type === 'char' || type === 'block' ? { device: deviceText(stat.rdev) } : {}),
          ...(type === 'file' && isRoot
            ? { sha256: createHash('sha256').update(readFileSync(full)).digest('hex') }
            : {}),
          ...(attributes ? { xattrs: attributes } : {}),
          ...(same === undefined ? {} : { same }),
        },
      ];
    }),
  );
}

function pathsBelow(root: string): string[] {
  const found: string[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const full = Buffer.from(folder ? `${root}/${folder}` : `${root}/.`, 'latin1');
    for (const entry of readdirSync(full, { withFileTypes: true, encoding: 'buffer' })) {
      const name = entry.name.toString('latin1');
      const path = folder ? `${folder}/${name}` : name;
      found.push(path);
      if (entry.isDirectory()) folders.push(path);
    }
  }
  return found;
}

const TYPES: Readonly<Record<number, Found['type']>> = {
  8: 'file',
  4: 'dir',
  10: 'symlink',
  2: 'char',
  6: 'block',
  1: 'fifo',
  12: 'socket',
};
const typeOf = (mode: number): Found['type'] => TYPES[mode >> 12]!;

const deviceText = (device: bigint): string => {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
};

/** By path, then by name, in hexadecimal; from getfattr, where it is installed. */
function xattrsBelow(root: string): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const run = spawnSync('getfattr', ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '--absolute-names', '.'], {
    cwd: `${root}/.`,
    maxBuffer: 1 << 28,
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (run.error) return new Map();
  const blocks = run.stdout.toString('latin1').split('\n\n');
  return new Map(
    blocks.flatMap((block) => {
      const [head = '', ...lines] = block.trim().split('\n');
      if (!head.startsWith('# file: ')) return [];
      const path = head
        .slice('# file: '.length)
        .replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
      const pairs = lines.map((line) => line.split('=0x') as [string, string]);
      return [[path === '.' ? '.' : path.replace(/^\.\//, ''), Object.fromEntries(pairs)] as const];
    }),
  );
}

/** As `mtime` of what is found. */
export const ns = (seconds: number | bigint, nanos = 0): bigint => BigInt(seconds) * 1_000_000_000n + BigInt(nanos);

/** `name` for `name=value` in hexadecimal, in a PAX header. */
export const xattr = (name: string, value: Uint8Array | string): readonly [string, Uint8Array] => [
  `SCHILY.xattr.${name}`,
  Buffer.from(value),
];
