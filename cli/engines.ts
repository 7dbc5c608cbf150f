/** What this installation works with: `ocix --version --json`, for reports of faults and for who compares two machines. */
import { closeSync, constants, openSync } from 'node:fs';
import { loadLzmaNative } from '../formats/codec/xz-native.ts';
import { hasNativeUnzstd } from '../formats/codec/zstd.ts';
import { loadSyscalls, type Syscalls } from '../formats/rootfs/syscalls.ts';
import packageJson from '../package.json' with { type: 'json' };
import { hostArchitecture } from './session.ts';

interface Engine {
  readonly name: string;
  /** Absent for our own, whose version is that of ocix. */
  readonly version?: string;
  /** Compiled for this machine; otherwise WebAssembly or JavaScript, the same everywhere. */
  readonly native: boolean;
}

/** All dependencies are of one exact version. */
const { dependencies, optionalDependencies, devDependencies } = packageJson;

export async function versionFacts() {
  const [syscalls, lzma] = await Promise.all([loadSyscalls(), loadLzmaNative()]);
  const { node, zlib, openssl } = process.versions;
  const ofNode = (name: string, version: string | undefined): Engine => ({
    name,
    ...(version === undefined ? {} : { version }),
    native: true,
  });
  const portable = (name: string, version: string): Engine => ({ name, version, native: false });
  const zstd = (process.versions as Readonly<Record<string, string | undefined>>)['zstd'];
  return {
    ocix: packageJson.version,
    node,
    platform: `${process.platform}/${hostArchitecture()}`,
    engines: {
      gzip: portable('libdeflate', devDependencies.libdeflate),
      gunzip: ofNode('node:zlib', zlib),
      zstd: portable('@bokuweb/zstd-wasm', dependencies['@bokuweb/zstd-wasm']),
      unzstd: hasNativeUnzstd ? ofNode('node:zlib', zstd) : portable('zstddec', dependencies.zstddec),
      xz: lzma ? ofNode('lzma-native', optionalDependencies['lzma-native']) : null,
      unxz: portable('xz-decompress', dependencies['xz-decompress']),
      unxzRare: lzma ? ofNode('lzma-native', optionalDependencies['lzma-native']) : null,
      unbzip2: portable('unbzip2-stream', dependencies['unbzip2-stream']),
      unlzma: { name: 'ocix', native: false } satisfies Engine,
      digest: ofNode('node:crypto', openssl),
      openpgp: portable('openpgp', dependencies.openpgp),
      syscalls: syscalls ? ofNode('koffi', optionalDependencies.koffi) : null,
    },
    /** Folders are opened without following a link in one call; without it, part by part. */
    openat2: syscalls ? hasOpenat2(syscalls) : false,
  };
}

function hasOpenat2(syscalls: Syscalls): boolean {
  const root = openSync('/', constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const folder = syscalls.openFolder(root, Buffer.from('.\0'));
    if (folder >= 0) closeSync(folder);
    return folder >= 0;
  } finally {
    closeSync(root);
  }
}
