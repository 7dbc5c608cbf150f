/** A tar that is made piece by piece: headers, content as it goes by, and holes. */
import { type Context, checkAbort } from '../base/context.ts';

/** Some bytes, or that many zeros. */
export type Piece = Uint8Array | number;

const ZEROS = new Uint8Array(512 * 1024);
const PIECE = ZEROS.length;

/** Empties the list. Small pieces come out together, and holes as zeros, in memory of their own, no more of it than needed. */
export async function* joinedPieces(pieces: Piece[], context: Context): AsyncGenerator<Uint8Array> {
  let left = pieces.reduce<number>((sum, piece) => sum + lengthOf(piece), 0);
  let buffer = new Uint8Array(Math.min(PIECE, left));
  let filled = 0;
  for (const piece of pieces.splice(0)) {
    for (let at = 0, length = lengthOf(piece); at < length; ) {
      const part = Math.min(length - at, buffer.length - filled);
      left -= part;
      if (typeof piece === 'number') {
        if (part === PIECE) {
          checkAbort(context);
          yield ZEROS;
          at += part;
          continue;
        }
        buffer.fill(0, filled, filled + part);
      } else buffer.set(piece.subarray(at, at + part), filled);
      at += part;
      filled += part;
      if (filled < buffer.length) continue;
      yield buffer;
      buffer = new Uint8Array(Math.min(PIECE, left));
      filled = 0;
    }
  }
  if (filled) yield buffer.subarray(0, filled);
}

const lengthOf = (piece: Piece): number => (typeof piece === 'number' ? piece : piece.length);
