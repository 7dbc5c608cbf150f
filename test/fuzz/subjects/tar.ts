/** The tar scanner and the merged tree: entries, PAX records, sparse maps. */
import { createHash } from 'node:crypto';
import type { TarEntry as Recipe } from '../../../fixtures/tar.ts';
import { metaEntry } from '../../../fixtures/tar.ts';
import { DEFAULT_LIMITS } from '../../../formats/base/limits.ts';
import { mergedTree, treePaths } from '../../../formats/rootfs/tree.ts';
import { tarScanner } from '../../../formats/tar/scanner.ts';
import type { Random } from '../random.ts';
import { Find, outcomeOf, type Subject } from '../subject.ts';
import { archiveFrom, entryFrom, recordsFrom, sparseFrom } from './entries.ts';

/** Everything that was seen, as one digest; and what was promised about bodies, held. */
function scanned(bytes: Uint8Array, chunk: number): string {
  const seen = createHash('sha256');
  const tree = mergedTree();
  tree.nextLayer();
  let place = 0;
  let size = 0;
  const scanner = tarScanner(DEFAULT_LIMITS, {
    entry(entry) {
      seen.update(JSON.stringify([entry.type, [...entry.path], [...entry.link], entry.mode, entry.size, entry.offset]));
      tree.apply(entry);
      place = 0;
      size = entry.size;
    },
    data(piece, offset) {
      if (offset < place || offset + piece.length > size)
        throw new Find(`data at ${offset}, ${piece.length} bytes, after ${place} of ${size}`);
      place = offset + piece.length;
      seen.update(piece);
    },
    end: () => void seen.update('end'),
    warning: (message) => void seen.update(message),
  });
  for (let at = 0; at < bytes.length; at += chunk) scanner.push(bytes.subarray(at, at + chunk));
  scanner.finish();
  tree.finishLayer();
  for (const [path] of treePaths(tree))
    if (path.startsWith('/') || path.split('/').some((part) => part === '..' || part === '.' || part === ''))
      throw new Find(`the tree has the path ${JSON.stringify(path)}`);
  return seen.digest('hex');
}

async function checkTar(bytes: Uint8Array, random: Random): Promise<void> {
  const outcome = async (chunk: number): Promise<string> => {
    let seen = '';
    const code = await outcomeOf(async () => void (seen = scanned(bytes, chunk)));
    return code + seen;
  };
  const chunk = random.pick([1, 100, 511, 512, 513, 1000]);
  const [whole, sliced] = [await outcome(bytes.length || 1), await outcome(chunk)];
  if (whole !== sliced) throw new Find(`${whole} at once, but ${sliced} in chunks of ${chunk}`);
  scanned(bytes, bytes.length || 1); // again, for the refusal itself
}

const tarSubject = (name: string, entry: (random: Random) => Recipe): Subject => ({
  name,
  make: (random) => ({ bytes: archiveFrom(random, (inner) => (inner.chance(0.6) ? entry(inner) : entryFrom(inner))) }),
  check: ({ bytes }, random) => checkTar(bytes, random),
});

export const TAR_SUBJECTS: readonly Subject[] = [
  tarSubject('tar', entryFrom),
  tarSubject('pax', (random) => metaEntry(random.pick(['x', 'x', 'g', 'X', 'L', 'K']), recordsFrom(random))),
  tarSubject('sparse', (random) => {
    const sparse = sparseFrom(random);
    return { name: 's', sparse, dialect: sparse.form === 'old-gnu' ? 'gnu' : 'pax' };
  }),
];
