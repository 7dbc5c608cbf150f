/** What a conversion did, as data: the document that `--report` writes and `--json` prints. */
import type { Context } from '../formats/base/context.ts';
import { OcixError } from '../formats/base/errors.ts';
import type { Note } from '../formats/base/notes.ts';
import type { Digest } from '../formats/bytes/digest.ts';
import { type Platform, platformText } from '../formats/model/config.ts';
import type { OpenedSource } from './open.ts';
import type { WrittenImage } from './targets/oci-documents.ts';

export interface Report {
  readonly source: { readonly name: string; readonly format: string; readonly title: string };
  readonly target: { readonly format: string; readonly out: string };
  readonly images: readonly ReportedImage[];
  readonly notes: readonly Note[];
}

export interface ReportedImage {
  readonly names: readonly string[];
  /** Of the manifest; in a target without manifests of the configuration, or of the one file that was written. */
  readonly digest: Digest;
  /** Of the configuration: the image id. Absent where the target has no place for a configuration. */
  readonly config?: Digest;
  readonly platform: string;
  readonly layers: readonly ReportedLayer[];
}

export interface ReportedLayer {
  readonly diffId: Digest;
  /** Uncompressed bytes. */
  readonly plainSize: number;
  readonly digest: Digest;
  /** Bytes as stored. */
  readonly size: number;
  readonly compression: string;
}

export function reportOf(
  source: OpenedSource,
  target: Report['target'],
  written: readonly WrittenImage[],
  names: (image: WrittenImage) => readonly string[],
  context: Context,
): Report {
  return {
    source: { name: source.name, format: source.format, title: source.title },
    target,
    images: written.map((one) => ({
      names: names(one),
      digest: one.digest,
      ...(one.configDigest ? { config: one.configDigest } : {}),
      platform: platformText(complete(one.image.config.platform, context)),
      layers: one.layers.map(({ diffId, plainSize, digest, size, compression }) => ({
        diffId,
        plainSize,
        digest,
        size,
        compression,
      })),
    })),
    notes: context.notes.all(),
  };
}

const complete = (platform: Platform, { host }: Context): Platform => ({
  ...platform,
  os: platform.os ?? host.os,
  architecture: platform.architecture ?? host.architecture,
});

export function refuseNotes({ notes }: Report): void {
  const [first] = notes;
  if (!first) return;
  const more = notes.length > 1 ? ` (and ${notes.length - 1} more)` : '';
  throw new OcixError('strict/notes', `${first.kind}: ${first.message}${more}`, {
    at: first.at,
    hint: 'Without --strict it would be written; --report FILE lists every note.',
  });
}
