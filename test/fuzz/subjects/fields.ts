/** A grammar of Debian's texts: versions, relations, and stanzas of fields whose values are what they should be, or not. */
import { mutatedBytes } from '../mutate.ts';
import type { Random } from '../random.ts';

const NUMBERS = ['0', '00', '1', '9', '10', '9'.repeat(400)];
const SIGNS = ['a', 'Z', '.', '+', '~', '~~', '-', ':', '-0', '.0'];

export function versionFrom(random: Random): string {
  const epoch = random.chance(0.2) ? `${random.pick(NUMBERS)}:` : '';
  const parts = random.many(0, 5, () => random.pick(random.chance(0.5) ? NUMBERS : SIGNS));
  return `${epoch}${random.chance(0.8) ? '1' : ''}${parts.join('')}${random.chance(0.05) ? random.pick([' ', '_', 'ß', '\0']) : ''}`;
}

const PACKAGES = ['app', 'lib', 'a', 'b', 'c', 'app', 'x.y+z-1', 'A_b'];
const OPERATORS = ['<<', '<=', '=', '>=', '>>', '<', '>', '', '==', '~'];
const RESTRICTIONS = [
  ' [amd64]',
  ' [!i386 !arm64]',
  ' []',
  ' [any',
  ' <!nocheck>',
  ' <a b> <c>',
  ' <<',
  '[a]<b>',
  ' ()',
];

function relationFrom(random: Random): string {
  const architecture = random.chance(0.15) ? `:${random.pick(['any', 'native', 'amd64', 'all', '', 'A', ':'])}` : '';
  const version = random.chance(0.4) ? ` (${random.pick(OPERATORS)} ${versionFrom(random)})` : '';
  return `${random.pick(PACKAGES)}${architecture}${version}${random.chance(0.1) ? random.pick(RESTRICTIONS) : ''}`;
}

/** What makes a careless expression try every way. */
const REPEATED = [' ', '(', '< ', ' <a>', 'a', 'a,', '|', '\n ', '[', '(= ', '\t', '0', '-', ':', '\u00a0'];
const long = (random: Random): string => random.pick(REPEATED).repeat(random.pick([50, 300, 3000, 30_000]));

export function relationsFrom(random: Random): string {
  const item = () => random.many(1, 2, () => relationFrom(random)).join(' | ');
  const text = random.many(1, 3, item).join(random.pick([', ', ',', ',\n ', ' , ,']));
  return random.chance(0.05) ? `${text}${long(random)}${random.pick(['', ')', '>', 'ß', text])}` : text;
}

/** What each field may say beside what it should. */
const VALUES = [
  ...['', ' ', '0', '-1', '007', '1.5', '1e3', '99999999999999999999', 'yes', 'no', 'YES', '.', '..', '/', '../../x'],
  ...['/etc/passwd', 'amd64', 'all', 'any', 'i386 amd64', 'same', 'foreign', 'pool/a_1_all.deb', './a//b', 'a?b#c\\d'],
  ...['0'.repeat(64), 'g'.repeat(64), 'Thu, 01 Jan 1970 00:00:00 UTC', 'Mon, 32 Foo 2026', '9999-12-31', 'voil\u00e0'],
  ...['__proto__', 'toString', 'a: b', '-----BEGIN PGP PUBLIC KEY BLOCK-----', '\u00a0', '\ufeff', 'a\0b', '\r'],
];

const NAMES = ['Package', 'package', 'Version', 'X-Own', '__proto__', 'X y', '-X', '#X', 'X!', '', 'ß', 'Description'];

function valueFrom(random: Random): string {
  switch (random.below(6)) {
    case 0:
      return relationsFrom(random);
    case 1:
      return versionFrom(random);
    case 2:
      return `${random.pick(VALUES)}\n ${random.pick(VALUES)}\n\t${random.pick(VALUES)}\n .`;
    case 3:
      return random.chance(0.3) ? long(random) : '';
    default:
      return random.pick(VALUES);
  }
}

export type Fields = Readonly<Record<string, string | undefined>>;

/** Some of the fields with another value, and a few more. */
export function damagedFields(fields: Fields, random: Random, probability = 0.08): Fields {
  const changed = Object.entries(fields).map(([name, value]) => [
    name,
    random.chance(probability) ? (random.chance(0.2) ? undefined : valueFrom(random)) : value,
  ]);
  const more = random.chance(probability) ? [[random.pick(NAMES), valueFrom(random)]] : [];
  return Object.fromEntries([...changed, ...more]);
}

/** A stanza as text, now and then with lines that are none. */
export function stanzaFrom(fields: Fields, random: Random): string {
  const lines = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  if (random.chance(0.05))
    lines.splice(
      random.below(lines.length + 1),
      0,
      random.pick(['no field', ' continued', '', '\t', '#', ':', 'a:b:c', '\r']),
    );
  if (random.chance(0.03)) lines.push(random.pick(lines));
  return `${lines.join(random.chance(0.97) ? '\n' : '\r\n')}\n`;
}

/** Damaged as bytes, now and then. */
export const damagedText = (text: string, random: Random): Buffer =>
  random.chance(0.15) ? mutatedBytes(Buffer.from(text), random) : Buffer.from(text);
