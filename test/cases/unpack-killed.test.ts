/** Runs that are killed, stopped, or find OUT taken. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { sampleLayer } from '../../fixtures/images.ts';
import { scratch } from '../fixtures/peers.ts';
import { diskTree } from '../formats/rootfs/disk.ts';
import { ended, fileOf, ocix, ocixStarted, refused } from './command.ts';

const source = () =>
  fileOf(
    dockerSave(
      {
        layers: [0, 1].map((layer) =>
          sampleLayer(
            Array.from({ length: 700 }, (_, i) => ({
              name: `d${i % 50}/f${layer}-${i}`,
              body: 'x'.repeat(1000),
              mode: 0o640,
              mtime: `${i}.5`,
            })),
          ),
        ),
        config: { config: { Cmd: ['/x'] } },
      },
      { generation: '1.10' },
    ),
  );

const stagings = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('.ocix-'));

describe('kill -9 at twenty random moments of', () => {
  test.each(['unpack', 'bundle'])(
    '%s leaves OUT absent or whole, and the next run is not disturbed',
    async (command) => {
      const folder = scratch();
      const file = source();
      let shortest = ocix([command, '-q', file, join(folder, 'measured')]).milliseconds;
      const whole = diskTree(join(folder, 'measured'));
      const rootfs = command === 'bundle' ? 'rootfs' : '.';
      // The time of the bundle itself, and of its config.json, is that of the run.
      const comparable = (tree: typeof whole) =>
        [...tree]
          .filter(([path]) => rootfs === '.' || path.startsWith('rootfs'))
          .map(([path, found]) => [path, found.mtime, found.sha256]);
      let killed = 0;
      let absent = 0;
      for (let run = 0; killed < 20; run++) {
        expect(run, `of which ${killed} were killed`).toBeLessThan(100);
        const out = join(folder, `out${run}`);
        const child = ocixStarted([command, '-q', file, out]);
        const end = ended(child);
        await sleep(Math.random() * shortest);
        child.kill('SIGKILL');
        const { signal, milliseconds } = await end;
        if (signal === 'SIGKILL') killed++;
        else shortest = Math.min(shortest, milliseconds); // the machine was busier when it was measured
        if (!existsSync(out)) absent++;
        else {
          expect(comparable(diskTree(out))).toEqual(comparable(whole));
          if (command === 'bundle')
            expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')).ociVersion).toBe('1.0.2');
        }
      }
      expect(absent).toBeGreaterThan(8);
      const first = join(folder, 'out0');
      const there = existsSync(first); // the first run may have been done before it was killed
      expect(ocix([command, '-q', file, first]).status).toBe(there ? 7 : 0);
    },
    180_000,
  );
});

describe.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s', (signal, status) => {
  test('in the middle of a layer ends with its status and leaves nothing', async () => {
    const folder = scratch();
    const child = ocixStarted(['bundle', '-q', source(), join(folder, 'out')]);
    const end = ended(child);
    for (let i = 0; i < 500 && !stagings(folder).length; i++) await sleep(2);
    await sleep(10);
    child.kill(signal);
    expect(await end).toMatchObject({ status });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('OUT', () => {
  const small = () =>
    fileOf(
      dockerSave(
        { layers: [sampleLayer([{ name: 'f', body: 'x' }])], config: { config: { Cmd: ['/x'] } } },
        { generation: '1.10' },
      ),
    );

  test.each(['unpack', 'bundle'])(
    'that has something in it is refused by %s as it is, and replaced with --force',
    (command) => {
      const folder = scratch();
      const out = join(folder, 'out');
      expect(ocix([command, '-q', small(), out]).status).toBe(0);
      const before = [...diskTree(out)].map(([path, { mtime }]) => [path, mtime]);
      expect(refused([command, small(), out])).toMatchObject({ status: 7, code: 'output/exists' });
      expect([...diskTree(out)].map(([path, { mtime }]) => [path, mtime])).toEqual(before);
      expect(ocix([command, '-q', '--force', small(), out]).status).toBe(0);
      expect(readdirSync(folder)).toEqual(['out']);
    },
  );

  test('whose folder above is not there is an output that cannot be written', () => {
    expect(refused(['unpack', small(), join(scratch(), 'no/out')])).toMatchObject({ status: 7, code: 'output/write' });
  });

  test('of an image that is refused in its last layer stays absent', () => {
    const folder = scratch();
    const layers = [sampleLayer([{ name: 'f', body: 'x' }]), sampleLayer([{ name: 'x', type: '1', link: 'missing' }])];
    const file = fileOf(dockerSave({ layers }, { generation: '1.10' }));
    expect(refused(['unpack', file, join(folder, 'out')])).toMatchObject({ status: 4, code: 'path/link' });
    expect(readdirSync(folder)).toEqual([]);
  });
});
