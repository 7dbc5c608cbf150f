/** One App Container Image into one file: its tar, compressed as a whole, with its digests taken on the way. */
import type { Context } from '../../formats/base/context.ts';
import { OcixError } from '../../formats/base/errors.ts';
import type { Chunks } from '../../formats/bytes/chunks.ts';
import { newHash } from '../../formats/bytes/digest.ts';
import { utf8Bytes } from '../../formats/bytes/text.ts';
import { compressor } from '../../formats/codec/compress.ts';
import { type LoadLzmaNative, type LzmaNative, loadLzmaNative, lzmaEncoded } from '../../formats/codec/xz-native.ts';
import type { Layer } from '../../formats/model/layer.ts';
import type { OutputFile } from '../../formats/store/output-file.ts';
import { encodeHeader, paddingAfter } from '../../formats/tar/encoder.ts';
import type { XzChoice } from './compression.ts';
import { flatTar } from './flat-tar.ts';
import type { FlatTree } from './flat-tree.ts';
import type { WrittenLayer } from './oci-documents.ts';
import type { TargetOptions } from './target.ts';

/** What stands in front of the names of a tree. */
export const ROOTFS = 'rootfs/';

export interface AciEngine {
  readonly name: 'gzip' | 'xz' | 'none';
  compress(input: Chunks, context: Context): Chunks;
}

/** @throws OcixError usage/option for what rkt and actool cannot read, or nothing here can write */
export async function aciEngine(
  { compression, xz }: Pick<TargetOptions, 'compression' | 'xz'>,
  load: LoadLzmaNative = loadLzmaNative,
): Promise<AciEngine> {
  if (xz) return xzEngine(xz, await load());
  const { name, level, reproducible } = compression;
  const chosen = name === 'keep' ? 'gzip' : name;
  if (chosen === 'zstd')
    throw new OcixError('usage/option', '--compress zstd: no reader of ACIs knows zstd', {
      hint: 'Choose gzip, xz or none.',
    });
  const choice = level === undefined ? { name: chosen } : { name: chosen, level };
  return { name: chosen, compress: compressor(choice, { reproducible }).compress };
}

/** As `xz` has it. */
const USUAL_LEVEL = 6;

function xzEngine({ level = USUAL_LEVEL }: XzChoice, library: LzmaNative | undefined): AciEngine {
  if (library) return { name: 'xz', compress: (input, context) => lzmaEncoded(library, input, level, context) };
  throw new OcixError('usage/option', '--compress xz: the package that compresses with xz is not here', {
    hint: 'Install the optional package lzma-native (npm install lzma-native), or choose gzip.',
  });
}

export interface AciContent {
  readonly layers: readonly Layer[];
  readonly manifest: Uint8Array;
  /** Below `ROOTFS`. */
  readonly tree: FlatTree;
  readonly engine: AciEngine;
}

/** `diffId` is the image id that rkt and actool know: the sha512 of the tar. @throws OcixError output/write, and what reading the layers throws */
export async function writeAci(
  { layers, manifest, tree, engine }: AciContent,
  file: OutputFile,
  context: Context,
): Promise<WrittenLayer> {
  const id = newHash('sha512');
  const blob = newHash('sha256');
  let plainSize = 0;
  let size = 0;
  const progress = { number: 1, count: 1 };
  context.progress({ type: 'layer-start', layer: progress });
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of flatTar(layers, tree, { head: manifestMember(manifest) }, context)) {
      id.update(chunk);
      plainSize += chunk.length;
      context.progress({ type: 'layer-progress', layer: progress, done: plainSize });
      yield chunk;
    }
  }
  for await (const chunk of engine.compress(counted(), context)) {
    blob.update(chunk);
    size += chunk.length;
    await file.write([chunk]);
  }
  context.progress({
    type: 'layer-end',
    layer: progress,
    size: plainSize,
    stored: { compression: engine.name, size },
  });
  return { digest: blob.digest(), size, compression: engine.name, diffId: id.digest(), plainSize };
}

const NONE = new Uint8Array(0);

const manifestMember = (manifest: Uint8Array): readonly Uint8Array[] => [
  encodeHeader({
    type: 'file',
    path: utf8Bytes('manifest'),
    link: NONE,
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: manifest.length,
    mtime: { seconds: 0, nanos: 0 },
    major: 0,
    minor: 0,
    xattrs: new Map(),
  }),
  manifest,
  paddingAfter(manifest.length),
];
