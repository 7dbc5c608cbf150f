/**
 * What a repository says about itself, and who vouches for it.
 * https://wiki.debian.org/DebianRepository/Format#A.22Release.22_files
 * https://manpages.debian.org/bookworm/apt/apt-secure.8.en.html
 *
 * Nothing is read of a Release file whose signature does not hold. Refused: a file for another suite, one from the future, one that
 * is past its date, lists without SHA-256 or SHA-512.
 */
import type { Context } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { chunksOf } from '../bytes/chunks.ts';
import { type Digest, isDigest } from '../bytes/digest.ts';
import { binaryString, printable } from '../bytes/text.ts';
import { fieldOf, parseStanzas, type Stanza } from '../debian/control.ts';
import { verifyCleartext } from '../openpgp/cleartext.ts';
import type { TrustedKey } from '../openpgp/keyring.ts';
import { verifyDetached } from '../openpgp/verify.ts';
import { checkedPath, checkedSize } from './package-index.ts';

export interface Release {
  readonly codename: string;
  readonly suite: string;
  readonly date: string;
  readonly architectures: readonly string[];
  readonly components: readonly string[];
  readonly byHash: boolean;
  /** Its packages are for whoever asks for the suite itself: backports, experiments. */
  readonly onlyByName: boolean;
  /** Packages for all architectures stand in the index of each. */
  readonly allInside: boolean;
  /** By path below the folder of the suite. */
  readonly files: ReadonlyMap<string, Listed>;
}

export interface Listed {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

export interface Trust {
  readonly keys: readonly TrustedKey[];
  /** The time to judge by. */
  readonly now: Date;
  /** A snapshot is always past its date. */
  readonly ignoreDate: boolean;
}

export type SignedRelease =
  | { readonly inline: Uint8Array }
  | { readonly text: Uint8Array; readonly signature: Uint8Array };

/** @throws OcixError signature/…, apt/release, apt/expired */
export async function readRelease(
  signed: SignedRelease,
  suite: string,
  trust: Trust,
  context: Context,
): Promise<Release> {
  const { keys, now } = trust;
  const policy = { now, text: true };
  let text: Uint8Array;
  if ('inline' in signed) text = (await verifyCleartext(signed.inline, { keys, policy }, context)).text;
  else {
    await verifyDetached(chunksOf(signed.text), { signature: signed.signature, keys, policy }, context);
    text = signed.text;
  }
  const [stanza, another] = parseStanzas(binaryString(text));
  if (!stanza || another) throw malformed('it is not one list of fields');
  checkSuite(stanza, suite);
  checkDates(stanza, trust);
  return {
    codename: fieldOf(stanza, 'codename') ?? '',
    suite: fieldOf(stanza, 'suite') ?? '',
    date: fieldOf(stanza, 'date') ?? '',
    architectures: words(stanza, 'architectures'),
    components: words(stanza, 'components'),
    byHash: fieldOf(stanza, 'acquire-by-hash') === 'yes',
    onlyByName: fieldOf(stanza, 'notautomatic') === 'yes',
    allInside:
      !words(stanza, 'architectures').includes('all') ||
      words(stanza, 'no-support-for-architecture-all').includes('Packages'),
    files: filesOf(stanza),
  };
}

const words = (stanza: Stanza, name: string): readonly string[] =>
  (fieldOf(stanza, name) ?? '').split(/\s+/).filter((word) => word !== '');

const malformed = (why: string): OcixError =>
  new OcixError('apt/release', `the Release file is malformed: ${why}`, { hint: 'Tell whoever runs the repository.' });

/** A suite may be asked for by either of its names; what stands behind a slash is part of the path alone. */
function checkSuite(stanza: Stanza, suite: string): void {
  const own = ['suite', 'codename'].flatMap((name) => fieldOf(stanza, name) ?? []);
  const asked = suite.replace(/\/$/, '');
  if (!own.length || own.some((name) => name === asked || asked === `${name}/updates` || name === asked.split('/')[0]))
    return;
  throw new OcixError('apt/release', `the repository hands out another suite than ${printable(suite)}`, {
    expected: suite,
    found: printable(own.join(', ')),
    hint: 'Ask for it by its own name.',
  });
}

/** Clocks differ a little. */
const SLACK = 10 * 60 * 1000;

function checkDates(stanza: Stanza, { now, ignoreDate }: Trust): void {
  const date = timeOf(stanza, 'date');
  if (date === undefined) throw malformed('it does not say when it was made');
  if (date > now.getTime() + SLACK)
    throw new OcixError('apt/expired', 'the Release file comes from the future', {
      found: fieldOf(stanza, 'date')!,
      hint: 'Set the clock of this machine.',
    });
  const until = timeOf(stanza, 'valid-until');
  if (until === undefined || ignoreDate || until >= now.getTime()) return;
  throw new OcixError(
    'apt/expired',
    'the Release file is past its date: what it lists may have been replaced long since',
    {
      found: `valid until ${fieldOf(stanza, 'valid-until')}`,
      hint: 'Use another mirror; for a snapshot of a repository say [check-valid-until=no].',
    },
  );
}

function timeOf(stanza: Stanza, name: string): number | undefined {
  const text = fieldOf(stanza, name);
  if (text === undefined) return undefined;
  const time = Date.parse(text.replace(/ UTC$/, ' GMT'));
  if (Number.isNaN(time)) throw malformed(`${name} is no date`);
  return time;
}

function filesOf(stanza: Stanza): ReadonlyMap<string, Listed> {
  const files = new Map<string, Listed>();
  for (const algorithm of ['sha256', 'sha512'] as const) {
    for (const line of (fieldOf(stanza, algorithm) ?? '').split('\n')) {
      if (line.trim() === '') continue;
      const [hex = '', size = '', path = '', more] = line.trim().split(/\s+/);
      const digest = `${algorithm}:${hex.toLowerCase()}`;
      if (!isDigest(digest) || path === '' || more !== undefined) throw malformed(`a line of ${algorithm} is none`);
      files.set(checkedPath(path), { digest, size: checkedSize(size) });
    }
  }
  if (!files.size) throw malformed('it lists no file with SHA-256 or SHA-512');
  return files;
}
