/**
 * The encoders that compress one block after another, each into a gzip member or zstd frame of its own. Both are
 * WebAssembly: their output depends on the block and the level alone, not on the machine or the version of Node.
 */

export type BlockFormat = 'gzip' | 'zstd';

/** Compresses one block; the result is new memory. An empty block makes a valid empty member or frame. */
export type BlockEncoder = (bytes: Uint8Array, level: number) => Uint8Array;

const loading = new Map<BlockFormat, Promise<BlockEncoder>>();

export function blockEncoder(format: BlockFormat): Promise<BlockEncoder> {
  let encoder = loading.get(format);
  if (!encoder) loading.set(format, (encoder = format === 'gzip' ? libdeflate() : zstdWasm()));
  return encoder;
}

/** libdeflate, whose gzip headers are constant: no name, time 0, an unknown operating system. */
async function libdeflate(): Promise<BlockEncoder> {
  const { gzip } = await import('libdeflate');
  // It makes its module with the first call.
  await withoutListeners(() => gzip(new Uint8Array(0), 1));
  return gzip;
}

/** libzstd; each frame header says how long the content is. */
async function zstdWasm(): Promise<BlockEncoder> {
  const { default: library } = await withoutListeners(() => import('@bokuweb/zstd-wasm'));
  await withoutListeners(library.init);
  return library.compress;
}

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/** Emscripten's modules take over the process's last resort for errors. A library must not do so: undone here. */
async function withoutListeners<T>(work: () => T): Promise<Awaited<T>> {
  const before = EVENTS.map((event) => process.rawListeners(event));
  const result = await work();
  EVENTS.forEach((event, i) => {
    for (const listener of process.rawListeners(event)) {
      if (!before[i]!.includes(listener)) process.removeListener(event, listener as (...values: unknown[]) => void);
    }
  });
  return result;
}
