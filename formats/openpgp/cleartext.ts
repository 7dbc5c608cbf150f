/**
 * Text that carries its own signature, such as apt's InRelease: the cleartext signature framework, RFC 9580, section 7,
 * https://www.rfc-editor.org/rfc/rfc9580#section-7
 *
 * Only what is signed leaves this module. Refused is whatever could be taken for signed without being so: anything before or
 * after the message, a second message, headers other than `Hash`, lines that should have been escaped.
 */
import type { Context } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { chunksOf } from '../bytes/chunks.ts';
import { binaryString, fromBinaryString, withoutEnd } from '../bytes/text.ts';
import type { TrustedKey } from './keyring.ts';
import type { GoodSignature, Policy } from './policy.ts';
import { parseSignatures, verifyPackets } from './verify.ts';

/** Bytes of a message; Debian's InRelease has 150 kB. */
const MOST_BYTES = 32 * 2 ** 20;

export interface SignedText {
  /** What the signature covers: no white space at the ends of lines, each line but the last with a line feed behind it. */
  readonly text: Uint8Array;
  /** Those that hold, one at least. */
  readonly signatures: readonly GoodSignature[];
}

export interface CleartextRequest {
  readonly keys: readonly TrustedKey[];
  readonly policy: Policy;
}

/** @throws OcixError signature/missing, signature/invalid, signature/untrusted, signature/weak, signature/expired */
export async function verifyCleartext(
  bytes: Uint8Array,
  { keys, policy }: CleartextRequest,
  context: Context,
): Promise<SignedText> {
  if (bytes.length > MOST_BYTES) throw malformed(`it has more than ${MOST_BYTES} bytes`);
  const { lines, signature } = split(binaryString(bytes));
  const packets = await parseSignatures(fromBinaryString(signature));
  const signed = fromBinaryString(lines.join('\r\n'));
  const signatures = await verifyPackets(packets, keys, { policy, kinds: ['text'] }, chunksOf(signed), context);
  return { text: fromBinaryString(lines.join('\n')), signatures };
}

const BEGIN = '-----BEGIN PGP SIGNED MESSAGE-----';
const SIGNATURE = '-----BEGIN PGP SIGNATURE-----';
const END = '-----END PGP SIGNATURE-----';

function split(text: string): { readonly lines: readonly string[]; readonly signature: string } {
  const all = text.split('\n').map((line) => withoutEnd(line, ' \t\r'));
  const start = all.findIndex((line) => line !== '');
  if (all[start] !== BEGIN) {
    if (all.includes(BEGIN)) throw malformed('something stands before the signed message');
    throw new OcixError('signature/missing', 'the document carries no signature', { expected: BEGIN });
  }
  const blank = all.indexOf('', start);
  const headers = all.slice(start + 1, blank < 0 ? undefined : blank);
  if (blank < 0 || !headers.every((line) => /^Hash: [A-Za-z0-9, -]+$/.test(line)))
    throw malformed('its headers are something else than Hash');
  const border = all.indexOf(SIGNATURE, blank);
  if (border < 0) throw malformed('it ends without a signature');
  const end = all.indexOf(END, border);
  if (end < 0) throw malformed('its signature ends too soon');
  if (all.slice(end + 1).some((line) => line !== '')) throw malformed('something stands behind its signature');
  return {
    lines: all.slice(blank + 1, border).map(unescaped),
    signature: all.slice(border, end + 1).join('\n'),
  };
}

function unescaped(line: string): string {
  if (!line.startsWith('-')) return line;
  // White space at the end is gone already: an escaped empty line is a dash alone.
  if (line.startsWith('- ') || line === '-') return line.slice(2);
  throw malformed('a line begins with a dash that is not escaped');
}

const malformed = (why: string): OcixError =>
  new OcixError('signature/invalid', 'the signed document is malformed', {
    found: why,
    hint: 'No tool writes this. It was damaged or changed; get it again.',
  });
