/**
 * A pod for Kubernetes, and for `podman kube play`: `pod.yaml`, and beside it `images/`, an OCI image layout with the images that it names by
 * digest. They have to be in a registry, or in the engine's own store, before the pod is started.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../formats/base/context.ts';
import { OcixError } from '../../formats/base/errors.ts';
import type { Digest } from '../../formats/bytes/digest.ts';
import { outputError } from '../../formats/bytes/output-error.ts';
import type { Descriptor, Image } from '../../formats/model/image.ts';
import { imagesOfPod, type Pod } from '../../formats/model/pod.ts';
import { blobStore } from '../../formats/store/blobs.ts';
import { destination, occupied, stageFor } from '../../formats/store/staging.ts';
import { IMAGE_FIELDS } from './carries.ts';
import { kubePod, repositoryOf } from './kube-pod.ts';
import { layerStore } from './layer-store.ts';
import { indexBytes, MARKER } from './layout-sink.ts';
import { ociWriter, type WrittenImage } from './oci-documents.ts';
import { namedDescriptors } from './oci-layout.ts';
import { streamKeeper } from './stream-keeper.ts';
import type { Target, TargetOptions, TargetSink } from './target.ts';
import { yamlText } from './yaml.ts';

export const kube: Target = {
  name: 'kube',
  what: 'a pod',
  carries: IMAGE_FIELDS,
  summary: 'a Kubernetes Pod (pod.yaml), and its images as a layout (images/)',
  open: openFolder,
};

async function openFolder(out: string, { compression, replace }: TargetOptions, context: Context): Promise<TargetSink> {
  const there = await destination(out);
  if (!replace && (there.state === 'file' || there.state === 'folder'))
    throw occupied(out, there.state === 'file' ? 'is a file' : 'is a folder with something in it');
  const staging = await stageFor(there);
  // Everything else in the private folder goes with it.
  const made = join(staging.path, 'kube');
  const blobs = blobStore(join(made, 'images/blobs'));
  try {
    await attempt(out, async () => void (await mkdir(join(made, 'images'), { recursive: true })));
  } catch (error) {
    await staging.discard();
    throw error;
  }
  let referenced: ReadonlySet<Digest> = new Set();
  return {
    keep: streamKeeper(blobs, compression),
    async write() {
      throw new OcixError('format/unsupported', 'the source has no pod', {
        hint: 'Give a pod manifest, or a pod that ran: rkt:DIR:@UUID.',
      });
    },
    async writePod(pod) {
      const images = imagesOfPod(pod);
      const count = images.reduce((sum, { layers }) => sum + layers.length, 0);
      const writer = ociWriter(layerStore(blobs, compression, context), count, context);
      const entries: Descriptor[] = [];
      for (const image of images) entries.push(...namedDescriptors(await writer.write(image), namesOf(image, pod)));
      referenced = writer.referenced;
      const document = kubePod(pod, referencesIn(pod, writer.images), context);
      await attempt(out, async () => {
        await mkdir(join(made, 'images/blobs'), { recursive: true });
        await writeFile(join(made, 'images/oci-layout'), MARKER);
        await writeFile(join(made, 'images/index.json'), indexBytes([], entries, {}));
        await writeFile(join(made, 'pod.yaml'), yamlText(document));
      });
      return writer.images;
    },
    async commit() {
      for (const digest of blobs.written()) if (!referenced.has(digest)) await blobs.remove(digest);
      if (replace) await staging.replace('kube');
      else if (!(await staging.place('kube'))) throw occupied(out, 'has appeared meanwhile');
    },
    discard: () => staging.discard(),
  };
}

/** The name in the layout leads to the same repository as the one in the pod. */
const namesOf = (image: Image, pod: Pod): readonly string[] =>
  image.names.some((name) => repositoryOf(name) !== undefined) ? image.names : [`${ownRepository(image, pod)}:latest`];

const ownRepository = (image: Image, { apps }: Pod): string =>
  `localhost/${apps.find((app) => app.image === image)!.name}`;

function referencesIn(pod: Pod, written: readonly WrittenImage[]): ReadonlyMap<Image, string> {
  return new Map(
    written.map(({ image, digest }) => {
      const [own] = image.names.flatMap((name) => repositoryOf(name) ?? []);
      return [image, `${own ?? ownRepository(image, pod)}@${digest}`];
    }),
  );
}

async function attempt(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    throw cause instanceof OcixError ? cause : outputError(path, cause);
  }
}
