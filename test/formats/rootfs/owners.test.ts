/** Owners that were recorded because they could not be set. */
import { expect, test } from 'vitest';
import { rootlessOwner, rootlessRecord } from '../../../formats/rootfs/owners.ts';

test.each([
  [0, 0],
  [1, 0],
  [0, 127],
  [1000, 128],
  [2 ** 32 - 2, 65_534],
])('%i:%i is read back as it was recorded', (uid, gid) => {
  expect(rootlessOwner(rootlessRecord(uid, gid))).toEqual({ uid, gid });
});

test.each([
  ['cut off', [0x08]],
  ['cut off inside of a number', [0x08, 0x80]],
  ['of an id that is too large', [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
  ['of another field', [0x18, 0x01]],
])('a record that is %s is none', (_, bytes) => {
  expect(rootlessOwner(Uint8Array.from(bytes))).toBeUndefined();
});
