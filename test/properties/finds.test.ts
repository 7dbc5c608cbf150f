/** What fuzzing found, made small: each was a fault once, and is a refusal or an answer now. */
import { describe, expect, test } from 'vitest';
import { list, validate } from '../../converters/index.ts';
import { type TarEntry, tar } from '../../fixtures/tar.ts';
import { mergedTree, type Tree } from '../../formats/rootfs/tree.ts';
import { tarScanner } from '../../formats/tar/scanner.ts';
import { codeOf, contextWith, sliced } from '../formats/support.ts';

/** Layers as the tree that they make. */
function treeOf(...layers: readonly (readonly TarEntry[])[]): Tree {
  const tree = mergedTree();
  for (const entries of layers) {
    tree.nextLayer();
    const scanner = tarScanner(contextWith().limits, { entry: (entry) => void tree.apply(entry) });
    scanner.push(tar(entries));
    scanner.finish();
    tree.finishLayer();
  }
  return tree;
}

const source = (entries: readonly TarEntry[]) => ({ stream: sliced(tar(entries), 100_000), from: 'tar' });
const SOON = 5000;

describe('folders as deep as an archive says', () => {
  const deep = 'd/'.repeat(8000);

  test('are made opaque without a stack as deep', () => {
    const tree = treeOf([{ name: `${deep}a` }], [{ name: `${deep}b` }, { name: '.wh..wh..opq' }]);
    expect([tree.lookup(`${deep}a`), tree.lookup(`${deep}b`)?.inode.entry?.type]).toEqual([undefined, 'file']);
  });

  test(
    'are refused where their paths together have no end',
    async () => {
      for (const entries of [
        [{ name: 'd/'.repeat(500_000) }],
        Array.from({ length: 100 }, (_, i): TarEntry => ({ name: `${i}/${'d/'.repeat(4000)}` })),
      ]) {
        expect(await codeOf(() => list(source(entries)))).toBe('path/invalid');
        const { findings } = await validate(source(entries));
        expect(findings.length).toBeGreaterThanOrEqual(0);
      }
    },
    SOON,
  );
});

test(
  'symlinks that are longer than Linux allows lead nowhere',
  async () => {
    const long = `${'./'.repeat(400_000)}x`;
    const through = Array.from({ length: 300 }, (_, i): TarEntry => ({ name: `l/${i}` }));
    expect(await codeOf(() => list(source([{ name: 'l', link: long }, ...through])))).toBe('path/link');
    expect(await list(source([{ name: 'l', link: long }]))).toMatchObject([{ path: 'l', type: 'symlink' }]);
  },
  SOON,
);

test.each([
  [
    'lies below its target',
    [
      { name: 'b/c', type: '1', link: 'b' },
      { name: 'b', body: 'x' },
    ],
  ],
  [
    'replaces the folder of its target',
    [
      { name: 'd/x', body: 'x' },
      { name: 'd', type: '1', link: 'd/x' },
    ],
  ],
] as const)('a hard link that %s is refused', (_, entries) => {
  expect(() => treeOf(entries)).toThrow('that it takes the place of');
});
