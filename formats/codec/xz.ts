/**
 * xz: https://tukaani.org/xz/xz-file-format-1.2.1.txt
 *
 * Any number of streams, with padding. xz-decompress (xz-embedded as WebAssembly) reads what the world writes; for what
 * it does not know (BCJ and delta filters, SHA-256 checks, dictionaries over 64 MiB) the optional package lzma-native
 * is asked. Which one it takes is decided by the beginning of the first stream.
 */
import { type Context, checkAbort } from '../base/context.ts';
import type { OcixError } from '../base/errors.ts';
import { checkLimit } from '../base/limits.ts';
import { type ByteReader, byteReader, type Chunks } from '../bytes/chunks.ts';
import type { Codec } from './codec.ts';
import { corrupt, truncated, unsupported } from './refusals.ts';
import {
  BLOCK_HEADER_SIZE,
  CHECK_CRC32,
  CHECK_CRC64,
  CHECK_NONE,
  FILTER_LZMA2,
  isXz,
  STREAM_HEADER_SIZE,
  type XzNeeds,
  xzNeeds,
} from './xz-header.ts';
import { type LoadLzmaNative, loadLzmaNative, lzmaNative } from './xz-native.ts';

const WHAT = 'xz stream';
const INSTALL_HINT = 'Install the optional package lzma-native (npm install lzma-native), which reads it.';
/** The largest dictionary that xz-decompress allocates. It is what `xz -9` uses. */
const MOST_DICTIONARY = 2 ** 26;

/** What the WebAssembly module of xz-decompress exports. */
interface XzEmbedded {
  readonly memory: { readonly buffer: ArrayBuffer };
  create_context(): number;
  destroy_context(pointer: number): void;
  supply_input(pointer: number, size: number): void;
  get_next_output(pointer: number): number;
}

/** Fields of its context, each a 32-bit number. */
const BUFFER_SIZE = 0;
const IN_POINTER = 1;
const IN_POSITION = 2;
const IN_SIZE = 3;
const OUT_POINTER = 4;
const OUT_POSITION = 5;

/** `enum xz_ret` of xz-embedded. */
const OK = 0;
const STREAM_END = 1;
const MEMLIMIT_ERROR = 4;
const OPTIONS_ERROR = 6;
const BUF_ERROR = 8;

/** As `xz.decompress`; `load` gets the optional engine. */
export async function* unxz(input: Chunks, context: Context, load: LoadLzmaNative): AsyncGenerator<Uint8Array> {
  const reader = byteReader(input);
  try {
    const head = await reader.read(STREAM_HEADER_SIZE + BLOCK_HEADER_SIZE);
    reader.unread(head);
    const needs = xzNeeds(head);
    if (needs) checkLimit(context.limits, 'window', needs.dictionary, `the dictionary of this ${WHAT}`);
    const beyond = needs && beyondEmbedded(needs);
    if (!beyond) return yield* embedded(reader, context);
    const library = await load();
    if (!library) throw unsupported(WHAT, beyond, INSTALL_HINT);
    yield* lzmaNative(library, reader, context);
  } finally {
    await reader.close();
  }
}

/** What xz-decompress cannot do of this, in words. */
function beyondEmbedded({ check, filters, dictionary }: XzNeeds): string | undefined {
  if (![CHECK_NONE, CHECK_CRC32, CHECK_CRC64].includes(check)) return 'it uses a rare integrity check (SHA-256)';
  if (filters.some((filter) => filter !== FILTER_LZMA2)) return 'it uses a filter for machine code (BCJ) or delta';
  if (dictionary > MOST_DICTIONARY) return 'its dictionary is larger than 64 MiB';
  return undefined;
}

/** Instances that came to the end of a stream: to make one takes longer than most control archives of packages. */
const idle: XzEmbedded[] = [];
/** As many as are wanted at a time for small streams; and the memory that they may keep, as it is never given back in part. */
const MOST_IDLE = 2;
const MOST_KEPT = 2 ** 24;

async function instance(): Promise<XzEmbedded> {
  const own = idle.pop();
  if (own) return own;
  const { XzReadableStream } = (await import('xz-decompress')).default;
  await XzReadableStream._getModuleInstance();
  return XzReadableStream._moduleInstance.exports as XzEmbedded;
}

/**
 * Decompresses with xz-decompress. The functions of its WebAssembly module are called here, not its web stream: that one
 * lets a single stream exist at a time in the whole process, so an archive inside an archive would wait for ever. Each
 * call has an instance for itself; one that met anything but a whole stream is not used again.
 */
async function* embedded(reader: ByteReader, context: Context): AsyncGenerator<Uint8Array> {
  const module = await instance();
  let whole = false;
  const pointer = module.create_context();
  const fields = () => new Uint32Array(module.memory.buffer, pointer, OUT_POSITION + 1);
  const [size, start] = [fields()[BUFFER_SIZE]!, fields()[IN_POINTER]!];
  try {
    for (;;) {
      checkAbort(context);
      if (fields()[IN_POSITION] === fields()[IN_SIZE]) {
        const chunk = await reader.next();
        const step = chunk?.subarray(0, size) ?? new Uint8Array(0);
        if (chunk) reader.unread(chunk.subarray(size));
        new Uint8Array(module.memory.buffer).set(step, start);
        // No bytes at all mean the end of the input.
        module.supply_input(pointer, step.length);
      }
      const result = module.get_next_output(pointer);
      if (result !== OK && result !== STREAM_END) throw refusal(result);
      const now = fields();
      const from = now[OUT_POINTER]!;
      const piece = new Uint8Array(module.memory.buffer).slice(from, from + now[OUT_POSITION]!);
      now[OUT_POSITION] = 0;
      if (piece.length) yield piece;
      if (result !== STREAM_END) continue;
      whole = true;
      return;
    }
  } finally {
    module.destroy_context(pointer);
    if (whole && idle.length < MOST_IDLE && module.memory.buffer.byteLength <= MOST_KEPT) idle.push(module);
  }
}

function refusal(result: number): OcixError {
  switch (result) {
    case BUF_ERROR:
      return truncated(WHAT);
    case MEMLIMIT_ERROR:
    case OPTIONS_ERROR:
      return unsupported(WHAT, 'a later part of it uses rare options', 'Compress it again as one stream.');
    default:
      return corrupt(WHAT, `xz-embedded error ${result}`);
  }
}

export const xz: Codec = {
  name: 'xz',
  magicSize: 6,
  matches: isXz,
  decompress: (input, context) => unxz(input, context, loadLzmaNative),
};
