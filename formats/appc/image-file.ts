/** An App Container Image that can be read: what it says of itself, and how to get at its content. */
import { type Context, checkAbort } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { checkLimit } from '../base/limits.ts';
import { byteReader, type Chunks, chunksOf } from '../bytes/chunks.ts';
import { newHash } from '../bytes/digest.ts';
import { binaryString, concat } from '../bytes/text.ts';
import { tarScanner } from '../tar/scanner.ts';
import { type ImageManifest, parseImageManifest } from './manifest.ts';

/** The uncompressed tar of an image. */
export interface ImageContent {
  /** Where it was found, for a person: a path, or a place in a store. */
  readonly place: string;
  /** Bytes as it is stored, where that is known. */
  readonly size?: number | undefined;
  /** Reading it again costs more than keeping what came out. */
  readonly costly: boolean;
  /** Can be called again, unless it is said that it cannot. */
  open(): Chunks;
  readonly once?: true;
}

export interface ImageFile extends ImageContent {
  readonly manifest: ImageManifest;
  readonly manifestBytes: Uint8Array;
  /** `sha512-…`, or the first half of it, where a store tells it without reading the image. */
  readonly key?: string;
  /** Milliseconds since 1970, where a store tells when the image came. */
  readonly imported?: number;
}

/** Reads as far as the manifest. @throws OcixError appc/archive where there is none, appc/manifest */
export async function openImage(content: ImageContent, context: Context): Promise<ImageFile> {
  const bytes = await manifestOf(content.open(), context);
  if (!bytes) throw withoutManifest();
  return { ...content, manifestBytes: bytes, manifest: parseImageManifest(bytes, context) };
}

export const withoutManifest = (): OcixError =>
  new OcixError('appc/archive', 'the archive has no manifest', {
    hint: 'The file is damaged, or no App Container Image. Build it anew.',
  });

/** The first manifest of a tar; the rest of it is not read. */
export async function manifestOf(content: Chunks, context: Context): Promise<Uint8Array | undefined> {
  let parts: Uint8Array[] | undefined;
  let found: Uint8Array | undefined;
  const scanner = tarScanner(context.limits, {
    entry(entry) {
      parts = undefined;
      if (found || entry.type !== 'file' || !isManifest(entry.path)) return;
      checkLimit(context.limits, 'json-bytes', entry.size, 'the size of the manifest');
      parts = [];
    },
    data: (bytes) => void parts?.push(new Uint8Array(bytes)),
    end() {
      if (parts) found ??= concat(parts);
    },
  });
  for await (const chunk of content) {
    checkAbort(context);
    scanner.push(chunk);
    if (found) return found;
  }
  scanner.finish();
  return found;
}

const isManifest = (path: Uint8Array): boolean => /^(?:\.?\/)*manifest$/.test(binaryString(path));

/** What can be said of a tar that has gone by only as far as its first bytes. */
const HEAD = 128 * 1024;

/** Looks for the manifest in the first bytes of something that can be read once; gives the whole of it back. */
export async function manifestAhead(
  content: Chunks,
  context: Context,
): Promise<{ readonly manifest: Uint8Array | undefined; readonly content: Chunks }> {
  const reader = byteReader(content);
  const head = await reader.read(HEAD);
  reader.unread(head);
  const manifest = await manifestOf(chunksOf(head), context).catch((error: unknown) => {
    // The head ends anywhere; what is wrong with the whole is found when it is read.
    if (error instanceof OcixError && error.code === 'tar/truncated') return undefined;
    throw error;
  });
  return { manifest, content: reader.rest() };
}

/** Reads the whole image for its id. */
export async function imageIdOf(file: ImageFile, context: Context): Promise<string> {
  if (file.key !== undefined && file.key.length === 'sha512-'.length + 128) return file.key;
  const hash = newHash('sha512');
  for await (const chunk of file.open()) {
    checkAbort(context);
    hash.update(chunk);
  }
  return hash.digest().replace(':', '-');
}
