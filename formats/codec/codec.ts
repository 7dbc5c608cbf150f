/** What every codec is: one compression format, recognised by its first bytes. */
import type { Context } from '../base/context.ts';
import type { Chunks } from '../bytes/chunks.ts';

export type CompressionName = 'gzip' | 'zstd' | 'xz' | 'bzip2' | 'lzma';

export interface Codec {
  readonly name: CompressionName;
  /** Bytes that `matches` needs to decide. */
  readonly magicSize: number;
  /** Whether a stream that starts so is of this format. */
  matches(head: Uint8Array): boolean;
  /**
   * The uncompressed bytes, in chunks of at most a few MiB and in bounded memory. Reads every member or frame to the end
   * of the input. Stops and frees everything when the consumer stops early.
   *
   * @throws OcixError codec/truncated where the input ends too soon, codec/corrupt where a checksum or the format is
   *   violated or something else follows, codec/unsupported for what no engine at hand can read, limit/window
   */
  decompress(input: Chunks, context: Context): Chunks;
}
