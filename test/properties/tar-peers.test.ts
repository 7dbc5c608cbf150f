/**
 * Archives made by chance, of sound entries in every dialect, are listed as Python, bsdtar and tar-stream list them. Where they disagree
 * the reason stands beside it; what is unsound is the fuzzer's, since there every reader has its own opinion.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { extract } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { type TarEntry, tar } from '../../fixtures/tar.ts';
import type { Dialect } from '../../fixtures/tar-header.ts';
import { runPeer, scratch, withPeer } from '../fixtures/peers.ts';
import { type Seen, scan } from '../formats/tar/scan.ts';
import { type Random, randomFrom } from '../fuzz/random.ts';

const COUNT = 60;
const DIALECTS: readonly Dialect[] = ['pax', 'gnu', 'ustar', 'v7'];

/** Names that every reader takes, long ones where the dialect has them; a link to nothing is a link all the same. */
function entryFrom(random: Random, dialect: Dialect): TarEntry {
  const long = dialect === 'pax' || dialect === 'gnu' ? [101, 256, 1000] : [];
  const name = random
    .many(1, 3, () => random.pick(['a', 'dir', 'grün', 'with space', 'x'.repeat(random.pick([10, 30, ...long]))]))
    .join('/');
  const type = random.pick(['0', '0', '0', '1', '2', '3', '4', '5', '6']);
  return {
    // A name in the old dialect says by its slash that it is a folder.
    name: type === '5' ? `${name}/` : name,
    type,
    ...(type === '1' || type === '2'
      ? { link: random.pick(['a', '../x', '/etc/passwd', 'y'.repeat(random.pick([90, ...long]))]) }
      : {}),
    ...(type === '0' ? { body: random.bytes(random.pick([0, 1, 511, 512, 513, 2000])) } : {}),
    ...(type === '3' || type === '4' ? { major: random.below(256), minor: random.below(256) } : {}),
    mode: random.below(0o10000),
    uid: random.pick([0, 1000, 0o777777]),
    gid: random.pick([0, 1000, 0o777777]),
    mtime: random.below(2 ** 31),
  };
}

/** Each a different archive, the same in every run. */
const archives = Array.from({ length: COUNT }, (_, number) => {
  const random = randomFrom('peers', number);
  const dialect = DIALECTS[number % DIALECTS.length]!;
  return {
    name: `${number}-${dialect}`,
    bytes: tar(
      random.many(1, 8, () => entryFrom(random, dialect)),
      { dialect },
    ),
  };
});

const utf8 = (binary: string): string => Buffer.from(binary, 'latin1').toString();
const bare = (name: string): string => name.replace(/\/+$/, '');

function folderOf(): string {
  const folder = join(scratch(), 'archives');
  mkdirSync(folder);
  for (const { name, bytes } of archives) writeFileSync(join(folder, name), bytes);
  return folder;
}

const python = `
import json, os, sys, tarfile
kinds = {b'0': 'file', b'1': 'hardlink', b'2': 'symlink', b'3': 'char', b'4': 'block', b'5': 'dir', b'6': 'fifo'}
found = {}
for name in os.listdir(sys.argv[1]):
    with tarfile.open(os.path.join(sys.argv[1], name), encoding='utf-8', errors='surrogateescape') as archive:
        found[name] = [[kinds[m.type], m.name, m.linkname, m.mode, m.uid, m.gid, int(m.mtime),
            archive.extractfile(m).read().hex() if m.isreg() else ''] for m in archive]
json.dump(found, sys.stdout)
`;

const asPython = ({ type, path, link, mode, uid, gid, mtime, body }: Seen) => [
  type,
  bare(utf8(path)),
  utf8(link),
  mode,
  uid,
  gid,
  Number(mtime.split('.')[0]),
  Buffer.from(body, 'latin1').toString('hex'),
];

withPeer('python3')('Python finds the same entries and content in all of them', () => {
  const theirs = JSON.parse(runPeer({ tool: 'python3', args: ['-c', python, folderOf()] }).toString());
  for (const { name, bytes } of archives)
    expect([name, scan(bytes).entries.map(asPython)]).toEqual([name, theirs[name]]);
});

describe('listed by name', () => {
  const plain = (name: string): boolean => /^[ -[\]-~]*$/.test(name);
  const ours = (bytes: Uint8Array) => scan(bytes).entries.map(({ path }) => utf8(path));

  withPeer('tar')('GNU tar has the same names in the same order', () => {
    const folder = folderOf();
    for (const { name, bytes } of archives) {
      const args = ['--quoting-style=literal', '--show-transformed-names', '-P', '-tf', join(folder, name)];
      const theirs = runPeer({ tool: 'tar', args }).toString().trimEnd().split('\n');
      expect([name, theirs.map(bare)]).toEqual([name, ours(bytes).map(bare)]);
    }
  });

  withPeer('bsdtar')('bsdtar has the same names in the same order; those that it escapes are counted', () => {
    const folder = folderOf();
    for (const { name, bytes } of archives) {
      const theirs = runPeer({ tool: 'bsdtar', args: ['-tf', join(folder, name)] })
        .toString()
        .trimEnd()
        .split('\n');
      const expected = ours(bytes);
      expect([name, theirs.length]).toEqual([name, expected.length]);
      for (const [i, path] of expected.entries())
        if (plain(path)) expect([name, bare(theirs[i]!)]).toEqual([name, bare(path)]);
    }
  });
});

test('tar-stream finds the same entries and content in all of them', async () => {
  const types: Readonly<Record<string, string>> = {
    dir: 'directory',
    hardlink: 'link',
    char: 'character-device',
    block: 'block-device',
  };
  for (const { name, bytes } of archives) {
    const theirs: unknown[] = [];
    const reader = extract({ allowUnknownFormat: true } as object); // the oldest dialect has no magic
    reader.end(bytes);
    for await (const entry of reader) {
      let body = '';
      for await (const chunk of entry) body += (chunk as Buffer).toString('latin1');
      const { header } = entry;
      theirs.push([header.type, bare(header.name), header.linkname ?? '', header.mode, header.uid, header.gid, body]);
    }
    const ours = scan(bytes).entries.map(({ type, path, link, mode, uid, gid, body }) => [
      types[type] ?? type,
      bare(utf8(path)),
      utf8(link),
      mode,
      uid,
      gid,
      body,
    ]);
    expect([name, ours]).toEqual([name, theirs]);
  }
});
