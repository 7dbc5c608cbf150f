import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  algorithmOf,
  checkDigest,
  type Digest,
  type DigestAlgorithm,
  digestOf,
  hexOf,
  isDigest,
  nativeHash,
  newHash,
  parseDigest,
  verify,
} from '../../../formats/bytes/digest.ts';
import { portableHash } from '../../../formats/bytes/digest-portable.ts';
import { codeOf, refusalOf, sliced, textOf, whole } from '../support.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** From FIPS 180-4 and its examples. */
const VECTORS: readonly (readonly [string, DigestAlgorithm, string])[] = [
  ['', 'sha256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'sha256', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    'sha256',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
  [
    '',
    'sha512',
    'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
  ],
  [
    'abc',
    'sha512',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  ],
];

describe.each([
  { name: 'node:crypto', engine: nativeHash },
  { name: '@noble/hashes', engine: portableHash },
])('the engine $name', ({ engine }) => {
  test.each(VECTORS)('hashes %j with %s as the standard says', (text, algorithm, expected) => {
    const hash = engine(algorithm);
    hash.update(bytes(text));
    expect(hash.digest()).toBe(`${algorithm}:${expected}`);
  });

  test.each(['sha256', 'sha512'] as const)('gives the same %s however the input is cut', (algorithm) => {
    const input = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 256);
    const expected = `${algorithm}:${createHash(algorithm).update(input).digest('hex')}`;
    for (const size of [1, 63, 64, 65, 128, 1000]) {
      const hash = engine(algorithm);
      for (let at = 0; at < input.length; at += size) hash.update(input.subarray(at, at + size));
      expect(hash.digest()).toBe(expected);
    }
  });
});

test('on Node the engine at hand is its own', () => {
  expect(newHash).toBe(nativeHash);
});

describe('a digest', () => {
  const sound = digestOf(bytes('x'));

  test('is taken apart into algorithm and hexadecimal', () => {
    const long = digestOf(bytes('x'), 'sha512');
    expect([algorithmOf(sound), hexOf(sound).length]).toEqual(['sha256', 64]);
    expect([algorithmOf(long), hexOf(long).length]).toEqual(['sha512', 128]);
    expect(isDigest(sound) && isDigest(long)).toBe(true);
  });

  test.each([
    ['upper-case digits', sound.toUpperCase().replace('SHA256', 'sha256')],
    ['a digit too few', sound.slice(0, -1)],
    ['a digit too many', `${sound}0`],
    ['the length of another algorithm', `sha512:${'0'.repeat(64)}`],
    ['an algorithm that is not computed', `blake3:${'0'.repeat(64)}`],
    ['a path', `sha256:../../${'0'.repeat(58)}`],
    ['a slash at the end', `${sound}/`],
    ['a newline at the end', `${sound}\n`],
    ['no algorithm', '0'.repeat(64)],
    ['nothing', ''],
    ['null', null],
    ['a number', 7],
    ['a list of one', [sound]],
  ])('is refused with %s', async (_, value) => {
    expect(isDigest(value)).toBe(false);
    const refusal = await refusalOf(() => parseDigest(value, '/digest'));
    expect(refusal).toMatchObject({ code: 'digest/invalid', at: ['/digest'] });
  });

  test('differs or does not', async () => {
    expect(await codeOf(() => checkDigest(sound, sound, 'it'))).toBe('no refusal');
    const refusal = await refusalOf(() => checkDigest(sound, digestOf(bytes('y')), 'it'));
    expect(refusal).toMatchObject({ code: 'digest/mismatch', found: sound, expected: digestOf(bytes('y')) });
  });
});

describe('verify()', () => {
  const content = bytes('0123456789');
  const digest = digestOf(content);

  test.each(['sha256', 'sha512'] as const)(
    'passes a stream through that keeps its promises of %s',
    async (algorithm) => {
      const promised = { digest: digestOf(content, algorithm), size: 10 };
      expect(textOf(await whole(verify(sliced(content, 3), promised, 'it')))).toBe('0123456789');
    },
  );

  test('fails before reading past the promised size', async () => {
    let asked = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        asked++;
        yield content;
      }
    }
    const handed: number[] = [];
    const work = async () => {
      for await (const chunk of verify(endless(), { size: 25 }, 'it')) handed.push(chunk.length);
    };
    expect(await codeOf(work)).toBe('size/mismatch');
    expect({ asked, handed }).toEqual({ asked: 3, handed: [10, 10] });
  });

  test.each([
    ['a byte less than promised', { size: 11, digest }, 'size/mismatch'],
    ['a byte more than promised', { size: 9, digest }, 'size/mismatch'],
    ['another content', { size: 10, digest: digestOf(bytes('9876543210')) }, 'digest/mismatch'],
    ['another content of unknown size', { digest: digestOf(bytes('')) as Digest }, 'digest/mismatch'],
    ['anything, when nothing is promised', {}, 'no refusal'],
  ] as const)('of %s', async (_, promised, code) => {
    expect(await codeOf(() => whole(verify(sliced(content, 4), promised, 'it')))).toBe(code);
  });

  test('closes the stream when its consumer stops early, without a complaint', async () => {
    let closed = false;
    async function* chunks(): AsyncGenerator<Uint8Array> {
      try {
        yield* sliced(content, 1);
      } finally {
        closed = true;
      }
    }
    for await (const chunk of verify(chunks(), { size: 1, digest }, 'it')) {
      expect(chunk.length).toBe(1);
      break;
    }
    expect(closed).toBe(true);
  });
});
