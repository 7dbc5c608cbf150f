/** What a format answers: whether an archive is its own, and what images are in it. */
import type { Archive } from '../archive/archive.ts';
import type { Context } from '../base/context.ts';
import type { Item } from './image.ts';

export interface Bid {
  /** From 1 to 100; the highest wins. */
  readonly confidence: number;
  /** What was seen: `manifest.json at the top`. */
  readonly reason: string;
  /** What it is, for a person: `docker archive (docker save 1.10 to 24)`. */
  readonly title: string;
}

export interface Reader {
  /** Stable, for `--from` and JSON: the name of the transport. */
  readonly name: string;
  /** Other transports that mean this reader. */
  readonly aliases: readonly string[];
  /** One line for help. */
  readonly summary: string;
  bid(archive: Archive): Promise<Bid | undefined>;
  /** The images, in the source's order, with their documents checked and their layers unread. */
  read(archive: Archive, context: Context): Promise<readonly Item[]>;
}
