/** What people see: errors, sizes, listings, images, progress. */
import { describe, expect, test } from 'vitest';
import { errorText, faultText } from '../../cli/render/error.ts';
import { summaryText } from '../../cli/render/inspect.ts';
import { listedText, ownerText } from '../../cli/render/listing.ts';
import { progressView } from '../../cli/render/progress.ts';
import { clip, type Paint, paintFor, plain, wantsColour, widthOf } from '../../cli/render/terminal.ts';
import { countText, secondsText, shortDigest, sizeText } from '../../cli/render/units.ts';
import type { Listed } from '../../converters/listing.ts';
import type { ImageSummary, SourceSummary } from '../../converters/summary.ts';
import { OcixError } from '../../formats/base/errors.ts';

describe('an error', () => {
  test('has what is wrong, where, and what to do, in three lines', () => {
    const error = new OcixError('digest/mismatch', 'it is not', {
      at: ['a.tar', 'b'],
      expected: 'x',
      found: 'y',
      hint: 'Do.',
    });
    expect(errorText(error, plain)).toBe(
      'ocix: digest/mismatch: it is not\n  at  a.tar > b\n  expected x, found y. Do.',
    );
  });
  test('without a place or a hint is one line', () => {
    expect(errorText(new OcixError('path/root', 'no'), plain)).toBe('ocix: path/root: no');
  });
  test('cannot draw on the terminal with what an input says', () => {
    const text = errorText(new OcixError('path/root', '\x1b[2J', { at: ['a\nb'], hint: '\u202e' }), plain);
    expect(text).toBe('ocix: path/root: \\x1b[2J\n  at  a\\x0ab\n  \\u202e');
  });
  test('that is a fault of ocix itself asks for a report, and shows no stack', () => {
    const text = faultText(new TypeError('x is not\na function'));
    expect(text).toContain('TypeError: x is not\\x0aa function');
    expect(text.split('\n')).toHaveLength(3);
    expect(faultText('thrown text')).toContain('fault: thrown text');
  });
});

describe('units', () => {
  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [999_949, '999.9 kB'],
    [999_950, '1.0 MB'],
    [212_700_000, '212.7 MB'],
    [2e18, '2000.0 PB'],
  ])('%i bytes are %s', (bytes, text) => expect(sizeText(bytes)).toBe(text));
  test('times have one digit until they are ten seconds long', () => {
    expect([0, 2449, 9949, 9950, 61_000].map(secondsText)).toEqual(['0.0 s', '2.4 s', '9.9 s', '10 s', '61 s']);
  });
  test('digests are cut to twelve digits, nouns get their plural', () => {
    expect(shortDigest(`sha256:${'ab'.repeat(32)}`)).toBe('abababababab');
    expect([countText(1, 'layer'), countText(0, 'layer'), countText(2, 'index', 'indexes')]).toEqual([
      '1 layer',
      '0 layers',
      '2 indexes',
    ]);
  });
});

describe('a terminal', () => {
  const stream = (isTTY: boolean, columns = 80) => ({ write: () => true, isTTY, columns });
  test.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { TERM: 'dumb' }, false],
  ])('that is one: %s, with %j, is painted: %s', (isTTY, env, painted) => {
    expect(wantsColour(stream(isTTY), env)).toBe(painted);
    expect(paintFor(stream(isTTY), env)('red', 'x') !== 'x').toBe(painted);
  });
  test('gives the width, and text is cut to it with a sign', () => {
    expect([widthOf(stream(true, 120)), widthOf(stream(true, 10)), widthOf(stream(false, 10))]).toEqual([120, 40, 100]);
    expect([clip('abcdef', 4), clip('abcd', 4)]).toEqual(['abc…', 'abcd']);
  });
});

describe('a line of ls', () => {
  const entry: Listed = { path: 'a', type: 'file', mode: '0644', uid: 0, gid: 0, size: 7, mtime: '0.000000000' };
  const line = (more: Partial<Listed>): string => listedText({ ...entry, ...more }, { owner: 3, size: 4 });
  test.each([
    ['0644', '-rw-r--r--'],
    ['4755', '-rwsr-xr-x'],
    ['4644', '-rwSr--r--'],
    ['2755', '-rwxr-sr-x'],
    ['1777', '-rwxrwxrwt'],
    ['1776', '-rwxrwxrwT'],
    ['0000', '----------'],
  ])('shows the mode %s as %s', (mode, text) => expect(line({ mode })).toBe(`${text} 0/0    7 1970-01-01 00:00 a`));
  test('shows devices by their numbers, links by their targets, and control characters as escapes', () => {
    expect(line({ type: 'char', major: 1, minor: 3 })).toMatch(/^c.* 1,3 /);
    expect(line({ type: 'symlink', link: '/x' })).toMatch(/ a -> \/x$/);
    expect(line({ type: 'hardlink', link: 'x' })).toMatch(/^h.* a link to x$/);
    expect(line({ path: 'a\nb', sha256: 'ff' })).toMatch(/ a\\x0ab {2}sha256:ff$/);
    expect(line({ mtime: '99999999999999999.000000000' })).toContain(' 99999999999999999.000000000 a');
    expect(ownerText({ ...entry, uid: 1000, gid: 44 })).toBe('1000/44');
  });
});

describe('inspect', () => {
  const image: ImageSummary = {
    names: [],
    platform: 'linux/amd64',
    config: {
      entrypoint: ['sh', '-c'],
      cmd: ["it's a test"],
      env: [],
      exposedPorts: [],
      volumes: [],
      labels: {},
      onBuild: [],
      shell: [],
      other: {},
    },
    layers: [],
    history: [],
  };
  const shown = (more: Partial<ImageSummary>, rest: Partial<SourceSummary> = {}, paint: Paint = plain): string =>
    summaryText(
      {
        source: { name: 'a', format: 'f', title: 'archive' },
        images: [{ ...image, ...more }],
        artifacts: [],
        notes: [],
        ...rest,
      },
      80,
      paint,
    );
  test('quotes words as a shell would want them', () =>
    expect(shown({})).toContain("Runs      sh -c 'it'\\''s a test'"));
  test('says so when there is no name, no layer, nothing to run', () => {
    const text = shown({ config: { ...image.config, entrypoint: [], cmd: [] } });
    for (const words of ['(no name)', 'Layers    none', 'nothing by itself']) expect(text).toContain(words);
  });
  test('gives every layer a bar where symbols are wanted, and cuts long steps to the width', () => {
    const layer = {
      size: 10,
      compression: 'gzip',
      foreign: false,
      digest: `sha256:${'c'.repeat(64)}`,
      createdBy: `/bin/sh -c ${'x'.repeat(200)}`,
    };
    const layers = [layer, { ...layer, size: 1_000_000 }];
    const linesOf = (paint?: Paint): readonly string[] =>
      shown({ layers }, {}, paint)
        .split('\n')
        .filter((line) => line.includes('RUN'));
    const [small, large, ...more] = linesOf((_, text) => text);
    expect(more).toEqual([]);
    expect(small).toMatch(/gzip {3}▏ {19}RUN x+…$/);
    expect(large).toMatch(/gzip {3}█{18} {2}RUN x+…$/);
    expect(linesOf()).toEqual([expect.stringMatching(/gzip {3}RUN x+…$/), expect.stringMatching(/gzip {3}RUN x+…$/)]);
    for (const line of [small, large, ...linesOf()]) expect(line!.length).toBeLessThanOrEqual(80);
  });
  const hello = {
    name: 'hello',
    version: '2.10-3',
    architecture: 'amd64',
    fields: {
      Package: 'hello',
      Depends: 'libc6,\n libx',
      'Installed-Size': '277',
      description: 'a \x1b[2Jtoy\n more of it',
    },
    scripts: ['postinst'],
    conffiles: ['/etc/a', '/etc/b'],
    size: 51_000,
  };
  test('says all that one package does', () => {
    const text = shown({ packages: [hello] });
    expect(text.slice(text.indexOf('Package'), text.indexOf('\n\nLayers'))).toBe(`Package hello 2.10-3 for amd64
  Depends      libc6, libx
  description  a \\x1b[2Jtoy
  Size         51.0 kB in the package, 283.6 kB installed
  Scripts      postinst (not run)
  Conffiles    /etc/a
               /etc/b`);
  });
  test('shows as many files and packages as there are', () => {
    const conffiles = Array.from({ length: 200_000 }, (_, i) => `/etc/${i}`);
    expect(shown({ packages: [{ ...hello, conffiles }] })).toContain('\n               /etc/199999');
    const packages = Array.from({ length: 200_000 }, () => hello);
    expect(shown({ packages })).toContain('200000 packages');
  });
  test('lists several packages', () => {
    const text = shown({ packages: [hello, { ...hello, name: 'libc6', scripts: [], size: 3 }] });
    expect(text).toContain(
      '2 packages\n  hello  2.10-3  amd64  51.0 kB  postinst (not run)\n  libc6  2.10-3  amd64      3 B\n',
    );
  });
  test('lists artifacts and notes', () => {
    const artifacts = [{ names: ['sbom'], mediaType: 'application/spdx', digest: 'sha256:1' }];
    const text = shown({}, { images: [], artifacts, notes: [{ kind: 'dropped', message: 'gone', at: ['x'] }] });
    expect(text).toBe('sbom  application/spdx: no image, copied whole\n\nNotes\n  dropped: gone  (x)\n');
  });
});

describe('progress', () => {
  const layer = { number: 1, count: 2, size: 100e6 };
  const run = (mode: 'plain' | 'tty' | 'none'): string => {
    let text = '';
    let time = 0;
    const view = progressView(mode, {
      stream: { write: (more) => (text += more), isTTY: mode === 'tty', columns: 90 },
      paint: plain,
      now: () => time,
    });
    view.event({ type: 'source', format: 'archive', images: 1, layers: 2, size: 1 });
    view.event({ type: 'layer-start', layer });
    for (; time <= 25_000; time += 1000) view.event({ type: 'layer-progress', layer, done: 4e6 * (time / 1000) });
    view.event({ type: 'layer-end', layer, size: 100e6, stored: { compression: 'gzip', size: 5e6 } });
    view.end();
    return text;
  };
  test('in a log is a line at the start, at the end, and every ten seconds between', () => {
    expect(run('plain').split('\n')).toEqual([
      'archive, 1 image, 2 layers, 1 B',
      'layer 1/2  100.0 MB',
      'layer 1/2  40.0 MB of 100.0 MB, 40 % after 10 s',
      'layer 1/2  80.0 MB of 100.0 MB, 80 % after 20 s',
      'layer 1/2  100.0 MB, gzip 5.0 MB, 26 s',
      '',
    ]);
  });
  test('on a terminal draws bars no wider than it, and takes them away at the end', () => {
    const text = run('tty');
    expect(text).toMatch(/48 % {2}4\.0 MB\/s {2}about 13 s/);
    expect(text.endsWith('\x1b[2A\x1b[J')).toBe(true);
    const widths = text.split(/\r\x1b\[2K|\n|\x1b\[\d+A\x1b\[J/).map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThan(90);
  });
  test('none says nothing', () => expect(run('none')).toBe(''));
});
