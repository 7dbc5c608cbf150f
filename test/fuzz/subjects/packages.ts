/** ar archives, Debian packages of both formats, and the texts in them. */
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { open, validate } from '../../../converters/index.ts';
import { bytesOf } from '../../../fixtures/bytes.ts';
import { type ArPart, ar, controlTar, type DebRecipe, dataTar } from '../../../fixtures/deb.ts';
import { zstd } from '../../../fixtures/zstd.ts';
import { memberContent } from '../../../formats/ar/stream.ts';
import { arTable } from '../../../formats/ar/table.ts';
import { createContext } from '../../../formats/base/context.ts';
import { bytesSource, fileSource, type RandomSource } from '../../../formats/bytes/source.ts';
import { binaryString } from '../../../formats/bytes/text.ts';
import { parseStanzas, stanzaText } from '../../../formats/debian/control.ts';
import { alternativesText, parseRelations } from '../../../formats/debian/relation.ts';
import { compareVersions, parseVersion } from '../../../formats/debian/version.ts';
import { sliced, whole } from '../../formats/support.ts';
import { onDisk } from '../folder.ts';
import { mutatedBytes } from '../mutate.ts';
import type { Random } from '../random.ts';
import { Find, type Subject } from '../subject.ts';
import { entryFrom, isWritable, nameFrom } from './entries.ts';
import { damagedFields, damagedText, relationsFrom, stanzaFrom, versionFrom } from './fields.ts';
import { checkBothWays, contentOf } from './readers.ts';

const AR_NAMES = [
  'a',
  'b/',
  '/',
  '//',
  '/0',
  '#1/20',
  '__.SYMDEF',
  '',
  ' x',
  'debian-binary',
  '../x',
  'x'.repeat(16),
  'ß',
];
const AR_SIZES = ['0', '1', '-1', '+1', '010', '9999999999', '1 1', '0x1', '', '1e3', 'x'];

const damagedPart = (part: ArPart, random: Random): ArPart => ({
  ...part,
  ...(random.chance(0.3) ? { name: random.pick(AR_NAMES) } : {}),
  ...(random.chance(0.2) ? { size: random.pick(AR_SIZES) } : {}),
  ...(random.chance(0.2) ? { mtime: random.pick(['', '-1', '9'.repeat(12), 'x', '0x10']) } : {}),
  ...(random.chance(0.1) ? { mark: random.pick(['``', '\n`', '\0\0']) } : {}),
  ...(random.chance(0.1) ? { pad: false } : {}),
});

const damagedParts = (parts: readonly ArPart[], random: Random): readonly ArPart[] =>
  parts.flatMap((part) => {
    if (random.chance(0.93)) return [part];
    const damaged = damagedPart(part, random);
    return random.pick([[damaged], [damaged], [], [part, damaged], [{ name: '_more', body: 'x' }, part]]);
  });

const arFrom = (random: Random): Buffer => {
  const parts = random.many(0, 4, () => ({
    name: random.pick(AR_NAMES),
    body: random.bytes(random.pick([0, 1, 2, 59, 60, 61, 700])),
  }));
  const bytes = ar(damagedParts(parts, random), random.chance(0.98) ? undefined : '!<thin>\n');
  return random.chance(0.3) ? mutatedBytes(bytes, random) : bytes;
};

/** The members are where the table says, whichever engine reads them. */
const archive: Subject = {
  name: 'ar',
  make: (random) => ({ bytes: arFrom(random) }),
  check: ({ bytes }) =>
    onDisk(new Map([['in.a', bytes]]), async (folder) => {
      const context = createContext();
      const source = (await fileSource(`${folder}/in.a`)) as RandomSource;
      try {
        const table = await arTable(source, context.limits);
        if (!isDeepStrictEqual(await arTable(bytesSource('in.a', bytes), context.limits), table))
          throw new Find('a file has another table than its bytes');
        for (const member of table.members) {
          const found = await whole(memberContent(source, table, member, context));
          if (!Buffer.from(found).equals(bytes.subarray(member.offset, member.offset + member.size)))
            throw new Find(`${member.name} has other bytes`);
        }
        if (table.fault) throw table.fault;
      } finally {
        await source.close();
      }
    }),
};

const USUAL = {
  Package: 'app',
  Version: '1:1.0-1',
  Architecture: 'amd64',
  Maintainer: 'Toy Maker <toy@example.com>',
  'Installed-Size': '10',
  'Multi-Arch': 'same',
  Depends: 'lib (>= 1) | b, c:any',
  Provides: 'web (= 1)',
  Description: 'a toy\n that does\n .\n nothing',
};

const LINES = [
  ...[
    '/etc/app.conf',
    '/etc/none',
    'remove-on-upgrade /etc/old',
    '/',
    '/../x',
    'etc/relative',
    ' /etc/app.conf ',
    '/etc/a\0b',
  ],
  ...[
    '0'.repeat(32),
    `${'0'.repeat(32)}  usr/app`,
    'interest /usr/lib',
    'interest-noawait a',
    'activate x',
    'interest ../x',
  ],
  ...['#!/bin/sh', 'dpkg-divert --add /bin/x', '# setcap', 'set -e', '\u00e0'],
];
const linesFrom = (random: Random): Buffer =>
  damagedText(random.many(0, 4, () => random.pick(LINES)).join('\n'), random);

function recipeFrom(random: Random): DebRecipe {
  const names = random.many(0, 3, () =>
    random.pick(['md5sums', 'conffiles', 'postinst', 'preinst', 'triggers', 'shlibs', 'config', 'templates']),
  );
  return {
    control: stanzaFrom(damagedFields(USUAL, random), random),
    files: Object.fromEntries([
      ...names.map((name) => [name, linesFrom(random)]),
      ...(random.chance(0.05) ? [[bytesOf(nameFrom(random)).toString('latin1'), 'x']] : []),
    ]),
    data: random.chance(0.9) ? { 'usr/app': 'A', 'etc/app.conf': 'c', 'bin/x': 'X' } : {},
    entries: random.chance(0.5) ? random.many(0, 3, () => entryFrom(random)).filter(isWritable) : [],
    mtime: random.chance(0.9) ? 1_600_000_000 : 0,
  };
}

const COMPRESSIONS: readonly (readonly [string, (bytes: Buffer) => Uint8Array])[] = [
  ['.gz', (bytes) => gzipSync(bytes)],
  ['', (bytes) => bytes],
  ['.zst', (bytes) => zstd(bytes)],
];

function compressedPart(base: string, tar: Buffer, random: Random): ArPart {
  const [suffix, compress] = random.pick(COMPRESSIONS);
  const bytes = random.chance(0.04) ? mutatedBytes(tar, random) : tar;
  const body = compress(bytes as Buffer);
  const other = random.chance(0.03) ? random.pick(['.gz', '', '.zst', '.xz', '.bz2', '.lzma', '.Z', 'x']) : suffix;
  return { name: `${base}${other}`, body: random.chance(0.04) ? mutatedBytes(body, random) : body };
}

export function debFrom(random: Random): Buffer {
  const recipe = recipeFrom(random);
  const [control, data] = [controlTar(recipe), dataTar(recipe)];
  const bytes = random.chance(0.08) ? oldFormat(control, data, random) : newFormat(control, data, random);
  return random.chance(0.1) ? mutatedBytes(bytes, random) : bytes;
}

const newFormat = (control: Buffer, data: Buffer, random: Random): Buffer =>
  ar(
    damagedParts(
      [
        {
          name: 'debian-binary',
          body: random.chance(0.97) ? '2.0\n' : random.pick(['2.1\n\n', '3.0\n', '2.0', '', '2\n']),
        },
        compressedPart('control.tar', control, random),
        compressedPart('data.tar', data, random),
      ],
      random,
    ),
  );

function oldFormat(control: Buffer, data: Buffer, random: Random): Buffer {
  const [first, second] = [gzipSync(control), gzipSync(data)];
  const size = random.chance(0.9) ? String(first.length) : random.pick(['0', '-1', '9999999999', '1', '']);
  return Buffer.concat([Buffer.from(`0.93${random.pick(['', '9000', '9'])}\n${size}\n`), first, second]);
}

const deb: Subject = {
  name: 'deb',
  make: (random) => ({ bytes: debFrom(random) }),
  check: ({ bytes }, random) =>
    onDisk(new Map([['in.deb', bytes]]), async (folder) => {
      const packaging = { layers: random.pick(['one', 'package', 'group'] as const), distroless: random.chance(0.3) };
      await validate({ stream: sliced(bytes, 1000) }, { from: 'deb' });
      await checkBothWays(async (way) => {
        const source = way === 'indexed' ? `deb:${folder}/in.deb` : { stream: sliced(bytes, 1000), from: 'deb' };
        const opened = await open(source, { packaging });
        try {
          return await contentOf(opened.items, createContext());
        } finally {
          await opened.close();
        }
      });
    }),
};

const bare = (text: string): string => text.replace(/[ \t\r\n\v\f]/g, '');

/** Nothing but space is lost. */
const control: Subject = {
  name: 'deb-control',
  make: (random) => ({
    bytes: damagedText(
      random.many(1, 2, () => stanzaFrom(damagedFields(USUAL, random, 0.3), random)).join('\n'),
      random,
    ),
  }),
  async check({ bytes }) {
    const text = binaryString(bytes);
    const stanzas = parseStanzas(text);
    const again = stanzas.map((stanza) => stanzaText(stanza.values())).join('\n');
    if (bare(again) !== bare(text)) throw new Find(`a text came out as ${JSON.stringify(again)}`);
    if (!isDeepStrictEqual(parseStanzas(again), stanzas)) throw new Find('what was written reads as something else');
  },
};

const relations: Subject = {
  name: 'deb-relations',
  make: (random) => ({ bytes: damagedText(relationsFrom(random), random) }),
  async check({ bytes }) {
    const shown = (text: string): string => parseRelations(text, 'amd64').map(alternativesText).join(', ');
    const text = shown(binaryString(bytes));
    if (shown(text) !== text) throw new Find(`${text} reads as ${shown(text)}`);
  },
};

/** An order: every two of them, and every three. */
const versions: Subject = {
  name: 'deb-versions',
  make: (random) => ({ bytes: Buffer.from(random.many(3, 3, () => versionFrom(random)).join('\n')) }),
  async check({ bytes }) {
    const all = binaryString(bytes).split('\n').map(parseVersion);
    for (const a of all)
      for (const b of all) {
        const order = Math.sign(compareVersions(a, b));
        if (order !== -Math.sign(compareVersions(b, a))) throw new Find('which is later depends on who is asked');
        for (const c of all)
          if (order <= 0 && compareVersions(b, c) <= 0 && compareVersions(a, c) > 0)
            throw new Find('later than the latest');
      }
  },
};

export const PACKAGE_SUBJECTS: readonly Subject[] = [archive, deb, control, relations, versions];
