/** What a format answers: whether an archive is its own, and what images are in it. */
import type { Archive, Keeper, Kept } from '../archive/archive.ts';
import type { Context } from '../base/context.ts';
import type { Chunks } from '../bytes/chunks.ts';
import type { FolderSource } from '../bytes/folder.ts';
import type { ByteSource } from '../bytes/source.ts';
import type { CompressionName } from '../codec/codec.ts';
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
  /** It chooses images itself, because reading them all to choose one would cost too much. */
  readonly selects?: true;
  /** Its images are made with others: `Reading.dependencies` and `Reading.compatible` mean something to it. */
  readonly depends?: true;
  bid(archive: Archive): Promise<Bid | undefined>;
  /** The images of a store of many, told apart without reading them; oldest first. Absent where an archive is one source. */
  estate?(archive: Archive, context: Context): Promise<readonly EstateImage[]>;
  /** The images, in the source's order, with their documents checked and their layers unread. */
  read(archive: Archive, context: Context, reading: Reading): Promise<readonly Item[]>;
}

/** A format whose input is one file from end to end, and no archive of documents: recognised by how its content begins. */
export interface ContentReader {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  /** As a `Reader` has it. */
  readonly depends?: true;
  /** @param head the first `HEAD_SIZE` bytes of the uncompressed content, or all there are */
  recognise(head: Uint8Array): Bid | undefined;
  /** What an image is called, where that costs less than reading it. @throws OcixError what reading it throws */
  names?(content: Content, context: Context): Promise<readonly string[]>;
  read(content: Content, context: Context, reading: Reading): Promise<readonly Item[]>;
}

/** One image of a store. */
export interface EstateImage {
  /** Of the image, and of its content: the same id is the same image for ever. */
  readonly id: string;
  readonly names: readonly string[];
}

/** Enough for the first names of an archive. */
export const HEAD_SIZE = 64 * 1024;

export interface Content {
  /** As the user named it. */
  readonly name: string;
  /** How it was compressed, outermost first. */
  readonly compression: readonly CompressionName[];
  /** Bytes as it came, where that is known. */
  readonly size: number | undefined;
  /** `open` can be called again; otherwise once. */
  readonly repeatable: boolean;
  /** The content without its compression. */
  open(): Chunks;
}

/** A format whose image is made of several files. */
export interface FilesReader {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  /** @param head the first `HEAD_SIZE` bytes of one of the files, or all there are */
  recognise(head: Uint8Array): Bid | undefined;
  /**
   * The sources stay open until what this gives is closed; it closes them.
   * @param sources files, and folders in which what they need may be found; folders alone stand for the files in them
   */
  read(sources: readonly (ByteSource | FolderSource)[], context: Context, reading: Reading): Promise<OpenedFiles>;
}

export interface OpenedFiles {
  readonly items: readonly Item[];
  close(): Promise<void>;
}

/** How an image is made of packages. */
export interface Packaging {
  readonly layers: 'one' | 'package' | 'group';
  /** A database for scanners alone, as images without a package manager have it. */
  readonly distroless: boolean;
  /** Each package also by an annotation of its own, as deb2aci had it. */
  readonly annotated?: true;
  /** Seconds since 1970: nothing in the image is later. */
  readonly latest?: number | undefined;
  /** `/bin` and its kin are links into `/usr`, also where no package brings them. */
  readonly mergedUsr?: boolean | undefined;
}

/** A format whose images are put together from what a name leads to, somewhere else. */
export interface NameReader {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  /** What a name leads to may be another thing tomorrow, and can be written down: `Repositories.lock`. */
  readonly locks: boolean;
  /** @param text what stands behind the transport */
  read(text: string, context: Context, reading: Reading): Promise<OpenedFiles>;
}

/** Where packages come from. */
export interface Repositories {
  /** Roots of repositories, as folders or addresses; and files that list such, in the words of apt. */
  readonly places: readonly string[];
  /** Files or folders of the keys that are trusted. */
  readonly keyrings: readonly string[];
  readonly components?: readonly string[] | undefined;
  /** Debian's name, or Go's. */
  readonly architecture?: string | undefined;
  /** Also what a system cannot be without, which nothing depends on in words. */
  readonly essential?: boolean | undefined;
  /** Where what was fetched is kept. */
  readonly cache: string;
  /** The time to judge by. */
  readonly now: Date;
  /**
   * What is decided is to be written down; or it was, as `text`, and nothing is decided anew. A source about which nothing can be written
   * down is refused.
   */
  readonly lock?: { readonly text: string | undefined } | undefined;
  /** Told what was decided. */
  readonly decided?: ((decision: Decision) => void) | undefined;
}

export interface Decision {
  /** To be given as the text of `lock` the next time; absent where nothing has to be written down. */
  readonly lock?: string;
  /** From what was asked for to the package, a line each; undefined where it is not in. */
  readonly why: (name: string) => readonly string[] | undefined;
}

/** What a reader may need beside its source. */
export interface Reading {
  /** What becomes of layers that a reader makes. */
  readonly keep: Keeper;
  /** Where the images are that others depend on: files, folders, stores with their transport in front. */
  readonly dependencies: readonly string[];
  /** Somebody only looks: what an image needs and is not there is told, and no reason to refuse. */
  readonly looking?: true | undefined;
  /** Takes the encryption off what is read beside the source; what is not encrypted stays as it is. @throws OcixError encryption/passphrase */
  readonly decrypt?: ((bytes: Chunks) => Chunks) | undefined;
  /** As the format's own engine did it, where that differs from the specification. */
  readonly compatible: boolean;
  readonly packaging: Packaging;
  readonly repositories?: Repositories | undefined;
  /** Fetches what is in none of those places, to a file. Absent where nothing is to be fetched. */
  readonly elsewhere?: ((wanted: Elsewhere) => Promise<FoundElsewhere>) | undefined;
  /**
   * Called with each file that is read beside the source, before anything of it counts; undefined for what a store has without its file. Throws
   * where nobody vouches for it.
   */
  readonly vouch?: ((file: string | undefined) => Promise<void>) | undefined;
  /** Which image is meant, for a reader that `selects`. */
  readonly selector?: Selector | undefined;
  /** What the sources of one run have in common; absent where there is one source. */
  readonly shared?: Shared | undefined;
}

/** An image that another one depends on. */
export interface Elsewhere {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** The place of the image that depends on it. */
  readonly neededBy: string;
}

export interface FoundElsewhere {
  readonly file: string;
  /** Where it was found, for a person. */
  readonly place: string;
}

/** Which of a source's images is meant: a reference, its place from 0 on, or its id in the words of the format. */
export type Selector =
  | { readonly kind: 'reference'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'id'; readonly id: string };

/** What is read or made once for many sources. Keys are a reader's own. */
export interface Shared {
  once<T>(key: string, make: () => Promise<T>): Promise<T>;
  /** A layer that another source of the run has stored; undefined where the caller is to make it, and say so with `made`. */
  layer(key: string): Promise<Kept | undefined>;
  made(key: string, kept: Kept): void;
}
