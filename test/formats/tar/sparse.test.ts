import { describe, expect, test } from 'vitest';
import { type PaxRecord, tar } from '../../../fixtures/tar.ts';
import type { Sparse } from '../../../fixtures/tar-sparse.ts';
import { codeOf } from '../support.ts';
import { scan } from './scan.ts';

const forms = ['old-gnu', 'pax-0.0', 'pax-0.1', 'pax-1.0'] as const;
const archiveOf = (sparse: Sparse): Buffer =>
  tar([
    { name: 'some/holes', dialect: sparse.form === 'old-gnu' ? 'gnu' : 'pax', sparse },
    { name: 'behind', body: 'found' },
  ]);

function filled({ size, extents }: Sparse): string {
  const bytes = Buffer.alloc(Number(size));
  for (const { offset, data } of extents) bytes.set(Buffer.from(data), Number(offset));
  return bytes.toString('latin1');
}

const shapes: Readonly<Record<string, Omit<Sparse, 'form'>>> = {
  'a hole in front': { size: 10_000, extents: [{ offset: 9000, data: 'x'.repeat(1000) }] },
  'a hole behind': {
    size: 10_000,
    extents: [
      { offset: 0, data: 'y'.repeat(512) },
      { offset: 10_000, data: '' },
    ],
  },
  'nothing but holes': { size: 5000, extents: [{ offset: 5000, data: '' }] },
  'no stretch at all': { size: 5000, extents: [] },
  'no bytes': { size: 0, extents: [] },
  'stretches that touch': {
    size: 20,
    extents: [
      { offset: 0, data: 'a'.repeat(10) },
      { offset: 10, data: 'b'.repeat(10) },
    ],
  },
  'more stretches than fit the header': {
    size: 100_000,
    extents: Array.from({ length: 60 }, (_, i) => ({
      offset: 1500 * i,
      data: String.fromCharCode(65 + i).repeat(512),
    })),
  },
};

describe.each(forms)('a sparse file of the form %s', (form) => {
  describe.each(Object.keys(shapes))('with %s', (shape) => {
    const sparse: Sparse = { form, ...shapes[shape]! };
    const archive = archiveOf(sparse);

    test('has its real name and size, and its data where it belongs', () => {
      const { entries } = scan(archive);
      expect(entries.map(({ path, size, ended }) => [path, size, ended])).toEqual([
        ['some/holes', Number(sparse.size), true],
        ['behind', 5, true],
      ]);
      expect(entries[0]!.body === filled(sparse)).toBe(true);
      expect(entries[1]!.body).toBe('found');
    });

    test('reads the same however it is cut into chunks', () => {
      const expected = scan(archive);
      for (const chunk of [1, 7, 512, 1000]) expect(scan(archive, { chunk })).toEqual(expected);
    });
  });

  test.each([
    [
      'overlap',
      100,
      [
        { offset: 0, data: 'abc' },
        { offset: 2, data: 'def' },
      ],
    ],
    [
      'do not ascend',
      100,
      [
        { offset: 50, data: 'abc' },
        { offset: 2, data: 'def' },
      ],
    ],
    ['end behind the file', 100, [{ offset: 99, data: 'ab' }]],
    ['begin behind the file', 100, [{ offset: 101, data: '' }]],
    ['are longer than what is stored', 100, [{ offset: 0, data: 'abc', length: 10 }]],
    ['are shorter than what is stored', 100, [{ offset: 0, data: 'abc', length: 2 }]],
  ])('is refused when its stretches %s', async (_, size, extents) => {
    expect(await codeOf(() => scan(archiveOf({ form, size, extents })))).toBe('tar/sparse');
  });
});

describe('a map', () => {
  const withRecords =
    (pax: readonly PaxRecord[], body = '') =>
    () =>
      scan(tar([{ name: 'a', pax, body }]));
  const size = ['GNU.sparse.size', '100'] as const;
  const v1 = [
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.realsize', '100'],
  ] as const;

  test.each([
    ['a length before its offset', [size, ['GNU.sparse.numbytes', '1'], ['GNU.sparse.offset', '0']]],
    ['two offsets in a row', [size, ['GNU.sparse.offset', '1'], ['GNU.sparse.offset', '5']]],
    ['an offset without a length', [size, ['GNU.sparse.offset', '1']]],
    ['an odd number of values', [size, ['GNU.sparse.map', '0,1,2']]],
  ] as const)('of version 0 is refused with %s', async (_, pax) => {
    expect(await codeOf(withRecords(pax))).toBe('tar/sparse');
  });

  test.each(['0,-1', '0,x', '0,1,', ' 0,1', '0x0,1', '0,9007199254740993'])(
    'of version 0.1 is refused where it says %j',
    async (map) => {
      expect(['tar/pax', 'tar/sparse']).toContain(await codeOf(withRecords([size, ['GNU.sparse.map', map]], 'x')));
    },
  );

  test.each([
    ['less than a block', '1\n0\n5\n', 'tar/sparse'],
    ['a count without an end', `5\n${'1'.repeat(507)}`, 'tar/sparse'],
    ['fewer lines than it counts', `9\n0\n5\n${'\0'.repeat(506)}`, 'tar/sparse'],
    ['a count that is no number', `x\n${'\0'.repeat(510)}`, 'tar/pax'],
    ['a count over every bound', `99999999\n${'\0'.repeat(503)}`, 'tar/pax'],
    ['a line that is no number', `1\n-1\n5\n${'\0'.repeat(505)}`, 'tar/pax'],
    ['an empty line', `1\n\n5\n${'\0'.repeat(507)}`, 'tar/pax'],
  ])('of version 1.0 is refused with %s', async (_, body, code) => {
    expect(await codeOf(withRecords(v1, body))).toBe(code);
  });

  test('of version 1.0 is refused without a real size', async () => {
    expect(await codeOf(withRecords(v1.slice(0, 2), `0\n${'\0'.repeat(510)}`))).toBe('tar/pax');
  });

  test('of a version that nobody has defined is passed over, and the file taken as it is stored', () => {
    const pax = [['GNU.sparse.major', '2'], ['GNU.sparse.minor', '0'], size] as const;
    expect(withRecords(pax, 'body')().entries).toMatchObject([{ path: 'a', size: 4, body: 'body' }]);
  });

  test('of old GNU headers is refused with an offset that is no number', async () => {
    const archive = tar([
      {
        name: 'a',
        type: 'S',
        dialect: 'gnu',
        block: (block) => {
          block.write('nonsense', 386, 'latin1');
        },
      },
    ]);
    expect(await codeOf(() => scan(archive))).toBe('tar/header');
  });
});
