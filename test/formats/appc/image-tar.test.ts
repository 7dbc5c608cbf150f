/** The tar of an image: what passes into the layer as it is, what is mended or left out with a note, and what is refused. */
import { describe, expect, test } from 'vitest';
import { type AciRecipe, aci, aciId, aciTar } from '../../../fixtures/aci.ts';
import { type TarEntry, tar } from '../../../fixtures/tar.ts';
import { EVERYTHING, type ImpliedFolders, type Learnt, layerOfImage } from '../../../formats/appc/image-tar.ts';
import { renderedRoot } from '../../../formats/appc/rendered-root.ts';
import { peel } from '../../../formats/archive/open.ts';
import type { Limits } from '../../../formats/base/limits.ts';
import { chunksOf } from '../../../formats/bytes/chunks.ts';
import { codeOf, contextWith, refusalOf, sliced, whole } from '../support.ts';
import { scan } from '../tar/scan.ts';
import { notesOf, readAci, treeOf } from './images.ts';

interface Options {
  readonly limits?: Partial<Limits>;
  /** Bytes at once. */
  readonly chunk?: number;
}

async function layer(recipe: AciRecipe | Uint8Array, { limits = {}, chunk }: Options = {}) {
  const context = contextWith(limits);
  const bytes = recipe instanceof Uint8Array ? recipe : aciTar(recipe);
  const learnt: Learnt = {};
  const implied: ImpliedFolders = new Map();
  const open = () => (chunk ? sliced(bytes, chunk) : chunksOf(bytes));
  const first = await whole(
    layerOfImage(open(), { filter: EVERYTHING, root: renderedRoot(), implied, learnt }, context),
  );
  const again = await whole(layerOfImage(open(), { filter: EVERYTHING, implied, learnt: {} }, context));
  return { bytes: first, again, learnt, ...scan(first), notes: notesOf(context) };
}

/** Paths of the layer, with a manifest in front of these members. */
const paths = async (...members: readonly TarEntry[]): Promise<readonly string[]> =>
  (await layer({ members: ([manifest]) => [manifest!, ...members] })).entries.map(({ path }) => path);

const refused = (...members: readonly TarEntry[]) =>
  refusalOf(() => layer({ members: ([manifest]) => [manifest!, ...members] }));

const root: TarEntry = { name: 'rootfs/' };

describe('the layer', () => {
  test('has the files below rootfs, without the folder in front, and nothing of the manifest', async () => {
    const { entries, notes } = await layer({ rootfs: [{ name: 'etc/' }, { name: 'etc/motd', body: 'hello' }] });
    expect(entries.map(({ path, type, body }) => [path, type, body])).toEqual([
      ['./', 'dir', ''],
      ['etc/', 'dir', ''],
      ['etc/motd', 'file', 'hello'],
    ]);
    expect(notes).toEqual([]);
  });

  test('keeps mode, owner and time of the root', async () => {
    const { entries } = await layer({
      members: ([manifest]) => [manifest!, { ...root, mode: 0o700, uid: 7, gid: 8, mtime: 99 }],
    });
    expect(entries[0]).toMatchObject({ mode: 0o700, uid: 7, gid: 8, mtime: '99.000000000' });
  });

  test('keeps what a tar can say of a file', async () => {
    const rootfs: TarEntry[] = [
      { name: 'suid', mode: 0o6755, uid: 70_000, gid: 4_000_000_000, body: 'x', mtime: '1431000000.123456789' },
      { name: 'old', body: 'x', mtime: -1 },
      { name: 'caps', body: 'x', pax: [['SCHILY.xattr.security.capability', Buffer.from([1, 0, 0, 2, 0xff])]] },
      { name: 'link', link: '/absolute/../and/out' },
      { name: 'null', type: '3', major: 1, minor: 3, mode: 0o666 },
      { name: 'disk', type: '4', major: 259, minor: 70_000 },
      { name: 'pipe', type: '6' },
      { name: Buffer.from([0x66, 0xff, 0x0a]), body: 'x' },
      { name: `${'long/'.repeat(60)}name`, body: 'x' },
    ];
    const { entries } = await layer({ rootfs });
    expect(entries.map(({ path }) => path).slice(1)).toEqual(
      rootfs.map(({ name }) => Buffer.from(name).toString('latin1')),
    );
    const [, suid, old, caps, link, nul, disk, pipe] = entries;
    expect(suid).toMatchObject({ mode: 0o6755, uid: 70_000, gid: 4_000_000_000, mtime: '1431000000.123456789' });
    expect(old).toMatchObject({ mtime: '-1.000000000' });
    expect(caps?.xattrs).toEqual({ 'security.capability': '\u0001\0\0\u0002ÿ' });
    expect(link).toMatchObject({ type: 'symlink', link: '/absolute/../and/out' });
    expect([nul, disk, pipe].map((one) => [one?.type, one?.device])).toEqual([
      ['char', '1:3'],
      ['block', '259:70000'],
      ['fifo', '0:0'],
    ]);
  });

  test('has hard links to what the layer calls their target', async () => {
    const { entries } = await layer({
      rootfs: [{ name: 'a', body: 'x' }, { name: 'd/' }, { name: 'd/b', type: '1', link: 'a' }],
    });
    expect(entries.at(-1)).toMatchObject({ type: 'hardlink', path: 'd/b', link: 'a' });
    const dotted = await layer({
      members: ([manifest]) => [
        manifest!,
        root,
        { name: './rootfs/a', body: 'x' },
        { name: './rootfs/b', type: '1', link: './rootfs/a' },
      ],
    });
    expect(dotted.entries.at(-1)).toMatchObject({ path: 'b', link: 'a' });
  });

  test.each(['old-gnu', 'pax-0.0', 'pax-0.1', 'pax-1.0'] as const)(
    'has sparse files of the form %s with their holes filled',
    async (form) => {
      const sparse = {
        form,
        size: 5000,
        extents: [
          { offset: 1024, data: 'a'.repeat(512) },
          { offset: 4096, data: 'end' },
        ],
      };
      const { entries } = await layer({
        rootfs: [
          { name: 'sparse', sparse },
          { name: 'next', body: 'n' },
        ],
      });
      const body = Buffer.alloc(5000);
      body.fill('a', 1024, 1536);
      body.write('end', 4096);
      expect(entries.slice(1).map(({ path, size, body: found }) => [path, size, found])).toEqual([
        ['sparse', 5000, body.toString('latin1')],
        ['next', 1, 'n'],
      ]);
    },
  );

  test('is the same whatever pieces the archive comes in, and when it is read again', async () => {
    const recipe = {
      rootfs: [{ name: 'a', body: 'x'.repeat(3000) }, { name: 'b', type: '1', link: 'a' }, { name: 'c/' }],
    };
    const { bytes, again } = await layer(recipe);
    expect(again).toEqual(bytes);
    for (const chunk of [1, 511, 513]) expect((await layer(recipe, { chunk })).bytes).toEqual(bytes);
  });

  test('is a tar for large files too, whose pieces are joined', async () => {
    const body = Buffer.alloc(1_300_001, 'large ');
    const { entries, bytes } = await layer({
      rootfs: [
        { name: 'large', body },
        { name: 'small', body: 's' },
      ],
    });
    expect(entries.map(({ size }) => size)).toEqual([0, body.length, 1]);
    expect(entries[1]!.body).toBe(body.toString());
    expect(bytes.length % 512).toBe(0);
  });
});

describe('the members', () => {
  const rootfs = [{ name: 'a', body: 'x' }];

  test('may come in any order', async () => {
    const first = await layer({ rootfs });
    const last = await layer({ rootfs, order: 'manifest-last' });
    expect(last.bytes).toEqual(first.bytes);
  });

  test('may have ./ in front, and an entry of the folder that was packed', async () => {
    const { bytes, notes } = await layer({
      rootfs,
      members: (all) => [{ name: './' }, ...all.map((entry) => ({ ...entry, name: `./${entry.name}` }))],
    });
    expect(bytes).toEqual((await layer({ rootfs })).bytes);
    expect(notes).toEqual([]);
  });

  test('may be in a tar of any dialect', async () => {
    for (const dialect of ['v7', 'ustar', 'gnu', 'pax'] as const)
      expect((await layer({ rootfs, tar: { dialect } })).bytes).toEqual((await layer({ rootfs })).bytes);
  });

  test('that are twice in the archive are told, and the last counts', async () => {
    const recipe = { rootfs: [{ name: 'a', body: '1' }, { name: './a', body: '2' }, { name: 'd/' }, { name: 'd/' }] };
    const { notes } = await layer(recipe);
    expect(notes).toEqual([
      'repaired: a is there twice; the last one counts',
      'repaired: d is there twice; the last one counts',
    ]);
    expect(await treeOf((await readAci(recipe)).image)).toEqual({ a: '2', d: 'dir' });
  });

  test('beside rootfs are left out, with a note, also those that only begin like it', async () => {
    const recipe: AciRecipe = {
      rootfs,
      members: (all) => [
        ...all,
        { name: 'README', body: 'x' },
        { name: 'rootfsevil/x', body: 'x' },
        { name: 'manifest.json', body: '{}' },
      ],
    };
    const { entries, notes } = await layer(recipe);
    expect(entries.map(({ path }) => path)).toEqual(['./', 'a']);
    expect(notes.map((text) => text.split(' ')[1])).toEqual(['README', 'rootfsevil/x', 'manifest.json']);
    expect(notes[0]).toContain('dropped');
  });

  test.each(['.wh.a', 'd/.wh.a', '.wh..wh..opq', '.wh..wh.aufs/x', 'd/.wh.e/f'])(
    'that a layer would take for a removal are left out, with a note: %s',
    async (name) => {
      const { entries, notes } = await layer({ rootfs: [{ name, body: 'x' }] });
      expect(entries.map(({ path }) => path)).toEqual(['./']);
      expect(notes).toEqual([expect.stringContaining(`dropped: ${name} would mean`)]);
    },
  );

  test('need no entry for rootfs itself; that is a note', async () => {
    const { entries, notes } = await layer({ members: ([manifest]) => [manifest!, { name: 'rootfs/a', body: 'x' }] });
    expect(entries.map(({ path }) => path)).toEqual(['a']);
    expect(notes).toEqual([expect.stringContaining('repaired: rootfs has no entry of its own')]);
  });
});

describe('is refused', () => {
  test.each<[string, TarEntry, string]>([
    ['an absolute name', { name: '/rootfs/a', body: 'x' }, 'path/escape'],
    ['a name that climbs out', { name: 'rootfs/../../etc/passwd', body: 'x' }, 'path/escape'],
    ['a name that climbs and comes back', { name: 'rootfs/a/../b', body: 'x' }, 'path/escape'],
    ['a name that climbs outside of rootfs', { name: '../x', body: 'x' }, 'path/escape'],
    ['a hard link to the manifest', { name: 'rootfs/a', type: '1', link: 'manifest' }, 'path/escape'],
    ['a hard link to a path of the host', { name: 'rootfs/a', type: '1', link: '/etc/shadow' }, 'path/escape'],
    ['a hard link that climbs', { name: 'rootfs/a', type: '1', link: 'rootfs/../../etc/shadow' }, 'path/escape'],
    ['a hard link beside rootfs', { name: 'rootfs/a', type: '1', link: 'rootfsevil/x' }, 'path/escape'],
    ['a hard link to nothing', { name: 'rootfs/a', type: '1', link: 'rootfs/nothing' }, 'path/link'],
    ['a second manifest', { name: './manifest', body: '{}' }, 'appc/archive'],
    ['a manifest that is a folder', { name: 'manifest/' }, 'appc/archive'],
    ['a manifest that is a link', { name: 'manifest', link: 'rootfs/x' }, 'appc/archive'],
  ])('%s', async (_, member, code) => {
    expect((await refused(root, member))?.code).toBe(code);
  });

  test.each<[string, TarEntry]>([
    ['a file', { name: 'rootfs', body: 'x' }],
    ['a link', { name: 'rootfs', link: '/' }],
  ])('a rootfs that is %s', async (_, member) => {
    expect((await refused(member))?.code).toBe('path/root');
  });

  test('an archive without a rootfs, without a manifest, and without anything', async () => {
    expect((await refused())?.message).toContain('no rootfs');
    const code = (members: readonly TarEntry[]) => codeOf(() => layer(tar(members)));
    expect(await code([root])).toBe('appc/archive');
    expect(await code([])).toBe('appc/archive');
  });

  test('names with control characters are shown without them', async () => {
    expect((await refused(root, { name: '/\u001b[2J', body: 'x' }))?.message).not.toContain('\u001b');
  });
});

describe('limits', () => {
  test.each<[string, Partial<Limits>, AciRecipe]>([
    ['entries', { entries: 3 }, { rootfs: [{ name: 'a/' }, { name: 'b/' }] }],
    ['entry-bytes', { 'entry-bytes': 1000 }, { rootfs: [{ name: 'a', body: 'x'.repeat(1001) }] }],
  ])('hold: %s', async (name, limits, recipe) => {
    expect(await codeOf(() => layer(recipe, { limits }))).toBe(`limit/${name}`);
    expect(await codeOf(() => layer(recipe))).toBe('no refusal');
  });

  test('hold for what is inside of a compression', async () => {
    const bytes = aci({ rootfs: [{ name: 'a', body: 'x'.repeat(10_000) }], compression: 'gzip' });
    const context = contextWith({ 'total-bytes': 5000 });
    const read = async () => whole((await peel(chunksOf(bytes), context)).content);
    expect(await codeOf(read)).toBe('limit/total-bytes');
  });

  test('hold for holes: a small image does not become an endless layer', async () => {
    const sparse = { form: 'pax-1.0', size: 2 ** 30, extents: [{ offset: 2 ** 30, data: '' }] } as const;
    const refusal = await refusalOf(() => layer({ rootfs: [{ name: 'holes', sparse }] }));
    expect(refusal?.code).toBe('limit/ratio');
    expect(refusal?.hint).toContain('--limit ratio=');
  });
});

describe('the id', () => {
  const recipe: AciRecipe = { rootfs: [{ name: 'a', body: 'x' }] };

  test('is that of the uncompressed tar, whatever the compression', async () => {
    for (const compression of ['none', 'gzip', 'zstd'] as const) {
      const { content } = await peel(chunksOf(aci({ ...recipe, compression })), contextWith());
      const { learnt } = await layer(await whole(content));
      expect(learnt).toMatchObject({ imageId: aciId(recipe), size: aciTar(recipe).length });
    }
  });

  test('covers every byte of it, also those behind its end', async () => {
    const padded = Buffer.concat([aciTar(recipe), Buffer.alloc(10_240)]);
    const { learnt, bytes } = await layer(padded);
    expect(learnt.imageId).not.toBe(aciId(recipe));
    expect(learnt.size).toBe(padded.length);
    expect(bytes).toEqual((await layer(recipe)).bytes);
  });
});

test('paths are compared as bytes: one that only looks like another is no duplicate', async () => {
  expect(await paths(root, { name: 'rootfs/\u00e9' }, { name: 'rootfs/e\u0301' })).toHaveLength(3);
});
