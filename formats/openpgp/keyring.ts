/**
 * Keys that somebody trusts, from the three places where people keep them:
 *
 * - a flat folder of keys, armored or binary, one or several a file;
 * - rkt's trusted keys: `root.d/FINGERPRINT` for all names, `prefix.d/NAME…/FINGERPRINT` for that name and those below it. An
 *   empty file masks the same path in the folders that come later, as one below /etc masks the distribution's below /usr/lib.
 *   https://github.com/rkt/rkt/blob/v1.30.0/Documentation/signing-and-verification-guide.md
 * - one file of keys, as apt has them (`.gpg` binary, `.asc` armored).
 *
 * Links that lead out of a folder are refused, as is what is no key: a key that is silently not there would look like a forgery.
 */
import type { PublicKey } from 'openpgp';
import { type Context, checkAbort } from '../base/context.ts';
import { OcixError, within } from '../base/errors.ts';
import { collect } from '../bytes/chunks.ts';
import { pathsBelow } from '../bytes/folder.ts';
import { fileBelow, fileSource, pathKind } from '../bytes/source.ts';
import { binaryString, printable } from '../bytes/text.ts';
import { armored } from './armor.ts';
import { messageOf, openpgp } from './library.ts';

export interface TrustedKey {
  /** Of the primary key, lower-case hexadecimal digits. */
  readonly fingerprint: string;
  /** As the key says, whether it vouches for them or not. */
  readonly userIds: readonly string[];
  /** The name that the key is trusted for, with all below it; undefined for all names. */
  readonly prefix: string | undefined;
  readonly key: PublicKey;
}

const BOUNDS = { depth: 64, names: 10_000 };
/** Bytes of one file. Debian's whole archive keyring has 60 kB. */
const MOST_BYTES = 16 * 2 ** 20;
const MOST_KEYS = 10_000;

/**
 * The keys of folders and files; of two rkt folders the one that comes first decides about a path.
 *
 * @throws OcixError source/missing, source/unreadable, keyring/invalid, path/escape, limit/members
 */
export async function readKeyring(paths: readonly string[], context: Context): Promise<readonly TrustedKey[]> {
  const keys: TrustedKey[] = [];
  const decided = new Set<string>();
  for (const path of paths) {
    await within(printable(path), async () => {
      for (const file of await filesOf(path, decided)) {
        checkAbort(context);
        keys.push(...(await keysOf(file)));
        if (keys.length > MOST_KEYS) throw invalid(`there are more than ${MOST_KEYS} keys`);
      }
    });
  }
  return keys;
}

/** Keys that were given as they are; they are trusted for all names. @throws OcixError keyring/invalid */
export const keysAtHand = (bytes: Uint8Array): Promise<readonly TrustedKey[]> => keysIn({ bytes });

/** Whether a key that is trusted for `prefix` is trusted for `name`. */
export const covers = (prefix: string | undefined, name: string | undefined): boolean =>
  prefix === undefined || (name !== undefined && (name === prefix || name.startsWith(`${prefix}/`)));

interface KeyFile {
  /** In its folder. */
  readonly name?: string;
  readonly bytes: Uint8Array;
  /** What the place of the file says about its key. */
  readonly rkt?: { readonly fingerprint: string; readonly prefix: string | undefined };
}

async function filesOf(path: string, decided: Set<string>): Promise<readonly KeyFile[]> {
  if ((await pathKind(path)) !== 'folder') return [await keyFile(path)];
  const names = await pathsBelow(path, BOUNDS);
  const inRkt = names.filter((name) => /^(?:root|prefix)\.d\//.test(name));
  if (inRkt.length) return rktFiles(path, inRkt, decided);
  return flatFiles(
    path,
    names.filter((name) => !name.includes('/') && !name.startsWith('.')),
  );
}

async function keyFile(path: string): Promise<KeyFile> {
  const source = await fileSource(path);
  try {
    if (source.kind === 'random' && source.size > MOST_BYTES) throw tooLarge();
    const chunks = source.kind === 'random' ? source.window(0, source.size) : source.chunks;
    return { bytes: await collect(chunks, MOST_BYTES) };
  } finally {
    await source.close();
  }
}

async function flatFiles(root: string, names: readonly string[]): Promise<readonly KeyFile[]> {
  const files: KeyFile[] = [];
  for (const name of names) {
    const bytes = await bytesBelow(root, name);
    if (bytes.length) files.push({ name, bytes });
  }
  return files;
}

async function rktFiles(root: string, names: readonly string[], decided: Set<string>): Promise<readonly KeyFile[]> {
  const files: KeyFile[] = [];
  for (const name of names) {
    if (decided.has(name)) continue;
    decided.add(name);
    const bytes = await bytesBelow(root, name);
    if (bytes.length) files.push({ name, bytes, rkt: placeOf(name) });
  }
  return files;
}

/** @throws OcixError keyring/invalid where a path below root.d or prefix.d is not what rkt writes there */
function placeOf(name: string): NonNullable<KeyFile['rkt']> {
  const [kind, ...rest] = name.split('/');
  const fingerprint = rest.pop() ?? '';
  const isRoot = kind === 'root.d';
  if (!/^[0-9a-f]{40}$/.test(fingerprint) || isRoot !== (rest.length === 0)) {
    throw new OcixError('keyring/invalid', 'this is no path of a trusted key', {
      at: [printable(name)],
      expected: 'root.d/FINGERPRINT or prefix.d/NAME/FINGERPRINT, with 40 lower-case hexadecimal digits',
      hint: 'Move what is no key out of the folder.',
    });
  }
  return { fingerprint, prefix: isRoot ? undefined : rest.join('/') };
}

async function bytesBelow(root: string, name: string): Promise<Uint8Array> {
  return within(printable(name), async () => {
    const file = await fileBelow(root, name);
    if (!file) throw new OcixError('keyring/invalid', 'this link leads nowhere');
    try {
      if (file.size > MOST_BYTES) throw tooLarge();
      return await collect(file.window(0, file.size), MOST_BYTES);
    } finally {
      await file.close();
    }
  });
}

const tooLarge = (): OcixError => invalid(`the file has more than ${MOST_BYTES} bytes`);
const invalid = (what: string): OcixError =>
  new OcixError('keyring/invalid', what, { hint: 'Check that this is the keyring you mean.' });

async function keysOf(file: KeyFile): Promise<readonly TrustedKey[]> {
  return file.name === undefined ? keysIn(file) : within(printable(file.name), () => keysIn(file));
}

async function keysIn({ bytes, rkt }: KeyFile): Promise<readonly TrustedKey[]> {
  const keys = await parseKeys(bytes);
  if (!rkt) return keys.map((key) => trusted(key, undefined));
  const [key, ...others] = keys;
  if (key?.getFingerprint() !== rkt.fingerprint || others.length) {
    throw new OcixError('keyring/invalid', 'the file does not hold the one key that its name gives', {
      expected: rkt.fingerprint,
      found: keys.map((one) => one.getFingerprint()).join(' '),
    });
  }
  return [trusted(key, rkt.prefix)];
}

const trusted = (key: PublicKey, prefix: string | undefined): TrustedKey => ({
  fingerprint: key.getFingerprint(),
  userIds: key.getUserIDs(),
  prefix,
  key,
});

/** Every key of a file, armored blocks in a row included. @throws OcixError keyring/invalid where it holds none */
export async function parseKeys(bytes: Uint8Array): Promise<readonly PublicKey[]> {
  const { readKeys } = await openpgp();
  try {
    // A binary key starts with the header of a packet, whose highest bit is set.
    if ((bytes[0] ?? 0) & 0x80) return (await readKeys({ binaryKeys: bytes })).map((key) => key.toPublic());
    const keys = [];
    for (const block of armored(binaryString(bytes), ['PUBLIC KEY BLOCK', 'PRIVATE KEY BLOCK']))
      keys.push(...(await readKeys({ armoredKeys: block })));
    if (keys.length) return keys.map((key) => key.toPublic());
  } catch (cause) {
    throw new OcixError('keyring/invalid', 'the file holds no key that can be read', {
      found: messageOf(cause),
      hint: 'Export the key anew: gpg --armor --export KEY.',
      cause,
    });
  }
  throw new OcixError('keyring/invalid', 'the file holds no key', {
    hint: isKeybox(bytes)
      ? 'This is the database of GnuPG. Export the keys from it: gpg --export.'
      : 'Move what is no key out of the keyring.',
  });
}

const isKeybox = (bytes: Uint8Array): boolean => binaryString(bytes.subarray(8, 12)) === 'KBXf';
