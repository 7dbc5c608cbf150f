/** Entries that the fixtures write are read back equal, in every dialect that can say them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type TarEntry, tar } from '../../fixtures/tar.ts';
import type { Dialect } from '../../fixtures/tar-header.ts';
import type { Sparse } from '../../fixtures/tar-sparse.ts';
import { OcixError } from '../../formats/base/errors.ts';
import { scan } from '../formats/tar/scan.ts';

const parameters = { seed: 20260101, numRuns: 150 } as const;

interface Made {
  readonly type: string;
  readonly name: Buffer;
  readonly link: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly seconds: number;
  readonly nanos: number;
  readonly major: number;
  readonly minor: number;
  readonly body: Uint8Array;
  readonly xattrs: Readonly<Record<string, string>>;
}

/** Bytes of a name: anything but NUL, and no slash at its end, which would make it a folder. */
const nameOf = (most: number) =>
  fc
    .uint8Array({ minLength: 1, maxLength: most, min: 1 })
    .map((bytes) => Buffer.concat([bytes.at(-1) === 0x2f ? bytes.subarray(0, -1) : bytes, Buffer.from('n')]));

const entryOf = (name: fc.Arbitrary<Buffer>): fc.Arbitrary<Made> =>
  fc.record({
    type: fc.constantFrom('0', '1', '2', '3', '4', '5', '6', '7'),
    name,
    link: name,
    mode: fc.nat(0o7777),
    uid: fc.nat(2 ** 32 - 2),
    gid: fc.nat(2 ** 32 - 2),
    seconds: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
    nanos: fc.nat(999_999_999),
    major: fc.nat(2 ** 32 - 1),
    minor: fc.nat(2 ** 32 - 1),
    body: fc.uint8Array({ maxLength: 1500 }),
    xattrs: fc.dictionary(fc.stringMatching(/^[a-z][a-z.]{0,9}$/), fc.string({ unit: 'binary-ascii', maxLength: 20 }), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
  });

const types: Readonly<Record<string, string>> = {
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'dir',
  '6': 'fifo',
  '7': 'file',
};

const isLink = (type: string): boolean => type === '1' || type === '2';
const isFile = (type: string): boolean => type === '0' || type === '7';
const isDevice = (type: string): boolean => type === '3' || type === '4';

/** What a dialect can say of an entry. */
function written(made: Made, dialect: Dialect): TarEntry {
  const pax = dialect === 'pax';
  return {
    type: made.type,
    name: made.name,
    ...(isLink(made.type) ? { link: made.link } : {}),
    mode: made.mode,
    uid: made.uid,
    gid: made.gid,
    mtime: pax ? decimal(made) : made.seconds,
    ...(isDevice(made.type) ? { major: made.major, minor: made.minor } : {}),
    ...(isFile(made.type) ? { body: made.body } : {}),
    ...(pax ? { pax: Object.entries(made.xattrs).map(([key, value]) => [`SCHILY.xattr.${key}`, value] as const) } : {}),
  };
}

/** `seconds + nanos / 10^9` in decimal, exactly. */
function decimal({ seconds, nanos }: Made): string {
  const fraction = (value: number) => (value ? `.${String(value).padStart(9, '0')}` : '');
  if (seconds >= 0 || nanos === 0) return `${seconds}${fraction(nanos)}`;
  return `-${-seconds - 1}${fraction(1_000_000_000 - nanos)}`;
}

function expected(made: Made, dialect: Dialect) {
  const { type, name, link, mode, uid, gid, seconds, nanos, body } = made;
  const device = isDevice(type) && dialect !== 'v7';
  return {
    type: types[type],
    path: name.toString('latin1'),
    link: isLink(type) ? link.toString('latin1') : '',
    mode,
    uid,
    gid,
    size: isFile(type) ? body.length : 0,
    mtime: `${seconds}.${String(dialect === 'pax' ? nanos : 0).padStart(9, '0')}`,
    device: device ? `${made.major}:${made.minor}` : '0:0',
    xattrs: dialect === 'pax' ? made.xattrs : {},
    body: isFile(type) ? Buffer.from(body).toString('latin1') : '',
    ended: true,
  };
}

/** PAX records are text in most tools, but here bytes; names fit their fields where a dialect has nothing but the field. */
const names: Readonly<Record<Dialect, fc.Arbitrary<Buffer>>> = {
  pax: nameOf(400),
  gnu: nameOf(400),
  ustar: nameOf(99),
  star: nameOf(99),
  v7: nameOf(99),
};

describe.each(['pax', 'gnu', 'ustar', 'star', 'v7'] as const)('in the dialect %s', (dialect) => {
  test('what is written is read, in chunks of any size', () => {
    fc.assert(
      fc.property(
        fc.array(entryOf(names[dialect]), { maxLength: 6 }),
        fc.integer({ min: 1, max: 3000 }),
        (entries, chunk) => {
          const bytes = tar(
            entries.map((made) => written(made, dialect)),
            { dialect },
          );
          const seen = scan(bytes, { chunk });
          expect(seen.entries).toMatchObject(entries.map((made) => expected(made, dialect)));
          expect(seen.warnings).toEqual([]);
          expect(seen.position).toBe(bytes.length);
        },
      ),
      parameters,
    );
  });
});

test('dialects may alternate inside one archive', () => {
  const any = fc.constantFrom<Dialect>('pax', 'gnu', 'ustar', 'star', 'v7');
  fc.assert(
    fc.property(fc.array(fc.tuple(entryOf(nameOf(99)), any), { minLength: 2, maxLength: 8 }), (pairs) => {
      const bytes = tar(pairs.map(([made, dialect]) => ({ ...written(made, dialect), dialect })));
      expect(scan(bytes).entries).toMatchObject(pairs.map(([made, dialect]) => expected(made, dialect)));
    }),
    parameters,
  );
});

test('a file with any holes is read with them filled', () => {
  const stretch = fc.record({ hole: fc.nat(3000), data: fc.uint8Array({ maxLength: 700 }) });
  const form = fc.constantFrom('old-gnu', 'pax-0.0', 'pax-0.1', 'pax-1.0');
  fc.assert(
    fc.property(
      form,
      fc.array(stretch, { maxLength: 40 }),
      fc.nat(2000),
      fc.integer({ min: 1, max: 2000 }),
      (kind, stretches, tail, chunk) => {
        let at = 0;
        const extents = stretches.map(({ hole, data }) => {
          const offset = at + hole;
          at = offset + data.length;
          return { offset, data };
        });
        const sparse: Sparse = { form: kind as Sparse['form'], size: at + tail, extents };
        const whole = Buffer.alloc(at + tail);
        for (const { offset, data } of extents) whole.set(data, offset);
        const bytes = tar([
          { name: 'holes', sparse, dialect: kind === 'old-gnu' ? 'gnu' : 'pax' },
          { name: 'behind', body: 'x' },
        ]);
        const { entries } = scan(bytes, { chunk });
        expect(entries).toMatchObject([
          { path: 'holes', size: whole.length },
          { path: 'behind', body: 'x' },
        ]);
        expect(entries[0]!.body === whole.toString('latin1')).toBe(true);
      },
    ),
    parameters,
  );
});

test('damage at any place ends in a refusal or in entries, never in anything else, and the same in any chunks', () => {
  const outcome = (bytes: Uint8Array, chunk: number): string => {
    try {
      return JSON.stringify(scan(bytes, { chunk, limits: { 'entry-bytes': 2 ** 20 } }));
    } catch (error) {
      if (error instanceof OcixError) return error.code;
      throw error;
    }
  };
  const change = fc.record({ at: fc.nat(100_000), byte: fc.nat(255) });
  const sparse = fc.constant<TarEntry>({
    name: 'holes',
    sparse: {
      form: 'pax-1.0',
      size: 5000,
      extents: [
        { offset: 100, data: 'abc' },
        { offset: 4000, data: 'def' },
      ],
    },
  });
  fc.assert(
    fc.property(
      entryOf(nameOf(150)),
      sparse,
      fc.array(change, { minLength: 1, maxLength: 4 }),
      fc.nat(700),
      (made, holes, changes, size) => {
        const bytes = tar([written(made, 'pax'), holes, { name: 'end', body: 'x' }]);
        for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
        expect(outcome(bytes, size + 1)).toBe(outcome(bytes, bytes.length));
      },
    ),
    { ...parameters, numRuns: 600 },
  );
});
