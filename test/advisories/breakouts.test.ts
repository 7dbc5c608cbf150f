/**
 * Layers that try to write, change, link to or remove something outside of the root: containerd's TestBreakouts and its kin, umoci's and
 * filepath-securejoin's tables, rewritten. Every case is unpacked as one layer, and split over two at every place; a tree beside the
 * output is the same before and after, to the change time of each inode.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { OcixError, unpack } from '../../converters/index.ts';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { BREAKOUTS, file, hard, link, sentinel, stateOf } from '../../fixtures/probe-breakouts.ts';
import { type TarEntry, tar } from '../../fixtures/tar.ts';
import { scratch } from '../fixtures/peers.ts';

/** Things on the host that the recipes name. */
const HOST = ['/etc/passwd', '/etc/shadow', '/etc/group'];
const stateOfHost = () => HOST.filter((path) => existsSync(path)).flatMap(stateOf);
const PLANTED = ['/ocix-evil', '/tmp/ocix-evil', '/etc/ocix-evil', '/var/tmp/ocix-evil'];

type Layers = readonly (readonly TarEntry[])[];

/** Unpacks, and gives the refusal's code or the paths; nothing around the output has changed. */
async function attack(
  layers: Layers,
  folder: string,
  outside: string,
  number: number,
): Promise<string | readonly string[]> {
  const source = join(folder, 'attack.tar');
  writeFileSync(
    source,
    dockerSave({ layers: layers.map((one) => tar(one)), tags: ['attack:1'] }, { generation: '1.10' }),
  );
  const before = [...stateOf(outside), ...stateOfHost()];
  const out = join(folder, `out${number}`);
  try {
    await unpack(source, out);
    return pathsBelow(out);
  } catch (error) {
    if (!(error instanceof OcixError)) throw error;
    expect(existsSync(out), 'a refused image leaves nothing').toBe(false);
    return error.code;
  } finally {
    expect([...stateOf(outside), ...stateOfHost()]).toEqual(before);
    expect(PLANTED.filter((path) => existsSync(path))).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.startsWith('.ocix-'))).toEqual([]);
  }
}

/** Node's own recursive listing follows symlinks, which here lead everywhere. */
function pathsBelow(root: string, above = ''): readonly string[] {
  return readdirSync(root, { withFileTypes: true })
    .sort((x, y) => (x.name < y.name ? -1 : 1))
    .flatMap((entry) => {
      const path = above + entry.name;
      return entry.isDirectory() ? [path, ...pathsBelow(join(root, entry.name), `${path}/`)] : [path];
    });
}

/** In all ways to cut the entries into two layers, one layer included. */
async function everyWay(
  entries: (outside: string) => readonly TarEntry[],
): Promise<readonly (string | readonly string[])[]> {
  const folder = scratch();
  const outside = sentinel(folder);
  const all = entries(outside);
  const results: (string | readonly string[])[] = [];
  for (let cut = 0; cut < all.length; cut++)
    results.push(await attack(cut ? [all.slice(0, cut), all.slice(cut)] : [all], folder, outside, cut));
  return results;
}

describe('breakouts', () => {
  test.each(BREAKOUTS)('%s', async (_, entries, wanted) => {
    for (const result of await everyWay(entries)) {
      const outcome = typeof result === 'string' ? result : 'stays';
      expect(wanted).toContain(outcome);
    }
  });

  test('what goes through an absolute symlink lands below the root, at the same path', async () => {
    const [tree] = await everyWay(() => [
      { name: 'inner/' },
      link('way', '/inner'),
      file('way/file'),
      hard('way/hard', '/way/file'),
    ]);
    expect(tree).toEqual(['inner', 'inner/file', 'inner/hard', 'way']);
  });

  test('the sentinel is told apart when it does change', () => {
    const folder = scratch();
    const outside = sentinel(folder);
    const before = stateOf(outside);
    spawnSync('touch', ['-c', '-r', join(outside, 'dir/file'), join(outside, 'dir/file')]);
    expect(stateOf(outside)).not.toEqual(before);
  });
});
