/**
 * gzip, RFC 1952: https://www.rfc-editor.org/rfc/rfc1952
 *
 * Any number of members in a row, zero bytes between and after them (tapes and `dd` leave them); the CRC32 and length of
 * each member are checked. Refuses anything else after a member, as the data would be lost without a word otherwise.
 *
 * `node:zlib` does the work where there is one: it goes from member to member by itself and only stops at a zero byte.
 * What it has then not taken is looked at here, because by itself it drops whatever comes after padding.
 */
import type { Context } from '../base/context.ts';
import { byteReader, type Chunks } from '../bytes/chunks.ts';
import type { Codec } from './codec.ts';
import { skipPadding, WHAT } from './gzip-member.ts';
import { drive, nodeZlib, PIECE } from './node-zlib.ts';
import { corrupt, messageOf, trailing, truncated } from './refusals.ts';

/** Decompresses with `node:zlib`. */
export async function* nativeGunzip(input: Chunks, context: Context): AsyncGenerator<Uint8Array> {
  const reader = byteReader(input);
  const seen = { output: 0, tail: new Uint8Array(0) };
  const refuse = (error: NodeJS.ErrnoException) => {
    if (error.code === 'Z_BUF_ERROR') return endsWithOneByteTooMany(seen) ? trailing(WHAT) : truncated(WHAT, error);
    return error.code?.startsWith('Z_') ? corrupt(WHAT, messageOf(error), error) : error;
  };
  const next = async () => {
    const chunk = await reader.next();
    if (chunk) seen.tail = lastBytes(seen.tail, chunk);
    return chunk;
  };
  try {
    do {
      const pieces = drive(nodeZlib!.createGunzip({ chunkSize: PIECE }), { next, refuse, context });
      let step = await pieces.next();
      try {
        for (; !step.done; step = await pieces.next()) {
          seen.output += step.value.length;
          yield step.value;
        }
      } finally {
        await pieces.return(undefined);
      }
      if (step.value) reader.unread(step.value);
    } while (await skipPadding(reader));
  } finally {
    await reader.close();
  }
}

/** Length of a trailer (CRC32, ISIZE) and one byte after it. */
const TAIL = 9;

function lastBytes(before: Uint8Array, chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  if (chunk.length >= TAIL) return chunk.slice(-TAIL);
  const both = new Uint8Array(before.length + chunk.length);
  both.set(before);
  both.set(chunk, before.length);
  return both.slice(-TAIL);
}

/**
 * zlib waits for a second byte before it says that this is no further member, so a single stray byte (the newline that
 * an editor adds) looks like a file that was cut off. In a file of one member the length field before it tells.
 */
function endsWithOneByteTooMany({ output, tail }: { output: number; tail: Uint8Array }): boolean {
  if (output === 0 || tail.length < TAIL || tail[8] === 0x1f) return false;
  return new DataView(tail.buffer, tail.byteOffset).getUint32(4, true) === output % 2 ** 32;
}

async function* gunzip(input: Chunks, context: Context): AsyncGenerator<Uint8Array> {
  if (nodeZlib) yield* nativeGunzip(input, context);
  else yield* (await import('./gzip-portable.ts')).portableGunzip(input, context);
}

export const gzip: Codec = {
  name: 'gzip',
  magicSize: 3,
  matches: (head) => head[0] === 0x1f && head[1] === 0x8b && head[2] === 8,
  decompress: gunzip,
};
