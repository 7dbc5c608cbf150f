/** Images of other tools by way of another format and back: nothing differs but what docs/losses.md names. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { convert, diff, inspect, OcixError, open, type RuleId } from '../../converters/index.ts';
import { accepted } from '../converters/targets/aci-images.ts';
import { scratch } from '../fixtures/peers.ts';
import { inherits } from '../library-outputs.ts';

const CORPUS = join(import.meta.dirname, '../../../shared/corpus');
const there = existsSync(CORPUS);
const filesIn = (folder: string, pattern: RegExp): readonly string[] =>
  there
    ? readdirSync(join(CORPUS, folder))
        .filter((name) => pattern.test(name))
        .sort()
        .map((name) => `${folder}/${name}`)
    : [];

/** Every single image of a source that is sound; the corpus has some that are not, and corpus.test.ts says which. */
async function imagesOf(path: string): Promise<readonly string[]> {
  const opened = await open(path).catch(() => undefined);
  if (!opened) return [];
  await opened.close();
  const transport = /oci-layout/.test(path) ? 'oci' : /oci-archive/.test(path) ? 'oci-archive' : 'docker-archive';
  return opened.items.flatMap(({ kind }, i) => (kind === 'image' ? [`${transport}:${path}:@${i}`] : []));
}

/** What is no image to the end is refused, and corpus.test.ts says with which words. */
const unlessRefused = (converting: ReturnType<typeof convert>) =>
  converting.catch((error: unknown) => {
    if (error instanceof OcixError) return undefined;
    throw error;
  });

const facts = async (source: string) =>
  (await inspect(source)).images.map(({ layers }) => layers.map(({ diffId }) => diffId));

describe.skipIf(!there)('an OCI image by way of a docker archive', () => {
  const inputs = [...filesIn('oci-archive', /./), ...filesIn('oci-layout', /./)];
  test.each(inputs)('%s', async (input) => {
    for (const source of await imagesOf(join(CORPUS, input))) {
      const [archive, back] = [join(scratch(), 'a.tar'), join(scratch(), 'out')];
      if (!(await unlessRefused(convert(source, archive, { to: 'docker-archive' })))) continue;
      await convert(archive, back);
      expect((await diff(source, back)).differences).toEqual([]);
      const [before, after] = [await facts(source), await facts(back)];
      for (const [i, ids] of before.entries())
        for (const [k, id] of ids.entries()) if (id !== undefined) expect(after[i]![k]).toBe(id);
    }
  });
});

/** What an ACI says in other words, and what it has no place for. */
const OTHER_WORDS = ['labels', 'user', 'workingDir', 'stopSignal', 'healthcheck', 'onBuild', 'shell', 'other'];

const isArm = (platform: unknown): boolean => (platform as { readonly variant?: string } | undefined)?.variant === 'v8';

describe.skipIf(!there)('a Docker image by way of an ACI', () => {
  test.each(filesIn('docker-save', /./))('%s', async (input) => {
    inherits('oci/annotations-domain'); // labels are the builder's own words
    for (const source of await imagesOf(join(CORPUS, input))) {
      const [image, back] = [join(scratch(), 'a.aci'), join(scratch(), 'out')];
      if (!(await unlessRefused(convert(source, image, { to: 'aci' })))) continue;
      accepted(image);
      await convert(image, back);
      // 64-bit ARM is version 8 in an ACI.
      const { differences: found } = await diff(source, back, { ignore: OTHER_WORDS });
      // What was Docker's default is stated in an ACI, and was not there before.
      expect(found.filter((one) => one.part === 'tree' || (one.kind !== 'added' && !isArm(one.b)))).toEqual([]);
    }
  });
});

/** Not read at all: a name that climbs, and a compression that has no magic. */
const REFUSED = ['appc/valid/dotdot-in.aci', 'appc/valid/full.lzma.aci'];
/** Read with a note, and so written anew: the tree stays, and what is absent is said. */
const MENDED = ['appc/valid/m-dup-keys.aci'];
/** What is not sound about images of the corpus, and stays so. */
const UNSOUND: Readonly<Record<string, readonly RuleId[]>> = {
  'm-arch-no-os.aci': ['oci/platform-values', 'oci/config-platform-values'],
  'm-name-dashes.aci': ['appc/name-pattern'],
};
const DIFF_FIELDS_OF_CONFIG = ['labels', 'platform', 'user', 'workingDir', 'supplementaryGroups', 'runtimeEnv'];

describe.skipIf(!there)('an ACI by way of an OCI image', () => {
  const inputs = ['valid', 'run', 'user'].flatMap((folder) => filesIn(`appc/${folder}`, /\.aci$/));
  const dependencies = [join(CORPUS, 'appc/run/busybox.xz.aci')];

  test.each(inputs.filter((input) => !REFUSED.includes(input)))('%s', async (input) => {
    const source = join(CORPUS, input);
    inherits('oci/annotations-domain', ...(UNSOUND[basename(input)] ?? []));
    const [layout, back] = [join(scratch(), 'out'), join(scratch(), 'b.aci')];
    await convert(source, layout, { dependencies });
    await convert(layout, back, { to: 'aci' });
    const [before, after] = [await manifestIn(source), await manifestIn(back)];
    const { dependencies: needed, pathWhitelist: list, ...rest } = JSON.parse(before);
    if (needed || list) expect(JSON.parse(after)).toEqual(rest);
    else if (!MENDED.includes(input)) expect(after).toBe(before);
    const ignore = MENDED.includes(input) ? DIFF_FIELDS_OF_CONFIG : ['labels'];
    expect((await diff(source, back, { dependencies, ignore })).differences).toEqual([]);
  });

  async function manifestIn(path: string): Promise<string> {
    const { images } = await inspect(path, { dependencies });
    return images[0]!.config.labels['io.ocix.appc.manifest']!;
  }
});
