/**
 * The configuration document of an image, for every target whose images have one. The original passes byte for byte, so that the
 * image keeps its id; it is written anew only where it leaves open what a document must say, or contradicts its layers.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
 */
import type { Context } from '../../formats/base/context.ts';
import type { Digest } from '../../formats/bytes/digest.ts';
import { jsonBytes } from '../../formats/json/write.ts';
import { configDocument } from '../../formats/model/config-document.ts';
import type { Image } from '../../formats/model/image.ts';
import { fittingHistory } from './history.ts';

/** @param ids the layers' diffIDs, base first */
export function configBytes(image: Image, ids: readonly Digest[], context: Context): Uint8Array {
  const { config } = image.original;
  const history = fittingHistory(image, ids.length, context);
  const whole = config && history === image.history && image.config.platform.os && image.config.platform.architecture;
  if (whole) return config.bytes;
  return jsonBytes(configDocument(image.config, completePlatform(image, context), history, ids));
}

/** What the image does not say is assumed to be the host's. */
export function completePlatform(
  image: Image,
  context: Context,
): { readonly os: string; readonly architecture: string } {
  const { os, architecture } = image.config.platform;
  return { os: os ?? context.host.os, architecture: architecture ?? context.host.architecture };
}
