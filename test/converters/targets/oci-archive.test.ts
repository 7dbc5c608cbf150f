/** One tar of an OCI image layout. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { convert, diff } from '../../../converters/index.ts';
import { greeting } from '../../../fixtures/images.ts';
import { runPeer, scratch, withPeer } from '../../fixtures/peers.ts';
import { inherits } from '../../library-outputs.ts';
import { behaviour, dockerFile, membersOf, ociFile, varied } from './archives.ts';

const file = behaviour('oci-archive');

// Files with holes, in the images of `varied`.
beforeEach(() => inherits('layer/sparse'));

describe('an OCI archive', () => {
  test('has its documents first and its blobs in order, without times and owners', async () => {
    const out = join(scratch(), 'out');
    await convert(dockerFile(greeting('amd64')), out, { to: 'oci-archive' });
    const members = await membersOf(out);
    const names = members.map(({ name }) => name.replace(/\/$/, ''));
    expect(names.slice(0, 4)).toEqual(['oci-layout', 'index.json', 'blobs', 'blobs/sha256']);
    expect(names.slice(4)).toEqual(names.slice(4).toSorted());
    expect(names.length).toBe(4 + 4);
    expect(members.filter(({ owner, mtime }) => owner !== '0:0' || mtime !== 0)).toEqual([]);
    expect([...new Set(members.map(({ type, mode }) => `${type} ${mode.toString(8)}`))]).toEqual([
      'file 644',
      'directory 755',
    ]);
  });

  test('is the image that it was made from', async () => {
    const source = dockerFile(varied());
    const out = join(scratch(), 'out');
    await convert(source, out, { to: 'oci-archive' });
    expect((await diff(source, out)).differences).toEqual([]);
  });

  test('keeps the digest of a manifest that has nothing to change', async () => {
    const source = ociFile(greeting('arm64'));
    const first = await convert(source, join(scratch(), 'layout'));
    const again = await convert(source, join(scratch(), 'out'), { to: 'oci-archive' });
    expect(again.images[0]!.digest).toBe(first.images[0]!.digest);
  });

  test('holds what a stream brought and the images refer to, and nothing else', async () => {
    const { createReadStream } = await import('node:fs');
    const source = dockerFile([greeting('amd64'), varied()]);
    const [one, two] = [join(scratch(), 'one'), join(scratch(), 'two')];
    await convert(source, one, { to: 'oci-archive' });
    await convert({ stream: createReadStream(source) }, two, { to: 'oci-archive' });
    expect(await membersOf(two)).toEqual(await membersOf(one));
  });

  test('is the same bytes twice', () => file.isDeterministic());
  test('does not take the place of a file, unless that is asked for', () => file.refusesWhatIsThere());
  test('is not there when it cannot be whole', () => file.leavesNothingWhenItFails((folder) => readdirSync(folder)));
  test('is sent to a stream as it would be written', () => file.goesToAStream());

  withPeer('skopeo')('is read by skopeo', async () => {
    const folder = scratch();
    await convert(dockerFile(greeting('amd64')), join(folder, 'out'), { to: 'oci-archive' });
    const args = ['--insecure-policy', 'inspect', `oci-archive:${join(folder, 'out')}`];
    expect(JSON.parse(runPeer({ tool: 'skopeo', args }).toString())).toMatchObject({ Architecture: 'amd64' });
  });
});
