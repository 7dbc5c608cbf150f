import { describe, expect, test } from 'vitest';
import { byteReader, chunksOf, collect } from '../../../formats/bytes/chunks.ts';
import { codeOf, sliced, textOf, whole } from '../support.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** A stream that says when it has been closed. */
function watched(...parts: readonly string[]) {
  const state = { closed: 0, asked: 0 };
  async function* make(): AsyncGenerator<Uint8Array> {
    try {
      for (const part of parts) {
        state.asked++;
        yield bytes(part);
      }
    } finally {
      state.closed++;
    }
  }
  return { state, chunks: make() };
}

describe('byteReader', () => {
  test('next() hands out the chunks as they come, and passes over empty ones', async () => {
    const reader = byteReader(watched('ab', '', 'c').chunks);
    expect(textOf((await reader.next())!)).toBe('ab');
    expect(textOf((await reader.next())!)).toBe('c');
    expect(await reader.next()).toBeUndefined();
    expect(await reader.next()).toBeUndefined();
  });

  test.each([1, 2, 3, 100])('read() joins and cuts chunks of %i bytes', async (size) => {
    const reader = byteReader(sliced(bytes('hello, world'), size));
    expect(textOf(await reader.read(5))).toBe('hello');
    expect(textOf(await reader.read(0))).toBe('');
    expect(textOf(await reader.read(2))).toBe(', ');
    expect(textOf(await reader.read(100))).toBe('world');
    expect((await reader.read(1)).length).toBe(0);
  });

  test('unread() puts bytes in front of what comes next, the last ones first', async () => {
    const reader = byteReader(chunksOf(bytes('end')));
    reader.unread(bytes('2'));
    reader.unread(bytes('1'));
    reader.unread(bytes(''));
    expect(textOf(await reader.read(5))).toBe('12end');
  });

  test('unread() works at the end of the stream', async () => {
    const reader = byteReader(chunksOf(bytes('abc')));
    expect(textOf(await reader.read(10))).toBe('abc');
    reader.unread(bytes('bc'));
    expect(textOf(await reader.read(10))).toBe('bc');
  });

  test('position counts what was handed out less what was put back', async () => {
    const reader = byteReader(sliced(bytes('0123456789'), 4));
    await reader.read(3);
    expect(reader.position).toBe(3);
    reader.unread(bytes('12'));
    expect(reader.position).toBe(1);
    await reader.next();
    expect(reader.position).toBe(3);
    await reader.read(100);
    expect(reader.position).toBe(10);
  });

  test('rest() gives everything that is left and closes the producer', async () => {
    const { state, chunks } = watched('abc', 'def');
    const reader = byteReader(chunks);
    await reader.read(2);
    expect(textOf(await whole(reader.rest()))).toBe('cdef');
    expect(state.closed).toBe(1);
  });

  test('rest() closes the producer when its consumer stops early', async () => {
    const { state, chunks } = watched('abc', 'def', 'ghi');
    for await (const chunk of byteReader(chunks).rest()) {
      expect(textOf(chunk)).toBe('abc');
      break;
    }
    expect(state).toEqual({ closed: 1, asked: 1 });
  });

  test('close() ends the stream once, and nothing more is asked of the producer', async () => {
    const { state, chunks } = watched('abc', 'def');
    const reader = byteReader(chunks);
    await reader.read(3);
    await reader.close();
    await reader.close();
    expect(await reader.next()).toBeUndefined();
    expect(state).toEqual({ closed: 1, asked: 1 });
  });

  test('an error of the producer reaches whoever reads', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield bytes('a');
      throw new RangeError('broken');
    }
    await expect(byteReader(failing()).read(5)).rejects.toThrow('broken');
  });
});

describe('collect', () => {
  test('gives all bytes up to its limit', async () => {
    expect(textOf(await collect(sliced(bytes('abcdef'), 4), 6))).toBe('abcdef');
    expect((await collect(chunksOf(), 0)).length).toBe(0);
  });

  test('refuses one byte more, and closes the producer', async () => {
    const { state, chunks } = watched('abc', 'def', 'ghi');
    expect(await codeOf(() => collect(chunks, 5))).toBe('size/mismatch');
    expect(state).toEqual({ closed: 1, asked: 2 });
  });
});
