/**
 * App Container Images, as rkt, acbuild and actool take them: one flattened image as one tar.
 * https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-archives
 *
 * The manifest comes first, so that a reader of a stream knows what it reads; then what `flat-tree.ts` has of the tree, below `rootfs/`, with an
 * entry for `rootfs` itself in any case. It is compressed as a whole, with gzip unless somebody asks for something else.
 */
import { join } from 'node:path';
import { OcixError } from '../../formats/base/errors.ts';
import type { Item } from '../../formats/model/image.ts';
import { blobStore } from '../../formats/store/blobs.ts';
import { theImage } from '../passes/select.ts';
import { aciEngine, ROOTFS, writeAci } from './aci-file.ts';
import { openAciFolder } from './aci-layers.ts';
import { aciManifest, nameFor } from './aci-manifest.ts';
import { openSigned } from './aci-signature.ts';
import { aciTree } from './aci-tree.ts';
import { type Carries, IMAGE_FIELDS } from './carries.ts';
import { cutOf } from './flat-tree.ts';
import { plainKeeper } from './stream-keeper.ts';
import type { Target } from './target.ts';

const CARRIES: Carries = {
  ...IMAGE_FIELDS,
  names: { as: 'one, as an identifier and a version' },
  platform: { as: 'where the specification has a name for it' },
  env: { as: 'with names of letters, digits and `_.-`' },
  runtimeEnv: '-',
  user: { as: 'with its group and the supplementary ones' },
  supplementaryGroups: 'yes',
  stopSignal: 'no',
  mountPoints: 'yes',
  isolation: 'yes',
  labels: { as: '`userLabels`' },
  healthcheck: 'no',
  onBuild: 'no',
  shell: 'no',
  other: 'no',
  history: '-',
  annotations: { as: 'with names that are identifiers' },
  layers: { as: 'as one tree' },
};

export const aci: Target = {
  name: 'aci',
  what: 'an App Container Image',
  carries: CARRIES,
  summary: 'an App Container Image, as rkt takes it',
  single: true,
  takes: ['naming', 'signWith', 'eachLayer', 'xz'],
  anyPlatform: true,
  async open(out, options, context) {
    const engine = await aciEngine(options);
    const choose = async (items: readonly Item[]) => {
      const image = theImage(items, context.host);
      return { image, named: await nameFor(image, options.naming ?? 'reference', context) };
    };
    if (options.eachLayer) {
      if (options.stream) throw noStream();
      return openAciFolder(out, { engine, choose }, options, context);
    }
    const file = await openSigned(out, options, context);
    return {
      keep: plainKeeper(blobStore(join(file.folder, 'blobs'))),
      async write(items) {
        const { image, named } = await choose(items);
        const { layers } = image;
        const tree = await aciTree(layers, context);
        const manifest = aciManifest(image, tree, named, context);
        const whole = cutOf(tree.tree, tree.found, { below: ROOTFS, has: () => true });
        const stored = await writeAci({ layers, manifest, tree: whole, engine }, file, context);
        return [{ image, digest: stored.digest, layers: [stored] }];
      },
      commit: () => file.commit(),
      discard: () => file.discard(),
    };
  },
};

const noStream = (): OcixError =>
  new OcixError('usage/argument', '--layers each writes a folder of images, and - is one stream', {
    hint: 'Give a path.',
  });
