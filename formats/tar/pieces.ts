/** A tar that is made piece by piece: headers, content as it goes by, and holes. */
import { type Context, checkAbort } from '../base/context.ts';

/** Some bytes, or that many zeros. */
export type Piece = Uint8Array | number;

const PIECE = 512 * 1024;
const ZEROS = new Uint8Array(PIECE);
/** One is being filled, one is at the consumer, and the consumer may still be busy with two. */
const BUFFERS = 4;

/** Joins pieces into chunks, in memory that is used again: a chunk stays as it is until two more have been asked for. */
export type PieceJoiner = (pieces: Piece[]) => AsyncGenerator<Uint8Array>;

/** Each call empties its list; small pieces come out together, and holes as zeros. */
export function pieceJoiner(context: Context): PieceJoiner {
  const ring: Uint8Array[] = [];
  let turn = 0;
  const next = (): Uint8Array => {
    turn = (turn + 1) % BUFFERS;
    ring[turn] ??= new Uint8Array(PIECE);
    return ring[turn]!;
  };
  return async function* (pieces) {
    let buffer = next();
    let filled = 0;
    for (const piece of pieces.splice(0)) {
      for (let at = 0, length = lengthOf(piece); at < length; ) {
        const part = Math.min(length - at, PIECE - filled);
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
        if (filled < PIECE) continue;
        yield buffer;
        buffer = next();
        filled = 0;
      }
    }
    if (filled) yield buffer.subarray(0, filled);
  };
}

const lengthOf = (piece: Piece): number => (typeof piece === 'number' ? piece : piece.length);
