/** App Container Images of recipes, judged by actool; what becomes of them, read by skopeo and umoci; and the images of the corpus. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type AciRecipe, aci, aciGraph, leastApp, named, rktStore } from '../../fixtures/aci.ts';
import type { TarEntry } from '../../fixtures/tar.ts';
import { fileOf, output, snapshot } from '../cases/command.ts';
import { readLayout } from '../cases/layout.ts';
import { runPeer, scratch, withPeer } from '../fixtures/peers.ts';

const isRoot = process.getuid?.() === 0;

const rootfs: readonly TarEntry[] = [
  { name: 'bin/' },
  { name: 'bin/app', mode: 0o755, body: '#!/bin/sh\n' },
  { name: 'bin/same', type: '1', link: 'bin/app' },
  { name: 'etc/' },
  { name: 'etc/passwd', body: 'app:x:1000:1001::/:\n' },
  { name: 'link', link: 'etc/passwd' },
  { name: 'holes', sparse: { form: 'pax-1.0', size: 5000, extents: [{ offset: 1024, data: 'x'.repeat(512) }] } },
  { name: 'tmp/', mode: 0o1777 },
];

const rich: AciRecipe = {
  manifest: {
    labels: named({ version: '1.0', os: 'linux', arch: 'amd64' }),
    annotations: named({ created: '2015-05-06T07:08:09Z', authors: 'A' }),
    app: leastApp({
      user: 'app',
      supplementaryGIDs: [5],
      workingDirectory: '/tmp',
      environment: named({ A: '1' }),
      mountPoints: [{ name: 'data', path: '/data' }],
      ports: [{ name: 'http', protocol: 'tcp', port: 80, count: 2 }],
      isolators: [{ name: 'resource/memory', value: { limit: '1G' } }],
      userLabels: { 'org.example.team': 'x' },
    }),
  },
  rootfs,
};

describe('actool', () => {
  const validate = (bytes: Uint8Array) => runPeer({ tool: 'actool', args: ['validate', fileOf(bytes, 'a.aci')] });
  const valid: Readonly<Record<string, AciRecipe>> = {
    least: {},
    rich,
    compressed: { ...rich, compression: 'gzip' },
    'with the manifest last': { ...rich, order: 'manifest-last' },
    'with ./ in front': { ...rich, members: (all) => all.map((one) => ({ ...one, name: `./${one.name}` })) },
    'of GNU tar': { rootfs: rootfs.slice(0, 6), tar: { dialect: 'gnu' } },
  };
  const invalid: Readonly<Record<string, AciRecipe>> = {
    'with a third name': { members: (all) => [...all, { name: 'README', body: 'x' }] },
    'with two entries of a name': { rootfs: [{ name: 'a' }, { name: 'a' }] },
    'without a user': { manifest: { app: { exec: ['/a'], group: '0' } } },
    'without a rootfs': { members: ([manifest]) => [manifest!] },
  };

  withPeer('actool').each(Object.keys(valid))('finds the recipe valid that is %s', (name) => {
    expect(() => validate(aci(valid[name]!))).not.toThrow();
  });

  withPeer('actool').each(Object.keys(invalid))('finds the recipe invalid that is one %s', (name) => {
    expect(() => validate(aci(invalid[name]!))).toThrow('status 1');
  });

  withPeer('actool')('finds every image of a graph and of a store valid', () => {
    const graph = aciGraph({ a: { needs: ['b'], pathWhitelist: ['/a'] }, b: {} });
    for (const bytes of graph.values()) expect(() => validate(bytes)).not.toThrow();
    for (const [path, bytes] of rktStore([rich]))
      if (path.includes('/blob/')) expect(() => validate(bytes)).not.toThrow();
  });
});

describe('what aci2oci writes', () => {
  function layout(recipe: AciRecipe) {
    const folder = scratch();
    const out = join(folder, 'out');
    const [name] = output(['aci2oci', '-q', fileOf(aci(recipe), 'a.aci', folder), out]).split('\t');
    return { folder, out, name: name! };
  }

  withPeer('skopeo')('is read and copied by skopeo', () => {
    const { folder, out, name } = layout(rich);
    const config = JSON.parse(
      runPeer({ tool: 'skopeo', args: ['inspect', '--config', `oci:${out}:${name}`] }).toString(),
    );
    expect(config).toMatchObject({
      created: '2015-05-06T07:08:09Z',
      os: 'linux',
      architecture: 'amd64',
      config: { User: '1000:0', WorkingDir: '/tmp', Entrypoint: ['/bin/app'], Volumes: { '/data': {} } },
    });
    expect(Object.keys(config.config.ExposedPorts)).toEqual(['80/tcp', '81/tcp']);
    runPeer({
      tool: 'skopeo',
      args: ['--insecure-policy', 'copy', '-q', `oci:${out}:${name}`, `oci:${folder}/copy:x`],
    });
    expect(readLayout(join(folder, 'copy'))[0]!.diffIds).toEqual(readLayout(out)[0]!.diffIds);
  });

  withPeer('skopeo')('is read by skopeo whatever an image says of its time', () => {
    const { out, name } = layout({
      manifest: { annotations: named({ created: '2014-10-27 19:32' }), labels: named({ os: 'linux', arch: 'amd64' }) },
    });
    expect(() => runPeer({ tool: 'skopeo', args: ['inspect', '--config', `oci:${out}:${name}`] })).not.toThrow();
    expect(() => runPeer({ tool: 'skopeo', args: ['inspect', `oci:${out}:${name}`] })).not.toThrow();
  });

  withPeer('umoci')('is unpacked by umoci to the tree that we unpack', () => {
    const { folder, out, name } = layout(rich);
    const rootless = isRoot ? [] : ['--rootless'];
    runPeer({ tool: 'umoci', args: ['unpack', ...rootless, '--image', `${out}:${name}`, join(folder, 'umoci')] });
    output(['unpack', '-q', ...rootless, join(folder, 'a.aci'), join(folder, 'own')]);
    const tree = snapshot(join(folder, 'umoci/rootfs'));
    expect(tree).toHaveLength(8);
    expect(tree).toEqual(snapshot(join(folder, 'own')));
  });
});

const CORPUS = join(import.meta.dirname, '../../../shared/corpus/appc');
const there = existsSync(CORPUS);
const expected = there ? readdirSync(join(CORPUS, 'expected')).filter((name) => name.endsWith('.jsonl')) : [];

/** Listings are called as their images are, with the folder in front of those that need others. */
function imagesOf(listing: string): readonly string[] {
  const name = listing.replace('.jsonl', '');
  const [, graph, compatible] = /^graph-(.*?)(-rkt)?$/.exec(name) ?? [];
  if (graph !== undefined) return compatible ? [] : [`graph/${graph}.aci`];
  return readdirSync(join(CORPUS, 'valid'))
    .filter((file) => file.replace(/\..*$/, '') === name && !file.includes('.lzma.')) // no compression of an image
    .map((file) => `valid/${file}`);
}

type Line = Readonly<Record<string, unknown>> & { readonly path: string; readonly link?: string };

/** Which name of a file is the first is a matter of the listing's order: every name is shown as the file, with all names that it has. */
function linesOf(text: string): readonly Line[] {
  const lines: readonly Line[] = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const fileOf = ({ type, path, link }: Line) => (type === 'hardlink' ? link! : path);
  return lines.map((line) => {
    const file = lines.find(({ path }) => path === fileOf(line))!;
    const names = lines.filter((other) => fileOf(other) === file.path).map(({ path }) => path);
    return { ...file, path: line.path, ...(names.length > 1 ? { names } : {}) };
  });
}

describe.skipIf(!there)('the tree of every image of the corpus is the one that is expected', () => {
  test.each(expected.flatMap((listing) => imagesOf(listing).map((image) => [image, listing] as const)))(
    '%s',
    (image, listing) => {
      const wanted = linesOf(readFileSync(join(CORPUS, 'expected', listing), 'utf8'));
      const args = ['ls', '--json', '--digest', '--dep', join(CORPUS, 'graph'), `aci:${join(CORPUS, image)}`];
      const found = linesOf(output(args));
      expect(found.map(({ path }) => path)).toEqual(wanted.map(({ path }) => path));
      for (const [i, entry] of wanted.entries()) expect(found[i]).toMatchObject(entry);
    },
  );
});
