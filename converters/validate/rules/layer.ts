/** Rules for what is in a layer. */
import { rulesOf } from './rule.ts';

const REBUILD = 'Build the layer anew.';
const DISTRUST = 'Do not trust this layer; no builder writes such an entry.';

export const LAYER_RULES = rulesOf('https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md', {
  'layer/compression': [
    'must',
    '#gzip-media-types',
    'a layer is compressed as its media type says, and can be uncompressed',
    'Fetch the layer again; if that does not help, have it written anew.',
  ],
  'layer/tar': [
    'must',
    '#distributable-format',
    'a layer is a tar',
    'Fetch the layer again; if that does not help, have it written anew.',
  ],
  'layer/tar-portable': [
    'should',
    '#distributable-format',
    'a layer has nothing that readers of tar understand in different ways',
    REBUILD,
  ],
  'layer/duplicate': ['must', '#distributable-format', 'a layer has no two entries for one path', REBUILD],
  'layer/name-climbs': ['must', '#creating', 'no path leads out of the root', DISTRUST],
  'layer/name-absolute': ['should', '#creating', 'paths are relative to the root', REBUILD],
  'layer/name-length': ['should', '#file-attributes', 'names and paths are no longer than Linux takes', REBUILD],
  'layer/root': ['must', '#changeset-over-existing-files', 'the root is a folder (CVE-2021-29136)', DISTRUST],
  'layer/sparse': ['should', '#file-attributes', 'no file is stored sparsely', REBUILD],
  'layer/hard-link': [
    'must',
    '#hardlinks',
    'the target of every hard link is a file of its layer, or of one below that is still there',
    REBUILD,
  ],
  'layer/whiteout-name': [
    'must',
    '#whiteouts',
    'every whiteout names something, and not a folder itself or its parent',
    DISTRUST,
  ],
  'layer/whiteout-empty': ['should', '#whiteouts', 'whiteouts are empty regular files', REBUILD],
  'layer/whiteout-order': ['should', '#whiteouts', 'whiteouts stand before their siblings', REBUILD],
  'layer/whiteout-explicit': [
    'should',
    '#opaque-whiteout',
    'whiteouts are explicit ones',
    'Write one whiteout for each name instead of an opaque one.',
  ],
  'layer/whiteout-leftover': [
    'note',
    '#whiteouts',
    'a layer has none of the files that AUFS kept for itself',
    'Nothing: they are no part of the root filesystem.',
  ],
  'layer/names-unchecked': [
    'note',
    '#distributable-format',
    'all entries are remembered, so that duplicates and the targets of hard links are found',
    'Nothing: the image has more entries than are compared with each other.',
  ],
});
