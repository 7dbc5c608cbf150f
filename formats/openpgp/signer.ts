/**
 * Who made a signature, and whether that key could and may: known, trusted for the name, not revoked, not expired, meant for
 * signing. Nothing here looks at what is signed.
 */
import type { PublicKey, SignaturePacket, Subkey } from 'openpgp';
import { OcixError } from '../base/errors.ts';
import { hex, printable } from '../bytes/text.ts';
import { covers, type TrustedKey } from './keyring.ts';
import { keyConfig, messageOf, type OpenPgp, openpgp } from './library.ts';
import { type Policy, weaknesses } from './policy.ts';

export interface Signer {
  readonly packet: SignaturePacket;
  readonly trusted: TrustedKey;
  /** The key that signed: the trusted key itself, or one of its subkeys. */
  readonly key: PublicKey | Subkey;
  /** See `GoodSignature`. */
  readonly userId: string;
  readonly weak: readonly string[];
}

/**
 * The trusted key that a signature names, once nothing speaks against it.
 *
 * @throws OcixError signature/untrusted, signature/weak, signature/expired, signature/invalid
 */
export async function signerOf(packet: SignaturePacket, keys: readonly TrustedKey[], policy: Policy): Promise<Signer> {
  const { trusted, key } = matching(packet, keys, policy);
  const library = await openpgp();
  const primary = trusted.key;
  const weak = weaknesses(packet, key === primary ? [primary] : [key, primary], policy);
  await checkRevocation(library, primary, key, policy);
  await checkUse(library, primary, key);
  checkAge(packet, key, policy);
  const expired = await expiry(library, packet, { primary, key, policy });
  const user = await primary.getPrimaryUser(EVER, undefined, configOf(library, 'use'));
  return {
    packet,
    trusted,
    key,
    userId: user.user.userID?.userID ?? '',
    weak: expired === undefined ? weak : [...weak, expired],
  };
}

/** For the library: by what the key says, at whatever time. Its types want a date where null means this. */
const EVER = null as unknown as undefined;

// The library fills in what is left out, though its types want a whole configuration.
const configOf = (library: OpenPgp, purpose: 'revocation' | 'use'): OpenPgp['config'] => ({
  ...library.config,
  ...keyConfig(library, purpose),
});

function matching(
  packet: SignaturePacket,
  keys: readonly TrustedKey[],
  { name }: Policy,
): Pick<Signer, 'trusted' | 'key'> {
  const matches = keys.flatMap((trusted) =>
    trusted.key
      .getKeys()
      .filter((key) => isIssuer(packet, key))
      .map((key) => ({ trusted, key })),
  );
  const found = matches.find(({ trusted }) => covers(trusted.prefix, name));
  if (found) return found;
  const [other] = matches;
  if (!other) {
    throw new OcixError('signature/untrusted', `it is signed by a key that is not trusted: ${issuerOf(packet)}`, {
      hint: 'If you know and trust this key, add it to the keyring.',
    });
  }
  const prefixes = matches.map(({ trusted }) => printable(trusted.prefix ?? ''));
  throw new OcixError(
    'signature/untrusted',
    `the key ${other.trusted.fingerprint} is not trusted for ${name === undefined ? 'something without a name' : printable(name)}`,
    { expected: `a name at or below ${[...new Set(prefixes)].join(' or ')}` },
  );
}

function isIssuer({ issuerFingerprint, issuerKeyID }: SignaturePacket, key: PublicKey | Subkey): boolean {
  if (issuerFingerprint && hex(issuerFingerprint) !== key.getFingerprint()) return false;
  return issuerKeyID.toHex() === key.getKeyID().toHex();
}

const issuerOf = ({ issuerFingerprint, issuerKeyID }: SignaturePacket): string =>
  issuerFingerprint
    ? hex(issuerFingerprint)
    : /^0*$/.test(issuerKeyID.toHex())
      ? 'it does not say which'
      : issuerKeyID.toHex();

async function checkRevocation(
  library: OpenPgp,
  primary: PublicKey,
  key: PublicKey | Subkey,
  { now }: Policy,
): Promise<void> {
  const config = configOf(library, 'revocation');
  const any = undefined as unknown as SignaturePacket;
  const revoked =
    (await primary.isRevoked(any, primary.keyPacket, now, config)) ||
    (key !== primary && (await key.isRevoked(any, primary.keyPacket, now, config)));
  if (!revoked) return;
  throw new OcixError('signature/untrusted', `the key ${key.getFingerprint()} has been revoked by its owner`, {
    hint: 'Get the file anew, signed by a key that is still good.',
  });
}

/** Bindings, flags and names: all that makes it a key for signing. Times are looked at elsewhere, with words of their own. */
async function checkUse(library: OpenPgp, primary: PublicKey, key: PublicKey | Subkey): Promise<void> {
  try {
    const usable = await primary.getSigningKey(key.getKeyID(), null, undefined, configOf(library, 'use'));
    if (usable.getFingerprint() === key.getFingerprint()) return;
    throw new Error('another key has the same id');
  } catch (cause) {
    throw new OcixError('signature/untrusted', `the key ${key.getFingerprint()} is not one that can sign`, {
      found: messageOf(cause),
      cause,
    });
  }
}

function checkAge(packet: SignaturePacket, key: PublicKey | Subkey, { now }: Policy): void {
  const made = packet.created!;
  if (made > now) {
    throw new OcixError('signature/invalid', 'the signature is from the future', {
      expected: `made before ${dateText(now)}`,
      found: `made ${dateText(made)}`,
      hint: 'Check the clock of this machine.',
    });
  }
  if (made < key.getCreationTime()) {
    throw new OcixError('signature/invalid', 'the signature is older than the key that made it', {
      expected: `made after ${dateText(key.getCreationTime())}`,
      found: `made ${dateText(made)}`,
    });
  }
  const end = packet.getExpirationTime();
  if (end instanceof Date && end <= now) {
    throw new OcixError('signature/expired', `the signature was good until ${dateText(end)}`, {
      hint: 'Get a newer one.',
    });
  }
}

/** What there is to say about a key that has expired since it signed, where that is allowed. */
async function expiry(
  library: OpenPgp,
  packet: SignaturePacket,
  { primary, key, policy }: { readonly primary: PublicKey; readonly key: PublicKey | Subkey; readonly policy: Policy },
): Promise<string | undefined> {
  const config = configOf(library, 'use');
  const ends = [await primary.getExpirationTime(undefined, config)];
  if (key !== primary) ends.push(await (key as Subkey).getExpirationTime(EVER, config));
  const which = `the key ${key.getFingerprint()}`;
  if (ends.includes(null)) throw new OcixError('signature/untrusted', `${which} does not say how long it is good`);
  const [end] = ends.filter((time) => time instanceof Date).sort((a, b) => a.getTime() - b.getTime());
  if (!end || end > policy.now) return undefined;
  if (packet.created! >= end) {
    throw new OcixError('signature/expired', `${which} signed this after it had expired`, {
      expected: `made before ${dateText(end)}`,
      found: `made ${dateText(packet.created!)}`,
    });
  }
  if (!policy.allowWeak) {
    throw new OcixError('signature/expired', `${which} has expired since it signed this`, {
      expected: `a key that is good on ${dateText(policy.now)}`,
      found: `good until ${dateText(end)}`,
      hint: 'Get the key anew, if its owner has extended it, or take it as it is with --allow-weak-signatures.',
    });
  }
  return `the key expired on ${dateText(end)}`;
}

const dateText = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, 'Z');
