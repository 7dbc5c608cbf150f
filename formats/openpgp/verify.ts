/**
 * Detached signatures: RFC 9580, section 10.4, https://www.rfc-editor.org/rfc/rfc9580#section-10.4
 *
 * The content is read once, as a stream, whatever the number of signatures. One good signature by a trusted key is enough;
 * others by keys that nobody here knows do no harm.
 */
import type { SignaturePacket } from 'openpgp';
import type { Context } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import type { Chunks } from '../bytes/chunks.ts';
import { binaryString } from '../bytes/text.ts';
import { armored } from './armor.ts';
import type { TrustedKey } from './keyring.ts';
import { messageOf, openpgp } from './library.ts';
import { algorithmName, type GoodSignature, hashName, type Policy } from './policy.ts';
import { type Signer, signerOf } from './signer.ts';
import { fanOut, type Outlet } from './streams.ts';

/** Bytes of a detached signature; an ordinary one has a few hundred. */
export const MOST_SIGNATURE_BYTES = 2 ** 20;
/** Each may mean another hash over the whole content. */
const MOST_SIGNATURES = 32;

export interface DetachedRequest {
  /** Armored or binary, at most `MOST_SIGNATURE_BYTES`. */
  readonly signature: Uint8Array;
  readonly keys: readonly TrustedKey[];
  readonly policy: Policy;
}

/**
 * The signatures that hold, one at least. The chunks of `content` must not be memory that is used again.
 *
 * @throws OcixError signature/invalid, signature/untrusted, signature/weak, signature/expired, and what reading throws
 */
export async function verifyDetached(
  content: Chunks,
  { signature, keys, policy }: DetachedRequest,
  context: Context,
): Promise<readonly GoodSignature[]> {
  const packets = await parseSignatures(signature);
  return verifyPackets(
    packets,
    keys,
    { policy, kinds: policy.text ? ['binary', 'text'] : ['binary'] },
    content,
    context,
  );
}

/** The signatures in a file. @throws OcixError signature/invalid */
export async function parseSignatures(bytes: Uint8Array): Promise<readonly SignaturePacket[]> {
  if (bytes.length > MOST_SIGNATURE_BYTES) throw damaged(`it has more than ${MOST_SIGNATURE_BYTES} bytes`);
  const { readSignature, SignaturePacket: Packet } = await openpgp();
  const parsed: unknown[] = [];
  try {
    if ((bytes[0] ?? 0) & 0x80) parsed.push(...(await readSignature({ binarySignature: bytes })).packets);
    else {
      for (const block of armoredBlocks(binaryString(bytes)))
        parsed.push(...(await readSignature({ armoredSignature: block })).packets);
    }
  } catch (cause) {
    throw cause instanceof OcixError ? cause : damaged(messageOf(cause), cause);
  }
  const packets = parsed.filter((packet) => packet instanceof Packet);
  if (!packets.length) throw damaged('it holds none that ocix can read (versions 4 and 6 of OpenPGP)');
  if (packets.length > MOST_SIGNATURES) throw damaged(`it holds more than ${MOST_SIGNATURES}`);
  return packets;
}

function armoredBlocks(text: string): readonly string[] {
  const blocks = armored(text, ['SIGNATURE']);
  if (blocks.length) return blocks;
  if (text.includes('-----BEGIN PGP SIGNATURE-----')) throw damaged('it ends too soon');
  throw damaged(
    text.includes('-----BEGIN PGP ') ? 'it is another kind of OpenPGP file' : 'it does not look like OpenPGP at all',
  );
}

const damaged = (why: string, cause?: unknown): OcixError =>
  new OcixError('signature/invalid', 'the signature cannot be read', {
    found: why,
    hint: 'Get it again; it must be a detached OpenPGP signature.',
    ...(cause === undefined ? {} : { cause }),
  });

type Kind = 'binary' | 'text';

export interface Judging {
  readonly policy: Policy;
  /** The types of signatures that count: over bytes, or over lines. */
  readonly kinds: readonly Kind[];
}

/** @throws OcixError the refusal that says most, where no signature holds */
export async function verifyPackets(
  packets: readonly SignaturePacket[],
  keys: readonly TrustedKey[],
  judging: Judging,
  content: Chunks,
  context: Context,
): Promise<readonly GoodSignature[]> {
  const refusals: OcixError[] = [];
  const signers: Signer[] = [];
  for (const packet of packets) {
    await refusing(refusals, async () => {
      await checkKind(packet, judging.kinds);
      signers.push(await signerOf(packet, keys, judging.policy));
    });
  }
  const good = signers.length ? await checkAll(signers, refusals, content, context) : [];
  if (good.length) return good;
  throw refusals.find(({ code }) => code !== 'signature/untrusted') ?? refusals[0]!;
}

/** Those that hold, in the order in which they stand in the file. */
async function checkAll(
  signers: readonly Signer[],
  refusals: OcixError[],
  content: Chunks,
  context: Context,
): Promise<readonly GoodSignature[]> {
  const fan = fanOut(content, signers.length, context);
  const checks = signers.map((signer, i) => refusing(refusals, () => check(signer, fan.outlets[i]!)));
  // A failure of the content is told as such, not as a signature that does not match.
  await Promise.all([fan.run(), Promise.allSettled(checks)]);
  return (await Promise.all(checks)).filter((found) => found !== undefined);
}

/** What the work gives, or undefined where it ends in a refusal. */
async function refusing<T>(refusals: OcixError[], work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof OcixError)) throw error;
    refusals.push(error);
    return undefined;
  }
}

async function checkKind(packet: SignaturePacket, kinds: readonly Kind[]): Promise<void> {
  const { enums } = await openpgp();
  const kind =
    packet.signatureType === enums.signature.binary
      ? 'binary'
      : packet.signatureType === enums.signature.text
        ? 'text'
        : undefined;
  if (kind === undefined) throw damaged('it signs no content, but a key or a name');
  if (kinds.includes(kind)) return;
  throw new OcixError('signature/weak', `the signature is made over ${kind === 'text' ? 'lines of text' : 'bytes'}`, {
    expected: kind === 'text' ? 'one over all bytes, as gpg --detach-sign makes it' : 'one over lines of text',
  });
}

/** What the library signs or verifies: content as bytes, which it asks for once. */
interface LiteralData {
  readonly text: null;
  getBytes(): ReadableStream<Uint8Array>;
}

async function check(
  { packet, trusted, key, userId, weak }: Signer,
  { stream, release }: Outlet,
): Promise<GoodSignature> {
  const literal: LiteralData = { text: null, getBytes: () => stream };
  const library = await openpgp();
  try {
    // Times and algorithms have been judged; null keeps the library from judging them again by its own clock.
    const ever = null as unknown as undefined;
    const config = {
      ...library.config,
      rejectHashAlgorithms: new Set<number>(),
      rejectMessageHashAlgorithms: new Set<number>(),
    };
    await packet.verify(key.keyPacket, packet.signatureType!, literal, ever, true, config);
  } catch (cause) {
    throw cause instanceof OcixError ? cause : mismatch(messageOf(cause), trusted, cause);
  } finally {
    release();
  }
  return {
    fingerprint: key.getFingerprint(),
    primary: trusted.fingerprint,
    userId,
    prefix: trusted.prefix,
    created: packet.created!,
    hash: hashName(packet.hashAlgorithm),
    algorithm: algorithmName(key),
    weak,
  };
}

function mismatch(message: string, { fingerprint }: TrustedKey, cause: unknown): OcixError {
  if (/digest did not match|verification failed/.test(message)) {
    return new OcixError('signature/invalid', `this is not what the key ${fingerprint} signed`, {
      hint: 'The file or its signature was changed, or they do not belong together. Do not trust it.',
      cause,
    });
  }
  return new OcixError('signature/invalid', `the signature by the key ${fingerprint} cannot be checked`, {
    found: message,
    cause,
  });
}
