/**
 * Trees of real images, against what umoci makes of the same layers, entry by entry: type, mode, owner, size, time to the nanosecond,
 * link, device, attributes, content, and which names are one file.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { greeting, sampleLayer } from '../../fixtures/images.ts';
import { output } from '../cases/command.ts';
import { readLayout } from '../cases/layout.ts';
import { runPeer, withPeer } from '../fixtures/peers.ts';
import { deepScratch, diskTree, type Found, isRoot } from '../formats/rootfs/disk.ts';

vi.setConfig({ testTimeout: 120_000 });

const CORPUS = join(import.meta.dirname, '../../../shared/corpus/docker-save');

/** Why a field may differ, by the rule that ocix follows; everything else is the same. */
const RULES: readonly {
  readonly why: string;
  readonly allows: (ours: Found, theirs: Found, path: string) => boolean;
}[] = [
  {
    why: 'a folder that no entry names has the time 0; umoci leaves the time of unpacking',
    allows: (ours, theirs) => ours.type === 'dir' && ours.mtime === 0n && theirs.mtime > 1_700_000_000_000_000_000n,
  },
  {
    why: 'the root has the time of its last entry, or 0; umoci does not set it again when a later layer has written into it',
    allows: (_, theirs, path) => path === '.' && theirs.mtime > 1_700_000_000_000_000_000n,
  },
];

/** Later archives write into folders, whose time tar does not set again. */
const isTimeOfFolder = (line: string, ours: ReadonlyMap<string, Found>): boolean => {
  const [, path = '', field] = /^(.*?): (\S+)/.exec(line) ?? [];
  return field === 'mtime' && ours.get(path)?.type === 'dir';
};

function differences(ours: ReadonlyMap<string, Found>, theirs: ReadonlyMap<string, Found>): readonly string[] {
  const paths = [...new Set([...ours.keys(), ...theirs.keys()])].sort();
  return paths.flatMap((path) => {
    const [a, b] = [ours.get(path), theirs.get(path)];
    if (!a || !b) return [`${path}: only ${a ? 'ocix' : 'umoci'}`];
    const fields = [...new Set([...Object.keys(a), ...Object.keys(b)])] as (keyof Found)[];
    const other = fields.filter(
      (field) => String(JSON.stringify(String(a[field]))) !== JSON.stringify(String(b[field])) && field !== 'xattrs',
    );
    const attributes = JSON.stringify(a.xattrs ?? {}) === JSON.stringify(b.xattrs ?? {}) ? [] : ['xattrs' as const];
    const unexplained = [...other, ...attributes].filter(
      (field) => field !== 'mtime' || !RULES.some(({ allows }) => allows(a, b, path)),
    );
    return unexplained.map((field) => `${path}: ${field} ${String(a[field])} instead of ${String(b[field])}`);
  });
}

const rich = {
  tags: ['rich:1'],
  layers: [
    sampleLayer([
      { name: './', mode: 0o711, uid: 3 },
      { name: 'bin/' },
      {
        name: 'bin/su',
        mode: 0o4755,
        body: 'x',
        pax: [['SCHILY.xattr.security.capability', Buffer.from('0100000200040000000000000000000000000000', 'hex')]],
      },
      { name: 'bin/alias', type: '1', link: 'bin/su' },
      { name: 'gone/file', body: 'x' },
      { name: 'opaque/' },
      { name: 'opaque/low' },
      { name: 'dev/null', type: '3', major: 1, minor: 3, mode: 0o666 },
      { name: 'dev/loop', type: '4', major: 7, minor: 300, mode: 0o660, gid: 6 },
      { name: 'pipe', type: '6', mode: 0o622 },
      { name: 'sticky/', mode: 0o1777, uid: 70_000, gid: 2 ** 31 },
      { name: 'exact', mtime: '1709208000.123456789', pax: [['SCHILY.xattr.user.bytes', Buffer.from([0, 255, 10])]] },
      { name: 'real/', mode: 0o700 },
      { name: 'way', link: '/real', mtime: '1709208000.5' },
    ]),
    sampleLayer([
      { name: '.wh.gone' },
      { name: 'opaque/.wh..wh..opq' },
      { name: 'opaque/high', body: 'y' },
      { name: 'way/through', body: 'z' },
      { name: 'bin/alias', body: 'its own now' },
      { name: 'late', type: '1', link: 'bin/su' },
    ]),
  ],
};

const SOURCES: Readonly<Record<string, Uint8Array | string>> = {
  greeting: dockerSave(greeting('amd64'), { generation: '1.10' }),
  'an image with everything': dockerSave(rich, { generation: '1.10' }),
  'trivy-alpine-310': join(CORPUS, 'trivy-alpine-310.tar.gz'),
  'dive-test': join(CORPUS, 'dive-test-docker-image.tar'),
  'jib-busybox': join(CORPUS, 'jib-busybox-docker.tar'),
};

/** The archive, as a file; undefined where the corpus is not there. */
function sourceFile(name: string, folder: string): string | undefined {
  const source = SOURCES[name]!;
  if (typeof source === 'string') return existsSync(source) ? source : undefined;
  const path = join(folder, 'in.tar');
  writeFileSync(path, source);
  return path;
}

describe.each(Object.keys(SOURCES))('the tree of %s', (name) => {
  const there = typeof SOURCES[name] !== 'string' || existsSync(SOURCES[name] as string);
  const peer = (tool: string) => (isRoot && there ? withPeer(tool) : test.skip);

  peer('umoci')('is what umoci unpacks, but for what the rules explain; from the archive and from its layout', () => {
    const folder = deepScratch();
    const source = sourceFile(name, folder)!;
    const layout = join(folder, 'layout');
    output(['convert', '-q', '--ref', 'x', source, layout]);
    runPeer({ tool: 'umoci', args: ['unpack', '--image', `${layout}:x`, join(folder, 'theirs')] });
    const theirs = diskTree(join(folder, 'theirs/rootfs'));
    for (const from of [source, `oci:${layout}:x`]) {
      const out = join(folder, from === source ? 'direct' : 'through');
      output(['unpack', '-q', from, out]);
      expect(differences(diskTree(out), theirs)).toEqual([]);
    }
    expect(theirs.size).toBeGreaterThan(3);
  });

  // Of the image with everything tar would follow an absolute link out of the root.
  (name === 'an image with everything' ? test.skip : peer('tar'))(
    'is what GNU tar makes of the layers in their order, where they hide nothing',
    () => {
      const folder = deepScratch();
      const source = sourceFile(name, folder)!;
      const layout = join(folder, 'layout');
      output(['convert', '-q', source, layout]);
      const [image] = readLayout(layout);
      const hides = image!.layers.some(({ tar }) => tar!.includes('.wh.'));
      const theirs = join(folder, 'theirs');
      mkdirSync(theirs);
      for (const [i, { tar }] of image!.layers.entries()) {
        writeFileSync(join(folder, `${i}.tar`), tar!);
        runPeer({
          tool: 'tar',
          args: [
            '-x',
            '-p',
            '--numeric-owner',
            '--xattrs',
            '--xattrs-include=*',
            '--delay-directory-restore',
            '--keep-directory-symlink',
            '-C',
            theirs,
            '-f',
            join(folder, `${i}.tar`),
          ],
        });
      }
      output(['unpack', '-q', source, join(folder, 'ours')]);
      const ours = diskTree(join(folder, 'ours'));
      const found = differences(ours, diskTree(theirs));
      // tar knows no whiteouts: what they hide is there, and they are files of their own.
      const unexplained = found
        .filter((line) => !(hides && / only umoci$|\.wh\./.test(line)) && !/^\.: /.test(line))
        .filter((line) => !isTimeOfFolder(line, ours));
      expect(unexplained).toEqual([]);
    },
  );
});
