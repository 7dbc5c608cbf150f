import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { sha256Digest } from '../../../fixtures/bytes.ts';
import { tar } from '../../../fixtures/tar.ts';
import { zstd } from '../../../fixtures/zstd.ts';
import { openArchive } from '../../../formats/archive/open.ts';
import { createContext } from '../../../formats/base/context.ts';
import { bytesSource, type RandomSource, streamSource } from '../../../formats/bytes/source.ts';
import { codeOf, contextWith, memberText, memoryKeeper, openTar, sliced, WAYS, whole } from '../support.ts';
import { bytes, layer } from './entries.ts';

async function seen(way: (typeof WAYS)[number], input: Uint8Array = bytes) {
  const archive = await openTar(input, way);
  const members = await Promise.all(archive.names().map((name) => archive.get(name)));
  return Promise.all(
    members.map(async (member) => {
      const { name, type, link, size } = member!;
      return { name, type, link, size, content: type === 'file' ? sha256Digest(await whole(member!.open())) : '' };
    }),
  );
}

describe('an archive', () => {
  test.each(WAYS)('that is %s gives its members by clean names, the last of a name', async (way) => {
    const archive = await openTar(bytes, way);
    expect(archive.names()).toEqual([
      'dir',
      'dir/small',
      'dir/layer.tar',
      'dir/layer.tar.gz',
      'document.json',
      'empty',
      'link',
      'absolute',
      'hard',
      'pipe',
      'between',
      'twice',
    ]);
    expect(await memberText(await archive.get('dir/small'))).toBe('small');
    expect(await memberText(await archive.get('absolute'))).toBe('absolute');
    expect(await memberText(await archive.get('empty'))).toBe('');
    expect(await memberText(await archive.get('twice'))).toBe('last');
    expect(await archive.get('nothing')).toBeUndefined();
    expect(await archive.list('dir')).toEqual(['dir/small', 'dir/layer.tar', 'dir/layer.tar.gz']);
    expect(await archive.list('di')).toEqual([]);
    expect((await archive.get('pipe'))?.type).toBe('other');
    expect((await archive.get('hard'))?.link).toBe('dir/small');
  });

  test('gives the same whether it is indexed or read once', async () => {
    expect(await seen('streamed')).toEqual(await seen('indexed'));
  });

  test.each([
    ['gzip', gzipSync(bytes)],
    ['zstd', zstd(bytes)],
  ])('that is compressed with %s gives the same', async (name, input) => {
    const archive = await openTar(input, 'indexed');
    expect(archive.compression).toEqual([name]);
    expect(await seen('indexed', input)).toEqual(await seen('indexed'));
    expect(await seen('streamed', input)).toEqual(await seen('indexed'));
  });

  test.each(WAYS)('that is %s lets a member be opened again, and left early', async (way) => {
    const member = (await (await openTar(bytes, way)).get('dir/layer.tar'))!;
    for await (const chunk of member.open()) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect(sha256Digest(await whole(member.open()))).toBe(sha256Digest(layer));
    expect(sha256Digest(await whole(member.open()))).toBe(sha256Digest(layer));
  });

  test.each(WAYS)('that is %s is refused when a name climbs out', async (way) => {
    for (const name of ['../up', 'a/../../up', '..'])
      expect(await codeOf(() => openTar(tar([{ name, body: 'x' }]), way)), name).toBe('path/escape');
  });

  test.each(WAYS)('that is %s is refused when a member is a sparse file', async (way) => {
    const sparse = { form: 'pax-1.0', size: 9000, extents: [{ offset: 0, data: 'x' }] } as const;
    expect(await codeOf(() => openTar(tar([{ name: 'a', sparse }]), way))).toBe('member/type');
  });

  test.each(WAYS)('that is %s has no more members than the limit', async (way) => {
    const limit = (members: number) => codeOf(() => openTar(bytes, way, contextWith({ members })));
    expect([await limit(13), await limit(11)]).toEqual(['no refusal', 'limit/members']);
  });

  test.each(WAYS)('that is %s is refused where it ends inside a member, by what is missing', async (way) => {
    const cut = tar([{ name: 'a', body: layer }]).subarray(0, 2000);
    expect(await codeOf(() => openTar(cut, way))).toBe('tar/truncated');
    const claimed = tar([{ name: 'a', size: 2 ** 36, body: 'x' }]);
    expect(await codeOf(() => openTar(claimed, way))).toBe('tar/truncated');
  });

  test.each(WAYS)('that is %s stops when it is told to', async (way) => {
    const context = createContext({ signal: AbortSignal.abort() });
    expect(await codeOf(() => openTar(bytes, way, context))).toBe('interrupted');
  });

  test.each([512, 1024])('may be %i bytes of zeros: nothing is in it', async (size) => {
    for (const way of WAYS) expect((await openTar(new Uint8Array(size), way)).names()).toEqual([]);
  });

  test('that is indexed reads no content', async () => {
    let read = 0;
    const big = tar([
      { name: 'big', body: new Uint8Array(4 * 2 ** 20) },
      { name: 'small', body: 'x' },
    ]);
    const inner = bytesSource('in.tar', big);
    const source: RandomSource = {
      ...inner,
      async *window(start, length) {
        for await (const chunk of inner.window(start, length)) {
          for await (const piece of sliced(chunk, 16_384)) {
            read += piece.length;
            yield piece;
          }
        }
      },
    };
    const archive = await openArchive(source, memoryKeeper, contextWith());
    expect(archive.names()).toEqual(['big', 'small']);
    expect(read).toBeLessThan(200_000);
  });
});

describe('zeros without an end', () => {
  const PIECE = new Uint8Array(2 ** 16);

  test('are a tar of nothing after a few reads, in a file and in a stream', async () => {
    let read = 0;
    async function* zeros(length: number): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < length; at += PIECE.length, read++) {
        if (read === 1000) throw new Error('it is read to its end');
        yield PIECE.subarray(0, length - at);
      }
    }
    const window = (_: number, length: number) => zeros(length);
    const file: RandomSource = { ...bytesSource('in', PIECE), size: 2 ** 40, window };
    for (const source of [file, streamSource('in', zeros(2 ** 40))]) {
      expect((await openArchive(source, memoryKeeper, contextWith())).names()).toEqual([]);
      expect(read).toBeLessThan(10);
    }
  });

  test('behind an archive are read from a stream to their end, for whoever writes it', async () => {
    let written = 0;
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield bytes;
      for (; written < 20; written++) yield PIECE;
    }
    const archive = await openArchive(streamSource('in', chunks()), memoryKeeper, contextWith());
    expect([archive.names().length, written]).toEqual([12, 20]);
  });
});
