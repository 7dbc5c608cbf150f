/** A tar into an output file, entry by entry. What is put is written at the next `drain`, so that a scanner can put without waiting. */
import { type Context, checkAbort } from '../../formats/base/context.ts';
import { checkLimit } from '../../formats/base/limits.ts';
import { type Digest, newHash } from '../../formats/bytes/digest.ts';
import type { OutputFile } from '../../formats/store/output-file.ts';
import { END_OF_TAR, encodeHeader, paddingAfter, type TarFields } from '../../formats/tar/encoder.ts';

export interface TarOutput {
  /** For a file its content comes next: `size` bytes by `data` and `hole`, and then `end`. */
  entry(entry: TarFields): void;
  /** The bytes must stay as they are until `drain` has ended. */
  data(bytes: Uint8Array): void;
  /** Zeros. */
  hole(size: number): void;
  end(size: number): void;
  /** @throws OcixError output/write, limit/total-bytes, interrupted */
  drain(): Promise<void>;
  /** Ends the archive. */
  finish(): Promise<{ readonly digest: Digest; readonly size: number }>;
}

const ZEROS = new Uint8Array(1 << 20);
/** Zeros hashed in a row, before others get their turn. */
const TURN = 64;

export function tarOutput(file: OutputFile, context: Context): TarOutput {
  const hash = newHash('sha256');
  /** A number is that many zeros. */
  let waiting: (Uint8Array | number)[] = [];
  let size = 0;
  const put = (part: Uint8Array | number): void => {
    if (typeof part === 'number' || part.length) waiting.push(part);
  };
  const output: TarOutput = {
    entry: (entry) => put(encodeHeader(entry)),
    data: put,
    hole: put,
    end: (length) => put(paddingAfter(length)),
    async drain() {
      const parts = waiting;
      waiting = [];
      let batch: Uint8Array[] = [];
      for (const part of parts) {
        size += typeof part === 'number' ? part : part.length;
        checkLimit(context.limits, 'total-bytes', size, 'the size of the root file system');
        if (typeof part !== 'number') {
          hash.update(part);
          batch.push(part);
          continue;
        }
        await file.write(batch);
        batch = [];
        await hashZeros(part);
        file.skip(part);
      }
      if (batch.length) await file.write(batch);
    },
    async finish() {
      put(END_OF_TAR);
      await output.drain();
      return { digest: hash.digest(), size };
    },
  };
  return output;

  async function hashZeros(count: number): Promise<void> {
    for (let turn = 1, rest = count; rest > 0; turn++, rest -= ZEROS.length) {
      hash.update(rest < ZEROS.length ? ZEROS.subarray(0, rest) : ZEROS);
      if (turn % TURN) continue;
      await new Promise((resolve) => setTimeout(resolve));
      checkAbort(context);
    }
  }
}
