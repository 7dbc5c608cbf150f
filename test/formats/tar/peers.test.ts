/** Archives that other people's tools make are listed as those tools list them. */
import { Buffer } from 'node:buffer';
import { mkdirSync, readFileSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { link } from 'node:fs/promises';
import { join } from 'node:path';
import { extract } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { type TarEntry, tar } from '../../../fixtures/tar.ts';
import { runPeer, scratch, withPeer } from '../../fixtures/peers.ts';
import { type Seen, scan } from './scan.ts';

const long = `${'a-long-name-'.repeat(8)}/${'b-long-name-'.repeat(8)}`;
const longer = `${'deep/'.repeat(50)}${'c'.repeat(120)}`;

/** A tree on the disk with what a tar has trouble with. Formats that know no long names get it without them. */
async function treeOf(names: 'short' | 'split' | 'any'): Promise<string> {
  const root = join(scratch(), 'tree');
  mkdirSync(join(root, 'dir/empty'), { recursive: true });
  writeFileSync(join(root, 'dir/file'), 'content', { mode: 0o751 });
  writeFileSync(join(root, 'dir/block'), 'x'.repeat(512));
  writeFileSync(join(root, 'dir/nothing'), '');
  writeFileSync(join(root, 'dir/grün und \\n\ttab'), 'odd');
  symlinkSync('../dir/file', join(root, 'link'));
  symlinkSync('/absolute/nowhere', join(root, 'dangling'));
  await link(join(root, 'dir/file'), join(root, 'zhard'));
  if (names !== 'short') {
    mkdirSync(join(root, long, '..'), { recursive: true });
    writeFileSync(join(root, long), 'long');
  }
  if (names === 'any') {
    mkdirSync(join(root, longer, '..'), { recursive: true });
    writeFileSync(join(root, longer), 'longer');
    symlinkSync('t/'.repeat(90), join(root, 'to-long'));
  }
  for (const name of ['dir/file', 'dir/block']) utimesSync(join(root, name), 1_709_208_000.25, 1_709_208_000.25);
  return root;
}

const python = `
import json, sys, tarfile
kinds = {b'0': 'file', b'\\0': 'file', b'7': 'file', b'1': 'hardlink', b'2': 'symlink', b'3': 'char', b'4': 'block', b'5': 'dir', b'6': 'fifo', b'S': 'file'}
out = []
with tarfile.open(sys.argv[1], encoding='utf-8', errors='surrogateescape') as archive:
    for m in archive:
        kind = 'file' if m.isreg() else kinds[m.type]
        body = archive.extractfile(m).read().hex() if kind == 'file' else ''
        out.append([kind, m.name.rstrip('/'), m.linkname, m.mode, m.uid, m.gid, m.size if kind == 'file' else 0, int(m.mtime // 1), body])
json.dump(out, sys.stdout)
`;

const throughPython = (path: string): unknown =>
  JSON.parse(runPeer({ tool: 'python3', args: ['-c', python, path] }).toString());

const utf8 = (binary: string): string => Buffer.from(binary, 'latin1').toString();
const asPython = ({ type, path, link, mode, uid, gid, size, mtime, body }: Seen) => [
  type,
  utf8(path).replace(/\/+$/, ''),
  utf8(link),
  mode,
  uid,
  gid,
  size,
  Number(mtime.split('.')[0]),
  Buffer.from(body, 'latin1').toString('hex'),
];

function compare(path: string): readonly Seen[] {
  const { entries } = scan(readFileSync(path));
  expect(entries.length).toBeGreaterThan(5);
  expect(entries.map(asPython)).toEqual(throughPython(path));
  return entries;
}

const names = { v7: 'short', oldgnu: 'any', gnu: 'any', ustar: 'split', posix: 'any', pax: 'any' } as const;

describe.each(['v7', 'oldgnu', 'gnu', 'ustar', 'posix'] as const)('an archive that GNU tar writes as %s', (format) => {
  withPeer('tar')('has the entries and the content that GNU tar and Python find in it', async () => {
    const root = await treeOf(names[format]);
    const path = `${root}.tar`;
    runPeer({ tool: 'tar', args: [`--format=${format}`, '--sort=name', '-cf', path, '-C', root, '.'] });
    const entries = compare(path);
    const listed = runPeer({ tool: 'tar', args: ['--quoting-style=literal', '--show-transformed-names', '-tf', path] });
    const shown = entries.map((entry) => utf8(entry.path)).sort();
    expect(listed.toString().trimEnd().split('\n').sort()).toEqual(shown);
    expect(entries.map(({ type }) => type).filter((type) => type === 'hardlink')).toHaveLength(1);
    if (format === 'posix')
      expect(entries.find((entry) => entry.path === './dir/block')?.mtime).toBe('1709208000.250000000');
  });
});

describe.each(['v7', 'ustar', 'pax'] as const)('an archive that bsdtar writes as %s', (format) => {
  withPeer('bsdtar')('has the entries and the content that bsdtar and Python find in it', async () => {
    const root = await treeOf(names[format]);
    const path = `${root}.tar`;
    runPeer({ tool: 'bsdtar', args: [`--format=${format}`, '-cf', path, '-C', root, '.'] });
    const entries = compare(path);
    // It escapes what is not printable ASCII, so only the others are compared by name.
    const plain = (name: string): boolean => /^[ -[\]-~]*$/.test(name);
    const listed = runPeer({ tool: 'bsdtar', args: ['-tf', path] })
      .toString()
      .trimEnd()
      .split('\n');
    expect(listed).toHaveLength(entries.length);
    expect(listed.filter(plain)).toEqual(entries.map((entry) => entry.path).filter(plain));
  });
});

describe.each(['USTAR_FORMAT', 'GNU_FORMAT', 'PAX_FORMAT'] as const)(
  'an archive that Python writes as %s',
  (format) => {
    withPeer('python3')('has the entries and the content that Python finds in it', async () => {
      const root = await treeOf(format === 'USTAR_FORMAT' ? 'split' : 'any');
      const path = `${root}.tar`;
      const script = `import sys, tarfile
with tarfile.open(sys.argv[1], 'w', format=tarfile.${format}) as archive: archive.add(sys.argv[2], arcname='.')`;
      runPeer({ tool: 'python3', args: ['-c', script, path, root] });
      compare(path);
    });
  },
);

describe.each([
  ['tar', ['--sparse', '--format=gnu']],
  ['tar', ['--sparse', '--format=posix', '--sparse-version=0.0']],
  ['tar', ['--sparse', '--format=posix', '--sparse-version=0.1']],
  ['tar', ['--sparse', '--format=posix', '--sparse-version=1.0']],
] as const)('a file with holes from %s %j', (tool, args) => {
  withPeer(tool)('is read with its holes filled', () => {
    const root = scratch();
    const whole = Buffer.alloc(3 * 2 ** 20);
    for (let i = 0; i < 30; i++) whole.fill(65 + i, i * 98304, i * 98304 + 4096);
    const file = join(root, 'holes');
    runPeer({ tool: 'dd', args: ['conv=sparse', 'bs=4096', 'status=none', `of=${file}`], input: whole });
    truncateSync(file, whole.length);
    const path = join(root, 'out.tar');
    runPeer({ tool, args: [...args, '-cf', path, '-C', root, 'holes'] });
    const { entries } = scan(readFileSync(path));
    expect(entries).toMatchObject([{ type: 'file', path: 'holes', size: whole.length }]);
    expect(entries[0]!.body === whole.toString('latin1')).toBe(true);
    expect(readFileSync(path).length).toBeLessThan(whole.length);
  });
});

describe('tar-stream as a second reader', () => {
  const entries: readonly TarEntry[] = [
    { name: 'dir/', mode: 0o700, mtime: 1 },
    { name: 'dir/file', body: 'x'.repeat(777), uid: 1000, gid: 1000, mode: 0o4755, mtime: 1_709_208_000 },
    { name: 'link', link: 'dir/file' },
    { name: 'hard', type: '1', link: 'dir/file' },
    { name: `${'p'.repeat(60)}/${'n'.repeat(90)}`, body: 'split' },
    { name: 'grün', body: '' },
  ];
  const types: Readonly<Record<string, string>> = { dir: 'directory', hardlink: 'link' };

  test.each(['pax', 'ustar', 'gnu'] as const)('sees the same in the dialect %s', async (dialect) => {
    const bytes = tar(entries, { dialect });
    const theirs: unknown[] = [];
    const reader = extract();
    reader.end(bytes);
    for await (const entry of reader) {
      let body = '';
      for await (const chunk of entry) body += (chunk as Buffer).toString('latin1');
      const { name, type, size, mode, uid, gid, mtime, linkname } = entry.header;
      theirs.push([name.replace(/\/$/, ''), type, size, mode, uid, gid, mtime?.getTime(), linkname ?? '', body]);
    }
    const ours = scan(bytes).entries.map((entry) => [
      utf8(entry.path).replace(/\/$/, ''),
      types[entry.type] ?? entry.type,
      entry.size,
      entry.mode,
      entry.uid,
      entry.gid,
      Number(entry.mtime) * 1000,
      utf8(entry.link),
      entry.body,
    ]);
    expect(ours).toEqual(theirs);
    expect(ours).toHaveLength(entries.length);
  });
});
