import { describe, expect, test } from 'vitest';
import { parseJson } from '../../../formats/json/parse.ts';
import { codeOf, contextWith } from '../support.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const parse = (text: string, limits = {}) => parseJson(bytes(text), contextWith(limits));

describe('parseJson', () => {
  test.each(['null', 'true', '-1.5e3', '"text"', '[]', '{}', ' \t\r\n{"a":[1,{"b":"\\u00fc\\n"}],"c":"}{]["}\n'])(
    'reads %j as JSON.parse does',
    (text) => {
      expect(parse(text)).toEqual(JSON.parse(text));
    },
  );

  test.each([
    ['nothing', ''],
    ['white space', ' \n'],
    ['a comma too many', '[1,]'],
    ['two values', '{} {}'],
    ['an open object', '{"a":1'],
    ['an open string', '"abc'],
    ['a string that ends in a backslash', '"abc\\'],
    ['a control character in a string', '"a\nb"'],
    ['a comment', '{} // no'],
    ['single quotes', "{'a':1}"],
    ['NaN', 'NaN'],
    ['a bad escape as a name', '{"\\x":1,"\\x":2}'],
    ['brackets that do not match', '[}'],
    ['more closing than opening', ']]]'],
  ])('refuses %s', async (_, text) => {
    expect(await codeOf(() => parse(text))).toBe('json/syntax');
  });

  test.each([
    ['a byte order mark', [0xef, 0xbb, 0xbf, 0x7b, 0x7d]],
    ['what is not UTF-8', [0x22, 0xff, 0x22]],
    ['a surrogate in UTF-8', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
  ])('refuses %s', async (_, values) => {
    expect(await codeOf(() => parseJson(Uint8Array.from(values), contextWith()))).toBe('json/encoding');
  });

  test.each([
    ['side by side', '{"a":1,"a":1}'],
    ['apart, with other things between', '{"a":{"x":[1,2]},"b":"a","a":2}'],
    ['spelled with an escape', '{"a":1,"\\u0061":2}'],
    ['deep inside', '[{"x":[{"y":1,"y":2}]}]'],
    ['that are empty', '{"":1,"":2}'],
    ['called __proto__', '{"__proto__":1,"__proto__":2}'],
    ['with a quote in them', '{"a\\"b":1,"a\\"b":2}'],
    ['with a space before the colon', '{"a" :1,"a"\n:2}'],
  ])('refuses two members of one name %s', async (_, text) => {
    expect(await codeOf(() => parse(text))).toBe('json/duplicate-key');
  });

  test.each([
    ['in different objects', '[{"a":1},{"a":2}]'],
    ['in an object and one inside it', '{"a":{"a":{"a":1}}}'],
    ['in different case', '{"a":1,"A":2}'],
    ['as a value', '{"a":"a","b":"a"}'],
    ['in a string that looks like members', '{"x":"\\"a\\":1,\\"a\\":2"}'],
  ])('lets a name occur twice %s', (_, text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  test('refuses a document that is over the limit, before looking at it', async () => {
    expect(await codeOf(() => parse('[1]', { 'json-bytes': 3 }))).toBe('no refusal');
    expect(await codeOf(() => parse('[12]', { 'json-bytes': 3 }))).toBe('limit/json-bytes');
    expect(await codeOf(() => parse('\u{1f41f}', { 'json-bytes': 3 }))).toBe('limit/json-bytes');
  });

  test('refuses nesting over the limit, and counts neither siblings nor brackets in strings', async () => {
    const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(await codeOf(() => parse(nested(64)))).toBe('no refusal');
    expect(await codeOf(() => parse(nested(65)))).toBe('limit/json-depth');
    expect(await codeOf(() => parse('{"a":'.repeat(70)))).toBe('limit/json-depth');
    expect(await codeOf(() => parse('[[],[],["[[[[["]]', { 'json-depth': 2 }))).toBe('no refusal');
    expect(await codeOf(() => parse('['.repeat(1_000_000)))).toBe('limit/json-depth');
  });

  test('a member called __proto__ changes nothing about the object', () => {
    const value = parse('{"__proto__":{"polluted":true},"a":1}') as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__', 'a']);
    expect(value['polluted']).toBeUndefined();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
