/** Recognition: readers bid on what they see, the highest bid wins. */
import type { Archive } from './archive/archive.ts';
import { OcixError } from './base/errors.ts';
import { printable } from './bytes/text.ts';
import { CONTENT_READERS, FILES_READERS, READERS } from './index.ts';
import type { Bid, ContentReader, FilesReader, Reader } from './model/reader.ts';

export interface Offer extends Bid {
  readonly reader: Reader;
}

export interface ContentOffer extends Bid {
  readonly reader: ContentReader;
}

export interface FilesOffer extends Bid {
  readonly reader: FilesReader;
}

/** The bid on how a file begins, of the formats whose images are made of several. */
export function filesOffer(head: Uint8Array): FilesOffer | undefined {
  for (const reader of FILES_READERS) {
    const bid = reader.recognise(head);
    if (bid) return { reader, ...bid };
  }
  return undefined;
}

/** Bids on how the uncompressed content begins, highest first. */
export const contentOffers = (head: Uint8Array): readonly ContentOffer[] =>
  CONTENT_READERS.flatMap((reader) => {
    const bid = reader.recognise(head);
    return bid ? [{ reader, ...bid }] : [];
  }).sort((a, b) => b.confidence - a.confidence);

/** Every bid, highest first. */
export async function offersFor(archive: Archive): Promise<readonly Offer[]> {
  const offers = await Promise.all(READERS.map(async (reader) => ({ reader, bid: await reader.bid(archive) })));
  return offers
    .flatMap(({ reader, bid }) => (bid ? [{ reader, ...bid }] : []))
    .sort((a, b) => b.confidence - a.confidence);
}

/** @throws OcixError format/unknown, format/ambiguous */
export const recognise = async (archive: Archive): Promise<Offer> => bestOf(await offersFor(archive), archive);

/** @param offers highest first */
export function bestOf(offers: readonly Offer[], archive: Archive): Offer {
  const [best, second] = offers;
  if (!best) throw unknown(archive);
  if (second?.confidence === best.confidence) {
    throw new OcixError(
      'format/ambiguous',
      `${printable(archive.name)} could be a ${best.title} or a ${second.title}`,
      {
        hint: `Say which: ${best.reader.name}:PATH or ${second.reader.name}:PATH.`,
      },
    );
  }
  return best;
}

function unknown(archive: Archive): OcixError {
  const name = printable(archive.name);
  const names = archive.names();
  const first = names.slice(0, 4).map((entry) => printable(entry.slice(0, 60)));
  const seen = names.length === 0 ? 'nothing in it' : `first entries: ${first.join(', ')}`;
  if (archive.kind === 'folder') {
    return new OcixError('format/unknown', `${name} is a folder, and no image layout`, {
      at: [seen],
      hint: 'An image layout has a file called oci-layout. Check the path.',
    });
  }
  if (names.length === 0)
    return new OcixError('format/unknown', `${name} is a tar with nothing in it`, { hint: 'Save the image again.' });
  return new OcixError('format/unknown', `${name} is a plain tar, not an image`, {
    at: [seen],
    hint: `If it is a root filesystem, say so: tar:${name}`,
  });
}
