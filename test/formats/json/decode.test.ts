import { describe, expect, test } from 'vitest';
import { decode, type JsonNode, type NameMatch } from '../../../formats/json/decode.ts';
import type { Json } from '../../../formats/json/parse.ts';
import { codeOf, refusalOf } from '../support.ts';

const of = (value: Json, match: NameMatch = 'exact') => decode(value, match);
const parsed = (text: string): Json => JSON.parse(text) as Json;

describe('a node', () => {
  test('gives what it is', () => {
    expect(of('x').string()).toBe('x');
    expect(of(7).count()).toBe(7);
    expect(of(0).count()).toBe(0);
    expect(of(Number.MAX_SAFE_INTEGER).count()).toBe(2 ** 53 - 1);
    expect(of(false).boolean()).toBe(false);
    expect(of(['a', 'b']).strings()).toEqual(['a', 'b']);
    expect([...of({ a: 'x', b: '' }).stringMap()]).toEqual([
      ['a', 'x'],
      ['b', ''],
    ]);
    expect(
      of([1, 2])
        .array()
        .map((node) => node.count()),
    ).toEqual([1, 2]);
  });

  const wrong: readonly (readonly [string, Json, (node: JsonNode) => unknown])[] = [
    ['string', 1, (node) => node.string()],
    ['string', null, (node) => node.string()],
    ['string', ['x'], (node) => node.string()],
    ['count', '12', (node) => node.count()],
    ['count', -1, (node) => node.count()],
    ['count', 1.5, (node) => node.count()],
    ['count', 2 ** 53, (node) => node.count()],
    ['count', 2 ** 63, (node) => node.count()],
    ['count', true, (node) => node.count()],
    ['boolean', 0, (node) => node.boolean()],
    ['boolean', 'true', (node) => node.boolean()],
    ['object', [], (node) => node.object()],
    ['object', 'x', (node) => node.object()],
    ['array', {}, (node) => node.array()],
    ['array', 'abc', (node) => node.array()],
    ['strings', ['a', 1], (node) => node.strings()],
    ['strings', [null], (node) => node.strings()],
    ['stringMap', { a: 1 }, (node) => node.stringMap()],
    ['stringMap', { a: null }, (node) => node.stringMap()],
  ];
  test.each(wrong)('%s() refuses %j', async (_, value, ask) => {
    expect(await codeOf(() => ask(of(value)))).toBe('json/type');
  });

  test('says where it stands as a JSON pointer', async () => {
    const document = of({ a: [{ 'b/c': { '~d': ['x', 5] } }] }).object();
    const refusal = await refusalOf(() =>
      document.require('a').array()[0]!.object().require('b/c').object().require('~d').strings(),
    );
    expect(refusal).toMatchObject({ code: 'json/type', at: ['/a/0/b~1c/~0d/1'], expected: 'a string', found: '5' });
  });

  test('of a map names the member that is wrong', async () => {
    const refusal = await refusalOf(() => of({ ok: 'x', 'not/ok': 1 }).stringMap());
    expect(refusal?.at).toEqual(['/not~1ok']);
  });
});

describe('an object', () => {
  test('takes null for absent', async () => {
    const object = of({ a: null }).object();
    expect(object.get('a')).toBeUndefined();
    expect(object.get('b')).toBeUndefined();
    expect(await codeOf(() => object.require('a'))).toBe('json/type');
    expect(await codeOf(() => object.require('b'))).toBe('json/type');
  });

  test('has no members but its own', () => {
    const object = of({}).object();
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
      for (const match of ['exact', 'any-case'] as const)
        expect(of({}, match).object().get(name), name).toBeUndefined();
    expect(object.names()).toEqual([]);
  });

  test('gives a member called __proto__ like any other', () => {
    const object = of(parsed('{"__proto__":{"a":"x"}}')).object();
    expect(object.get('__proto__')?.object().get('a')?.string()).toBe('x');
    expect(object.get('a')).toBeUndefined();
    expect([...of(parsed('{"__proto__":"x"}')).stringMap()]).toEqual([['__proto__', 'x']]);
  });

  test('matches names exactly, or without regard to case where Go does', () => {
    const value = { repoTags: ['a'], LAYERS: ['b'] };
    expect(of(value).object().get('RepoTags')).toBeUndefined();
    const loose = of(value, 'any-case').object();
    expect(loose.get('RepoTags')?.strings()).toEqual(['a']);
    expect(loose.get('Layers')?.pointer).toBe('/LAYERS');
  });

  test('carries the way of matching on to what is inside', () => {
    const inner = of({ CONFIG: [{ ENV: 'x' }] }, 'any-case')
      .object()
      .require('config')
      .array()[0]!;
    expect(inner.object().get('Env')?.string()).toBe('x');
  });

  test('of several spellings gives the last one, as Go does', () => {
    const twice = (text: string) => of(parsed(text), 'any-case').object().get('Config')?.string();
    expect(twice('{"config":"first","CONFIG":"last"}')).toBe('last');
    expect(twice('{"config":"first","Config":"last"}')).toBe('last');
    expect(twice('{"Config":"first","config":"last"}')).toBe('last');
  });
});
