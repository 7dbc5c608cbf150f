/** Sources that are encrypted with a passphrase, as App Container Images may be, after their compression. */
import type { Context } from '../formats/base/context.ts';
import { OcixError } from '../formats/base/errors.ts';
import { byteReader, type Chunks, collect } from '../formats/bytes/chunks.ts';
import { type ByteSource, streamSource } from '../formats/bytes/source.ts';
import { decryptSymmetric, ENCRYPTED_HEAD, isEncrypted } from '../formats/openpgp/decrypt.ts';

/**
 * What is not encrypted stays as it is. What is can be read once, from front to back: its integrity is known at its end, and nothing may be made
 * visible before.
 *
 * @throws OcixError encryption/passphrase where there is none, or a wrong one
 */
export async function decrypted(
  source: ByteSource,
  passphrase: Uint8Array | undefined,
  context: Context,
): Promise<ByteSource> {
  if (source.kind === 'random') {
    if (!isEncrypted(await collect(source.window(0, ENCRYPTED_HEAD), ENCRYPTED_HEAD))) return source;
    return plain(source, source.window(0, source.size));
  }
  const reader = byteReader(source.chunks);
  const head = await reader.read(ENCRYPTED_HEAD);
  reader.unread(head);
  return isEncrypted(head) ? plain(source, reader.rest()) : { ...source, chunks: reader.rest() };

  async function plain({ name, close }: ByteSource, chunks: Chunks): Promise<ByteSource> {
    if (passphrase) return { ...streamSource(name, decryptSymmetric(chunks, { passphrase }, context)), close };
    await close();
    throw locked();
  }
}

/** The same of bytes whose source is somebody else's to close. @throws OcixError encryption/passphrase */
export async function* decryptedBytes(
  bytes: Chunks,
  passphrase: Uint8Array | undefined,
  context: Context,
): AsyncGenerator<Uint8Array> {
  const reader = byteReader(bytes);
  try {
    const head = await reader.read(ENCRYPTED_HEAD);
    reader.unread(head);
    if (!isEncrypted(head)) return yield* reader.rest();
    if (!passphrase) throw locked();
    yield* decryptSymmetric(reader.rest(), { passphrase }, context);
  } finally {
    await reader.close();
  }
}

const locked = (): OcixError =>
  new OcixError('encryption/passphrase', 'the image is encrypted with a passphrase', {
    hint: 'Give the file that holds it: --passphrase-file FILE.',
  });
