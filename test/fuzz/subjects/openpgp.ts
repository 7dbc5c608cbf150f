/** OpenPGP: armor, keys, signatures, signed texts, encrypted files. */
import { createContext } from '../../../formats/base/context.ts';
import { chunksOf } from '../../../formats/bytes/chunks.ts';
import { verifyCleartext } from '../../../formats/openpgp/cleartext.ts';
import { decryptSymmetric, ENCRYPTED_HEAD, isEncrypted } from '../../../formats/openpgp/decrypt.ts';
import { parseKeys, type TrustedKey } from '../../../formats/openpgp/keyring.ts';
import type { Policy } from '../../../formats/openpgp/policy.ts';
import { verifyDetached } from '../../../formats/openpgp/verify.ts';
import { sliced, whole } from '../../formats/support.ts';
import { mutatedBytes } from '../mutate.ts';
import type { Random } from '../random.ts';
import { Find, type Subject } from '../subject.ts';
import { CONTENT, ENCRYPTED, KEY, PASSPHRASE, SIGNATURE, SIGNED_TEXT } from './openpgp-vectors.ts';

const policy: Policy = { now: new Date('2026-11-21T00:00:00Z') };
const trust = async (): Promise<readonly TrustedKey[]> =>
  (await parseKeys(KEY)).map((key) => ({ fingerprint: key.getFingerprint(), userIds: [], prefix: undefined, key }));

/** Armored, with heads and sums that may be wrong. */
function armor(kind: string, bytes: Uint8Array, random: Random): Buffer {
  const body = Buffer.from(bytes).toString('base64').replace(/.{64}/g, '$&\n');
  const heads = random.many(0, 2, () =>
    random.pick(['Version: 1', 'Hash: SHA512', 'Comment:', 'x', ': y', ' ', '-----BEGIN PGP', '\t']),
  );
  const sum = random.pick(['', '=AAAA', '=', '=====', '\n=AAAA=']);
  const text = [`-----BEGIN PGP ${kind}-----`, ...heads, '', body, sum, `-----END PGP ${kind}-----`, ''].join(
    random.pick(['\n', '\r\n']),
  );
  return Buffer.from(text.repeat(random.pick([1, 1, 2])));
}

const damaged = (bytes: Uint8Array, kind: string, random: Random): Buffer => {
  const binary = random.chance(0.8) ? mutatedBytes(bytes, random) : Buffer.from(bytes);
  if (random.chance(0.5)) return binary;
  const text = armor(kind, binary, random);
  return random.chance(0.5) ? mutatedBytes(text, random) : text;
};

const subject = (name: string, make: (random: Random) => Buffer, check: Subject['check']): Subject => ({
  name: `openpgp-${name}`,
  make: (random) => ({ bytes: make(random) }),
  check,
});

/** After ten idle seconds a message counts as one that the library will never read to its end. */
const PATIENCE = 15_000;

export const OPENPGP_SUBJECTS: readonly Subject[] = [
  subject(
    'key',
    (random) => damaged(KEY, 'PUBLIC KEY BLOCK', random),
    async ({ bytes }) => void (await parseKeys(bytes)),
  ),
  subject(
    'signature',
    (random) => damaged(SIGNATURE, 'SIGNATURE', random),
    async ({ bytes: signature }) =>
      void (await verifyDetached(chunksOf(CONTENT), { signature, keys: await trust(), policy }, createContext())),
  ),
  subject(
    'cleartext',
    (random) => mutatedBytes(SIGNED_TEXT, random),
    async ({ bytes }) => {
      const { text } = await verifyCleartext(bytes, { keys: await trust(), policy }, createContext());
      if (Buffer.from(text).toString() !== 'one\n- two\nthree') throw new Find('a text that Alice never signed holds');
    },
  ),
  {
    patience: PATIENCE,
    ...subject(
      'encrypted',
      (random) => damaged(random.pick(ENCRYPTED), 'MESSAGE', random),
      async ({ bytes }, random) => {
        isEncrypted(bytes.subarray(0, ENCRYPTED_HEAD));
        const stream = sliced(bytes, random.pick([1, 50, 1000]));
        const content = await whole(decryptSymmetric(stream, { passphrase: PASSPHRASE }, createContext()));
        if (!CONTENT.equals(content)) throw new Find('what comes out is not what was encrypted');
      },
    ),
  },
];
