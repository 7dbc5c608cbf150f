/**
 * JSON from hostile hands: bounded in size and depth, strictly UTF-8, and without duplicate names, since two parsers that
 * each take another one of two see two documents (RFC 7493, section 2.3). Numbers that lose precision are left to the decoder.
 */
import type { Context } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { checkLimit, type Limits } from '../base/limits.ts';
import { strictUtf8 } from '../bytes/text.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Called with each name that stands twice in one object, where a format's readers take the last one. */
export type DuplicateNames = (name: string) => void;

/**
 * The value that the bytes are the JSON of. Values from it may have a member called `__proto__`: read members with the
 * decoder, never by spreading into another object.
 *
 * @throws OcixError limit/json-bytes, limit/json-depth, json/encoding, json/syntax, json/duplicate-key
 */
export function parseJson(bytes: Uint8Array, context: Context, onDuplicate: DuplicateNames = refuse): Json {
  checkLimit(context.limits, 'json-bytes', bytes.length, 'the size of a JSON document');
  const text = strictUtf8(bytes);
  if (text === undefined) throw new OcixError('json/encoding', 'the document is not UTF-8');
  if (text.charCodeAt(0) === 0xfeff)
    throw new OcixError('json/encoding', 'the document starts with a byte order mark, which JSON does not allow');
  checkStructure(text, context.limits, onDuplicate);
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new OcixError('json/syntax', 'the document is not JSON', { found: firstWords(text), cause });
  }
}

const firstWords = (text: string): string => JSON.stringify(text.slice(0, 40));

/** Depth and names, before anything is built. Whether it is JSON at all is left to JSON.parse. */
function checkStructure(text: string, limits: Limits, onDuplicate: DuplicateNames): void {
  const open: (Set<string> | undefined)[] = [];
  let name: string | undefined;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: {
        const end = endOfString(text, at);
        name = text.slice(at, end + 1);
        at = end;
        break;
      }
      case 0x3a:
        addName(open.at(-1), name, onDuplicate);
        break;
      case 0x7b:
      case 0x5b:
        open.push(text.charCodeAt(at) === 0x7b ? new Set() : undefined);
        if (open.length > limits['json-depth'])
          checkLimit(limits, 'json-depth', open.length, 'the nesting of a JSON document');
        break;
      case 0x7d:
      case 0x5d:
        open.pop();
        break;
      default:
    }
  }
}

/** Of the string that begins at `start`: the place of its closing quote. */
export function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1;
  return at;
}

function addName(names: Set<string> | undefined, quoted: string | undefined, onDuplicate: DuplicateNames): void {
  if (!names || quoted === undefined) return;
  let name = quoted;
  try {
    name = JSON.parse(quoted) as string;
  } catch {
    return; // not a string at all: JSON.parse of the whole will say so
  }
  if (names.has(name)) onDuplicate(name);
  names.add(name);
}

function refuse(name: string): never {
  throw new OcixError(
    'json/duplicate-key',
    `the document has two members called ${JSON.stringify(name.slice(0, 80))} in one object`,
    {
      hint: 'Two readers of this document may see two different things; write it anew without the duplicate.',
    },
  );
}
