/** Layers by short texts, merged. */
import { type TarEntry as Recipe, tar } from '../../../fixtures/tar.ts';
import { DEFAULT_LIMITS } from '../../../formats/base/limits.ts';
import { binaryString } from '../../../formats/bytes/text.ts';
import { mergedTree, type Tree, treePaths } from '../../../formats/rootfs/tree.ts';
import { tarScanner } from '../../../formats/tar/scanner.ts';

/** Entries by a short text: `a/` a folder, `a -> b` a symlink, `a = b` a hard link, else a file; `:` and a number are its size. */
function recipeOf(text: string): Recipe {
  const symlink = / -> /.exec(text);
  if (symlink) return { name: text.slice(0, symlink.index), link: text.slice(symlink.index + 4), type: '2' };
  const hard = / = /.exec(text);
  if (hard) return { name: text.slice(0, hard.index), link: text.slice(hard.index + 3), type: '1' };
  const [name = '', size = '0'] = text.split(':');
  return { name, body: 'x'.repeat(Number(size)) };
}

export type Layers = readonly (readonly (string | Recipe)[])[];

export function merge(layers: Layers): Tree {
  const tree = mergedTree();
  for (const layer of layers) {
    tree.nextLayer();
    const bytes = tar(layer.map((entry) => (typeof entry === 'string' ? recipeOf(entry) : entry)));
    const scanner = tarScanner(DEFAULT_LIMITS, { entry: (entry) => void tree.apply(entry) });
    scanner.push(bytes);
    scanner.finish();
    tree.finishLayer();
  }
  return tree;
}

/** As `merge` takes them: folders with a slash, files with their size, links with their targets. */
export const listed = (...layers: Layers): readonly string[] =>
  treePaths(merge(layers)).map(([path, { inode, children }]) => {
    if (children) return `${path}/`;
    const { type, link, size } = inode.entry!;
    return type === 'symlink' ? `${path} -> ${binaryString(link)}` : size ? `${path}:${size}` : path;
  });
