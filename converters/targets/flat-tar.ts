/** The bytes of a tar of a merged tree. The layers are read as often as it is opened. */
import { type Context, checkAbort } from '../../formats/base/context.ts';
import { within } from '../../formats/base/errors.ts';
import type { Layer } from '../../formats/model/layer.ts';
import { END_OF_TAR, encodeHeader, paddingAfter, type TarFields } from '../../formats/tar/encoder.ts';
import { type Piece, pieceJoiner } from '../../formats/tar/pieces.ts';
import { tarScanner } from '../../formats/tar/scanner.ts';
import { type FlatTree, survivors } from './flat-tree.ts';

export interface FlatTarOptions {
  /** What comes in front of the tree: whole entries with their content and padding. */
  readonly head?: readonly Uint8Array[];
  /** Told how far each layer has been read that something is taken from. */
  readonly onProgress?: (layer: number, done: number) => void;
}

/** Headers that are encoded before they go out. */
const BATCH = 1024;

/** A chunk stays as it is until two more have been asked for. @throws OcixError what reading the layers throws, source/unreadable where they have changed since the tree was made */
export async function* flatTar(
  layers: readonly Layer[],
  { replacing, files, specials, hardlinks, folders }: FlatTree,
  { head = [], onProgress = () => {} }: FlatTarOptions,
  context: Context,
): AsyncGenerator<Uint8Array> {
  const pieces: Piece[] = [...head];
  const joined = pieceJoiner(context);
  const put = {
    entry: (entry: TarFields) => void pieces.push(encodeHeader(entry)),
    data: (bytes: Uint8Array) => void pieces.push(bytes),
    hole: (length: number) => void pieces.push(length),
    end: (length: number) => void pieces.push(paddingAfter(length)),
  };
  for (const entry of replacing) put.entry(entry);
  for (const [i, layer] of layers.entries()) {
    const surviving = files[i]!;
    if (!surviving.size) continue;
    const { handler, finish } = survivors(surviving, put);
    const scanner = tarScanner(context.limits, handler);
    for await (const chunk of layer.open(context)) {
      checkAbort(context);
      await within(`layer ${i + 1}`, async () => scanner.push(chunk));
      onProgress(i, scanner.position);
      yield* joined(pieces);
    }
    scanner.finish();
    finish();
  }
  for (const [i, entry] of [...specials, ...hardlinks, ...folders].entries()) {
    put.entry(entry);
    if (i % BATCH === 0) yield* joined(pieces);
  }
  pieces.push(END_OF_TAR);
  yield* joined(pieces);
}
