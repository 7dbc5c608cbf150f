/** ar archives: their table of members, and members as streams. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ArPart, ar } from '../../../fixtures/deb.ts';
import { canBeStreamed, memberContent } from '../../../formats/ar/stream.ts';
import { arTable } from '../../../formats/ar/table.ts';
import { bytesSource, fileSource, type RandomSource } from '../../../formats/bytes/source.ts';
import { scratch } from '../../fixtures/peers.ts';
import { codeOf, contextWith, textOf, whole } from '../support.ts';

const context = contextWith();
const table = (bytes: Uint8Array) => arTable(bytesSource('x.ar', bytes), context.limits);

const SOUND: readonly ArPart[] = [
  { name: 'one', body: 'first' },
  { name: 'two/', body: 'second' },
];

describe('arTable()', () => {
  test('finds members, without padding and the slash behind names', async () => {
    const { members, fault } = await table(
      ar([...SOUND, { name: '/', body: '' }, { name: '//', body: 'long name/\n' }]),
    );
    expect(members.map(({ name, size, mtime }) => [name, size, mtime])).toEqual([
      ['one', 5, 1_600_000_000],
      ['two', 6, 1_600_000_000],
      ['/', 0, 1_600_000_000],
      ['//', 11, 1_600_000_000],
    ]);
    expect(fault).toBeUndefined();
  });

  test('does not mind a last byte of padding that is cut off', async () => {
    expect((await table(ar([{ name: 'a', body: 'odd', pad: false }]))).fault).toBeUndefined();
  });

  test.each<[string, Partial<ArPart>, string]>([
    ['a header with another end', { mark: 'xx' }, 'ar/header'],
    ['a size that is no number', { size: '12a' }, 'ar/header'],
    ['a negative size', { size: '-1' }, 'ar/header'],
    ['an empty size', { size: ' ' }, 'ar/header'],
    ['a size beyond the end', { size: '9999999999' }, 'ar/truncated'],
  ])('keeps the members before %s', async (_, wrong, code) => {
    const { members, fault } = await table(ar([SOUND[0]!, { name: 'bad', body: 'body', ...wrong }]));
    expect(members.map(({ name }) => name)).toEqual(['one']);
    expect(fault?.code).toBe(code);
  });

  test('says that the archive ends inside a header', async () => {
    expect((await table(ar(SOUND).subarray(0, 100))).fault?.code).toBe('ar/truncated');
  });

  test('refuses what is no ar archive', async () => {
    expect(await codeOf(() => table(ar(SOUND, '!<ARCH>\n')))).toBe('ar/header');
    expect(await codeOf(() => table(new Uint8Array(3)))).toBe('ar/header');
  });

  test('does not remember members without a bound', async () => {
    const many = ar(Array.from({ length: 20 }, () => ({ name: 'x', body: '' })));
    expect(await codeOf(() => arTable(bytesSource('x.ar', many), contextWith({ members: 10 }).limits))).toBe(
      'limit/members',
    );
  });
});

describe.each(['file', 'bytes'])('memberContent() of %s', (kind) => {
  async function sourceOf(bytes: Uint8Array): Promise<RandomSource> {
    if (kind === 'bytes') return bytesSource('x.ar', bytes);
    const path = join(scratch(), 'x.ar');
    writeFileSync(path, bytes);
    return (await fileSource(path)) as RandomSource;
  }

  test('gives the content of each member, as often as it is asked', async () => {
    const large = Buffer.alloc(300_001, 'large ');
    const source = await sourceOf(ar([...SOUND, { name: 'large', body: large }, { name: 'end', body: 'z' }]));
    const found = await arTable(source, context.limits);
    const content = async (index: number) => whole(memberContent(source, found, found.members[index]!, context));
    expect(textOf(await content(0))).toBe('first');
    expect(textOf(await content(1))).toBe('second');
    expect(Buffer.compare(await content(2), large)).toBe(0);
    expect(textOf(await content(3))).toBe('z');
    expect(textOf(await content(0))).toBe('first');
    await source.close();
  });

  test('can be left early', async () => {
    const source = await sourceOf(ar([{ name: 'large', body: Buffer.alloc(1_000_000) }]));
    const found = await arTable(source, context.limits);
    for await (const chunk of memberContent(source, found, found.members[0]!, context)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await source.close();
  });

  // What makes the engine throw where nobody can catch it.
  test.each<[string, readonly ArPart[]]>([
    ['an empty member', [SOUND[0]!, { name: 'empty', body: '' }]],
    ['a fault behind it', [SOUND[0]!, { name: 'bad', body: 'x', mark: '??' }]],
    ['a table of names', [SOUND[0]!, { name: '//', body: 'x/\n' }]],
    ['a name of the BSD kind', [SOUND[0]!, { name: '#1/4', body: 'nameX' }]],
  ])('does not need the engine where the archive has %s', async (_, parts) => {
    const source = await sourceOf(ar(parts));
    const found = await arTable(source, context.limits);
    expect(canBeStreamed(found)).toBe(false);
    expect(textOf(await whole(memberContent(source, found, found.members[0]!, context)))).toBe('first');
    await source.close();
  });
});

test('a file that has become another one since is a refusal, not a fault', async () => {
  const path = join(scratch(), 'x.ar');
  writeFileSync(path, ar(SOUND));
  const source = (await fileSource(path)) as RandomSource;
  const found = await arTable(source, context.limits);
  writeFileSync(path, ar([SOUND[0]!]));
  expect(await codeOf(() => whole(memberContent(source, found, found.members[1]!, context)))).toBe('source/unreadable');
  await source.close();
});
