/** An archive with a member of every kind, however it is opened. */
import { gzipSync } from 'node:zlib';
import { type TarEntry, tar } from '../../../fixtures/tar.ts';

export const layer = tar([{ name: 'inside', body: 'x'.repeat(3000) }]);
export const entries: readonly TarEntry[] = [
  { name: 'dir/' },
  { name: './dir/small', body: 'small' },
  { name: 'dir/layer.tar', body: layer },
  { name: 'dir/layer.tar.gz', body: gzipSync(layer) },
  { name: 'document.json', body: JSON.stringify({ text: 'y'.repeat(5000) }) },
  { name: 'empty', body: '' },
  { name: 'link', link: 'dir/small' },
  { name: '/absolute', body: 'absolute' },
  { name: 'hard', type: '1', link: '/dir/small' },
  { name: 'pipe', type: '6' },
  { name: 'twice', body: 'first' },
  { name: 'between', body: 'between' },
  { name: 'twice', body: 'last' },
];
export const bytes = tar(entries);
