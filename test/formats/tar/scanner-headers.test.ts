/** Headers about other headers: PAX records, global ones, GNU long names. */
import { describe, expect, test } from 'vitest';
import { metaEntry, paxGlobal, paxRecord, type TarEntry, tar } from '../../../fixtures/tar.ts';
import { codeOf } from '../support.ts';
import { one, pathsIn, scan } from './scan.ts';

describe('PAX records', () => {
  test('win over every field of the header', () => {
    const { entry } = one({
      type: '2',
      link: 'x',
      uid: 1,
      gid: 2,
      mtime: 3,
      pax: [
        ['path', 'new'],
        ['linkpath', 'target'],
        ['uid', '4294967294'],
        ['gid', '70000000'],
        ['mtime', '-1.5'],
      ],
    });
    expect(entry).toMatchObject({ path: 'new', link: 'target', uid: 4294967294, gid: 70000000, mtime: '-2.500000000' });
  });

  test('of the size win for the length of the body too (CVE-2025-62518)', () => {
    const hidden = tar([{ name: 'hidden', body: 'evil' }], { end: false });
    const { entry, paths } = one({ body: hidden, size: 0, pax: [['size', String(hidden.length)]] });
    expect(paths).toEqual(['a', 'behind']);
    expect(entry.size).toBe(1024);
    expect(entry.body).toBe(hidden.toString('latin1'));
  });

  test('of the size make a body shorter too, so that what follows is read as headers', () => {
    const inner = tar([{ name: 'seen', body: '' }], { end: false });
    expect(one({ body: inner, pax: [['size', '0']] }).paths).toEqual(['a', 'seen', 'behind']);
  });

  test('that are empty leave the header’s field', () => {
    expect(
      one({
        pax: [
          ['path', 'x'],
          ['path', ''],
          ['uid', ''],
        ],
        uid: 7,
      }).entry,
    ).toMatchObject({ path: 'a', uid: 7 });
  });

  test('count for one entry only', () => {
    const { entry, behind } = one({
      pax: [
        ['uid', '77'],
        ['SCHILY.xattr.user.x', 'y'],
      ],
    });
    expect([entry.uid, behind.uid]).toEqual([77, 0]);
    expect([entry.xattrs, behind.xattrs]).toEqual([{ 'user.x': 'y' }, {}]);
  });

  test('stand in for an owner that the header cannot say', () => {
    expect(one({ uid: -1, dialect: 'ustar', pax: [['uid', '5']] }).entry.uid).toBe(5);
  });

  test('that are written by Sun under X count the same', () => {
    const bytes = tar([metaEntry('X', paxRecord('path', 'sun')), { name: 'a' }]);
    expect(pathsIn(bytes)).toEqual(['sun']);
  });

  test('of a second header take the place of those of the first', () => {
    const bytes = tar([metaEntry('x', paxRecord('uid', '5')), metaEntry('x', paxRecord('gid', '6')), { name: 'a' }]);
    expect(scan(bytes).entries).toMatchObject([{ uid: 0, gid: 6, offset: 0, blocks: 5 }]);
  });

  test('of device numbers count for devices alone', () => {
    const pax = [
      ['SCHILY.devmajor', '5'],
      ['SCHILY.devminor', '6'],
    ] as const;
    expect(one({ type: '3', pax }).entry.device).toBe('5:6');
    expect(one({ type: '0', pax }).entry.device).toBe('0:0');
  });

  test.each([
    ['size', '-1'],
    ['size', '1e3'],
    ['size', '9007199254740992'],
    ['uid', '4294967295'],
    ['gid', '-1'],
    ['mtime', 'yesterday'],
    ['path', 'a\0b'],
  ])('of %s may not be %j', async (key, value) => {
    expect(await codeOf(() => one({ pax: [[key, value]] }))).toBe('tar/pax');
  });
});

describe('a global header', () => {
  test('is not applied, and said so', () => {
    const bytes = tar([
      paxGlobal([
        ['uid', '77'],
        ['path', 'everywhere'],
      ]),
      { name: 'a' },
      { name: 'b' },
    ]);
    const { entries, warnings } = scan(bytes);
    expect(entries).toMatchObject([
      { path: 'a', uid: 0 },
      { path: 'b', uid: 0 },
    ]);
    expect(warnings).toEqual(['a global extended header is not applied (uid, path)']);
  });

  test('of a comment alone, as git writes it, is worth no word', () => {
    const { entries, warnings } = scan(tar([paxGlobal([['comment', 'f00d']]), { name: 'a' }]));
    expect([entries.length, warnings]).toEqual([1, []]);
    expect(entries[0]).toMatchObject({ offset: 1024, blocks: 1 });
  });

  test('that is malformed is refused all the same', async () => {
    expect(await codeOf(() => scan(tar([metaEntry('g', 'nonsense'), { name: 'a' }])))).toBe('tar/pax');
  });
});

describe('GNU long names', () => {
  const L = (name: string) => metaEntry('L', `${name}\0`, 'gnu');
  const K = (name: string) => metaEntry('K', `${name}\0`, 'gnu');

  test('and long links may both stand before an entry, in any order', () => {
    const entry: TarEntry = { name: 'short', link: 'short', dialect: 'gnu' };
    for (const metas of [
      [L('name'), K('link')],
      [K('link'), L('name')],
    ])
      expect(scan(tar([...metas, entry, { name: 'b' }])).entries).toMatchObject([
        { path: 'name', link: 'link', blocks: 5 },
        { path: 'b', link: '' },
      ]);
  });

  test('end at the first NUL, and need none', () => {
    expect(pathsIn(tar([metaEntry('L', 'name\0rest\0', 'gnu'), { name: 'a' }]))).toEqual(['name']);
    expect(pathsIn(tar([metaEntry('L', 'name', 'gnu'), { name: 'a' }]))).toEqual(['name']);
  });

  test('win over PAX records, as in Go, in any order', () => {
    const x = metaEntry('x', Buffer.concat([paxRecord('path', 'pax'), paxRecord('linkpath', 'pax')]));
    for (const metas of [
      [L('gnu'), K('gnu'), x],
      [x, K('gnu'), L('gnu')],
    ])
      expect(scan(tar([...metas, { name: 'a', link: 'a' }])).entries).toMatchObject([{ path: 'gnu', link: 'gnu' }]);
  });

  test('of many blocks are read whole', () => {
    const long = `${'d/'.repeat(2000)}end`;
    const bytes = tar([{ name: long, link: `${long}x`, dialect: 'gnu' }]);
    for (const chunk of [1000, bytes.length])
      expect(scan(bytes, { chunk }).entries).toMatchObject([{ path: long, link: `${long}x` }]);
  });
});
