/**
 * Archives since Docker 25 are a docker archive and an OCI layout in one. `manifest.json` decides what is converted;
 * `index.json` is only looked at for what it has beyond that, so that nothing gets lost in silence.
 */
import { type Archive, readDocument } from '../archive/archive.ts';
import { type Context, note } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { decode } from '../json/decode.ts';
import { parseJson } from '../json/parse.ts';
import { annotationsOf, decodeDescriptor } from '../model/descriptor.ts';
import type { Image } from '../model/image.ts';
import { isIndexType } from '../model/media-types.ts';
import { sameForm } from '../model/reference.ts';

const NAME = 'index.json';
/** The full name; `ref.name` holds only the tag here. */
const FULL_NAME = 'io.containerd.image.name';

export async function checkIndex(archive: Archive, images: readonly Image[], context: Context): Promise<void> {
  if (!(await archive.get(NAME))) return;
  const known = new Set(images.flatMap(({ names }) => names.map(sameForm)));
  try {
    const index = decode(parseJson(await readDocument(archive, NAME, context), context)).object();
    // Docker 25.0.0 wrote null, and it leaves out untagged images to this day.
    for (const node of index.get('manifests')?.array() ?? []) {
      const descriptor = decodeDescriptor(node);
      const name = annotationsOf(descriptor)[FULL_NAME];
      if (name !== undefined && !known.has(sameForm(name))) {
        note(
          context,
          'dropped',
          `index.json names ${name}, manifest.json does not; read it as oci-archive: to have it`,
          NAME,
          node.pointer,
        );
      }
      if (isIndexType(descriptor.mediaType)) {
        note(
          context,
          'dropped',
          'other platforms and attestations of this image are not in manifest.json; read it as oci-archive: to have them',
          NAME,
          node.pointer,
        );
      }
    }
  } catch (error) {
    if (!(error instanceof OcixError)) throw error;
    note(context, 'dropped', `index.json cannot be read and was not needed (${error.message})`, NAME);
  }
}
