/** What we write, read by skopeo, umoci, podman and the standard's own validator of 2017; what they find is held against the recipe. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { aciTar } from '../../fixtures/aci.ts';
import { deb } from '../../fixtures/deb.ts';
import { dockerSave, generations } from '../../fixtures/docker-save.ts';
import { type ImageRecipe, prepare } from '../../fixtures/image-recipe.ts';
import { greeting, sampleLayer } from '../../fixtures/images.ts';
import { fileOf, output } from '../cases/command.ts';
import { readLayout } from '../cases/layout.ts';
import { runPeer, scratch, withPeer } from '../fixtures/peers.ts';
import { podmanHome } from './podman.ts';

const image = greeting('amd64');
const wanted = prepare(image);
const diffIds = wanted.layers.map(({ diffId }) => diffId);
const isRoot = process.getuid?.() === 0;

/** An archive and the layout made of it, and the one name in there. */
function layoutOf(recipe: ImageRecipe, generation: (typeof generations)[number], ...options: readonly string[]) {
  const folder = scratch();
  const source = fileOf(dockerSave(recipe, { generation }), 'in.tar', folder);
  const out = join(folder, 'out');
  const args = ['convert', '-q', ...options, source, out];
  // One of the recipes has an opaque whiteout on purpose.
  const name = output(args, { inherited: ['layer/whiteout-explicit'] }).split('\t')[0]!;
  return { folder, source, out, name };
}

/** A folder as `ocix ls --json --digest` would list it; owners and devices only for root, who can make them. */
function treeOf(root: string): ReadonlyMap<string, object> {
  const first = new Map<bigint, string>();
  const paths = readdirSync(root, { recursive: true }).map(String);
  const sorted = paths.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return new Map(
    sorted.map((path) => {
      const full = join(root, path);
      const stat = lstatSync(full, { bigint: true });
      const before = stat.isDirectory() ? undefined : first.get(stat.ino);
      first.set(stat.ino, before ?? path);
      const type = stat.isDirectory()
        ? 'dir'
        : stat.isSymbolicLink()
          ? 'symlink'
          : stat.isFIFO()
            ? 'fifo'
            : stat.isCharacterDevice()
              ? 'char'
              : 'file';
      const link = before ?? (type === 'symlink' ? readlinkSync(full) : undefined);
      return [
        path,
        {
          type: before === undefined ? type : 'hardlink',
          ...(type === 'symlink' ? {} : { mode: (Number(stat.mode) & 0o7777).toString(8).padStart(4, '0') }),
          ...(isRoot ? { uid: Number(stat.uid), gid: Number(stat.gid) } : {}),
          ...(link === undefined ? {} : { link }),
          ...(type === 'file' ? { sha256: createHash('sha256').update(readFileSync(full)).digest('hex') } : {}),
          ...(type === 'dir' ? {} : { mtime: String(stat.mtimeNs / 1_000_000_000n) }),
        },
      ];
    }),
  );
}

/** The same fields of our own listing of the source. */
function listedTree(source: string): ReadonlyMap<string, object> {
  const lines = output(['ls', '--json', '--digest', source]).trimEnd().split('\n');
  return new Map(
    lines
      .map((line) => JSON.parse(line))
      .filter(({ path }) => path !== '.')
      .map(({ path, type, mode, uid, gid, link, sha256, mtime }) => [
        path,
        {
          type,
          ...(type === 'symlink' ? {} : { mode }),
          ...(isRoot ? { uid, gid } : {}),
          ...(link === undefined ? {} : { link }),
          ...(sha256 === undefined ? {} : { sha256 }),
          ...(type === 'dir' ? {} : { mtime: mtime.split('.')[0] }),
        },
      ]),
  );
}

function unpacked(folder: string, reference: string): ReadonlyMap<string, object> {
  const bundle = join(folder, 'bundle');
  runPeer({ tool: 'umoci', args: ['unpack', ...(isRoot ? [] : ['--rootless']), '--image', reference, bundle] });
  return treeOf(join(bundle, 'rootfs'));
}

describe.each(generations)('a layout from an archive of the form %s', (generation) => {
  const ids = generation === 'v1' ? [diffIds[0], expect.any(String), diffIds[1], expect.any(String)] : diffIds;

  withPeer('skopeo')('is copied by skopeo, which reports the configuration and the diffIDs of the source', () => {
    const { folder, out, name } = layoutOf(image, generation);
    const config = JSON.parse(
      runPeer({ tool: 'skopeo', args: ['inspect', '--config', `oci:${out}:${name}`] }).toString(),
    );
    expect(config.rootfs.diff_ids).toEqual(ids);
    const run = wanted.config.config as Readonly<Record<string, unknown>>;
    for (const key of ['User', 'Env', 'Cmd', 'Volumes', 'WorkingDir', 'Labels', 'StopSignal', 'ExposedPorts'])
      expect(config.config[key]).toEqual(run[key]);
    // A copy makes it read and check every blob.
    runPeer({
      tool: 'skopeo',
      args: ['--insecure-policy', 'copy', '-q', `oci:${out}:${name}`, `dir:${join(folder, 'dir')}`],
    });
    const id = JSON.parse(readFileSync(join(folder, 'dir/manifest.json'), 'utf8')).config.digest;
    if (generation !== 'v1') expect(id).toBe(wanted.configDigest);
  });

  withPeer('umoci')('is unpacked by umoci to the tree that ls gives of the source', () => {
    const { folder, source, out, name } = layoutOf(image, generation);
    expect(runPeer({ tool: 'umoci', args: ['ls', '--layout', out] }).toString()).toBe(`${name}\n`);
    const tree = unpacked(folder, `${out}:${name}`);
    expect(tree.size).toBe(13);
    expect(tree).toEqual(listedTree(source));
  });

  withPeer('podman')('is pulled by podman', () => {
    const { source, name } = layoutOf(image, generation);
    const { folder, podman } = podmanHome();
    output(['convert', '-q', source, join(folder, 'out')]);
    const id = podman('pull', '-q', `oci:${folder}/out:${name}`).trim();
    const [seen] = JSON.parse(podman('image', 'inspect', id));
    expect(seen.RootFS.Layers).toEqual(ids);
    if (generation !== 'v1') expect(`sha256:${id}`).toBe(wanted.configDigest);
  });
});

describe.each(['none', 'gzip:9', 'zstd:3'])('a layout with --compress %s', (compress) => {
  withPeer('skopeo')('is copied by skopeo, and with --reproducible too', () => {
    for (const more of [[], ['--reproducible']]) {
      const { folder, out, name } = layoutOf(image, '1.10', '--compress', compress, ...more);
      runPeer({
        tool: 'skopeo',
        args: ['--insecure-policy', 'copy', '-q', `oci:${out}:${name}`, `oci:${folder}/copy:x`],
      });
      expect(readLayout(join(folder, 'copy'))).toMatchObject([{ name: 'x', diffIds }]);
    }
  });
});

/** It knows nothing of zstd, and fails at the end of every archive, whoever wrote it; so folders are what it can be asked about. */
describe('oci-image-tool', () => {
  const validate = (layout: string): string =>
    runPeer({ tool: 'oci-image-tool', args: ['validate', '--type', 'image', layout] }).toString();

  withPeer('oci-image-tool').each(generations)('finds a layout from an archive of the form %s valid', (generation) => {
    for (const compress of ['keep', 'none'])
      expect(validate(layoutOf(image, generation, '--compress', compress).out)).toContain('Validation succeeded');
  });

  withPeer('oci-image-tool')(
    'finds a layout of several images valid, of other formats too, and not with a blob changed',
    () => {
      const { folder, out } = layoutOf(image, '1.10');
      output(['aci2oci', '-q', fileOf(aciTar({}), 'a.aci', folder), out]);
      output(['deb2oci', '-q', fileOf(deb(), 'a.deb', folder), out]);
      expect(validate(out)).toContain('Validation succeeded');
      const [blob] = readLayout(out)[0]!.layers;
      truncateSync(join(out, 'blobs', blob!.digest.replace(':', '/')), blob!.size - 1);
      expect(() => validate(out)).toThrow('validation failed');
    },
  );
});

/** Everything that can stand in a layer and that any user may make; devices for root. */
const rich = {
  tags: ['rich:1'],
  layers: [
    sampleLayer([
      { name: 'bin/' },
      { name: 'bin/su', mode: 0o4755, body: '#!' },
      { name: 'bin/all', type: '1', link: 'bin/su' },
      { name: 'gone/' },
      { name: 'gone/file', body: 'x' },
      { name: 'opaque/' },
      { name: 'opaque/low', body: 'x' },
      { name: 'turn/' },
      { name: 'turn/into', body: 'x' },
      { name: 'sticky/', mode: 0o1777 },
      { name: `${'deep/'.repeat(40)}`, mode: 0o750 },
      { name: `${'deep/'.repeat(40)}${'n'.repeat(120)}`, body: 'long', mtime: 1 },
      { name: 'pipe', type: '6', mode: 0o600 },
      { name: 'ünïcode 名', body: 'x', uid: isRoot ? 70_000 : 0 },
      { name: 'dangling', link: '/no/such/file' },
      ...(isRoot ? [{ name: 'null', type: '3', major: 1, minor: 3, mode: 0o666 }] : []),
    ]),
    sampleLayer([
      { name: '.wh.gone', body: '' },
      { name: 'opaque/' },
      { name: 'opaque/.wh..wh..opq', body: '' },
      { name: 'opaque/high', body: 'y' },
      { name: 'turn', body: 'a file now' },
      { name: 'bin/su', mode: 0o755, body: 'changed' },
    ]),
  ],
} satisfies ImageRecipe;

withPeer('umoci')('links, special files, long names, whiteouts and replaced folders come out as ls lists them', () => {
  const { folder, source, out, name } = layoutOf(rich, '1.10');
  const tree = unpacked(folder, `${out}:${name}`);
  expect(tree.size).toBeGreaterThan(50);
  expect(tree).toEqual(listedTree(source));
});

test('the listing of a tree on the disk sees what is there', () => {
  const root = join(scratch(), 'empty');
  expect(() => treeOf(root)).toThrow('ENOENT');
  expect(treeOf(join(import.meta.dirname, '../../fixtures')).get('tar.ts')).toMatchObject({ type: 'file' });
});
