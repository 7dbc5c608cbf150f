/** What completes an image runs in a container of the bundle and nowhere else. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { completeImage } from '../../converters/targets/completion.ts';
import { deb } from '../../fixtures/deb.ts';
import { createContext } from '../../formats/base/context.ts';
import { ocix } from '../cases/command.ts';
import { scratch, withPeer } from '../fixtures/peers.ts';
import { refusalOf } from '../formats/support.ts';

const BUSYBOX = join(
  import.meta.dirname,
  '../../../shared/corpus/debian/real/busybox-static_1.35.0-4+deb12u1+b1_amd64.deb',
);
const there = process.getuid?.() === 0 && existsSync(BUSYBOX);
const whereRuncIs = there ? withPeer('runc') : test.skip;

function source(folder: string): string {
  const path = join(folder, 'sh.deb');
  const entries = [{ name: './bin/sh', link: 'busybox' }];
  writeFileSync(path, deb({ fields: { Package: 'sh' }, files: { postinst: '#!/bin/sh\n' }, entries }));
  return `deb:${BUSYBOX},${path}`;
}

whereRuncIs('it sees the root filesystem and can write to it', async () => {
  const folder = scratch();
  const out = join(folder, 'out');
  expect(ocix(['bundle', '-q', '--exec', '/bin/sh', source(folder), out]).status).toBe(0);
  const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'));
  const rootfs = join(out, 'rootfs');
  await completeImage(rootfs, ['/bin/sh', '-c', 'echo $0 >/told'], config, createContext());
  expect(readFileSync(join(rootfs, 'told'), 'utf8')).toBe('/bin/sh\n');
  const refusal = await refusalOf(() =>
    completeImage(rootfs, ['/bin/sh', '-c', 'echo it broke >&2; exit 3'], config, createContext()),
  );
  expect([refusal?.code, refusal?.found]).toEqual(['image/completion', 'it broke']);
});

whereRuncIs('where it fails, there is no bundle', () => {
  const folder = scratch();
  const out = join(folder, 'out');
  // The shell of busybox has a dpkg of its own, which does not know what it is told.
  const run = ocix(['bundle', '-q', '--configure', '--exec', '/bin/sh', source(folder), out]);
  expect([run.status, existsSync(out)]).toEqual([4, false]);
  expect(run.stderr).toContain('image/completion');
});
