/**
 * Numbers of a JSON document as they are written: parsing rounds them, and of some it matters how they were written. The text is gone through
 * beside the value that it was parsed into, so it is sound, and no object in it has two members of one name.
 */
import { endOfString, type Json } from './parse.ts';

export interface WrittenNumber {
  readonly literal: string;
  /** https://datatracker.ietf.org/doc/html/rfc6901 */
  readonly pointer: string;
  /** What it is a member of, and as what; absent where it is the whole document. */
  readonly holder: Holder | undefined;
  readonly key: string | number;
}

type Holder = Record<string | number, unknown>;

/** A list or an object that is open: what it was parsed into, its place, and which member comes. */
interface Open {
  readonly holder: Holder;
  readonly pointer: string;
  key: string | number;
}

/** Those that are wanted, in the order of the text. */
export function numbersIn(text: string, value: Json, wanted: (literal: string) => boolean): readonly WrittenNumber[] {
  const found: WrittenNumber[] = [];
  const open: Open[] = [];
  let quoted = '""';
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    const here = open.at(-1);
    if (character === '"') {
      const end = endOfString(text, at);
      quoted = text.slice(at, end + 1);
      at = end;
    } else if (character === ':' && here) here.key = JSON.parse(quoted) as string;
    else if (character === ',' && typeof here?.key === 'number') here.key++;
    else if (character === '[' || character === '{')
      open.push({
        holder: (here ? here.holder[here.key] : value) as Holder,
        pointer: pointerOf(here),
        key: character === '[' ? 0 : '',
      });
    else if (character === ']' || character === '}') open.pop();
    else if (character === '-' || isDigit(character)) {
      const literal = literalAt(text, at);
      if (wanted(literal))
        found.push({ literal, pointer: pointerOf(here), holder: here?.holder, key: here?.key ?? '' });
      at += literal.length - 1;
    }
  }
  return found;
}

const pointerOf = (open: Open | undefined): string =>
  open ? `${open.pointer}/${String(open.key).replaceAll('~', '~0').replaceAll('/', '~1')}` : '';

const isDigit = (character: string): boolean => character >= '0' && character <= '9';

function literalAt(text: string, start: number): string {
  let end = start + 1;
  while (end < text.length && (isDigit(text[end]!) || '.eE+-'.includes(text[end]!))) end++;
  return text.slice(start, end);
}
