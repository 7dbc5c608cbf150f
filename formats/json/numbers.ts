/**
 * Numbers of a JSON document as they are written: parsing rounds them, and of some it matters how they were written. The text has been
 * parsed before, so it is sound.
 */
import { endOfString } from './parse.ts';

export interface WrittenNumber {
  readonly literal: string;
  /** Names and indexes from the outside in. */
  readonly path: readonly (string | number)[];
}

/** Those that are wanted, in the order of the text. */
export function numbersIn(text: string, wanted: (literal: string) => boolean): readonly WrittenNumber[] {
  const found: WrittenNumber[] = [];
  /** Of each list that is open the index, of each object the name. */
  const path: (string | number)[] = [];
  let quoted = '""';
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    const here = path.at(-1);
    if (character === '"') {
      const end = endOfString(text, at);
      quoted = text.slice(at, end + 1);
      at = end;
    } else if (character === ':') path[path.length - 1] = JSON.parse(quoted) as string;
    else if (character === ',' && typeof here === 'number') path[path.length - 1] = here + 1;
    else if (character === '[') path.push(0);
    else if (character === '{') path.push('');
    else if (character === ']' || character === '}') path.pop();
    else if (character === '-' || isDigit(character)) {
      const literal = literalAt(text, at);
      if (wanted(literal)) found.push({ literal, path: [...path] });
      at += literal.length - 1;
    }
  }
  return found;
}

const isDigit = (character: string): boolean => character >= '0' && character <= '9';

function literalAt(text: string, start: number): string {
  let end = start + 1;
  while (end < text.length && (isDigit(text[end]!) || '.eE+-'.includes(text[end]!))) end++;
  return text.slice(start, end);
}
