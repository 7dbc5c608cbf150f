/**
 * App Container Images, as rkt, acbuild and actool take them: one flattened image as one tar.
 * https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-archives
 *
 * The manifest comes first, so that a reader of a stream knows what it reads; then what `flat-tree.ts` has of the tree, below `rootfs/`, with an
 * entry for `rootfs` itself in any case. It is compressed as a whole, with gzip unless somebody asks for something else.
 */
import { join } from 'node:path';
import { blobStore } from '../../formats/store/blobs.ts';
import { openOutput } from '../../formats/store/output-file.ts';
import { theImage } from '../passes/select.ts';
import { aciEngine, ROOTFS, writeAci } from './aci-file.ts';
import { aciManifest, nameFor } from './aci-manifest.ts';
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
  anyPlatform: true,
  async open(out, options, context) {
    const engine = aciEngine(options.compression);
    const file = await openOutput(out, options);
    return {
      keep: plainKeeper(blobStore(join(file.folder, 'blobs'))),
      async write(items) {
        const image = theImage(items, context.host);
        const { layers } = image;
        const tree = await aciTree(layers, context);
        const manifest = aciManifest(image, tree, nameFor(image, options.naming ?? 'reference', context), context);
        const whole = cutOf(tree.tree, tree.found, { below: ROOTFS, has: () => true });
        const stored = await writeAci({ layers, manifest, tree: whole, engine }, file, context);
        return [{ image, digest: stored.digest, layers: [stored] }];
      },
      commit: () => file.commit(),
      discard: () => file.discard(),
    };
  },
};
