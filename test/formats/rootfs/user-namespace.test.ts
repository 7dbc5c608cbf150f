/** How many ids a map has. */
import { expect, test } from 'vitest';
import { countIds } from '../../../formats/rootfs/user-namespace.ts';

test.each([
  ['         0       1000          1\n', 1],
  ['         0          0 4294967295\n', 4294967295],
  ['         0       1000          1\n         1     100000      65536\n', 65537],
  ['', 0],
])('%j has as many ids as its lines together', (map, count) => {
  expect(countIds(map)).toBe(count);
});
