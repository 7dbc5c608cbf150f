/**
 * liblzma, from the optional package lzma-native: what reads the rarer kinds of xz.
 *
 * Its stream class is used below its Node stream, which takes any bytes that look like a footer for the end. It holds
 * all output of one piece of input, so it is given small pieces.
 */
import { type Context, checkAbort } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import type { ByteReader } from '../bytes/chunks.ts';
import { corrupt, messageOf, truncated, unsupported } from './refusals.ts';

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
  const stream = new library.Stream();
  const pieces: Uint8Array[] = [];
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
  stream.streamDecoder({ memlimit: context.limits.window + OVERHEAD, flags: TELL_UNSUPPORTED_CHECK | CONCATENATED });
  try {
    while (!ended) {
      checkAbort(context);
      const chunk = await reader.next();
      if (chunk) reader.unread(chunk.subarray(STEP));
      await new Promise<void>((resolve) => {
        done = resolve;
        stream.code(chunk ? chunk.subarray(0, STEP) : null, true);
      });
      if (failure) throw refusal(failure, context);
      yield* pieces.splice(0);
      if (!chunk && !ended) throw truncated(WHAT);
    }
  } finally {
    stream.resetUnderlying();
  }
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
