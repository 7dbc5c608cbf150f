/**
 * Messages encrypted with a passphrase, as `gpg --symmetric` writes them: RFC 9580, sections 5.3 and 10.3,
 * https://www.rfc-editor.org/rfc/rfc9580#section-10.3
 *
 * The content comes as a stream, and its integrity is known when the stream has ended: a consumer must not act on it before.
 * Refused: messages without integrity protection, which anybody can change (unless weak ones are allowed), and those that
 * hold far more than their size lets expect.
 */
import type { PartialConfig } from 'openpgp';
import { type Context, checkAbort } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { checkLimit, RATIO_GRACE } from '../base/limits.ts';
import { type ByteReader, byteReader, type Chunks } from '../bytes/chunks.ts';
import { binaryString, fromBinaryString, strictUtf8 } from '../bytes/text.ts';
import { messageOf, type OpenPgp, openpgp } from './library.ts';
import { webStream } from './streams.ts';

/** Bytes of a file's beginning that `isEncrypted` wants to see. */
export const ENCRYPTED_HEAD = 512;

const PACKET = { sessionKey: 3 } as const;
const ARMOR = '-----BEGIN PGP MESSAGE-----';

/** Whether a file that starts so is encrypted with a passphrase. Goes by its packets, never by its name. */
export function isEncrypted(head: Uint8Array): boolean {
  const first = isArmored(head) ? armoredStart(head) : head;
  return first !== undefined && startsWithSessionKey(first);
}

/** A symmetric-key encrypted session key packet: its tag, its version, a cipher, a way from passphrase to key. */
function startsWithSessionKey(bytes: Uint8Array): boolean {
  const [header = 0, length = 0] = bytes;
  const tag = header & 0x40 ? header & 0x3f : (header & 0x3f) >> 2;
  // The body has a few dozen bytes, so its length takes one.
  if (!(header & 0x80) || tag !== PACKET.sessionKey || length < 4 || length >= 192) return false;
  if (!(header & 0x40) && header & 3) return false;
  const [version = 0, second = 0, third = 0] = bytes.subarray(2);
  if (version === 4) return second >= 1 && second <= 13 && [0, 1, 3, 4].includes(third);
  return version === 5 || version === 6;
}

const isArmored = (head: Uint8Array): boolean => binaryString(head).trimStart().startsWith(ARMOR);

/** The first bytes behind the headers of the armor, or undefined where they are not in sight. */
function armoredStart(head: Uint8Array): Uint8Array | undefined {
  const body = /\n[ \t\r]*\n\s*([A-Za-z0-9+/]{12})/.exec(binaryString(head))?.[1];
  return body === undefined ? undefined : fromBinaryString(atob(body));
}

export interface DecryptOptions {
  /** As bytes, without a line end. UTF-8. */
  readonly passphrase: Uint8Array;
  /** Takes messages without integrity protection, up to `MOST_UNPROTECTED` bytes. */
  readonly allowWeak?: boolean | undefined;
}

/** The library holds an unprotected message in memory as a whole. */
const MOST_UNPROTECTED = 2 ** 28;

/**
 * The content of a message. Stops and frees everything when the consumer stops early.
 *
 * @throws OcixError encryption/passphrase, encryption/invalid, encryption/weak, limit/ratio, limit/total-bytes
 */
export async function* decryptSymmetric(
  content: Chunks,
  options: DecryptOptions,
  context: Context,
): AsyncGenerator<Uint8Array> {
  const meter: Meter = {
    read: 0,
    written: 0,
    most: Number.POSITIVE_INFINITY,
    asked: 0,
    answered: 0,
    failure: undefined,
  };
  const reader = byteReader(metered(content, meter, context));
  try {
    for await (const chunk of opened(reader, { ...options, meter })) {
      meter.written += chunk.length;
      checkLimit(context.limits, 'total-bytes', meter.written, 'the decrypted size');
      if (meter.written > RATIO_GRACE && meter.written > context.limits.ratio * meter.read)
        throw overRatio(meter, context);
      yield chunk;
    }
  } catch (cause) {
    throw cause instanceof OcixError ? cause : (meter.failure ?? refusal(cause, meter));
  } finally {
    await reader.close();
  }
}

interface Meter {
  read: number;
  written: number;
  /** Bytes of input that may be read. */
  most: number;
  /** How often the library asked for input, and how often it has got some: equal where it is not waiting for it. */
  asked: number;
  answered: number;
  /** Of the input, which the library would wrap in an error of its own. */
  failure: unknown;
}

async function* metered(content: Chunks, meter: Meter, context: Context): AsyncGenerator<Uint8Array> {
  try {
    meter.asked++;
    for await (const chunk of content) {
      checkAbort(context);
      meter.answered++;
      meter.read += chunk.length;
      if (meter.read > meter.most) throw unprotected('and it is too large to be held in memory');
      yield chunk;
      meter.asked++;
    }
    meter.answered++;
  } catch (error) {
    meter.failure = error;
    throw error;
  }
}

type Opening = DecryptOptions & { readonly meter: Meter };

async function* opened(reader: ByteReader, { passphrase, allowWeak, meter }: Opening): Chunks {
  const password = strictUtf8(passphrase);
  if (password === undefined) throw new OcixError('encryption/passphrase', 'the passphrase is not UTF-8');
  const library = await openpgp();
  const head = await reader.read(ENCRYPTED_HEAD);
  reader.unread(head);
  if (!isEncrypted(head)) throw invalid('it is not encrypted with a passphrase');
  const config: PartialConfig = {
    allowUnauthenticatedStream: true, // what is out before the end is not to be acted on, see above
    allowUnauthenticatedMessages: allowWeak ?? false,
    maxArgon2MemoryExponent: 20, // KiB: a gibibyte
    enforceGrammar: true,
  };
  const message = await answered(
    isArmored(head)
      ? library.readMessage({ armoredMessage: webStream(asText(reader.rest())), config })
      : library.readMessage({ binaryMessage: webStream(reader.rest()), config }),
    meter,
  );
  checkPackets(library, message.packets, { allowWeak, meter });
  const { data } = await answered(library.decrypt({ message, passwords: [password], format: 'binary', config }), meter);
  const plain = data as ReadableStream<Uint8Array> | Uint8Array;
  if (plain instanceof Uint8Array) yield plain;
  else yield* pieces(plain, meter);
}

const TICK = 250;
const MOST_IDLE_TICKS = 40;

/**
 * What the library answers, or a refusal where it has stopped for good: where what is inside is damaged, or noise from a wrong passphrase,
 * its streams may wait for each other, and a promise that never settles ends a program in the middle with nothing said. It counts as stopped when
 * it neither asked for input nor gave an answer for ten seconds in which it was not busy.
 */
async function answered<T>(answer: Promise<T>, meter: Meter): Promise<T> {
  let timer: ReturnType<typeof setInterval> | undefined;
  const stopped = new Promise<never>((_, reject) => {
    let idle = 0;
    let before = meter.asked;
    timer = setInterval(() => {
      idle = meter.asked === before && meter.asked === meter.answered ? idle + 1 : 0;
      before = meter.asked;
      if (idle >= MOST_IDLE_TICKS) reject(new Error('what is inside cannot be read'));
    }, TICK);
  });
  try {
    return await Promise.race([answer, stopped]);
  } finally {
    clearInterval(timer);
  }
}

/** An iteration of a web stream that cancels it where the consumer stops early. */
async function* pieces(stream: ReadableStream<Uint8Array>, meter: Meter): Chunks {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await answered(reader.read(), meter);
      if (done) return;
      if (value.length) yield value;
    }
  } finally {
    // The library may wait for what it will never be given; nobody waits for it.
    reader.cancel().catch(() => {});
  }
}

async function* asText(chunks: Chunks): AsyncGenerator<string> {
  for await (const chunk of chunks) yield binaryString(chunk);
}

/** Each packet for a passphrase costs a key derivation. */
const MOST_SESSION_KEYS = 8;

function checkPackets(
  { enums }: OpenPgp,
  packets: Iterable<object>,
  { allowWeak, meter }: Pick<Opening, 'allowWeak' | 'meter'>,
): void {
  const tags = [...packets].map((packet) => (packet.constructor as unknown as { readonly tag?: number }).tag);
  if (tags.filter((tag) => tag === enums.packet.symEncryptedSessionKey).length > MOST_SESSION_KEYS)
    throw invalid(`it is encrypted for more than ${MOST_SESSION_KEYS} passphrases`);
  if (!tags.includes(enums.packet.symmetricallyEncryptedData)) return;
  if (!allowWeak) throw unprotected('which anybody can change unseen');
  meter.most = MOST_UNPROTECTED;
}

const unprotected = (why: string): OcixError =>
  new OcixError('encryption/weak', `the message carries no protection of its integrity, ${why}`, {
    hint: 'Decrypt it with gpg, if you trust where it comes from, and encrypt it anew.',
  });

const invalid = (why: string, cause?: unknown): OcixError =>
  new OcixError('encryption/invalid', 'the encrypted message cannot be read to its end', {
    found: why,
    hint: 'It is damaged, was changed, or is incomplete. Get it again.',
    ...(cause === undefined ? {} : { cause }),
  });

/** A wrong passphrase gives noise, which the library cannot tell from damage. It fails before anything has come out. */
function refusal(cause: unknown, { written }: Meter): OcixError {
  if (written) return invalid(messageOf(cause), cause);
  return new OcixError('encryption/passphrase', 'the passphrase does not fit, or the message is damaged', {
    found: messageOf(cause),
    hint: 'Check the passphrase, also for white space at its end.',
    cause,
  });
}

function overRatio({ read, written }: Meter, { limits }: Context): OcixError {
  const found = written / read;
  return new OcixError('limit/ratio', 'the encrypted message holds far more than its size lets expect', {
    expected: `at most ${limits.ratio} bytes for each encrypted one`,
    found: `${Math.floor(found)} or more`,
    hint: `If you trust this input, raise the limit: --limit ratio=${2 ** Math.ceil(Math.log2(found) + 1)}.`,
  });
}
