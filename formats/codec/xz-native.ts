/**
 * liblzma, from the optional package lzma-native: what reads the rarer kinds of xz, and writes xz.
 *
 * Its stream class is used below its Node stream, which takes any bytes that look like a footer for the end. It holds
 * all output of one piece of input, so it is given small pieces.
 */
import { type Context, checkAbort } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import type { ByteReader, Chunks } from '../bytes/chunks.ts';
import { corrupt, messageOf, truncated, unsupported } from './refusals.ts';
import { CHECK_CRC64 } from './xz-header.ts';

export type LzmaNative = typeof import('lzma-native');
export type LoadLzmaNative = () => Promise<LzmaNative | undefined>;

/** The package, or undefined where it is not installed or does not run. */
export const loadLzmaNative: LoadLzmaNative = async () => {
  try {
    return (await import('lzma-native')).default;
  } catch {
    return undefined;
  }
};

const WHAT = 'xz stream';
/** LZMA makes at most some 7000 bytes of one: 56 MiB. */
const STEP = 8 * 1024;
/** Bytes that a decoder needs beside its dictionary. */
const OVERHEAD = 4 * 2 ** 20;

const TELL_UNSUPPORTED_CHECK = 0x02;
const CONCATENATED = 0x08;

/**
 * All streams up to the end of the input.
 * @throws OcixError codec/truncated, codec/corrupt, codec/unsupported, limit/window
 */
export async function* lzmaNative(
  library: LzmaNative,
  reader: ByteReader,
  context: Context,
): AsyncGenerator<Uint8Array> {
  const coder = coderOf(new library.Stream());
  const memlimit = context.limits.window + OVERHEAD;
  coder.stream.streamDecoder({ memlimit, flags: TELL_UNSUPPORTED_CHECK | CONCATENATED });
  try {
    for (let step: Step = { pieces: [], ended: false }; !step.ended; ) {
      checkAbort(context);
      const chunk = await reader.next();
      if (chunk) reader.unread(chunk.subarray(STEP));
      step = await coder.code(chunk ? chunk.subarray(0, STEP) : null);
      if (step.failure) throw refusal(step.failure, context);
      yield* step.pieces;
      if (!chunk && !step.ended) throw truncated(WHAT);
    }
  } finally {
    coder.stream.resetUnderlying();
  }
}

/**
 * One stream as `xz -LEVEL` writes it on one thread, with its usual check. The same input gives the same bytes.
 * @param level 1 to 9
 * @throws Error what liblzma says, where it has no memory
 */
export async function* lzmaEncoded(
  library: LzmaNative,
  input: Chunks,
  level: number,
  context: Context,
): AsyncGenerator<Uint8Array> {
  const coder = coderOf(new library.Stream());
  coder.stream.easyEncoder({ preset: level, check: CHECK_CRC64 });
  const coded = async (chunk: Uint8Array | null): Promise<readonly Uint8Array[]> => {
    checkAbort(context);
    const { pieces, failure } = await coder.code(chunk);
    if (failure) throw failure;
    return pieces;
  };
  try {
    // The package cannot work on memory that threads share.
    for await (const chunk of input)
      yield* await coded(chunk.buffer instanceof ArrayBuffer ? chunk : new Uint8Array(chunk));
    yield* await coded(null);
  } finally {
    coder.stream.resetUnderlying();
  }
}

interface Step {
  readonly pieces: readonly Uint8Array[];
  readonly ended: boolean;
  readonly failure?: Error;
}

/** Takes a piece of input after the other, null for the end, and gives what comes out of each. */
function coderOf(stream: InstanceType<LzmaNative['Stream']>) {
  let pieces: Uint8Array[] = [];
  let ended = false;
  let failure: Error | undefined;
  let done = () => {};
  stream.bufferHandler = (bytes, taken, error) => {
    if (error) failure = error;
    else if (bytes) pieces.push(bytes);
    else if (bytes === null) ended = true;
    // Not from within the callback: the package is not done with the stream yet.
    if (bytes === null || taken !== undefined) setImmediate(done);
  };
  return {
    stream,
    async code(chunk: Uint8Array | null): Promise<Step> {
      pieces = [];
      await new Promise<void>((resolve) => {
        done = resolve;
        stream.code(chunk, true);
      });
      return { pieces, ended, ...(failure ? { failure } : {}) };
    },
  };
}

function refusal(error: Error, { limits }: Context): OcixError {
  switch (error.name) {
    case 'LZMA_BUF_ERROR':
      return truncated(WHAT, error);
    case 'LZMA_MEMLIMIT_ERROR':
      return new OcixError('limit/window', `the dictionary of this ${WHAT} is over the limit`, {
        expected: `at most ${limits.window}`,
        hint: 'If you trust this input, raise the limit: --limit window=4294967296.',
      });
    case 'LZMA_OPTIONS_ERROR':
    case 'LZMA_UNSUPPORTED_CHECK':
      return unsupported(WHAT, messageOf(error), 'Compress it again without unusual options.');
    default:
      return corrupt(WHAT, messageOf(error), error);
  }
}
