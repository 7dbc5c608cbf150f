/** Packages that dpkg-deb built: the tree of an image is the one that dpkg makes of them, and so is its database. */
import {
  chmodSync,
  cpSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { ocix } from '../cases/command.ts';
import { runPeer, scratch, withPeer } from '../fixtures/peers.ts';
import { diskTree, type Found, isRoot } from '../formats/rootfs/disk.ts';

const whereDpkgIs = isRoot ? withPeer('dpkg-deb') : test.skip;
const BUILT = 1_600_000_000;

interface Toy {
  readonly name: string;
  readonly fields?: Readonly<Record<string, string>>;
  /** Content by path; `-> TARGET` is a symlink, `= PATH` another name, a path that ends in `/` a folder. */
  readonly files: Readonly<Record<string, string>>;
  readonly modes?: Readonly<Record<string, number>>;
  readonly conffiles?: readonly string[];
  readonly compression: string;
}

const BASE: Toy = {
  name: 'base',
  files: {
    'usr/bin/su': 'su',
    'var/tmp/': '',
    'etc/base.conf': 'x = 1\n',
    'usr/share/shared': 'of base',
    'usr/share/doc/base/copyright': 'free',
  },
  modes: { 'usr/bin/su': 0o4755, 'var/tmp': 0o1777 },
  conffiles: ['/etc/base.conf'],
  compression: 'xz',
};
const LIB: Toy = {
  name: 'lib',
  fields: { 'Multi-Arch': 'same', Depends: 'base (>= 1.0~)' },
  files: {
    'usr/lib/libx.so.1.0': 'x'.repeat(100_000),
    'usr/lib/libx.so.1': '-> libx.so.1.0',
    'usr/lib/same': '= usr/lib/libx.so.1.0',
    'usr/share/empty': '',
    'usr/share/\u00e9': 'e',
  },
  compression: 'zstd',
};
const APP: Toy = {
  name: 'app',
  fields: { Depends: 'lib, base', Replaces: 'base' },
  files: { 'opt/app/bin/app': '#!/bin/sh\n', 'usr/share/shared': 'of app', 'usr/share/absolute': '-> /opt/app' },
  modes: { 'opt/app/bin/app': 0o755, 'opt/app': 0o700 },
  compression: 'gzip',
};
/** `/bin` is a link, and what others bring there goes behind it. */
const MERGED: Toy = { name: 'merged', files: { 'usr/bin/': '', bin: '-> usr/bin' }, compression: 'none' };
const IN_BIN: Toy = { name: 'in-bin', fields: { 'Pre-Depends': 'merged' }, files: { 'bin/x': 'x' }, compression: 'xz' };

function built(folder: string, { name, fields, files, modes = {}, conffiles, compression }: Toy): string {
  const root = join(folder, name);
  for (const [path, content] of Object.entries(files)) {
    const at = join(root, path);
    mkdirSync(path.endsWith('/') ? at : dirname(at), { recursive: true });
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), at);
    else if (content.startsWith('= ')) linkSync(join(root, content.slice(2)), at);
    else if (!path.endsWith('/')) writeFileSync(at, content);
  }
  for (const [path, mode] of Object.entries(modes)) chmodSync(join(root, path), mode);
  for (const path of [...readdirSync(root, { recursive: true, encoding: 'utf8' }), '.'])
    lutimesSync(join(root, path), BUILT, BUILT);
  const control = {
    Package: name,
    Version: '1.0-1',
    Architecture: 'amd64',
    Maintainer: 'A <a@example.com>',
    ...fields,
    Description: 'a toy',
  };
  mkdirSync(join(root, 'DEBIAN'));
  writeFileSync(
    join(root, 'DEBIAN/control'),
    Object.entries(control)
      .map(([key, value]) => `${key}: ${value}\n`)
      .join(''),
  );
  if (conffiles) writeFileSync(join(root, 'DEBIAN/conffiles'), conffiles.map((path) => `${path}\n`).join(''));
  const out = join(folder, `${name}.deb`);
  runPeer({ tool: 'dpkg-deb', args: ['--build', '--root-owner-group', `-Z${compression}`, root, out] });
  return out;
}

function unpacked(folder: string, packages: readonly string[]): string {
  const out = join(folder, 'ours');
  const run = ocix(['unpack', '-q', `deb:${packages.join(',')}`, out]);
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
  return out;
}

/** Without the database, which is compared by itself, and without the times of folders, which each writer changes by what it puts there. */
const files = (root: string): Readonly<Record<string, Partial<Found>>> =>
  Object.fromEntries(
    [...diskTree(root)]
      .filter(([path]) => path !== '.' && !/^var(?:\/lib(?:\/dpkg(?:\/|$)|$)|$)/.test(path))
      .map(([path, found]) => [path, found.type === 'dir' ? { ...found, mtime: 0n } : found]),
  );

whereDpkgIs('the tree is that of dpkg-deb -x, one package after the other', () => {
  const folder = scratch();
  const packages = [BASE, LIB, APP].map((toy) => built(folder, toy));
  const theirs = join(folder, 'theirs');
  mkdirSync(theirs);
  for (const path of packages) runPeer({ tool: 'dpkg-deb', args: ['-x', path, theirs] });
  expect(files(unpacked(folder, packages))).toEqual(files(theirs));
});

whereDpkgIs('tree and database are those of dpkg --install', () => {
  const folder = scratch();
  const packages = [MERGED, IN_BIN, BASE, LIB, APP].map((toy) => built(folder, toy));
  const theirs = join(folder, 'theirs');
  mkdirSync(join(theirs, 'var/lib/dpkg/info'), { recursive: true });
  mkdirSync(join(theirs, 'var/lib/dpkg/updates'));
  writeFileSync(join(theirs, 'var/lib/dpkg/status'), '');
  for (const path of packages)
    runPeer({ tool: 'dpkg', args: [`--root=${theirs}`, '--force-not-root', '--install', path] });
  const ours = unpacked(folder, packages);
  expect(files(ours)).toEqual(files(theirs));
  const asked = (root: string, ...args: string[]): string =>
    runPeer({ tool: 'dpkg', args: [`--root=${root}`, ...args] }).toString();
  expect(asked(ours, '-l')).toBe(asked(theirs, '-l'));
  expect(asked(ours, '-V')).toBe('');
  expect(asked(ours, '--audit')).toBe('');
  const info = (root: string) => {
    const at = join(root, 'var/lib/dpkg/info');
    return Object.fromEntries(
      readdirSync(at)
        .filter((name) => /\.(?:list|conffiles|md5sums)$/.test(name))
        .map((name) => [name, readFileSync(join(at, name), 'latin1').split('\n').sort()]),
    );
  };
  expect(info(ours)).toEqual(info(theirs));
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders
  const said = '${binary:Package} ${Version} ${Status} ${Multi-Arch} ${Depends} ${Conffiles}\n';
  const query = (root: string) =>
    runPeer({ tool: 'dpkg-query', args: [`--admindir=${root}/var/lib/dpkg`, '-W', '-f', said] }).toString();
  expect(query(ours)).toBe(query(theirs));
});

whereDpkgIs('the same packages elsewhere, in another order and under other names, make the same image', () => {
  const [here, there] = [scratch(), scratch()];
  const packages = [BASE, LIB, APP].map((toy) => built(here, toy));
  const copies = packages.map((_, i) => join(there, `${9 - i}.deb`));
  for (const [i, path] of packages.entries()) cpSync(path, copies[i]!);
  const digest = (paths: readonly string[], folder: string): string | undefined =>
    /sha256:[0-9a-f]{64}/.exec(ocix(['deb2oci', '-q', ...paths, join(folder, 'out')]).stdout)?.[0];
  const first = digest(packages, here);
  expect(first).toBeDefined();
  expect(digest(copies.reverse(), there)).toBe(first);
});
