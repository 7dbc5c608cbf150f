import { describe, expect, test } from 'vitest';
import { dockerSave, generations } from '../../fixtures/docker-save.ts';
import { greeting } from '../../fixtures/images.ts';
import { emptyLayout, layoutTar, ociLayout, putImage, setRefs, writeLayout } from '../../fixtures/oci-layout.ts';
import { type TarEntry, tar } from '../../fixtures/tar.ts';
import type { Archive } from '../../formats/archive/archive.ts';
import { folderArchive } from '../../formats/archive/folder.ts';
import { bestOf, offersFor, recognise } from '../../formats/detect.ts';
import { READERS, readerNamed } from '../../formats/index.ts';
import { scratch } from '../fixtures/peers.ts';
import { codeOf, contextWith, openTar, refusalOf, WAYS } from './support.ts';

const image = greeting('amd64');
const tarOf = (...entries: readonly TarEntry[]) => openTar(tar(entries));
const chosen = async (archive: Archive): Promise<string> => (await recognise(archive)).reader.name;

async function folderOf(layout: Map<string, Buffer>): Promise<Archive> {
  const folder = scratch();
  await writeLayout(layout, folder);
  return folderArchive(folder, contextWith());
}

describe('recognition', () => {
  test.each(generations)('takes what docker save wrote as %s for a docker archive', async (generation) => {
    for (const way of WAYS)
      expect(await chosen(await openTar(dockerSave(image, { generation }), way))).toBe('docker-archive');
  });

  test('takes a layout for one, as a tar, as a folder, and of a release candidate', async () => {
    const layout = ociLayout(image);
    expect(await chosen(await openTar(layoutTar(layout)))).toBe('oci');
    expect(await chosen(await folderOf(layout))).toBe('oci');
    const candidate = emptyLayout();
    setRefs(candidate, { v1: putImage(candidate, image) });
    expect(await chosen(await openTar(layoutTar(candidate)))).toBe('oci');
    expect(await chosen(await folderOf(candidate))).toBe('oci');
  });

  test('takes a layout that lost its oci-layout for one, with less confidence', async () => {
    const layout = ociLayout(image);
    const before = (await recognise(await openTar(layoutTar(layout)))).confidence;
    layout.delete('oci-layout');
    const offer = await recognise(await openTar(layoutTar(layout)));
    expect(offer.reader.name).toBe('oci');
    expect(offer.confidence).toBeLessThan(before);
  });

  test('lets manifest.json decide where both are there, and gives every bid, highest first', async () => {
    const offers = await offersFor(await openTar(dockerSave(image, { generation: '25' })));
    expect(offers.map(({ reader }) => reader.name)).toEqual(['docker-archive', 'oci']);
    expect(offers[0]!.confidence).toBeGreaterThan(offers[1]!.confidence);
    expect(offers.every(({ reason, title }) => reason !== '' && title !== '')).toBe(true);
  });

  test('takes a folder with manifest.json for an unpacked docker archive, unless it is a layout', async () => {
    expect(await chosen(await folderOf(new Map([['manifest.json', Buffer.from('[]')]])))).toBe('docker-archive');
    const both = ociLayout(image).set('manifest.json', Buffer.from('[]'));
    expect(await chosen(await folderOf(both))).toBe('oci');
  });

  test.each([
    ['a root file system', [{ name: 'bin/' }, { name: 'etc/passwd', body: 'x' }]],
    [
      'names that only look like it',
      [
        { name: 'x/manifest.json', body: '[]' },
        { name: 'repositories.bak', body: '{}' },
      ],
    ],
    ['index.json alone', [{ name: 'index.json', body: '{}' }]],
    ['nothing', []],
  ])('refuses a tar with %s', async (_, entries) => {
    expect(await codeOf(async () => recognise(await tarOf(...entries)))).toBe('format/unknown');
  });

  test('says what it saw, and how to say that it is a root file system', async () => {
    const refusal = await refusalOf(async () =>
      recognise(await tarOf({ name: 'bin/' }, { name: 'etc\u001b/', type: '5' })),
    );
    expect(refusal?.at[0]).toContain('first entries: bin, etc\\x1b');
    expect(refusal?.hint).toContain('tar:in.tar');
  });

  test('refuses a folder that is none', async () => {
    const refusal = await refusalOf(async () => recognise(await folderOf(new Map([['a/b', Buffer.from('')]]))));
    expect(refusal).toMatchObject({ code: 'format/unknown' });
    expect(refusal?.message).toContain('is a folder, and no image layout');
  });
});

describe('the table of readers', () => {
  test('finds each by its name and its aliases, which are theirs alone', () => {
    const names = READERS.flatMap((reader) => [reader.name, ...reader.aliases]);
    expect(new Set(names).size).toBe(names.length);
    for (const reader of READERS)
      for (const name of [reader.name, ...reader.aliases]) expect(readerNamed(name)).toBe(reader);
    expect(readerNamed('nothing')).toBeUndefined();
  });
});

test('two readers that bid the same are named both, and neither is chosen', async () => {
  const archive = await openTar(dockerSave(image, { generation: '25' }));
  const [first, second] = await offersFor(archive);
  const refusal = await refusalOf(() => bestOf([first!, { ...second!, confidence: first!.confidence }], archive));
  expect(refusal?.code).toBe('format/ambiguous');
  expect(refusal?.hint).toContain('docker-archive:');
  expect(refusal?.hint).toContain('oci:');
});
