/** Scripts of packages, run in a container of the bundle and nowhere else. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { completeImage } from '../../converters/targets/completion.ts';
import { type DebRecipe, deb } from '../../fixtures/deb.ts';
import { createContext } from '../../formats/base/context.ts';
import { ocix } from '../cases/command.ts';
import { scratch, withPeer } from '../fixtures/peers.ts';
import { codeOf } from '../formats/support.ts';

const root = process.getuid?.() === 0;
const busybox = '/bin/busybox';
const there = root && existsSync(busybox) && !needsLibraries(busybox);

/** Whether it needs libraries that are not in the image. */
function needsLibraries(path: string): boolean {
  return readFileSync(path).includes('/lib64/ld-linux');
}

/** A system whose dpkg is a script: what it is told to do is what counts. */
const system = (script: string): DebRecipe => ({
  fields: { Package: 'toy-system' },
  files: { postinst: '#!/bin/sh\n' },
  entries: [
    { name: './bin/busybox', body: readFileSync(busybox), mode: 0o755 },
    { name: './bin/sh', link: 'busybox' },
    { name: './usr/bin/dpkg', body: `#!/bin/busybox sh\n${script}\n`, mode: 0o755 },
    { name: './usr/bin/rm', link: '/bin/busybox' },
    { name: './usr/bin/chmod', link: '/bin/busybox' },
    { name: './usr/sbin/', mode: 0o755 },
  ],
});

withPeer('runc').skipIf(!there)('a bundle is completed before it is put in place', () => {
  const folder = scratch();
  writeFileSync(join(folder, 'a.deb'), deb(system('echo "$@" >>/told; [ -x /usr/sbin/policy-rc.d ]')));
  const out = join(folder, 'out');
  const run = ocix(['bundle', '-q', '--configure', '--exec', '/bin/sh', join(folder, 'a.deb'), out]);
  expect(run.stderr).not.toContain('ocix:');
  expect(readFileSync(join(out, 'rootfs/told'), 'utf8')).toBe('--configure -a\n');
  expect(existsSync(join(out, 'rootfs/usr/sbin/policy-rc.d'))).toBe(false);
});

withPeer('runc').skipIf(!there)('where its scripts fail, there is no bundle', () => {
  const folder = scratch();
  writeFileSync(join(folder, 'a.deb'), deb(system('echo it broke >&2; exit 3')));
  const run = ocix(['bundle', '-q', '--configure', '--exec', '/bin/sh', join(folder, 'a.deb'), join(folder, 'out')]);
  expect([run.status, existsSync(join(folder, 'out'))]).toEqual([4, false]);
  expect(run.stderr).toContain('image/completion');
  expect(run.stderr).toContain('it broke');
});

test('where nothing runs containers, or there is nothing to run, that is said', async () => {
  const config = { process: { args: ['x'] }, ociVersion: '1.0.2' };
  expect(await codeOf(() => completeImage(scratch(), ['/bin/sh'], config, createContext()))).toBe('image/completion');
});
