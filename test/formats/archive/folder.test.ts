import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findFile } from '../../../formats/archive/archive.ts';
import { folderArchive } from '../../../formats/archive/folder.ts';
import { scratch } from '../../fixtures/peers.ts';
import { codeOf, contextWith, memberText } from '../support.ts';

function layout(): string {
  const outer = scratch();
  const root = join(outer, 'layout');
  mkdirSync(join(root, 'refs/deep'), { recursive: true });
  mkdirSync(join(root, 'blobs'));
  writeFileSync(join(root, 'index.json'), '{}');
  writeFileSync(join(root, 'refs/v1'), 'one');
  writeFileSync(join(root, 'refs/deep/v2'), 'two');
  writeFileSync(join(root, 'blobs/blob'), 'blob');
  symlinkSync('../blobs/blob', join(root, 'refs/link'));
  writeFileSync(join(outer, 'secret'), 'secret');
  symlinkSync('../secret', join(root, 'leak'));
  symlinkSync('..', join(root, 'out'));
  return root;
}

/** Root may read everything. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid!() !== 0) return work();
  process.seteuid!(65534);
  try {
    return await work();
  } finally {
    process.seteuid!(0);
  }
}

const open = async (root: string, limits = {}) => folderArchive(root, contextWith(limits));

describe('a folder as an archive', () => {
  test('has the names at its top', async () => {
    const archive = await open(layout());
    expect([...archive.names()].sort()).toEqual(['blobs', 'index.json', 'leak', 'out', 'refs']);
    expect([archive.kind, archive.compression]).toEqual(['folder', []]);
  });

  test('gives files by their path, any number of times, through links that stay inside', async () => {
    const archive = await open(layout());
    const member = await archive.get('refs/link');
    expect(member).toMatchObject({ type: 'file', size: 4 });
    expect([await memberText(member), await memberText(member)]).toEqual(['blob', 'blob']);
    expect(await memberText(await findFile(archive, './refs//deep/v2'))).toBe('two');
    expect(await archive.get('nothing/at/all')).toBeUndefined();
    expect(await archive.get('index.json/below')).toBeUndefined();
  });

  test.each(['leak', 'out/secret', '../secret'])('gives nothing of what is outside: %s', async (name) => {
    const archive = await open(layout());
    expect(await codeOf(() => archive.get(name))).toBe('path/escape');
    expect(await codeOf(() => findFile(archive, name))).toBe('path/escape');
  });

  test('refuses a folder where a file is wanted', async () => {
    expect(await codeOf(async () => (await open(layout())).get('blobs'))).toBe('member/type');
  });

  test('lists the files below a folder of it, sorted, and links are none', async () => {
    const root = layout();
    for (const path of [root, `${root}/`])
      expect(await (await open(path)).list('refs')).toEqual(['refs/deep/v2', 'refs/v1']);
    expect(await (await open(root)).list('nothing')).toEqual([]);
    expect(await (await open(root)).list('index.json')).toEqual([]);
  });

  test('lists nothing through a folder that is a link out of it', async () => {
    expect(await (await open(layout())).list('out')).toEqual([]);
  });

  test('has no more names than the limit', async () => {
    const root = layout();
    expect(await codeOf(() => open(root, { members: 5 }))).toBe('no refusal');
    expect(await codeOf(() => open(root, { members: 4 }))).toBe('limit/members');
    for (let i = 0; i < 6; i++) writeFileSync(join(root, `blobs/${i}`), '');
    expect(await codeOf(async () => (await open(root, { members: 6 })).list('blobs'))).toBe('limit/members');
  });

  test('says so where a folder in it may not be read, and does not take it for an empty one', async () => {
    const root = layout();
    chmodSync(dirname(root), 0o755);
    chmodSync(join(root, 'refs/deep'), 0o000);
    const archive = await open(root);
    expect(await asNobody(() => codeOf(() => archive.list('refs')))).toBe('source/unreadable');
    expect(await asNobody(() => codeOf(() => archive.namesIn!('refs/deep')))).toBe('source/unreadable');
    expect(await asNobody(() => archive.list('blobs'))).toEqual(['blobs/blob']);
  });

  test('that cannot be listed is refused', async () => {
    expect(await codeOf(() => open(join(scratch(), 'gone')))).toBe('source/missing');
  });
});
