/**
 * Trees of real images, against what umoci makes of the same layers, entry by entry: type, mode, owner, size, time to the nanosecond,
 * link, device, attributes, content, and which names are one file.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { output } from '../cases/command.ts';
import { readLayout } from '../cases/layout.ts';
import { runPeer, withPeer } from '../fixtures/peers.ts';
import { deepScratch, diskTree, type Found, isRoot } from '../formats/rootfs/disk.ts';
import { differences, isThere, type Rule, SOURCES, sourceFile } from './trees.ts';

vi.setConfig({ testTimeout: 120_000 });

/** Later archives write into folders, whose time tar does not set again. */
const isTimeOfFolder = (line: string, ours: ReadonlyMap<string, Found>): boolean => {
  const [, path = '', field] = /^(.*?): (\S+)/.exec(line) ?? [];
  return field === 'mtime' && ours.get(path)?.type === 'dir';
};

const UMOCI: readonly Rule[] = [
  {
    why: 'a folder that no entry names has the time 0; umoci leaves the time of unpacking',
    allows: ({ field, ours, theirs }) =>
      field === 'mtime' && ours?.type === 'dir' && ours.mtime === 0n && isNow(theirs),
  },
  {
    why: 'the root has the time of its last entry, or 0; umoci does not set it again when a later layer has written into it',
    allows: ({ path, field, theirs }) => field === 'mtime' && path === '.' && isNow(theirs),
  },
];

const isNow = (found: Found | undefined): boolean => found !== undefined && found.mtime > 1_700_000_000_000_000_000n;

describe.each(Object.keys(SOURCES))('the tree of %s', (name) => {
  const peer = (tool: string) => (isRoot && isThere(name) ? withPeer(tool) : test.skip);

  peer('umoci')('is what umoci unpacks, but for what the rules explain; from the archive and from its layout', () => {
    const folder = deepScratch();
    const source = sourceFile(name, folder);
    const layout = join(folder, 'layout');
    output(['convert', '-q', '--ref', 'x', source, layout], { inherited: ['layer/whiteout-explicit'] });
    runPeer({ tool: 'umoci', args: ['unpack', '--image', `${layout}:x`, join(folder, 'theirs')] });
    const theirs = diskTree(join(folder, 'theirs/rootfs'));
    for (const from of [source, `oci:${layout}:x`]) {
      const out = join(folder, from === source ? 'direct' : 'through');
      output(['unpack', '-q', from, out]);
      expect(differences(diskTree(out), theirs, UMOCI)).toEqual([]);
    }
    expect(theirs.size).toBeGreaterThan(3);
  });

  // Of the image with everything tar would follow an absolute link out of the root.
  (name.startsWith('an image with everything') ? test.skip : peer('tar'))(
    'is what GNU tar makes of the layers in their order, where they hide nothing',
    () => {
      const folder = deepScratch();
      const source = sourceFile(name, folder);
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
      const found = differences(ours, diskTree(theirs), UMOCI);
      // tar knows no whiteouts: what they hide is there, and they are files of their own.
      const unexplained = found
        .filter((line) => !(hides && / only theirs$|\.wh\./.test(line)) && !/^\.: /.test(line))
        .filter((line) => !isTimeOfFolder(line, ours));
      expect(unexplained).toEqual([]);
    },
  );
});
