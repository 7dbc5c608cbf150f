/** Sources and ways to look at what was written, for the tests of targets that are one file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { extract } from 'tar-stream';
import { expect } from 'vitest';
import { convert, list, type OcixError } from '../../../converters/index.ts';
import { dockerSave } from '../../../fixtures/docker-save.ts';
import type { ImageRecipe } from '../../../fixtures/image-recipe.ts';
import { greeting, sampleLayer, sampleTime } from '../../../fixtures/images.ts';
import { type LayoutOptions, layoutTar, ociLayout } from '../../../fixtures/oci-layout.ts';
import { scratch } from '../../fixtures/peers.ts';

export const dockerFile = (images: ImageRecipe | readonly ImageRecipe[], folder = scratch()): string =>
  written(dockerSave(images, { generation: '1.10' }), folder, 'in.tar');

export const ociFile = (images: ImageRecipe | readonly ImageRecipe[], options: LayoutOptions = {}): string =>
  written(layoutTar(ociLayout(images, options)), scratch(), 'oci.tar');

export function written(bytes: Uint8Array, folder: string, name: string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Every kind of entry, in three layers that hide, replace and link across. */
export function varied(): ImageRecipe {
  const long = `deep/${'n'.repeat(120)}/${'m'.repeat(140)}`;
  const base = sampleLayer([
    { name: './', mode: 0o755 },
    { name: 'a', body: 'first' },
    { name: 'b', type: '1', link: 'a' },
    { name: 'gone/' },
    { name: 'gone/file', body: 'x' },
    { name: 'kept/', mode: 0o555, mtime: '1700000000.123456789' },
    { name: 'kept/file', body: 'below a folder that is read-only' },
    { name: 'bin', link: 'usr/bin' },
    { name: 'usr/bin/tool', body: 'tool', mode: 0o4755, uid: 3_000_000, gid: 2 ** 31 },
    { name: 'dev/null', type: '3', major: 1, minor: 3, mode: 0o666 },
    { name: 'run/pipe', type: '6' },
    { name: long, body: 'long' },
    { name: Buffer.from('caf\xe9', 'latin1'), body: 'latin1' },
    { name: 'early', mtime: -1, body: '' },
    { name: 'capable', body: 'c', pax: [['SCHILY.xattr.security.capability', Buffer.from([1, 0, 0, 2, 255, 10])]] },
    {
      name: 'holes',
      sparse: { form: 'pax-1.0', size: 3_000_000, extents: [{ offset: 1_000_000, data: 'd'.repeat(512) }] },
    },
  ]);
  const middle = sampleLayer([
    { name: '.wh.gone', body: '' },
    { name: 'c', type: '1', link: 'a' },
    { name: 'bin/other', body: 'through the link' },
    { name: 'b2', body: 'second' },
  ]);
  const top = sampleLayer([
    { name: 'a', body: 'replaced, so b and c are another file' },
    { name: 'again/', mtime: sampleTime + 1 },
  ]);
  return { layers: [base, middle, top], tags: ['varied:1'], config: { config: { Env: ['A=b'] } } };
}

export const listed = (source: string): Promise<unknown> => list(source, { digest: true });

/** A stream that keeps what it gets. */
export function collecting(): { readonly stream: Writable; readonly bytes: () => Buffer } {
  const parts: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      parts.push(chunk);
      done();
    },
  });
  return { stream, bytes: () => Buffer.concat(parts) };
}

export interface Packed {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly owner: string;
  readonly mtime: number;
  readonly body: Buffer;
}

/** The members of an archive in their order, as tar-stream reads them. */
export async function membersOf(path: string): Promise<readonly Packed[]> {
  const reader = extract();
  reader.end(readFileSync(path));
  const found: Packed[] = [];
  for await (const entry of reader) {
    const parts: Buffer[] = [];
    for await (const chunk of entry) parts.push(Buffer.from(chunk as Uint8Array));
    const { name, type, mode, uid, gid, mtime } = entry.header;
    const body = Buffer.concat(parts);
    found.push({ name, type: type!, mode: mode!, owner: `${uid}:${gid}`, mtime: mtime!.getTime(), body });
  }
  return found;
}

export const memberJson = (members: readonly Packed[], wanted: string): unknown =>
  JSON.parse(members.find(({ name }) => name === wanted)!.body.toString());

/** What each target that is one file has to keep. */
export const behaviour = (to: string) => ({
  async isDeterministic(): Promise<void> {
    const folder = scratch();
    const source = dockerFile(varied(), folder);
    await convert(source, join(folder, 'one'), { to });
    await convert(source, join(folder, 'two'), { to });
    expect(readFileSync(join(folder, 'one')).equals(readFileSync(join(folder, 'two')))).toBe(true);
  },
  async refusesWhatIsThere(): Promise<void> {
    const folder = scratch();
    const out = written(Buffer.from('mine'), folder, 'out');
    const source = dockerFile(greeting('amd64'), folder);
    await expect(convert(source, out, { to })).rejects.toMatchObject({ code: 'output/exists', status: 7 });
    expect(readFileSync(out, 'utf8')).toBe('mine');
    await convert(source, out, { to, force: true });
    expect(readFileSync(out, 'utf8')).not.toBe('mine');
  },
  async leavesNothingWhenItFails(names: (folder: string) => readonly string[]): Promise<void> {
    const folder = scratch();
    const broken = { layers: [{ tar: sampleLayer([{ name: 'a' }]) }], tags: ['x:1'] };
    const source = written(
      dockerSave(broken, {
        generation: '1.10',
        members: (all) => all.map((one) => (/layer\.tar$/.test(String(one.name)) ? { ...one, body: 'damaged' } : one)),
      }),
      folder,
      'in.tar',
    );
    const failure = await convert(source, join(folder, 'out'), { to }).catch((error: OcixError) => error);
    expect(failure).toMatchObject({ status: expect.any(Number) });
    expect(names(folder)).toEqual(['in.tar']);
  },
  async goesToAStream(): Promise<void> {
    const folder = scratch();
    const source = dockerFile(varied(), folder);
    const { stream, bytes } = collecting();
    await convert(source, `${to}:-`, { output: stream });
    await convert(source, join(folder, 'out'), { to });
    expect(bytes().equals(readFileSync(join(folder, 'out')))).toBe(true);
    expect(stream.writableEnded).toBe(false);
  },
});
