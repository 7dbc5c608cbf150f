/** Trees against what `docker export` gives of a container of the same image, entry by entry; see docs/decisions/0006-unpacking.md. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { output } from '../cases/command.ts';
import { runPeer } from '../fixtures/peers.ts';
import { deepScratch, diskTree } from '../formats/rootfs/disk.ts';
import { dockerDaemon, withDaemon } from './daemon.ts';
import { differences, isThere, NOT_FOR_DOCKER, type Rule, SOURCES, sourceFile } from './trees.ts';

vi.setConfig({ testTimeout: 240_000 });

/** Mount points and files that Docker makes for a container, over what the image has there. */
const MADE = [
  '.dockerenv',
  'dev/console',
  'dev/pts',
  'dev/shm',
  'etc/hostname',
  'etc/hosts',
  'etc/mtab',
  'etc/resolv.conf',
];
const FOLDERS = ['dev', 'etc', 'proc', 'sys'];

const RULES: readonly Rule[] = [
  {
    why: 'a container gets files of its own, and folders to mount on',
    allows: ({ path, ours }) => MADE.includes(path) || (FOLDERS.includes(path) && ours === undefined),
  },
  {
    why: 'making them changes the time of the folders they are in',
    allows: ({ path, field }) => field === 'mtime' && ['dev', 'etc'].includes(path),
  },
  {
    why: 'docker load passes over the entry of the root, which is 0755 of root, and export has none',
    allows: ({ path, field }) => path === '.' && ['mode', 'uid', 'mtime'].includes(field!),
  },
  {
    why: 'docker export writes whole seconds',
    allows: ({ field, ours, theirs }) =>
      field === 'mtime' && ours!.mtime - (ours!.mtime % 1_000_000_000n) === theirs!.mtime,
  },
  {
    why: 'of the extended attributes docker export writes security.capability',
    allows: ({ field, ours, theirs }) =>
      field === 'xattrs' && !theirs!.xattrs && !('security.capability' in (ours!.xattrs ?? {})),
  },
  {
    why: 'a folder that a higher layer has files in and no entry for has the time of docker load',
    allows: ({ path, field }) => field === 'mtime' && ['bin', 'opaque'].includes(path),
  },
  {
    why: 'Docker gives a file the metadata of the entries of its links, which takes its capabilities; umoci and we do not',
    allows: ({ path, field }) => path === 'bin/su' && ['mode', 'xattrs'].includes(field!),
  },
];

describe('with a Docker daemon', () => {
  const docker = dockerDaemon();

  for (const name of Object.keys(SOURCES).filter((one) => one !== NOT_FOR_DOCKER)) {
    (isThere(name) ? withDaemon : test.skip)(
      `the tree of ${name} is what docker export gives, but for what the rules explain`,
      () => {
        const folder = deepScratch();
        const source = sourceFile(name, folder);
        const loaded = /^Loaded image(?: ID)?: (.*)$/m.exec(docker('load', '--input', source).toString())![1]!;
        const container = docker('create', '--network=none', loaded, '/x').toString().trim();
        const exported = join(folder, 'exported.tar');
        docker('export', '--output', exported, container);
        docker('rm', container);
        const theirs = join(folder, 'theirs');
        mkdirSync(theirs);
        const keep = ['--numeric-owner', '--xattrs', '--xattrs-include=*', '--delay-directory-restore'];
        runPeer({ tool: 'tar', args: ['-x', '-p', ...keep, '-C', theirs, '-f', exported] });
        output(['unpack', '-q', source, join(folder, 'ours')]);
        expect(differences(diskTree(join(folder, 'ours')), diskTree(theirs), RULES)).toEqual([]);
      },
    );
  }
});
