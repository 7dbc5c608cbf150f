/** A tar that is made piece by piece: headers, content as it goes by, and holes. */
import { type Context, checkAbort } from '../base/context.ts';

/** Some bytes, or that many zeros. */
export type Piece = Uint8Array | number;

const PIECE = 256 * 1024;
const ZEROS = new Uint8Array(PIECE);
/** One is being filled, one is at the consumer, and the consumer may still be busy with two; one more for whoever looks at the beginning. */
const BUFFERS = 5;

/**
 * Empties the list each time. Small pieces come out together, and holes as zeros. A chunk stays as it is until two more have been asked for;
 * memory is used again where there is much of it, and new where a pipe comes in small chunks.
 */
export type PieceJoiner = (pieces: Piece[]) => AsyncGenerator<Uint8Array>;

export function pieceJoiner(context: Context): PieceJoiner {
  const ring: Uint8Array[] = [];
  let turn = 0;
  const memory = (size: number): Uint8Array => {
    if (size < PIECE) return new Uint8Array(size);
    turn = (turn + 1) % BUFFERS;
    ring[turn] ??= new Uint8Array(PIECE);
    return ring[turn]!;
  };
  return async function* (pieces) {
    let left = pieces.reduce<number>((sum, piece) => sum + lengthOf(piece), 0);
    let buffer = memory(left);
    let filled = 0;
    for (const piece of pieces.splice(0)) {
      for (let at = 0, length = lengthOf(piece); at < length; ) {
        const part = Math.min(length - at, buffer.length - filled);
        left -= part;
        if (typeof piece === 'number' && part === PIECE) {
          checkAbort(context);
          yield ZEROS;
          at += part;
          continue;
        }
        if (typeof piece === 'number') buffer.fill(0, filled, filled + part);
        else buffer.set(piece.subarray(at, at + part), filled);
        at += part;
        filled += part;
        if (filled < buffer.length) continue;
        yield buffer;
        buffer = memory(left);
        filled = 0;
      }
    }
    if (filled) yield buffer.subarray(0, filled);
  };
}

const lengthOf = (piece: Piece): number => (typeof piece === 'number' ? piece : piece.length);
