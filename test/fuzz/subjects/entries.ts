/** A grammar of tar entries: names, links, types, numbers, records and sparse maps that a sound archive has, or should not. */
import type { Bytes } from '../../../fixtures/bytes.ts';
import { metaEntry, type PaxRecord, paxRecord, type TarEntry, tar } from '../../../fixtures/tar.ts';
import type { Dialect } from '../../../fixtures/tar-header.ts';
import type { Sparse } from '../../../fixtures/tar-sparse.ts';
import { mutatedBytes } from '../mutate.ts';
import type { Random } from '../random.ts';

const PARTS = [
  'a',
  'b',
  'c',
  'd',
  'etc',
  'passwd',
  '..',
  '.',
  '',
  '.wh.a',
  '.wh..wh..opq',
  '.wh.',
  '.wh..',
  '.wh..wh.plnk',
  'ß',
  'A',
];

const part = (random: Random): string =>
  random.chance(0.9) ? random.pick(['a', 'b', 'c', 'etc']) : random.pick(PARTS);

export const nameFrom = (random: Random): Bytes => {
  const usual = random.many(1, 3, () => part(random)).join('/');
  const rare: readonly (() => Bytes)[] = [
    () => `/${usual}`,
    () => `${usual}/`,
    () => random.bytes(1 + random.below(12)),
    () => 'x'.repeat(random.pick([99, 100, 101, 155, 255, 256, 300, 5000])),
    () => 'd/'.repeat(random.pick([10, 80, 3000])),
    () => '',
    () => `${usual}\0hidden`,
  ];
  return random.chance(0.93) ? usual : random.pick(rare)();
};

const NUMBERS: readonly (number | bigint)[] = [
  0,
  1,
  7,
  0o7777,
  0o777777,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2n ** 33n,
  2n ** 53n,
  2n ** 63n - 1n,
  -1,
];
const VALUES = [
  '',
  '0',
  '1',
  '-1',
  '511',
  '512',
  '8589934592',
  '9007199254740993',
  '99999999999999999999',
  '1.5',
  '1e3',
  ' 1',
  '0x10',
  '-0.1',
  '1.9999999999',
  'a',
  '/etc/passwd',
  '../x',
  'a\0b',
];
const KEYS = [
  'path',
  'linkpath',
  'size',
  'uid',
  'gid',
  'uname',
  'mtime',
  'atime',
  'hdrcharset',
  'comment',
  'SCHILY.xattr.user.a',
  'SCHILY.xattr.security.capability',
  'LIBARCHIVE.xattr.user.b',
  'SCHILY.devmajor',
  'GNU.sparse.size',
  'GNU.sparse.realsize',
  'GNU.sparse.major',
  'GNU.sparse.minor',
  'GNU.sparse.name',
  'GNU.sparse.map',
  'GNU.sparse.numblocks',
  'GNU.sparse.offset',
  'GNU.sparse.numbytes',
  '',
  'SCHILY.xattr.',
];

const record = (random: Random): PaxRecord => [
  random.pick(KEYS),
  random.chance(0.8) ? random.pick(VALUES) : random.bytes(random.below(40)),
];

/** Records whose lengths may lie. */
export function recordsFrom(random: Random): Buffer {
  const sound = random.many(0, 5, () => paxRecord(...record(random)));
  const bytes = Buffer.concat(sound);
  return random.chance(0.6) ? bytes : mutatedBytes(bytes, random);
}

const FORMS: readonly Sparse['form'][] = ['old-gnu', 'pax-0.0', 'pax-0.1', 'pax-1.0'];

export function sparseFrom(random: Random): Sparse {
  const lies = random.chance(0.4);
  let at = 0;
  const extents = random.many(0, random.pick([3, 6, 60]), () => {
    const data = random.bytes(random.pick([0, 1, 511, 512]));
    const offset = lies && random.chance(0.2) ? random.pick(NUMBERS) : at + random.pick([0, 1, 512, 5000]);
    at = Number(offset) + data.length;
    return { offset, data, ...(lies && random.chance(0.1) ? { length: random.pick(NUMBERS) } : {}) };
  });
  return {
    form: random.pick(FORMS),
    size: lies && random.chance(0.3) ? random.pick(NUMBERS) : Math.max(0, at) + random.pick([0, 0, 777]),
    extents,
  };
}

const DIALECTS: readonly Dialect[] = ['pax', 'pax', 'gnu', 'ustar', 'star', 'v7'];
const TYPES = ['0', '0', '0', '1', '2', '3', '4', '5', '5', '6', '7', '\0'];
const RARE = ['x', 'g', 'X', 'L', 'K', 'S', 'D', 'V', 'M', 'N', 'A', 'Z', '\u0001'];

export function entryFrom(random: Random): TarEntry {
  if (random.chance(0.06))
    return metaEntry(random.pick(['x', 'g', 'X', 'L', 'K']), recordsFrom(random), random.pick(DIALECTS));
  const dialect = random.pick(DIALECTS);
  const type = random.chance(0.97) ? random.pick(TYPES) : random.pick(RARE);
  const sparse = type === '0' && random.chance(0.08) ? { sparse: sparseFrom(random) } : {};
  return {
    name: nameFrom(random),
    ...(sparse.sparse ? {} : { type }),
    ...('12'.includes(type) ? { link: nameFrom(random) } : {}),
    dialect: sparse.sparse ? (sparse.sparse.form === 'old-gnu' ? 'gnu' : 'pax') : dialect,
    mode: random.chance(0.8) ? random.pick([0o644, 0o755, 0o4755, 0o1777, 0]) : 0o7777777,
    uid: random.chance(0.97) ? 0 : number(random, dialect),
    gid: random.chance(0.97) ? 0 : number(random, dialect),
    mtime: random.chance(0.9) ? 1_709_208_000 : number(random, dialect),
    ...('34'.includes(type) ? { major: random.below(300), minor: random.below(300) } : {}),
    ...('07\0'.includes(type) && !sparse.sparse
      ? { body: random.bytes(random.pick([0, 1, 511, 512, 513, 1500])) }
      : {}),
    ...(random.chance(0.015) ? { size: number(random, dialect) } : {}),
    ...(dialect === 'pax' && random.chance(0.2) ? { pax: random.many(1, 4, () => record(random)) } : {}),
    ...sparse,
  };
}

/** What no dialect's field could hold is not for the recipe to write. */
const number = (random: Random, dialect: Dialect): number | bigint => {
  const found = random.pick(NUMBERS);
  return dialect === 'v7' || dialect === 'ustar' ? BigInt(found) & 0o777777n : found;
};

/** The recipes refuse what no field of a dialect could hold. */
export function isWritable(entry: TarEntry): boolean {
  try {
    tar([entry]);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** An archive of entries, damaged now and then. */
export function archiveFrom(random: Random, entry: (random: Random) => TarEntry = entryFrom): Buffer {
  const entries = random.many(0, 7, () => entry(random)).filter(isWritable);
  const bytes = tar(entries, random.chance(0.1) ? { end: false } : {});
  return random.chance(0.15) ? mutatedBytes(bytes, random) : bytes;
}

/** Sound more often than not, so that images of it get far. */
export const layerFrom = (random: Random): Buffer =>
  random.chance(0.7)
    ? tar([
        { name: 'etc/' },
        { name: 'etc/passwd', body: 'app:x:7:8::/:\n' },
        ...random.many(0, 3, () => ({ name: random.pick(['a', 'b/', 'etc/.wh.passwd', 'c']), mtime: random.below(9) })),
      ])
    : archiveFrom(random);
