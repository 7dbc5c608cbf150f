/** Detached signatures with a key that the user gives. RFC 9580, section 5.2: https://www.rfc-editor.org/rfc/rfc9580#section-5.2 */
import type { PrivateKey } from 'openpgp';
import { type Context, checkAbort } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import type { Chunks } from '../bytes/chunks.ts';
import { binaryString, strictUtf8, utf8Bytes } from '../bytes/text.ts';
import { messageOf, type OpenPgp, openpgp } from './library.ts';
import { webStream } from './streams.ts';

export interface SigningKey {
  /** A private key, armored or binary. */
  readonly key: Uint8Array;
  /** As bytes, where the key is locked with one. */
  readonly passphrase?: Uint8Array | undefined;
  /** When the signature was made, by its own account. */
  readonly at: Date;
}

/** Can be used several times. */
export interface Signer {
  /** The signature of the content, armored. Reads it once. */
  sign(content: Chunks, context: Context): Promise<Uint8Array>;
}

/** @throws OcixError keyring/invalid for what is no private key, encryption/passphrase where it stays locked */
export async function signerWith({ key, passphrase, at }: SigningKey): Promise<Signer> {
  const library = await openpgp();
  const own = await unlocked(library, await privateKey(library, key), passphrase);
  return {
    async sign(content, context) {
      try {
        const message = await library.createMessage({ binary: webStream(watched(content, context)) });
        const options = { message, signingKeys: own, detached: true, format: 'armored', date: at } as const;
        const armored = (await library.sign(options)) as unknown as AsyncIterable<string> | string;
        let text = '';
        if (typeof armored === 'string') text = armored;
        else for await (const part of armored) text += part;
        return utf8Bytes(text);
      } catch (cause) {
        throw cause instanceof OcixError ? cause : bad(`it cannot sign: ${messageOf(cause)}`, cause);
      }
    },
  };
}

async function* watched(content: Chunks, context: Context): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    checkAbort(context);
    yield chunk;
  }
}

async function privateKey(library: OpenPgp, bytes: Uint8Array): Promise<PrivateKey> {
  try {
    const isArmored = binaryString(bytes.subarray(0, 1024)).includes('-----BEGIN PGP');
    return isArmored
      ? await library.readPrivateKey({ armoredKey: strictUtf8(bytes) ?? '' })
      : await library.readPrivateKey({ binaryKey: bytes });
  } catch (cause) {
    throw bad(messageOf(cause), cause);
  }
}

async function unlocked(library: OpenPgp, key: PrivateKey, passphrase: Uint8Array | undefined): Promise<PrivateKey> {
  if (key.isDecrypted()) return key;
  const text = passphrase && strictUtf8(passphrase);
  if (text === undefined)
    throw new OcixError('encryption/passphrase', 'the key to sign with is locked', {
      hint: 'Give its passphrase with --passphrase-file FILE.',
    });
  try {
    return await library.decryptKey({ privateKey: key, passphrase: text });
  } catch (cause) {
    throw new OcixError('encryption/passphrase', 'the passphrase does not open the key to sign with', {
      hint: 'Check the passphrase, also for white space at its end.',
      cause,
    });
  }
}

const bad = (why: string, cause: unknown): OcixError =>
  new OcixError('keyring/invalid', 'this is no private key that can sign', {
    found: why.slice(0, 200),
    hint: 'Export one: gpg --export-secret-keys --armor KEY > FILE.',
    cause,
  });
