/**
 * What Docker before 1.10 reads: a folder for each layer, with its own `json` that names its parent, and `repositories`, which leads from
 * a name to the topmost.
 * https://github.com/moby/docker-image-spec/blob/v1.0.0/v1.md
 *
 * Layers stand in the archive once: the `layer.tar` of a folder is a link to the member that `manifest.json` names, as skopeo writes it. Those engines
 * unpack the archive and open the files.
 */
import { bytesMember, folderMember, linkMember, type PackedMember } from '../../formats/archive/envelope.ts';
import { type Digest, digestOf, hexOf } from '../../formats/bytes/digest.ts';
import { strictUtf8, utf8Bytes } from '../../formats/bytes/text.ts';
import type { Json } from '../../formats/json/parse.ts';
import { jsonBytes } from '../../formats/json/write.ts';
import type { HistoryStep } from '../../formats/model/image.ts';

export interface Version1Image {
  /** The configuration document that is written. */
  readonly config: Uint8Array;
  /** The steps that made a layer, base first, where they fit. */
  readonly steps: readonly HistoryStep[];
  /** diffIDs, base first. */
  readonly layers: readonly { readonly diffId: Digest; readonly member: string; readonly size: number }[];
}

export interface Version1Chain {
  /** Of the topmost layer; undefined for an image without layers, which that format cannot say. */
  readonly top: string | undefined;
  readonly members: readonly PackedMember[];
}

/** Images that share their lower layers have the same members for them. */
export function version1Chain({ config, steps, layers }: Version1Image): Version1Chain {
  const members: PackedMember[] = [];
  let parent: string | undefined;
  for (const [i, { diffId, member, size }] of layers.entries()) {
    const isTop = i === layers.length - 1;
    const body = isTop ? topJson(config) : lowerJson(steps[i]);
    const id: string = hexOf(digestOf(utf8Bytes(JSON.stringify([parent ?? null, diffId, body]))));
    const json = { id, ...(parent === undefined ? {} : { parent }), ...body, Size: size };
    members.push(
      folderMember(`${id}/`),
      bytesMember(`${id}/VERSION`, utf8Bytes('1.0')),
      bytesMember(`${id}/json`, jsonBytes(json)),
      linkMember(`${id}/layer.tar`, `../${member}`),
    );
    parent = id;
  }
  return { top: parent, members };
}

type JsonObject = { readonly [name: string]: Json };

function topJson(config: Uint8Array): JsonObject {
  const { rootfs: _, history: __, ...own } = JSON.parse(strictUtf8(config)!) as JsonObject;
  return { created: EPOCH, ...own };
}

const lowerJson = (step: HistoryStep | undefined): JsonObject => ({
  created: step?.created ?? EPOCH,
  ...(step?.author === undefined ? {} : { author: step.author }),
  ...(step?.comment === undefined ? {} : { comment: step.comment }),
  container_config: { Cmd: [step?.createdBy ?? ''] },
});

/** Those engines want a time. */
const EPOCH = '1970-01-01T00:00:00Z';
