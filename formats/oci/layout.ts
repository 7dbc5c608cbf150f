/** The top of a layout: its version, and the descriptors that name its images. */
import { type Archive, findFile, readDocument, readMember } from '../archive/archive.ts';
import { type Context, note } from '../base/context.ts';
import { OcixError, within } from '../base/errors.ts';
import { decode } from '../json/decode.ts';
import { type Json, parseJson } from '../json/parse.ts';
import { annotationsOf, decodeDescriptor } from '../model/descriptor.ts';
import type { Descriptor, Item } from '../model/image.ts';
import { REF_NAME } from '../model/media-types.ts';
import { checkIndexDocument } from './documents.ts';
import { itemOf } from './tree.ts';

const FULL_NAME = 'io.containerd.image.name';

export async function readLayout(archive: Archive, context: Context): Promise<readonly Item[]> {
  await checkVersion(archive, context);
  if (!(await archive.get('index.json')) && (await archive.list('refs')).length) return readRefs(archive, context);
  const bytes = await readDocument(archive, 'index.json', context);
  return within('index.json', async () => {
    const index = decode(parseJson(bytes, context)).object();
    checkIndexDocument(index);
    const manifests = index.get('manifests');
    if (!manifests && Object.hasOwn(index.value, 'manifests'))
      note(context, 'repaired', 'manifests is null and counts as empty', 'index.json');
    else if (!manifests) throw new OcixError('oci/document', 'it has no manifests');
    const items: Item[] = [];
    const walk = { archive, context, items: 0 };
    for (const node of manifests?.array() ?? []) {
      const descriptor = await within(node.pointer, async () => decodeDescriptor(node));
      const annotations = annotationsOf(descriptor);
      const name = annotations[REF_NAME] ?? annotations[FULL_NAME];
      items.push(await within(name ?? node.pointer, () => itemOf(descriptor, name === undefined ? [] : [name], walk)));
    }
    return items;
  });
}

async function checkVersion(archive: Archive, context: Context): Promise<void> {
  await within('oci-layout', async () => {
    const file = await findFile(archive, 'oci-layout').catch((cause: unknown) => {
      if (cause instanceof OcixError && cause.code === 'member/missing')
        throw new OcixError('oci/layout', 'the file is missing, so nothing says that this is an image layout', {
          cause,
        });
      throw cause;
    });
    const version = decode(parseJson(await readMember(file, context), context))
      .object()
      .require('imageLayoutVersion');
    if (version.string() !== '1.0.0') {
      throw new OcixError('format/unsupported', 'the layout is of a version that ocix does not know', {
        at: [version.pointer],
        expected: '"1.0.0"',
        found: JSON.stringify(version.value),
      });
    }
  });
}

/** Release candidates: one file a name, each with a descriptor. */
async function readRefs(archive: Archive, context: Context): Promise<readonly Item[]> {
  const items: Item[] = [];
  const walk = { archive, context, items: 0 };
  for (const file of await archive.list('refs')) {
    const bytes = await readDocument(archive, file, context);
    items.push(
      await within(file, async () => {
        const value = parseJson(bytes, context);
        const descriptor = decodeDescriptor(decode(value));
        return itemOf(candidate(descriptor), [file.slice('refs/'.length)], walk);
      }),
    );
  }
  return items;
}

/** A descriptor of that time carries no annotations that would mean something in an index. */
const candidate = ({ mediaType, digest, size }: Descriptor): Descriptor => {
  const json: { readonly [name: string]: Json } = { mediaType, digest, size };
  return { mediaType, digest, size, json };
};
