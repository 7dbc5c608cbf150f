/** The whole way onto a disk: layers unpacked beside a sentinel, images written by each target, layouts as folders. */
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { convert, inspect, unpack, validate } from '../../../converters/index.ts';
import { TARGETS } from '../../../converters/targets/index.ts';
import { dockerSave } from '../../../fixtures/docker-save.ts';
import { sliced } from '../../formats/support.ts';
import type { Random } from '../random.ts';
import { Find, type Subject } from '../subject.ts';
import { archiveFrom } from './entries.ts';
import { aciFrom, dockerFrom, layoutFrom, ociFrom } from './images.ts';

/** Runs with a folder of its own, in which nothing but `out` may have come, and that only where the run succeeds. */
async function inFolder(work: (folder: string, out: string) => Promise<unknown>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ocix-fuzz-'));
  try {
    mkdirSync(join(folder, 'around'));
    writeFileSync(join(folder, 'sentinel'), 'as it was');
    const before = lstatSync(join(folder, 'sentinel'), { bigint: true }).ctimeNs;
    const succeeded = await work(folder, join(folder, 'around/out')).then(
      () => true,
      (error: unknown) => {
        expectNothing(folder, before, []);
        throw error;
      },
    );
    if (succeeded) expectNothing(folder, before, ['out']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function expectNothing(folder: string, before: unknown, names: readonly string[]): void {
  const found = [readdirSync(folder).sort().join(), readdirSync(join(folder, 'around')).join()];
  if (found[0] !== 'around,sentinel' || found[1] !== names.join())
    throw new Find(`left behind: ${found.join(' and ')}`);
  if (lstatSync(join(folder, 'sentinel'), { bigint: true }).ctimeNs !== before)
    throw new Find('something beside the output has changed');
}

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
    make(random) {
      const files = layoutFrom(random);
      return { files, bytes: Buffer.concat([...files.values()]) };
    },
    check: async ({ files }) => {
      const folder = mkdtempSync(join(tmpdir(), 'ocix-fuzz-'));
      try {
        for (const [path, bytes] of files ?? []) {
          mkdirSync(dirname(join(folder, path)), { recursive: true });
          writeFileSync(join(folder, path), bytes);
        }
        await validate(folder, { fast: true });
        await inspect(folder);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  },
];
