import { describe, expect, test } from 'vitest';
import { checkAbort, createContext, note } from '../../../formats/base/context.ts';
import { checkLimit, DEFAULT_LIMITS, type LimitName, parseLimit } from '../../../formats/base/limits.ts';
import { noteList } from '../../../formats/base/notes.ts';
import { codeOf, refusalOf } from '../support.ts';

describe('a context', () => {
  test('limits that are not given have their defaults', () => {
    const { limits } = createContext({ limits: { layers: 3 } });
    expect(limits).toEqual({ ...DEFAULT_LIMITS, layers: 3 });
  });

  test('checkAbort() throws only once the signal has been given', async () => {
    const controller = new AbortController();
    const context = createContext({ signal: controller.signal });
    expect(await codeOf(() => checkAbort(context))).toBe('no refusal');
    controller.abort();
    expect(await codeOf(() => checkAbort(context))).toBe('interrupted');
  });

  test('assumes linux on amd64 where nobody says what the host is', () => {
    expect(createContext().host).toEqual({ os: 'linux', architecture: 'amd64' });
  });
});

describe('notes', () => {
  test('are given once each, in the order of their first occurrence', () => {
    const notes = noteList();
    const context = createContext({ notes });
    note(context, 'dropped', 'one', 'here');
    note(context, 'guessed', 'two');
    note(context, 'dropped', 'one', 'here');
    note(context, 'dropped', 'one', 'there');
    expect(notes.all().map(({ kind, message, at }) => [kind, message, ...at])).toEqual([
      ['dropped', 'one', 'here'],
      ['guessed', 'two'],
      ['dropped', 'one', 'there'],
    ]);
  });
});

describe('a limit', () => {
  test('holds the value itself and refuses the one above', async () => {
    const limits = { ...DEFAULT_LIMITS, layers: 5 };
    expect(await codeOf(() => checkLimit(limits, 'layers', 5, 'x'))).toBe('no refusal');
    const refusal = await refusalOf(() => checkLimit(limits, 'layers', 6, 'x'));
    expect(refusal).toMatchObject({ code: 'limit/layers', expected: 'at most 5', found: '6' });
    expect(refusal?.hint).toContain('--limit layers=6');
  });

  test.each(Object.keys(DEFAULT_LIMITS))('%s has a code of its own', async (name) => {
    const limits = { ...DEFAULT_LIMITS, [name]: 1 };
    expect(await codeOf(() => checkLimit(limits, name as LimitName, 2, 'x'))).toBe(`limit/${name}`);
  });

  test('is read from NAME=VALUE', () => {
    expect(parseLimit('layers=125')).toEqual(['layers', 125]);
    expect(parseLimit('json-bytes=1')).toEqual(['json-bytes', 1]);
  });

  test.each(['layers', 'layers=', 'layers=0', 'layers=-1', 'layers=1.5', 'layers=1e3', 'layers=0x10', 'layers= 7'])(
    '%j is no limit',
    async (text) => {
      expect(await codeOf(() => parseLimit(text))).toBe('usage/option');
    },
  );

  test.each(['', 'unknown=1', '__proto__=1', 'toString=1', 'layers=9007199254740992'])(
    '%j is refused',
    async (text) => {
      expect(await codeOf(() => parseLimit(text))).toBe('usage/option');
    },
  );
});

test('notes beyond ten thousand are counted, not kept', () => {
  const notes = noteList();
  for (let i = 0; i < 10_050; i++) notes.add({ kind: 'repaired', message: `number ${i}`, at: [] });
  const all = notes.all();
  expect(all).toHaveLength(10_001);
  expect(all.at(-1)?.message).toBe('50 more notes are not kept');
});
