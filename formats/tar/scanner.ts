/**
 * Reads a tar that is pushed into it, chunk by chunk, and calls back for each entry and each piece of content.
 *
 * Everything is synchronous: whoever pushes awaits between chunks, never once an entry. Dialects, extended headers and
 * disagreements between readers are decided as Go's archive/tar decides them, since that is what every engine uses that
 * layers are made for; where it skips what it does not know, a warning is given.
 */
import { OcixError } from '../base/errors.ts';
import { checkLimit, type Limits } from '../base/limits.ts';
import { concat } from '../bytes/text.ts';
import { assemble, type Pending } from './assemble.ts';
import type { Extent, TarEntry } from './entry.ts';
import { BLOCK, type Header, isZero, parseHeader, untilNul } from './header.ts';
import { effective, parsePax } from './pax.ts';
import { checkExtents, gnuExtents, type MapReader, mapReader } from './sparse.ts';

export interface TarHandler {
  /** A new entry; its content follows. */
  entry?(entry: TarEntry): void;
  /** Content of the last entry, at this offset of the file. Only valid during the call. */
  data?(bytes: Uint8Array, offset: number): void;
  /** The last entry is complete. */
  end?(entry: TarEntry): void;
  /** Something that other readers may see otherwise, or that is passed over. */
  warning?(message: string, path: Uint8Array): void;
}

export interface TarScanner {
  /** @throws OcixError tar/…, limit/entries, limit/entry-bytes, limit/pax-bytes */
  push(chunk: Uint8Array): void;
  /** The input has ended. @throws OcixError tar/truncated */
  finish(): void;
  /** Whether the mark of the archive's end has come: a block of zeros. What ends without it may have been cut off between two files. */
  readonly ended: boolean;
  /** Whether it has come whole: two blocks. Nothing behind it is an entry. */
  readonly over: boolean;
  /** Bytes pushed and skipped so far. */
  readonly position: number;
  /** Bytes of content and padding that come next and may be skipped instead of pushed; 0 where headers come next. */
  readonly skippable: number;
  /** The part of `skippable` that is content. */
  readonly content: number;
  /** Goes over everything that is skippable without looking at it: `data` is not called. */
  skip(): void;
}

/** What a body is for. */
type Body =
  | { readonly kind: 'skip' }
  | { readonly kind: 'meta'; readonly flag: string; readonly parts: Uint8Array[] }
  | { readonly kind: 'map'; readonly entry: TarEntry; readonly reader: MapReader; stored: number }
  | {
      readonly kind: 'content';
      readonly entry: TarEntry;
      readonly extents: readonly Extent[];
      index: number;
      within: number;
    };

const META = new Set(['x', 'X', 'g', 'L', 'K']);
/** Extended headers before one entry may together take this many times the limit of one: a writer has one of each kind. */
const MOST_META = 4;

export function tarScanner(limits: Limits, handler: TarHandler): TarScanner {
  /** A header block, or a block of a sparse map, that came in pieces. */
  const partial = new Uint8Array(BLOCK);
  let filled = 0;
  let position = 0;
  let entries = 0;
  let pending: Pending = emptyPending(0);
  /** Bytes of the current body that are still to come, and padding behind it. */
  let body: Body | undefined;
  let missing = 0;
  let padding = 0;
  /** Waiting for blocks that continue an old GNU sparse map. */
  let extension: { readonly header: Header; readonly extents: Extent[] } | undefined;
  let zeroBlocks = 0;
  let trailing = false;

  const scanner: TarScanner = {
    get ended() {
      return zeroBlocks > 0;
    },
    get over() {
      return zeroBlocks === 2;
    },
    get position() {
      return position;
    },
    get skippable() {
      return scanner.content + (missing === 0 || isPlain(body) ? padding : 0);
    },
    get content() {
      return isPlain(body) ? missing : 0;
    },
    skip() {
      position += scanner.skippable;
      if (missing > 0 && !isPlain(body)) return;
      const done = body;
      missing = 0;
      padding = 0;
      if (done) finishBody(done);
    },
    push(chunk) {
      let at = 0;
      while (at < chunk.length) {
        if (zeroBlocks === 2) {
          at = afterEnd(chunk, at);
        } else if (body && missing > 0) {
          at = takeBody(body, chunk, at);
        } else if (padding > 0) {
          const size = Math.min(padding, chunk.length - at);
          padding -= size;
          at += size;
          position += size;
        } else {
          at = takeBlock(chunk, at);
        }
      }
    },
    finish() {
      if (filled > 0 || extension || (body && missing > 0)) {
        throw new OcixError(
          'tar/truncated',
          body && missing > 0 ? 'the archive ends inside a file' : 'the archive ends inside a header',
          {
            ...(missing > 0 ? { expected: `${missing} more bytes` } : {}),
            hint: 'The archive is incomplete. Fetch it again.',
          },
        );
      }
      // Padding that is cut off behind the last body loses nothing; Go's reader lets it pass too.
      if (pending.header.length > 0)
        throw new OcixError('tar/truncated', 'the archive ends behind an extended header, before its entry');
    },
  };
  return scanner;

  function takeBlock(chunk: Uint8Array, at: number): number {
    const size = Math.min(BLOCK - filled, chunk.length - at);
    if (filled === 0 && size === BLOCK) {
      position += BLOCK;
      onBlock(chunk.subarray(at, at + BLOCK));
      return at + BLOCK;
    }
    partial.set(chunk.subarray(at, at + size), filled);
    filled += size;
    position += size;
    if (filled === BLOCK) {
      filled = 0;
      onBlock(partial);
    }
    return at + size;
  }

  function onBlock(block: Uint8Array): void {
    if (extension) return onExtension(extension, block);
    if (isZero(block)) {
      zeroBlocks++;
      return;
    }
    if (zeroBlocks === 1)
      throw new OcixError('tar/header', 'one block of zeros, and then more entries', {
        hint: 'The archive is damaged.',
      });
    if (pending.header.length === 0) pending = emptyPending(position - BLOCK);
    // A copy: what entries keep must not hold on to the chunk, nor change with the block that is filled next. By the constructor, since
    // the slice of a Buffer is a view.
    const own = new Uint8Array(block);
    pending.header.push(own);
    onHeader(parseHeader(own));
  }

  function onHeader(header: Header): void {
    const { flag, size } = header;
    if (META.has(flag)) {
      checkLimit(limits, 'pax-bytes', size, 'an extended header');
      if (pending.header.length * BLOCK > MOST_META * (limits['pax-bytes'] + BLOCK)) throw tooManyHeaders();
      return start({ kind: 'meta', flag, parts: [] }, size, size);
    }
    if (flag === 'S') {
      const block = pending.header.at(-1)!;
      const extents = [...gnuExtents(block, 386, 4)];
      if (block[482] !== 0) {
        extension = { header, extents };
        return;
      }
      return onEntry(header, extents);
    }
    return onEntry(header, undefined);
  }

  function onExtension(state: NonNullable<typeof extension>, block: Uint8Array): void {
    checkLimit(limits, 'pax-bytes', pending.header.length * BLOCK, 'the map of a sparse file');
    pending.header.push(new Uint8Array(block));
    state.extents.push(...gnuExtents(block, 0, 21));
    if (block[504] !== 0) return;
    extension = undefined;
    onEntry(state.header, state.extents);
  }

  function onEntry(header: Header, gnuMap: readonly Extent[] | undefined): void {
    const { entry, stored, mapInBody, skipped } = assemble(header, pending, gnuMap);
    pending = emptyPending(position);
    if (!entry) {
      handler.warning?.(skipped!, header.name);
      return start({ kind: 'skip' }, stored, stored);
    }
    checkLimit(limits, 'entries', ++entries, 'the number of entries');
    checkLimit(limits, 'entry-bytes', entry.size, 'the size of one entry');
    if (mapInBody) {
      const reader = mapReader();
      return start({ kind: 'map', entry, reader, stored }, stored, stored);
    }
    if (entry.type === 'dir' && stored > 0) {
      handler.entry?.(entry);
      handler.end?.(entry);
      return start({ kind: 'skip' }, stored, stored); // a GNU incremental folder lists its names here
    }
    begin(entry, stored, stored);
  }

  /** Announces an entry whose content, `stored` bytes of it, comes next. */
  function begin(entry: TarEntry, stored: number, whole: number): void {
    const extents = entry.extents ?? [{ offset: 0, length: stored }];
    if (entry.extents) checkExtents(entry.extents, entry.size, stored);
    handler.entry?.(entry);
    start({ kind: 'content', entry, extents, index: 0, within: 0 }, stored, whole);
  }

  /** `size` bytes of body come next; the padding goes by all that was stored. */
  function start(next: Body, size: number, whole: number): void {
    body = next;
    missing = size;
    padding = (BLOCK - (whole % BLOCK)) % BLOCK;
    if (next.kind === 'map' && size < BLOCK) throw incompleteMap();
    if (missing === 0) finishBody(next);
  }

  function takeBody(current: Body, chunk: Uint8Array, at: number): number {
    if (current.kind === 'map') return takeMap(current, chunk, at);
    const size = Math.min(missing, chunk.length - at);
    const bytes = chunk.subarray(at, at + size);
    if (current.kind === 'meta') current.parts.push(new Uint8Array(bytes));
    else if (current.kind === 'content') content(current, bytes);
    missing -= size;
    position += size;
    if (missing === 0) finishBody(current);
    return at + size;
  }

  function takeMap(current: Body & { kind: 'map' }, chunk: Uint8Array, at: number): number {
    const size = Math.min(BLOCK - filled, missing, chunk.length - at);
    partial.set(chunk.subarray(at, at + size), filled);
    filled += size;
    missing -= size;
    position += size;
    if (filled < BLOCK) {
      if (missing === 0) throw incompleteMap();
      return at + size;
    }
    filled = 0;
    checkLimit(limits, 'pax-bytes', current.stored - missing, 'the map of a sparse file');
    const extents = current.reader.block(partial);
    if (extents) begin({ ...current.entry, extents }, missing, current.stored);
    else if (missing === 0) throw incompleteMap();
    return at + size;
  }

  function content(current: Body & { kind: 'content' }, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const extent = current.extents[current.index]!;
      const size = Math.min(extent.length - current.within, bytes.length - at);
      if (size > 0) handler.data?.(bytes.subarray(at, at + size), extent.offset + current.within);
      current.within += size;
      at += size;
      if (current.within === extent.length) {
        current.index++;
        current.within = 0;
      }
    }
  }

  function finishBody(done: Body): void {
    body = undefined;
    if (done.kind === 'content') handler.end?.(done.entry);
    if (done.kind === 'meta') onMeta(done.flag, concat(done.parts));
  }

  function onMeta(flag: string, bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i += BLOCK) pending.header.push(bytes.slice(i, i + BLOCK));
    if (flag === 'L') pending = { ...pending, longName: untilNul(bytes) };
    else if (flag === 'K') pending = { ...pending, longLink: untilNul(bytes) };
    else if (flag === 'g') onGlobal(bytes);
    else pending = { ...pending, records: parsePax(bytes) };
  }

  /** Global records are no entry, and are not applied: engines ignore them, so a layer must not depend on them. */
  function onGlobal(bytes: Uint8Array): void {
    const keys = [...effective(parsePax(bytes)).keys()].filter((key) => key !== 'comment');
    if (keys.length)
      handler.warning?.(`a global extended header is not applied (${keys.slice(0, 5).join(', ')})`, new Uint8Array(0));
    if (!pending.longName && !pending.longLink && !pending.records.length) pending = emptyPending(position);
  }

  function afterEnd(chunk: Uint8Array, at: number): number {
    if (!trailing && !isZero(chunk.subarray(at))) {
      trailing = true;
      handler.warning?.('there is data behind the end of the archive', new Uint8Array(0));
    }
    position += chunk.length - at;
    return chunk.length;
  }
}

function emptyPending(offset: number): Pending {
  return { offset, header: [], records: [], longName: undefined, longLink: undefined };
}

const isPlain = (body: Body | undefined): boolean => body?.kind === 'content' || body?.kind === 'skip';

const tooManyHeaders = (): OcixError =>
  new OcixError('limit/pax-bytes', 'the extended headers before one entry are over the limit together', {
    hint: 'No tool writes so many; do not trust the archive.',
  });

const incompleteMap = (): OcixError =>
  new OcixError('tar/sparse', 'a sparse file is malformed: its map is not complete');
