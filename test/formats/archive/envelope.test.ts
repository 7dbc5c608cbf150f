/** Members packed as a tar. */
import { describe, expect, test } from 'vitest';
import { bytesMember, folderMember, packed } from '../../../formats/archive/envelope.ts';
import { collect } from '../../../formats/bytes/chunks.ts';
import { runPeer, withPeer } from '../../fixtures/peers.ts';
import { sliced, whole } from '../support.ts';

const large = Buffer.alloc(5_000_000, 'x');
const members = () => [
  bytesMember('index.json', Buffer.from('{}')),
  folderMember('blobs/'),
  { name: 'blobs/large', size: large.length, open: () => sliced(large, 70_001) },
  bytesMember('blobs/empty', new Uint8Array(0)),
];

describe('an envelope', () => {
  withPeer('tar')('is what GNU tar lists, without times and owners', async () => {
    const args = ['--list', '--verbose', '--numeric-owner', '--utc', '--file=-'];
    const listed = runPeer({ tool: 'tar', args, input: await whole(packed(members())) }).toString();
    expect(listed.trimEnd().replace(/ +/g, ' ').split('\n')).toEqual([
      '-rw-r--r-- 0/0 2 1970-01-01 00:00 index.json',
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 blobs/',
      '-rw-r--r-- 0/0 5000000 1970-01-01 00:00 blobs/large',
      '-rw-r--r-- 0/0 0 1970-01-01 00:00 blobs/empty',
    ]);
  });

  test('says of each member when it has been taken over', async () => {
    const done: string[] = [];
    await whole(packed(members(), async ({ name }) => void done.push(name)));
    expect(done).toEqual(members().map(({ name }) => name));
  });

  test('closes a member that its consumer stops in, and ends', async () => {
    let closed = false;
    async function* endless() {
      try {
        for (;;) yield large;
      } finally {
        closed = true;
      }
    }
    const stopped = collect(packed([{ name: 'e', size: Number.MAX_SAFE_INTEGER, open: endless }]), 10_000_000);
    await expect(stopped).rejects.toMatchObject({ code: 'size/mismatch' });
    expect(closed).toBe(true);
  });

  test('fails with what a member fails with', async () => {
    // biome-ignore lint/correctness/useYield: it fails before it has anything
    async function* broken(): AsyncGenerator<Uint8Array> {
      throw new Error('the disk is gone');
    }
    await expect(whole(packed([{ name: 'b', size: 1, open: broken }]))).rejects.toThrow('the disk is gone');
  });

  test('fails where a member is not as long as it says', async () => {
    for (const size of [1, 3]) {
      const member = { ...bytesMember('m', Buffer.from('ab')), size };
      await expect(whole(packed([member]))).rejects.toMatchObject({ code: 'size/mismatch' });
    }
  });
});
