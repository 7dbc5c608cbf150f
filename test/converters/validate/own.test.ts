/** What ocix writes is unconditionally compliant, whatever it was made from. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { convert, validate } from '../../../converters/index.ts';
import { dockerSave, generations } from '../../../fixtures/docker-save.ts';
import { greeting, windowsImage } from '../../../fixtures/images.ts';
import { scratch } from '../../fixtures/peers.ts';
import { inherits } from '../../library-outputs.ts';
import { varied } from '../targets/archives.ts';
import { expectUnconditional, fileWith, rulesIn } from './inputs.ts';

const TARGETS = ['oci', 'oci-archive', 'docker-archive'] as const;

/** The images' own labels and names come along as they are, and these have nothing to object to. */
const images = { greeting: greeting('amd64'), varied: varied(), windows: windowsImage() };

const cases = Object.keys(images).flatMap((name) =>
  // The layers of a docker archive are never compressed.
  TARGETS.flatMap((to) =>
    (to === 'docker-archive' ? ['keep'] : ['keep', 'zstd', 'none']).map((compress) => [name, to, compress] as const),
  ),
);

test.each(cases)('the image %s as %s with --compress %s', async (name, to, compress) => {
  const image = images[name as keyof typeof images];
  const out = join(scratch(), 'out');
  // A deprecated kind of layer, and holes in files, are the source's own; that an archive has two halves is told of every one.
  const own = ['oci/manifest-nondistributable', 'layer/sparse', 'docker/hybrid-layout'] as const;
  inherits(...own);
  await convert(fileWith(dockerSave(image, { generation: '1.10' }), 'in.tar'), out, { to, compress });
  const found = await validate(out);
  expect(rulesIn(found).filter((rule) => !own.some((known) => known === rule))).toEqual([]);
  expect(found.verdict.must).toBe(0);
});

test.each(generations)('a layout from an archive of the generation %s', async (generation) => {
  const out = join(scratch(), 'out');
  await convert(fileWith(dockerSave(greeting('amd64'), { generation })), out);
  expectUnconditional(await validate(out));
});

test.each([
  {},
  { userNamespace: { uids: [{ container: 0, host: 1000, size: 1 }], gids: [{ container: 0, host: 1000, size: 1 }] } },
])('a bundle, with the options %j', async (options) => {
  const out = join(scratch(), 'out');
  const source = fileWith(dockerSave(greeting('amd64'), { generation: '1.10' }));
  await convert(source, out, {
    to: 'bundle',
    extraction: { rootless: true },
    runtime: { terminal: false, readOnly: false, ...options },
  });
  expectUnconditional(await validate(out));
});

test('a root filesystem as a tar', async () => {
  const out = join(scratch(), 'out.tar');
  await convert(fileWith(dockerSave(varied(), { generation: '1.10' })), out, { to: 'tar' });
  const found = await validate(`tar:${out}`);
  expect(rulesIn(found).filter((rule) => rule !== 'layer/sparse')).toEqual([]);
});
