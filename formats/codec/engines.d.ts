/** What is used of the engines that come without types. */

declare module 'unbzip2-stream/lib/bzip2.js' {
  /** Reads up to 32 bits, the first one the most significant; null goes on to the next whole byte. */
  type Bits = (count: number | null) => number;
  const bzip2: {
    /** Reads a stream header. Returns the block size in units of 100,000 bytes. */
    header(bits: Bits): number;
    /**
     * Reads one block and hands its bytes to `put`, or checks the end of the stream and returns null. Otherwise returns
     * the checksum so far, to be given to the next call.
     */
    decompress(
      bits: Bits,
      put: (byte: number) => void,
      work: Int32Array,
      workSize: number,
      checksum: number,
    ): number | null;
  };
  export default bzip2;
}

declare module 'xz-decompress' {
  export const XzReadableStream: {
    /** Makes a new instance of the WebAssembly module and leaves it in `_moduleInstance`. */
    _getModuleInstance(): Promise<void>;
    readonly _moduleInstance: { readonly exports: unknown };
  };
}

declare module 'lzma-native' {
  /** liblzma's own stream, below the package's Node stream. */
  export class Stream {
    /** Called for each piece of output, at the end or an error (null), and when input has been taken. */
    bufferHandler: (bytes: Uint8Array | null | undefined, taken?: number, error?: Error | null) => void;
    /** Queues input, null for its end. Works on another thread when `asynchronous`. */
    code(bytes: Uint8Array | null, asynchronous: boolean): void;
    streamDecoder(options: { readonly memlimit: number; readonly flags: number }): void;
    easyEncoder(options: { readonly preset: number; readonly check: number }): void;
    resetUnderlying(): void;
  }
}
