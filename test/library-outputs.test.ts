/** That the watch over what the library writes would see something. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { convert } from '../converters/index.ts';
import { windowsImage } from '../fixtures/images.ts';
import { dockerFile } from './converters/targets/archives.ts';
import { scratch } from './fixtures/peers.ts';
import { inherits } from './library-outputs.ts';

const converted = (to: string) => convert(dockerFile(windowsImage()), join(scratch(), 'out'), { to });

test.each(['oci', 'oci-archive'])(
  'a test fails whose output as %s breaks a rule that the test does not name',
  async (to) => {
    await expect(converted(to)).rejects.toThrow('not sound:\n  oci/manifest-nondistributable: ');
    inherits('oci/manifest-nondistributable');
    await converted(to);
  },
);

test('what one test names counts for no other', async () => {
  await expect(converted('oci')).rejects.toThrow('not sound');
});
