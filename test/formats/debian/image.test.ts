/** One image of several packages: order, conflicts, folders and links, the database, layers. */
import { describe, expect, test } from 'vitest';
import { type DebRecipe, deb } from '../../../fixtures/deb.ts';
import { createContext } from '../../../formats/base/context.ts';
import { noteList } from '../../../formats/base/notes.ts';
import { bytesSource, streamSource } from '../../../formats/bytes/source.ts';
import { deb as reader } from '../../../formats/debian/index.ts';
import { type Image, imagesOf } from '../../../formats/model/image.ts';
import type { Packaging } from '../../../formats/model/reader.ts';
import type { TarEntry } from '../../../formats/tar/entry.ts';
import { tarScanner } from '../../../formats/tar/scanner.ts';
import { codeOf, diffIdsOf, READING, refusalOf, sliced, whole } from '../support.ts';

interface Opened {
  readonly image: Image;
  readonly notes: readonly string[];
  /** Content of files, targets of links, `/` for folders, by path, of each layer. */
  readonly layers: readonly ReadonlyMap<string, string>[];
  readonly entries: ReadonlyMap<string, TarEntry>;
  readonly ids: readonly string[];
}

async function open(recipes: readonly DebRecipe[], packaging: Partial<Packaging> = {}): Promise<Opened> {
  const notes = noteList();
  const context = createContext({ notes });
  const sources = recipes.map((recipe, i) => bytesSource(`${i}.deb`, deb(recipe)));
  const opened = await reader.read(sources, context, { ...READING, packaging: { ...READING.packaging, ...packaging } });
  try {
    const [image] = imagesOf(opened.items);
    const entries = new Map<string, TarEntry>();
    const layers: Map<string, string>[] = [];
    for (const layer of image!.layers) layers.push(contentOf(await whole(layer.open(context)), entries));
    const ids = await diffIdsOf(image!, context);
    return { image: image!, notes: notes.all().map(({ message }) => message), layers, entries, ids };
  } finally {
    await opened.close();
  }
}

function contentOf(tar: Uint8Array, entries: Map<string, TarEntry>): Map<string, string> {
  const found = new Map<string, string>();
  let text = '';
  const scanner = tarScanner(createContext().limits, {
    data: (bytes) => void (text += Buffer.from(bytes).toString('latin1')),
    end(entry) {
      const path = Buffer.from(entry.path).toString('latin1').replace(/\/$/, '');
      expect(found.has(path), `${path} is in the layer once`).toBe(false);
      const link = Buffer.from(entry.link).toString('latin1');
      found.set(path, entry.type === 'dir' ? '/' : entry.type === 'file' ? text : `${entry.type} ${link}`);
      entries.set(path, entry);
      text = '';
    },
  });
  scanner.push(tar);
  scanner.finish();
  return found;
}

const named = (
  Package: string,
  more: Omit<DebRecipe, 'fields'> & { fields?: Record<string, string> } = {},
): DebRecipe => ({
  ...more,
  fields: { Package, ...more.fields },
});
const one = { layers: 'one' } as const;

describe('files of several packages', () => {
  test('behind a link to a folder go where the link leads, and a folder over a link keeps the link', async () => {
    const base = named('zz-base', {
      data: { 'usr/bin/': '' },
      entries: [
        { name: './bin', link: 'usr/bin' },
        { name: './opt', link: '/srv' },
      ],
    });
    const other = named('aa-other', { data: { 'bin/x': 'X', 'opt/y': 'Y' } });
    const { layers } = await open([other, named('mm', { data: { 'bin/z': 'Z' } }), base], one);
    const [files] = layers;
    expect([files!.get('bin'), files!.get('usr/bin/x'), files!.get('usr/bin/z')]).toEqual([
      'symlink usr/bin',
      'X',
      'Z',
    ]);
    expect(files!.has('bin/x')).toBe(false);
    // A link that came after the folder does not take its place; dpkg leaves the folder too.
    expect([files!.get('opt'), files!.get('opt/y')]).toEqual(['/', 'Y']);
    expect(files!.get('var/lib/dpkg/info/aa-other.list')).toBe('/.\n/bin\n/bin/x\n/opt\n/opt/y\n');
  });

  test('of one name are refused, unless one package replaces the other, in whatever order', async () => {
    const a = named('a', { data: { 'usr/f': 'A', 'usr/g': 'GA' } });
    const b = named('b', { data: { 'usr/f': 'B' } });
    const refusal = await refusalOf(() => open([a, b]));
    expect([refusal?.code, refusal?.message]).toEqual([
      'debian/conflict',
      '/usr/f is in a 1.0-1 all and b 1.0-1 all, and neither replaces the other',
    ]);
    for (const [replacing, other] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      const recipes = [a, b].map((recipe) =>
        recipe.fields!['Package'] === replacing
          ? { ...recipe, fields: { ...recipe.fields, Replaces: `${other} (<< 2)` } }
          : recipe,
      );
      const { layers } = await open(recipes, one);
      expect(layers[0]!.get('usr/f')).toBe(replacing.toUpperCase());
      expect(layers[0]!.get(`var/lib/dpkg/info/${other}.list`)).not.toContain('/usr/f');
    }
  });

  test('are refused where Replaces means another version', async () => {
    const a = named('a', { data: { f: 'A' } });
    const b = named('b', { data: { f: 'B' }, fields: { Replaces: 'a (<< 1.0)' } });
    expect(await codeOf(() => open([a, b]))).toBe('debian/conflict');
  });

  test('keep what they are: modes, owners, links, hard links', async () => {
    const { entries, layers } = await open(
      [
        {
          data: { 'usr/a': 'content' },
          entries: [
            { name: './usr/b', type: '1', link: './usr/a' },
            { name: './usr/su', body: 'x', mode: 0o4755, uid: 7, gid: 9 },
            { name: './usr/l', link: '../nowhere' },
            { name: './dev/null', type: '3', major: 1, minor: 3 },
          ],
        },
      ],
      one,
    );
    expect(layers[0]!.get('usr/b')).toBe('hardlink usr/a');
    expect(layers[0]!.get('usr/l')).toBe('symlink ../nowhere');
    expect(entries.get('usr/su')).toMatchObject({ mode: 0o4755, uid: 7, gid: 9, mtime: { seconds: 0 } });
    expect(entries.get('dev/null')).toMatchObject({ type: 'char', major: 1, minor: 3 });
  });

  test('that were linked to a file of which another package has the name now keep their content', async () => {
    const a = named('a', { data: { f: 'mine' }, entries: [{ name: './g', type: '1', link: './f' }] });
    const b = named('b', { data: { f: 'other' }, fields: { Replaces: 'a' } });
    const { layers } = await open([a, b], one);
    expect([layers[0]!.get('f'), layers[0]!.get('g')]).toEqual(['other', 'mine']);
  });

  test.each<[string, DebRecipe, string]>([
    ['a name that climbs', { entries: [{ name: './../x', body: '' }] }, 'path/escape'],
    ['a name that would remove another in an image', { data: { 'usr/.wh.x': '' } }, 'path/invalid'],
    ['a hard link to nothing', { entries: [{ name: './x', type: '1', link: './y' }] }, 'path/link'],
    [
      'hard links in a circle',
      {
        entries: [
          { name: './x', type: '1', link: './y' },
          { name: './y', type: '1', link: './x' },
        ],
      },
      'path/link',
    ],
    [
      'links in a circle',
      {
        entries: [
          { name: './a', link: 'b' },
          { name: './b', link: 'a' },
          { name: './a/x', body: '' },
        ],
      },
      'path/link',
    ],
    ['a file where it has a folder', { data: { 'a/b': '' }, entries: [{ name: './a', body: 'x' }] }, 'debian/conflict'],
    ['a folder where it has a file', { data: { a: '' }, entries: [{ name: './a/', mode: 0o755 }] }, 'debian/conflict'],
    ['a file below a file', { data: { a: '' }, entries: [{ name: './a/b', body: '' }] }, 'debian/conflict'],
    ['the root as a file', { entries: [{ name: './', type: '0', body: 'x' }] }, 'path/root'],
    [
      'a sparse file',
      {
        entries: [
          { name: './s', sparse: { form: 'old-gnu', size: 1000, extents: [{ offset: 512, data: 'x' }] } as never },
        ],
      },
      'debian/package',
    ],
    ['a part of the database', { data: { 'var/lib/dpkg/status': 'Package: fake\n' } }, 'debian/conflict'],
  ])('are refused with %s', async (_, recipe, code) => {
    expect(await codeOf(() => open([recipe]))).toBe(code);
  });
});

describe('the database', () => {
  test('says of each package what dpkg would, and lists its files', async () => {
    const { layers } = await open(
      [
        named('plain', {
          data: { 'etc/a.conf': 'A', 'usr/b': 'B' },
          files: {
            conffiles: '/etc/a.conf\n',
            triggers: 'interest-noawait /usr/share/x\nactivate ldconfig\ninterest named\ninterest /voil\u00e0\n',
          },
        }),
        named('scripted', {
          files: { postinst: '#!/bin/sh\n' },
          fields: { 'Multi-Arch': 'same', Architecture: 'amd64' },
        }),
      ],
      one,
    );
    const file = (name: string) => layers[0]!.get(`var/lib/dpkg/${name}`);
    expect(file('status')).toContain('Package: plain\nStatus: install ok installed\nVersion: 1.0-1\n');
    expect(file('status')).toContain('Conffiles:\n /etc/a.conf 7fc56270e7a70fa81a5935b72eacbe29\n\n');
    expect(file('status')).toContain('Package: scripted\nStatus: install ok unpacked\n');
    expect(file('info/plain.list')).toBe('/.\n/etc\n/etc/a.conf\n/usr\n/usr/b\n');
    expect(file('info/plain.md5sums')).toBe('9d5ed678fe57bcca610140957afab571  usr/b\n');
    expect(file('info/plain.conffiles')).toBe('/etc/a.conf\n');
    expect(file('info/scripted:amd64.postinst')).toBe('#!/bin/sh\n');
    expect(file('info/format')).toBe('1\n');
    expect(file('triggers/File')).toBe('/usr/share/x plain/noawait\n/voil\u00c3\u00a0 plain\n');
    expect(file('triggers/named')).toBe('plain\n');
  });

  test('is another where there is no dpkg to read it', async () => {
    const { layers, image } = await open([named('plain', { data: { f: 'F' } })], { distroless: true });
    const names = layers.flatMap((layer) => [...layer.keys()]).filter((name) => name.startsWith('var/lib/dpkg/'));
    expect(names).toEqual([
      'var/lib/dpkg/status.d',
      'var/lib/dpkg/status.d/plain',
      'var/lib/dpkg/status.d/plain.md5sums',
    ]);
    expect(layers[0]!.get('var/lib/dpkg/status.d/plain')).not.toContain('Status:');
    expect(image.layers.length).toBe(1);
  });
});

describe('what is said of the packages', () => {
  test('platform, versions and when the newest was built', async () => {
    const { image } = await open([
      named('a', { fields: { Architecture: 'armhf' } }),
      named('b', { fields: { Version: '2:3-4' } }),
    ]);
    expect(image.config.platform).toEqual({ os: 'linux', architecture: 'arm', variant: 'v7' });
    expect(image.config.created).toBe('2020-09-13T12:26:40Z');
    expect(image.annotations?.get('io.ocix.deb.packages')).toBe('{"a":"1.0-1","b":"2:3-4"}');
  });

  test('scripts that were not run, and what is missing', async () => {
    const { notes } = await open([
      named('a', { files: { postinst: '', prerm: '' }, fields: { Depends: 'b (>= 2) | c, d', 'Pre-Depends': 'e' } }),
      named('d'),
      named('x', { fields: { Provides: 'e' } }),
      named('b'),
    ]);
    expect(notes).toEqual([
      'it depends on b (>= 2) | c, which is not among the packages',
      'its maintainer scripts were not run: postinst (dpkg --configure -a runs them in the image)',
    ]);
  });

  test('what scripts would have changed of other packages, comments aside', async () => {
    const postinst =
      '#!/bin/sh\n# setcap\nupdate-alternatives --install /a b /c 1\ndpkg-divert --add /x\nmy-setcap-x\n';
    const { notes } = await open([named('a', { files: { postinst, prerm: 'dpkg-statoverride' } })]);
    expect(notes).toEqual([
      'its maintainer scripts were not run: postinst, which call dpkg-divert, update-alternatives (dpkg --configure -a runs them in the image)',
    ]);
  });

  test('what packages say of themselves', async () => {
    const { image } = await open([
      named('a', { files: { prerm: '', conffiles: '/etc/a\nremove-on-upgrade /etc/b\n' }, data: { 'etc/a': 'x' } }),
    ]);
    expect(image.packages).toEqual([
      {
        name: 'a',
        version: '1.0-1',
        architecture: 'all',
        fields: {
          Package: 'a',
          Version: '1.0-1',
          Architecture: 'all',
          Maintainer: 'Toy Maker <toy@example.com>',
          Description: 'a toy',
        },
        scripts: ['prerm'],
        conffiles: ['/etc/a', '/etc/b'],
        size: expect.any(Number),
      },
    ]);
  });

  test('two architectures', async () => {
    const { notes } = await open([
      named('a', { fields: { Architecture: 'amd64' } }),
      named('b', { fields: { Architecture: 'arm64' } }),
    ]);
    expect(notes).toEqual(['the packages are for amd64 and arm64: the image says amd64']);
  });

  test.each<[string, DebRecipe, DebRecipe]>([
    ['the same package twice', named('a'), named('a', { fields: { Version: '2' } })],
    ['a package that conflicts with another', named('a', { fields: { Conflicts: 'b' } }), named('b')],
    [
      'one that conflicts with what another provides',
      named('a', { fields: { Conflicts: 'mta', Provides: 'mta' } }),
      named('b', { fields: { Provides: 'mta' } }),
    ],
    ['one that breaks a version of another', named('a', { fields: { Breaks: 'b (<< 2)' } }), named('b')],
  ])('%s: refused', async (_, a, b) => {
    expect(await codeOf(() => open([a, b]))).toBe('debian/conflict');
  });
});

describe('layers', () => {
  const libc = named('libc6', { data: { 'lib/c.so': 'c' }, fields: { Depends: 'libgcc' } });
  const gcc = named('libgcc', { data: { 'lib/gcc.so': 'g' }, fields: { Depends: 'libc6' } });
  const lib = named('libz', { data: { 'lib/z.so': 'z' }, fields: { Depends: 'libc6' } });
  const app = named('app', { data: { 'bin/app': 'a' }, fields: { Depends: 'libz, libc6' } });
  const tool = named('tool', { data: { 'bin/tool': 't' }, fields: { Depends: 'libc6' } });

  test('are groups: what most need, what others need, what was asked for, the database', async () => {
    const { image, ids } = await open([app, libc, gcc, lib]);
    expect(image.history.map(({ createdBy }) => createdBy)).toEqual([
      'packages: libc6=1.0-1 libgcc=1.0-1',
      'packages: libz=1.0-1',
      'packages: app=1.0-1',
      'package database',
    ]);
    const other = await open([tool, gcc, libc]);
    expect(other.ids[0]).toBe(ids[0]);
  });

  test('can be one for each package, or one for all', async () => {
    expect((await open([app, libc, gcc, lib], { layers: 'package' })).layers.length).toBe(5);
    expect((await open([app, libc, gcc, lib], one)).layers.length).toBe(1);
  });

  test('are the same bytes whatever the order of the arguments, and each time', async () => {
    const first = await open([app, libc, gcc, lib]);
    expect((await open([lib, gcc, app, libc])).ids).toEqual(first.ids);
  });

  test('hold nothing that is later than the time that is given', async () => {
    const { entries } = await open([named('a', { data: { f: 'F' }, mtime: 1_700_000_000 })], { latest: 1_650_000_000 });
    const times = [...entries.values()].map(({ mtime }) => mtime.seconds);
    expect(Math.max(...times)).toBe(1_650_000_000);
  });
});

test('a package can come from a pipe', async () => {
  const bytes = deb(named('a', { data: { f: 'F'.repeat(100_000) } }));
  const context = createContext();
  const opened = await reader.read([streamSource('pipe', sliced(bytes, 1000))], context, READING);
  const [image] = imagesOf(opened.items);
  const layer = contentOf(await whole(image!.layers[0]!.open(context)), new Map());
  expect(layer.get('f')?.length).toBe(100_000);
  await opened.close();
});

test('without a package there is no image', async () => {
  expect(await codeOf(() => reader.read([], createContext(), READING))).toBe('usage/argument');
});
