/** The flattened root file system. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { convert } from '../../../converters/index.ts';
import { sha256Digest } from '../../../fixtures/bytes.ts';
import { greeting, sampleLayer } from '../../../fixtures/images.ts';
import { runPeer, scratch, withPeer } from '../../fixtures/peers.ts';
import { pathsIn } from '../../formats/tar/scan.ts';
import { inherits } from '../../library-outputs.ts';
import { behaviour, dockerFile, listed, ociFile, varied } from './archives.ts';

const file = behaviour('tar');

async function flattened(source: string): Promise<string> {
  const out = join(scratch(), 'rootfs.tar');
  await convert(source, out, { to: 'tar' });
  return out;
}

// Files with holes, in the images of `varied`.
beforeEach(() => inherits('layer/sparse'));

describe('a root file system', () => {
  test('is the tree that the image has', async () => {
    const source = dockerFile(varied());
    expect(await listed(`tar:${await flattened(source)}`)).toEqual(await listed(source));
  });

  test('is the same from compressed layers, and from a stream', async () => {
    const out = readFileSync(await flattened(dockerFile(varied())));
    expect(readFileSync(await flattened(ociFile(varied(), { compression: 'zstd' }))).equals(out)).toBe(true);
    const { createReadStream } = await import('node:fs');
    const streamed = join(scratch(), 'out');
    await convert({ stream: createReadStream(ociFile(varied())) }, streamed, { to: 'tar' });
    expect(readFileSync(streamed).equals(out)).toBe(true);
  });

  test('has files first, then links, and folders last, so that none is changed again after it got its time', async () => {
    const layers = [
      sampleLayer([
        { name: 'z', type: '1', link: 'usr/a' },
        { name: 'bin', link: 'usr' },
        { name: 'usr/a', body: 'a' },
        { name: 'usr/' },
        { name: 'usr/empty/' },
      ]),
      sampleLayer([{ name: 'b', body: 'b' }]),
    ];
    const out = await flattened(dockerFile({ layers, tags: ['x:1'] }));
    expect(pathsIn(readFileSync(out))).toEqual(['usr/a', 'b', 'bin', 'z', 'usr/empty/', 'usr/']);
  });

  test('takes no space on the disk for the holes of a sparse file', async () => {
    const size = 64 * 2 ** 20;
    const holes = { name: 'holes', sparse: { form: 'pax-1.0', size, extents: [{ offset: 0, data: 'x' }] } } as const;
    const out = await flattened(dockerFile({ layers: [sampleLayer([holes])], tags: ['x:1'] }));
    const { size: length, blocks } = statSync(out);
    expect(length).toBe(512 + size + 1024);
    expect(blocks * 512).toBeLessThan(size / 8);
  });

  test('says what of the configuration it leaves behind', async () => {
    const { notes, images } = await convert(dockerFile(varied()), join(scratch(), 'out'), { to: 'tar' });
    expect(notes).toEqual([
      { kind: 'dropped', message: expect.stringContaining('no place for created, env'), at: ['varied:1'] },
    ]);
    expect(images[0]!.config).toBeUndefined();
  });

  test('is made of one image', async () => {
    const source = dockerFile([greeting('amd64'), varied()]);
    const out = join(scratch(), 'out');
    await expect(convert(source, out, { to: 'tar' })).rejects.toMatchObject({ code: 'image/select' });
    await convert(`docker-archive:${source}:@1`, out, { to: 'tar' });
  });

  test('is not compressed', async () => {
    const options = { to: 'tar', compress: 'gzip' };
    await expect(convert(dockerFile(varied()), join(scratch(), 'out'), options)).rejects.toMatchObject({
      code: 'usage/option',
    });
  });

  test('stays within the limit of bytes, holes included', async () => {
    const holes = {
      name: 'h',
      sparse: { form: 'pax-1.0', size: 2 ** 30, extents: [{ offset: 0, data: 'x' }] },
    } as const;
    const source = dockerFile({ layers: [sampleLayer([holes])], tags: ['x:1'] });
    const options = { to: 'tar', limits: { 'total-bytes': 2 ** 20 } };
    await expect(convert(source, join(scratch(), 'out'), options)).rejects.toMatchObject({ code: 'limit/total-bytes' });
  });

  test('is the same bytes twice', () => file.isDeterministic());
  test('does not take the place of a file, unless that is asked for', () => file.refusesWhatIsThere());
  test('is not there when it cannot be whole', () => file.leavesNothingWhenItFails((folder) => readdirSync(folder)));
  test('is sent to a stream as it would be written', () => file.goesToAStream());

  withPeer('tar')('is extracted by GNU tar, read-only folders and hard links included', async () => {
    const folder = scratch();
    const out = await flattened(dockerFile(varied()));
    runPeer({ tool: 'tar', args: ['-xpf', out, '-C', folder, '--exclude=dev', '--no-same-owner'] });
    expect(readFileSync(join(folder, 'kept/file'), 'utf8')).toBe('below a folder that is read-only');
    expect(readFileSync(join(folder, 'bin/other'), 'utf8')).toBe('through the link');
    expect(statSync(join(folder, 'b')).ino).toBe(statSync(join(folder, 'c')).ino);
    expect(runPeer({ tool: 'stat', args: ['-c', '%a %.9Y', join(folder, 'kept')] }).toString()).toBe(
      '555 1700000000.123456789\n',
    );
    runPeer({ tool: 'chmod', args: ['-R', 'u+w', folder] });
  });

  withPeer('python3')('is read by Python’s tarfile', async () => {
    const script = 'import sys, tarfile\nprint(len(tarfile.open(sys.argv[1]).getmembers()))';
    const out = await flattened(dockerFile(varied()));
    const count = runPeer({ tool: 'python3', args: ['-c', script, out] }).toString();
    expect(Number(count)).toBe(pathsIn(readFileSync(out)).length);
  });
});

describe('one layer', () => {
  test('comes as it is, bit for bit, however it is compressed', async () => {
    inherits('layer/hard-link'); // to a file of a layer below
    const image = varied();
    for (const compression of ['none', 'gzip', 'zstd'] as const) {
      const source = ociFile(image, { compression });
      for (const [i, layer] of image.layers.entries()) {
        const out = join(scratch(), 'layer.tar');
        const { images } = await convert(source, out, { to: 'tar', layer: i });
        expect(readFileSync(out).equals(layer as Buffer)).toBe(true);
        expect(images[0]!.digest).toBe(sha256Digest(layer as Buffer));
      }
    }
  });

  test('has to be there', async () => {
    const out = join(scratch(), 'layer.tar');
    await expect(convert(dockerFile(varied()), out, { to: 'tar', layer: 3 })).rejects.toMatchObject({
      code: 'image/select',
      hint: expect.stringContaining('to 2'),
    });
  });
});
