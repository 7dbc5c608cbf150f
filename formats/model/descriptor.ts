/**
 * Descriptors: media type, digest and size of something.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md
 */
import { parseDigest } from '../bytes/digest.ts';
import type { JsonNode } from '../json/decode.ts';
import type { Json } from '../json/parse.ts';
import type { Descriptor } from './image.ts';

/** @throws OcixError json/type, digest/invalid */
export function decodeDescriptor(node: JsonNode): Descriptor {
  const object = node.object();
  const digest = object.require('digest');
  return {
    mediaType: object.require('mediaType').string(),
    digest: parseDigest(digest.value, digest.pointer),
    size: object.require('size').count(),
    json: object.value,
  };
}

export function annotationsOf(descriptor: Descriptor | undefined): Readonly<Record<string, string>> {
  const annotations = descriptor?.json['annotations'];
  if (annotations === null || typeof annotations !== 'object' || Array.isArray(annotations)) return {};
  return Object.fromEntries(
    Object.entries(annotations as { readonly [name: string]: Json }).filter(
      (pair): pair is [string, string] => typeof pair[1] === 'string',
    ),
  );
}
