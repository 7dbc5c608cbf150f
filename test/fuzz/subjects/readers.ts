/** Every reader of images, on archives in memory: both ways of reading, the layers against their digests, the merged tree. */
import { unwrap } from '../../../formats/archive/open.ts';
import { type Context, createContext } from '../../../formats/base/context.ts';
import { OcixError } from '../../../formats/base/errors.ts';
import { digestOf } from '../../../formats/bytes/digest.ts';
import { bytesSource, streamSource } from '../../../formats/bytes/source.ts';
import { contentOffers, recognise } from '../../../formats/detect.ts';
import { type Item, imagesOf } from '../../../formats/model/image.ts';
import { HEAD_SIZE } from '../../../formats/model/reader.ts';
import { mergedTree } from '../../../formats/rootfs/tree.ts';
import { tarScanner } from '../../../formats/tar/scanner.ts';
import { memoryKeeper, READING, sliced, type Way, whole } from '../../formats/support.ts';
import type { Random } from '../random.ts';
import { Find, type Subject } from '../subject.ts';
import { aciFrom, dockerFrom, ociFrom, podManifestFrom } from './images.ts';

async function itemsIn(bytes: Uint8Array, way: Way, context: Context): Promise<readonly Item[]> {
  const source = way === 'indexed' ? bytesSource('in', bytes) : streamSource('in', sliced(bytes, 1000));
  const unwrapped = await unwrap(source, HEAD_SIZE, context);
  const [offer] = contentOffers(unwrapped.head);
  if (offer) return offer.reader.read({ name: 'in', size: bytes.length, ...unwrapped }, context, READING);
  const archive = await unwrapped.archive(memoryKeeper);
  return (await recognise(archive)).reader.read(archive, context, READING);
}

/** Configurations and digests of all layers, image by image, each held against what it says. */
export async function contentOf(items: readonly Item[], context: Context): Promise<string> {
  const seen: string[] = [];
  for (const { layers, config } of imagesOf(items)) {
    seen.push(JSON.stringify(config));
    const tree = mergedTree();
    for (const layer of layers) {
      const content = await whole(layer.open(context));
      const digest = digestOf(content);
      if (layer.diffId !== undefined && digest !== layer.diffId)
        throw new Find(`a layer is ${digest}, and says that it is ${layer.diffId}`);
      seen.push(digest);
      tree.nextLayer();
      const scanner = tarScanner(context.limits, { entry: (entry) => void tree.apply(entry), data() {} });
      scanner.push(content);
      scanner.finish();
      tree.finishLayer();
    }
  }
  return seen.join('\n');
}

/** What a file gives, a pipe gives too. */
export async function checkBothWays(read: (way: Way) => Promise<string>): Promise<void> {
  const indexed = await read('indexed').catch((error: unknown) => {
    if (error instanceof OcixError) return error;
    throw error;
  });
  const streamed = await read('streamed');
  if (typeof indexed === 'string' && indexed !== streamed) throw new Find('a pipe gives another image than a file');
  if (typeof indexed !== 'string') throw indexed;
}

const reader = (name: string, make: (random: Random) => Buffer): Subject => ({
  name,
  make: (random) => ({ bytes: make(random) }),
  check: ({ bytes }) =>
    checkBothWays(async (way) => {
      const context = createContext();
      return contentOf(await itemsIn(bytes, way, context), context);
    }),
});

export const READER_SUBJECTS: readonly Subject[] = [
  reader('docker', dockerFrom),
  reader('oci', ociFrom),
  reader('aci', aciFrom),
  reader('pod', podManifestFrom),
];
