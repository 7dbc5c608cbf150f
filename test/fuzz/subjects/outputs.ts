/** The whole way onto a disk: layers unpacked beside a sentinel, images written by each target, layouts as folders. */
import { convert, inspect, unpack, validate } from '../../../converters/index.ts';
import { TARGETS } from '../../../converters/targets/index.ts';
import { dockerSave } from '../../../fixtures/docker-save.ts';
import { sliced } from '../../formats/support.ts';
import { inFolder, inputOf, onDisk } from '../folder.ts';
import type { Random } from '../random.ts';
import type { Subject } from '../subject.ts';
import { archiveFrom } from './entries.ts';
import { aciFrom, dockerFrom, layoutFrom, ociFrom } from './images.ts';

const layersFrom = (random: Random): Buffer =>
  dockerSave({ layers: random.many(1, 3, () => archiveFrom(random)), tags: ['app:1'] }, { generation: '1.10' });

export const OUTPUT_SUBJECTS: readonly Subject[] = [
  {
    name: 'unpack',
    make: (random) => ({ bytes: layersFrom(random) }),
    check: ({ bytes }, random) =>
      inFolder((_, out) =>
        unpack({ stream: sliced(bytes, 5000) }, out, { extraction: random.chance(0.3) ? { rootless: true } : {} }),
      ),
  },
  {
    name: 'convert',
    make: (random) => ({ bytes: random.pick([dockerFrom, ociFrom, aciFrom])(random) }),
    check: ({ bytes }, random) => {
      const to = random.pick(TARGETS.map(({ name }) => name));
      return inFolder((_, out) => convert({ stream: sliced(bytes, 5000) }, out, { to, flatten: random.chance(0.1) }));
    },
  },
  {
    name: 'layout-folder',
    make: (random) => inputOf(layoutFrom(random)),
    check: ({ files }) =>
      onDisk(files!, async (folder) => {
        await validate(folder, { fast: true });
        await inspect(folder);
      }),
  },
];
