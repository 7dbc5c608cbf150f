/** Ids, tags, digests and links that were taken for paths. */
import { describe, expect, test } from 'vitest';
import { dockerMembers, dockerSave, type Generation } from '../../fixtures/docker-save.ts';
import { greeting } from '../../fixtures/images.ts';
import { emptyLayout, ociLayout, putImage, setIndex } from '../../fixtures/oci-layout.ts';
import { type TarEntry, tar } from '../../fixtures/tar.ts';
import { archiveOf, expectRefused } from './attack.ts';

const image = greeting('amd64');
const hex = 'a'.repeat(64);

function v1With(id: string, json: object = {}): Buffer {
  return tar([
    { name: `${id}/` },
    { name: `${id}/VERSION`, body: '1.0' },
    { name: `${id}/json`, body: JSON.stringify({ id, os: 'linux', architecture: 'amd64', ...json }) },
    { name: `${id}/layer.tar`, body: tar([]) },
    { name: 'repositories', body: JSON.stringify({ attack: { latest: id } }) },
  ]);
}

describe('CVE-2014-9358: the id of an image was used as a path by docker load', () => {
  test.each([
    ['of 63 digits', 'a'.repeat(63)],
    ['of 65 digits', 'a'.repeat(65)],
    ['of capital letters', 'A'.repeat(64)],
    ['that is a word', 'latest'],
    ['with a folder in front', `x/${hex}`],
  ])('an id %s is refused', (_, id) => {
    expectRefused({ bytes: v1With(id), code: 'docker/id' });
  });

  test('an id that climbs out of its folder is refused', () => {
    expectRefused({ bytes: v1With(`../../${hex}`), code: /^(?:docker\/id|path\/escape)$/ });
  });

  test.each(['../../../etc', '/etc/passwd', 'A'.repeat(64)])('the parent %s is refused', (parent) => {
    expectRefused({ bytes: v1With(hex, { parent }), code: 'docker/id' });
  });

  test.each(['../../../etc/passwd', '/etc/passwd', ''])('the id %j in repositories is refused', (id) => {
    const repositories = (): object => ({ attack: { latest: id } });
    expectRefused({ bytes: dockerSave(image, { generation: 'v1', repositories }), code: 'docker/id' });
  });

  test('a layer that says it has another id than its folder is refused', () => {
    expectRefused({ bytes: v1With(hex, { id: 'b'.repeat(64) }), code: 'docker/id' });
  });

  test.each(['../../x:latest', '/etc/passwd', 'x\n:1', '-rf:1', 'a/../b:1'])('the tag %j is refused', (tag) => {
    const manifest = (items: object[]): object => [{ ...items[0], RepoTags: [tag] }];
    expectRefused({ bytes: dockerSave(image, { generation: '1.10', manifest }), code: 'image/reference' });
  });
});

describe('CVE-2014-9356: names in an archive led docker load to files of the host', () => {
  test.each([
    ['Config', '../../../../etc/passwd'],
    ['Config', '/etc/passwd'],
    ['Layers', '../../../../etc/passwd'],
    ['Layers', '/etc/passwd'],
  ])('%s that names %s is refused', (key, name) => {
    const manifest = (items: object[]): object => [{ ...items[0], [key]: key === 'Config' ? name : [name, name] }];
    expectRefused({ bytes: dockerSave(image, { generation: '1.10', manifest }), code: 'path/escape' });
  });

  test.each(['../../../etc/evil', 'a/../../evil', '..'])('a member called %s is refused', (name) => {
    const members = (own: TarEntry[]): TarEntry[] => [{ name, body: 'evil' }, ...own];
    expectRefused({ bytes: dockerSave(image, { generation: '1.10', members }), code: 'path/escape' });
  });
});

describe('CVE-2014-6407: links in an archive led docker load to files of the host', () => {
  const linked = (generation: Generation, link: string, type?: string): Buffer =>
    dockerSave(image, {
      generation,
      members: (own) =>
        own.map((entry) =>
          String(entry.name).endsWith('layer.tar') ? { name: entry.name, link, ...(type ? { type } : {}) } : entry,
        ),
    });

  test.each(['/etc/passwd', '../../../../../../etc/passwd', '../../etc/passwd'])(
    'a symlink to %s is refused',
    (link) => {
      expectRefused({ bytes: linked('1.10', link), code: 'path/escape' });
      expectRefused({ bytes: linked('v1', link), code: 'path/escape' });
    },
  );

  test('a hard link is looked up in the archive, never on the disk', () => {
    expectRefused({ bytes: linked('1.10', 'etc/passwd', '1'), code: 'member/missing' });
    expectRefused({ bytes: linked('1.10', '../../etc/passwd', '1'), code: 'path/escape' });
  });

  test('links that lead to each other are refused', () => {
    const bytes = dockerSave(image, {
      generation: '1.10',
      members: (own) => {
        const layers = own.filter(({ name }) => String(name).endsWith('layer.tar')).map(({ name }) => String(name));
        return own.map((entry) => {
          const at = layers.indexOf(String(entry.name));
          return at < 0 ? entry : { name: entry.name, link: `../${layers[(at + 1) % layers.length]}` };
        });
      },
    });
    expectRefused({ bytes, code: 'member/cycle' });
  });

  test.each(['3', '6', '5'])('a member of type %s in the place of a layer is refused', (type) => {
    const members = (own: TarEntry[]): TarEntry[] =>
      own.map((entry) =>
        String(entry.name).endsWith('layer.tar') ? { name: entry.name, type, major: 1, minor: 3 } : entry,
      );
    expectRefused({ bytes: dockerSave(image, { generation: '1.10', members }), code: 'member/type' });
  });
});

describe('CVE-2016-8579: a chain of parents without an end kept docker2aci busy for ever', () => {
  const chainOf = (parents: Readonly<Record<string, string>>, named: string): Buffer =>
    tar([
      ...Object.entries(parents).flatMap(([id, parent]) => [
        {
          name: `${id.repeat(64)}/json`,
          body: JSON.stringify({ id: id.repeat(64), parent: parent.repeat(64), os: 'linux' }),
        },
        { name: `${id.repeat(64)}/layer.tar`, body: tar([]) },
      ]),
      { name: 'repositories', body: JSON.stringify(named ? { attack: { latest: named.repeat(64) } } : {}) },
    ]);

  test.each([
    ['a layer that is its own parent', { a: 'a' }, 'a'],
    ['two layers that are each other’s parents', { a: 'b', b: 'a' }, 'a'],
    ['a top above such a pair', { a: 'b', b: 'c', c: 'b' }, 'a'],
    ['such a pair that nothing names', { a: 'b', b: 'a' }, ''],
    ['a parent that is not in the archive', { a: 'f' }, 'a'],
  ])('%s is refused', (_, parents, named) => {
    expectRefused({ bytes: chainOf(parents as Record<string, string>, named), code: 'docker/parent' });
  });
});

describe('CVE-2024-3727: digests that are no digests became paths in containers/image', () => {
  const digests = [
    'sha256:../../../../etc/passwd',
    `sha256:${'A'.repeat(64)}`,
    `sha256:${'a'.repeat(63)}`,
    `sha256:${'a'.repeat(65)}`,
    `../sha256:${hex}`,
    `md5:${'a'.repeat(32)}`,
    'sha256:',
    '',
  ];

  test.each(digests)('the digest %j in an index is refused', (digest) => {
    const index = (own: Record<string, unknown>): object => ({
      ...own,
      manifests: [{ ...(own['manifests'] as object[])[0], digest }],
    });
    expectRefused({ bytes: archiveOf(ociLayout(image, { index: index as never })), code: 'digest/invalid' });
  });

  test.each(digests)('the digest %j of a configuration or a layer is refused', (digest) => {
    for (const key of ['config', 'layers']) {
      const layout = emptyLayout();
      const descriptor = putImage(layout, image, {
        manifest: (manifest) => {
          const layers = manifest['layers'] as unknown as object[];
          if (key === 'layers') return { ...manifest, layers: [{ ...layers[0], digest }, layers[1]] };
          return { ...manifest, config: { ...(manifest['config'] as object), digest } };
        },
      });
      expectRefused({
        bytes: archiveOf(setIndex(layout, [descriptor])),
        code: 'digest/invalid',
        commands: ['convert'],
      });
    }
  });

  test.each(digests)('the diffID %j is refused', (diffId) => {
    const config = { rootfs: { type: 'layers', diff_ids: [diffId, diffId] } };
    const bytes = dockerSave({ ...image, config: { ...image.config, ...config } }, { generation: '1.10' });
    expectRefused({ bytes, code: 'digest/invalid', commands: ['convert'] });
  });
});

test('the recipes of these attacks are sound where they do not lie', () => {
  expect(dockerMembers(image, { generation: 'v1' }).some(({ name }) => /^[a-f0-9]{64}\/json$/.test(String(name)))).toBe(
    true,
  );
});
