import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  bytesSource,
  fileBelow,
  fileSource,
  pathKind,
  type RandomSource,
  streamSource,
} from '../../../formats/bytes/source.ts';
import { runPeer, scratch, withPeer } from '../../fixtures/peers.ts';
import { codeOf, sliced, textOf, whole } from '../support.ts';

const content = Uint8Array.from({ length: 1_300_000 }, (_, i) => (i * 31) % 253);

async function fileOf(bytes: Uint8Array): Promise<{ readonly source: RandomSource; readonly path: string }> {
  const path = join(scratch(), 'file');
  writeFileSync(path, bytes);
  const source = await fileSource(path);
  if (source.kind !== 'random') throw new Error('a regular file can be read anywhere');
  return { source, path };
}

describe.each(['file', 'bytes'])('a window over a source of %s', (kind) => {
  const open = async () => (kind === 'file' ? (await fileOf(content)).source : bytesSource('in memory', content));

  test.each([
    ['the whole', 0, content.length],
    ['a part that spans several reads', 100, 1_200_000],
    ['a single byte', 524_288, 1],
    ['nothing', 77, 0],
    ['no more than there is', 1_299_990, 1000],
    ['nothing behind the end', 1_300_000, 10],
  ])('gives %s', async (_, start, length) => {
    const source = await open();
    const got = await whole(source.window(start, length));
    expect(Buffer.compare(got, content.subarray(start, start + length))).toBe(0);
    await source.close();
  });

  test('can be opened side by side, left early, and opened again', async () => {
    const source = await open();
    for await (const chunk of source.window(0, content.length)) {
      expect(chunk[1]).toBe(31);
      break;
    }
    const both = await Promise.all([whole(source.window(0, 700_000)), whole(source.window(600_000, 700_000))]);
    expect(both.map(({ length }) => length)).toEqual([700_000, 700_000]);
    await source.close();
    expect(source.size).toBe(1_300_000);
  });
});

describe('a file', () => {
  test('that becomes shorter while it is read is refused', async () => {
    const { source, path } = await fileOf(content);
    truncateSync(path, 1000);
    expect(await codeOf(() => whole(source.window(0, content.length)))).toBe('source/unreadable');
    await source.close();
  });

  test('may be closed twice', async () => {
    const { source } = await fileOf(content);
    await source.close();
    await expect(source.close()).resolves.toBeUndefined();
  });

  test('that is absent, or a folder, says so', async () => {
    const folder = scratch();
    expect(await codeOf(() => fileSource(join(folder, 'absent')))).toBe('source/missing');
    expect(await codeOf(() => fileSource(folder))).toBe('source/unreadable');
  });

  withPeer('mkfifo')('that is a named pipe is read once, from front to back', async () => {
    const pipe = join(scratch(), 'pipe');
    runPeer({ tool: 'mkfifo', args: [pipe] });
    const writing = import('node:fs/promises').then(({ writeFile }) => writeFile(pipe, 'through a pipe'));
    const source = await fileSource(pipe);
    expect(source.kind).toBe('forward');
    if (source.kind === 'forward') expect(textOf(await whole(source.chunks))).toBe('through a pipe');
    await writing;
    await source.close();
  });

  test('a stream keeps the name it is given', async () => {
    const source = streamSource('standard input', sliced(Buffer.from('abc'), 1));
    expect([source.kind, source.name, textOf(await whole(source.chunks))]).toEqual([
      'forward',
      'standard input',
      'abc',
    ]);
  });
});

describe('pathKind', () => {
  test('follows links and tells files from folders from nothing', async () => {
    const folder = scratch();
    writeFileSync(join(folder, 'file'), '');
    symlinkSync('file', join(folder, 'to-file'));
    symlinkSync('.', join(folder, 'to-folder'));
    symlinkSync('nothing', join(folder, 'dangling'));
    const kinds = ['file', 'to-file', 'to-folder', 'dangling', 'absent', 'file/below'].map((name) =>
      pathKind(join(folder, name)),
    );
    expect(await Promise.all(kinds)).toEqual(['file', 'file', 'folder', 'absent', 'absent', 'absent']);
  });
});

describe('fileBelow', () => {
  function layout(): string {
    const folder = scratch();
    mkdirSync(join(folder, 'root/sub'), { recursive: true });
    writeFileSync(join(folder, 'root/sub/file'), 'inside');
    writeFileSync(join(folder, 'secret'), 'outside');
    mkdirSync(join(folder, 'root-beside'));
    writeFileSync(join(folder, 'root-beside/file'), 'outside');
    return join(folder, 'root');
  }

  async function contentOf(root: string, path: string): Promise<string | undefined> {
    const source = await fileBelow(root, path);
    const text = source && textOf(await whole(source.window(0, source.size)));
    await source?.close();
    return text;
  }

  test('opens a file, also through links that stay inside', async () => {
    const root = layout();
    symlinkSync('sub/file', join(root, 'link'));
    symlinkSync(join(root, 'sub'), join(root, 'absolute'));
    expect(await contentOf(root, 'sub/file')).toBe('inside');
    expect(await contentOf(root, 'link')).toBe('inside');
    expect(await contentOf(root, 'absolute/file')).toBe('inside');
  });

  test('works below a root that is a link itself', async () => {
    const root = layout();
    symlinkSync('root', join(root, '../alias'));
    expect(await contentOf(join(root, '../alias'), 'sub/file')).toBe('inside');
  });

  test.each([
    ['a relative link', '../secret'],
    ['a link to a folder whose name starts like the root', '../root-beside/file'],
    ['a link of the system', '/etc/passwd'],
  ])('refuses %s that leads out', async (_, target) => {
    const root = layout();
    symlinkSync(target, join(root, 'out'));
    expect(await codeOf(() => fileBelow(root, 'out'))).toBe('path/escape');
  });

  test('refuses a path that climbs, and a folder on the way that is a link out', async () => {
    const root = layout();
    symlinkSync('..', join(root, 'up'));
    expect(await codeOf(() => fileBelow(root, '../secret'))).toBe('path/escape');
    expect(await codeOf(() => fileBelow(root, 'up/secret'))).toBe('path/escape');
  });

  test('gives nothing where there is nothing', async () => {
    const root = layout();
    symlinkSync('nowhere', join(root, 'dangling'));
    for (const path of ['absent', 'sub/file/below', 'dangling', 'a\0b', 'x'.repeat(300)])
      expect(await fileBelow(root, path), path.slice(0, 10)).toBeUndefined();
  });

  test('refuses a folder, and a link that leads to itself', async () => {
    const root = layout();
    symlinkSync('loop', join(root, 'loop'));
    expect(await codeOf(() => fileBelow(root, 'sub'))).toBe('member/type');
    expect(await codeOf(() => fileBelow(root, 'loop'))).toBe('source/unreadable');
  });

  withPeer('mkfifo')('refuses a named pipe without waiting for its writer', async () => {
    const root = layout();
    runPeer({ tool: 'mkfifo', args: [join(root, 'pipe')] });
    expect(await codeOf(() => fileBelow(root, 'pipe'))).toBe('member/type');
  });

  test('refuses a device', async () => {
    expect(await codeOf(() => fileBelow('/dev', 'zero'))).toBe('member/type');
  });
});
