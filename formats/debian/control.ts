/**
 * Control data: stanzas of fields, as packages, indexes and dpkg's own database have them.
 * https://manpages.debian.org/bookworm/dpkg-dev/deb822.5.en.html
 *
 * Values are binary strings (one character a byte): old packages name their maintainers in other encodings than UTF-8, and what goes
 * into a database has to be what came. Refused: lines that are no field, fields without a name, and a field that is there twice.
 */
import { OcixError } from '../base/errors.ts';
import { printable, withoutEnd, withoutEnds } from '../bytes/text.ts';

export interface Field {
  /** As it was written. */
  readonly name: string;
  /** Without the space around it; lines are separated by `\n`, and continuation lines keep the character they start with. */
  readonly value: string;
}

/** Fields by their lower-case names, in their order. */
export type Stanza = ReadonlyMap<string, Field>;

/** What dpkg counts as such. `trim` takes U+00A0 as well, which in a binary string is the second byte of `à`. */
const SPACE = ' \t\r\v\f';

/** dpkg takes any visible character but `:`, and no `-` or `#` in front. */
const NAME = /^[!"$-,.-9;-~][!-9;-~]*$/;

/** The value of a field, or undefined where the stanza does not have it. */
export const fieldOf = (stanza: Stanza, name: string): string | undefined => stanza.get(name)?.value;

/** Every stanza of a text. @throws OcixError debian/control */
export function parseStanzas(text: string): readonly Stanza[] {
  const stanzas: Map<string, Field>[] = [];
  let current: Map<string, Field> | undefined;
  let open: { readonly name: string; readonly lines: string[] } | undefined;
  const close = (): void => {
    if (!open) return;
    current!.set(open.name.toLowerCase(), { name: open.name, value: open.lines.join('\n') });
    open = undefined;
  };
  for (const [index, line] of text.split('\n').entries()) {
    if (withoutEnd(line, SPACE) === '') {
      close();
      current = undefined;
    } else if (/^[ \t]/.test(line)) {
      if (!open) throw refusal(index, 'starts with a space, and there is no field that it could continue');
      open.lines.push(withoutEnd(line, SPACE));
    } else {
      close();
      const colon = line.indexOf(':');
      const name = withoutEnd(line.slice(0, Math.max(colon, 0)), SPACE);
      if (!NAME.test(name)) throw refusal(index, 'is not a field', line);
      if (!current) stanzas.push((current = new Map()));
      if (current.has(name.toLowerCase())) throw refusal(index, `gives the field ${printable(name)} again`);
      open = { name, lines: [withoutEnds(line.slice(colon + 1), SPACE)] };
    }
  }
  close();
  return stanzas;
}

const refusal = (index: number, what: string, found?: string): OcixError =>
  new OcixError('debian/control', `line ${index + 1} ${what}`, {
    ...(found === undefined ? {} : { found: JSON.stringify(printable(found.slice(0, 60))) }),
    expected: 'lines of the form "Field: value"',
  });

/** The one stanza of a package's control file. @throws OcixError debian/control */
export function parseControl(text: string): Stanza {
  const [stanza, another] = parseStanzas(text);
  if (!stanza) throw new OcixError('debian/control', 'the control file is empty');
  if (another) throw new OcixError('debian/control', 'the control file has more than one stanza');
  return stanza;
}

/** A stanza as text, without the empty line that ends it. */
export function stanzaText(fields: Iterable<Field>): string {
  let text = '';
  for (const { name, value } of fields) text += value.startsWith('\n') ? `${name}:${value}\n` : `${name}: ${value}\n`;
  return text;
}
