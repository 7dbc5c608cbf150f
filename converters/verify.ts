/** Whether an image's detached signature is by a key that is trusted for its name. */

import { readDocument } from '../formats/archive/archive.ts';
import { openArchive } from '../formats/archive/open.ts';
import { passingKeeper } from '../formats/archive/passing-keeper.ts';
import { type Context, type ContextOptions, createContext } from '../formats/base/context.ts';
import { OcixError, within } from '../formats/base/errors.ts';
import { collect } from '../formats/bytes/chunks.ts';
import { type ByteSource, fileSource, pathKind } from '../formats/bytes/source.ts';
import { printable } from '../formats/bytes/text.ts';
import { decode } from '../formats/json/decode.ts';
import { parseJson } from '../formats/json/parse.ts';
import type { GoodSignature } from '../formats/openpgp/policy.ts';
import { decrypted } from './decrypted.ts';

export interface SignatureRequest {
  /** What is signed, as shipped: the signature covers the compressed file. */
  readonly file: string;
  /** Where the signature is; without it the file's name with `.asc` or `.sig` behind it. */
  readonly signature?: string | undefined;
  /**
   * Folders of keys, rkt's trusted-keys folders, or files of keys. Without any, rkt's own folders on this machine.
   */
  readonly keyring?: readonly string[] | undefined;
  /** Takes SHA-1, RSA from 1024 bits on, DSA, and keys that have expired since they signed. */
  readonly allowWeak?: boolean | undefined;
  /** The time to judge by: keys and signatures expire. */
  readonly now: Date;
  /** The name that the file has as an image: some keys are trusted for some names only. */
  readonly nameOf?: ((file: string, context: Context) => Promise<string>) | undefined;
}

export interface CheckedSignature extends GoodSignature {
  readonly file: string;
  /** The file that the signature was in. */
  readonly signature: string;
  /** The image's name, where it was needed to decide. */
  readonly name: string | undefined;
}

/** Where rkt keeps its trusted keys. A file in the first masks the same one in the second. */
export const RKT_KEYRINGS: readonly string[] = ['/etc/rkt/trustedkeys', '/usr/lib/rkt/trustedkeys'];

/**
 * The signature that vouches for a file.
 *
 * @throws OcixError signature/missing, signature/invalid, signature/untrusted, signature/weak, signature/expired where there is
 *   none; keyring/…, source/… and what reading the image's name throws where nobody can say
 */
export async function checkSignature(
  { file, signature, keyring, allowWeak, now, nameOf = manifestName }: SignatureRequest,
  options: ContextOptions = {},
): Promise<CheckedSignature> {
  const context = createContext(options);
  // Loaded when a signature is checked: nothing else should wait for it.
  const { readKeyring } = await import('../formats/openpgp/keyring.ts');
  const { verifyDetached } = await import('../formats/openpgp/verify.ts');
  const source = await regularFile(file);
  try {
    const keys = await readKeyring(keyring?.length ? keyring : await keyringsOf(RKT_KEYRINGS), context);
    if (!keys.length) {
      throw new OcixError('keyring/invalid', 'the keyring holds no key', {
        at: keyring ?? [],
        hint: 'A keyring is a folder of keys, a file of keys, or an rkt trusted-keys folder with root.d or prefix.d in it.',
      });
    }
    const found = await readSignature(file, signature);
    const name = keys.some(({ prefix }) => prefix !== undefined) ? await nameOf(file, context) : undefined;
    const policy = { allowWeak, now, name };
    const [good] = await within(printable(found.path), () =>
      verifyDetached(contentOf(source), { signature: found.bytes, keys, policy }, context),
    );
    return { file, signature: found.path, name, ...good! };
  } finally {
    await source.close();
  }
}

/** What can be read only once would give the one who reads it next something else than what was signed. */
async function regularFile(file: string): Promise<ByteSource> {
  const source = await fileSource(file);
  if (source.kind === 'random') return source;
  await source.close();
  throw new OcixError(
    'source/unreadable',
    `${printable(file)} can be read only once, so its signature cannot be checked`,
    {
      hint: 'Write it to a file first.',
    },
  );
}

const contentOf = (source: ByteSource): AsyncIterable<Uint8Array> =>
  source.kind === 'random' ? source.window(0, source.size) : source.chunks;

/** Those that exist. @throws OcixError usage/option where none does */
export async function keyringsOf(candidates: readonly string[]): Promise<readonly string[]> {
  const kinds = await Promise.all(candidates.map(pathKind));
  const found = candidates.filter((_, i) => kinds[i] === 'folder');
  if (found.length) return found;
  throw new OcixError('usage/option', 'there are no trusted keys to check the signature with', {
    hint: `Name a folder of keys with --keyring DIR; without it, ${candidates.join(' and ')} are looked at, and neither is there.`,
  });
}

async function readSignature(
  file: string,
  named: string | undefined,
): Promise<{ readonly path: string; readonly bytes: Uint8Array }> {
  const candidates = named === undefined ? [`${file}.asc`, `${file}.sig`] : [named];
  for (const path of candidates) {
    if ((await pathKind(path)) === 'absent') continue;
    const { MOST_SIGNATURE_BYTES } = await import('../formats/openpgp/verify.ts');
    const source = await fileSource(path);
    try {
      if (source.kind === 'random' && source.size <= MOST_SIGNATURE_BYTES)
        return { path, bytes: await collect(source.window(0, source.size), MOST_SIGNATURE_BYTES) };
      throw new OcixError('signature/invalid', `${printable(path)} is no signature: it is too large, or no file`);
    } finally {
      await source.close();
    }
  }
  throw new OcixError('signature/missing', `there is no signature for ${printable(file)}`, {
    expected: candidates.map(printable).join(' or '),
    hint: 'Name it with --signature FILE, if it is somewhere else.',
  });
}

/** The name that an App Container Image gives itself. https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-manifest-schema */
async function manifestName(file: string, context: Context): Promise<string> {
  return within(printable(file), async () => {
    const source = await fileSource(file);
    try {
      const archive = await openArchive(await decrypted(source, undefined, context), passingKeeper, context);
      const manifest = parseJson(await readDocument(archive, 'manifest', context), context);
      return decode(manifest, 'any-case').object().require('name').string();
    } finally {
      await source.close();
    }
  });
}
