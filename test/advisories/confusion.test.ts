/** Documents and archives in which two readers see two things, and sizes that lie. */
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { greeting, greetingBaseLayer, greetingTopLayer } from '../../fixtures/images.ts';
import {
  emptyLayout,
  layoutTar,
  ociLayout,
  putDocument,
  putImage,
  putIndex,
  setIndex,
} from '../../fixtures/oci-layout.ts';
import { tar } from '../../fixtures/tar.ts';
import { ended, fileOf, ocixStarted, refused } from '../cases/command.ts';
import { readLayout } from '../cases/layout.ts';
import { scratch, withPeer } from '../fixtures/peers.ts';
import { archiveOf, expectRefused, imageOf, listed } from './attack.ts';

const image = greeting('amd64');
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

describe('CVE-2021-41190: a document that is a manifest to one reader and an index to another', () => {
  const manifestWith = (more: object): Buffer => {
    const layout = emptyLayout();
    const descriptor = putImage(layout, image, { manifest: (manifest) => ({ ...manifest, ...more }) });
    return archiveOf(setIndex(layout, [descriptor]));
  };
  const indexWith = (more: object): Buffer => {
    const layout = emptyLayout();
    const inner = putIndex(layout, [putImage(layout, image)], more as never);
    return archiveOf(setIndex(layout, [inner]));
  };

  test.each([
    { manifests: [] },
    { fsLayers: [] },
    { schemaVersion: 1 },
    { schemaVersion: '2' },
    { schemaVersion: undefined },
  ])(
    'a manifest with %j is refused',
    (more) => void expectRefused({ bytes: manifestWith(more), code: 'oci/document' }),
  );
  test.each([{ layers: [] }, { config: {} }, { fsLayers: [] }, { schemaVersion: 1 }])(
    'an index with %j is refused, as a blob and as index.json',
    (more) => {
      expectRefused({ bytes: indexWith(more), code: 'oci/document' });
      expectRefused({
        bytes: archiveOf(ociLayout(image, { index: (own) => ({ ...own, ...more }) })),
        code: 'oci/document',
      });
    },
  );
  test('a document that says it is something else than its descriptor does is refused', () => {
    expectRefused({ bytes: manifestWith({ mediaType: INDEX }), code: 'oci/media-type' });
    expectRefused({ bytes: indexWith({ mediaType: MANIFEST }), code: 'oci/media-type' });
  });
  test('a name that comes twice in one object is refused', () => {
    const layout = emptyLayout();
    const own = putImage(layout, image);
    const text = layout.get(`blobs/${own.digest.replace(':', '/')}`)!.toString();
    const twice = putDocument(layout, Buffer.from(text.replace('{', '{"layers":[],')), MANIFEST);
    expectRefused({ bytes: archiveOf(setIndex(layout, [twice])), code: 'json/duplicate-key' });
  });
});

describe('sizes that lie, as the image specification’s own validator once took them', () => {
  test.each(['-1', '1.5', '"12"', '9223372036854775808', '9007199254740993', '1e400'])(
    'a size of %s is refused',
    (size) => {
      const index = (own: object): Buffer => Buffer.from(JSON.stringify(own).replace(/"size":\d+/, `"size":${size}`));
      expectRefused({ bytes: archiveOf(ociLayout(image, { index })), code: 'json/type' });
    },
  );
  test.each([1, -1])('a size that is %i byte off is refused before the content is believed', (off) => {
    const layout = emptyLayout();
    const descriptor = putImage(layout, image);
    expectRefused({
      bytes: archiveOf(setIndex(layout, [{ ...descriptor, size: descriptor.size + off }])),
      code: 'size/mismatch',
    });
  });
  test('content that is not what its digest says is refused, in a manifest and in a layer', () => {
    for (const position of ['first', 'largest'] as const) {
      const layout = ociLayout(image, { compression: 'none' });
      const blobs = [...layout.keys()].filter((path) => path.startsWith('blobs/'));
      const path =
        position === 'first' ? blobs.at(-1)! : blobs.sort((a, b) => layout.get(b)!.length - layout.get(a)!.length)[0]!;
      const bytes = Buffer.from(layout.get(path)!);
      // Behind the first file's 173 bytes, or the end of the JSON made white space: nothing but the digest shows the one.
      bytes[position === 'first' ? bytes.length - 1 : 1024 + 300] = 0x20;
      layout.set(path, bytes);
      expectRefused({ bytes: archiveOf(layout), code: 'digest/mismatch' });
    }
  });
});

describe('CVE-2025-62518: two sizes of one file, and headers hidden in its body', () => {
  const inner = tar([{ name: 'hidden', body: 'seen by a reader that takes the size of the header' }], { end: false });
  const outer = [
    { name: 'outer', size: 0, body: inner, pax: [['size', String(inner.length)]] as const },
    { name: 'behind', body: 'x' },
  ];

  test('the record counts: the body is content, and the file behind it is found', () => {
    const tree = listed(imageOf(outer));
    expect([...tree.keys()]).toEqual(['behind', 'outer']);
    expect(tree.get('outer')).toMatchObject({ size: inner.length });
  });

  withPeer('python3')('Python sees the same files in the layer', () => {
    const script =
      'import io,sys,tarfile;print(sorted(m.name for m in tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read()))))';
    const run = spawnSync('python3', ['-c', script], { input: tar(outer) });
    expect(run.stdout.toString().trim()).toBe("['behind', 'outer']");
  });

  test('nothing in the body of an archive’s member becomes a member of the archive', () => {
    const manifest = Buffer.from('[{"Config":"evil","RepoTags":["evil:1"],"Layers":[]}]');
    const smuggled = tar([{ name: 'manifest.json', body: manifest }], { end: false });
    const bytes = dockerSave(image, {
      generation: '1.10',
      members: (own) => [...own, { name: 'note', size: 0, body: smuggled, pax: [['size', String(smuggled.length)]] }],
    });
    const out = join(scratch(), 'out');
    expect(refused(['convert', '-q', fileOf(bytes), out]).code).toBeUndefined();
    expect(readLayout(out).map(({ name }) => name)).toEqual(['greeting:latest']);
  });

  test('a symlink or a folder with a size has no body all the same', () => {
    for (const type of ['2', '5']) {
      const bytes = imageOf([
        { name: 'odd', type, link: 'x', size: 512 },
        { name: 'behind', body: 'x' },
      ]);
      expect([...listed(bytes).keys()]).toEqual(['behind', 'odd']);
    }
  });
});

describe('CVE-2020-15157: containerd fetched a layer from the address that a manifest gave', () => {
  test('nothing is ever asked for at such an address; the layer stays where it is, and ls says that it is absent', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end();
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const urls = [`http://127.0.0.1:${(server.address() as AddressInfo).port}/steal-credentials`];
    const foreign = { tar: greetingBaseLayer('amd64'), foreign: { urls }, absent: true };
    const recipe = { layers: [foreign, greetingTopLayer()], tags: ['foreign:1'] };
    try {
      for (const bytes of [layoutTar(ociLayout(recipe)), dockerSave(recipe, { generation: '1.10' })]) {
        const out = join(scratch(), 'out');
        const source = fileOf(bytes);
        const inherited = ['oci/manifest-nondistributable'] as const;
        const run = await ended(ocixStarted(['convert', '-q', source, out], { inherited }));
        expect([run.status, run.stderr]).toEqual([0, '']);
        expect(readLayout(out)[0]!.layers[0]).toMatchObject({ urls });
        const list = await ended(ocixStarted(['ls', source]));
        expect([list.status, list.stdout]).toEqual([4, '']);
        expect(list.stderr).toContain('ocix: blob/missing: ');
      }
      expect(asked).toEqual([]);
    } finally {
      server.close();
    }
  });
});
