/** The keeper for those who only look: content goes by, and can be had again only where its source can be read again. */
import { OcixError } from '../base/errors.ts';
import { newHash } from '../bytes/digest.ts';
import { concat } from '../bytes/text.ts';
import { SNIFF_SIZE } from '../codec/index.ts';
import type { Keeper } from './archive.ts';

/** Reads a member once for its digest, and keeps only as much as tells how it is compressed. */
export const passingKeeper: Keeper = async (content, _name, _context, again) => {
  const hash = newHash('sha256');
  let head: Uint8Array = new Uint8Array(0);
  let size = 0;
  for await (const chunk of content) {
    hash.update(chunk);
    size += chunk.length;
    if (head.length < SNIFF_SIZE) head = concat([head, chunk.subarray(0, SNIFF_SIZE - head.length)]);
  }
  if (again) return { digest: hash.digest(), open: again.open };
  return {
    digest: hash.digest(),
    async *open() {
      yield head;
      if (head.length === size) return;
      throw new OcixError('source/unreadable', 'this content has gone by: the source can be read only once', {
        hint: 'Write it to a file first.',
      });
    },
  };
};
