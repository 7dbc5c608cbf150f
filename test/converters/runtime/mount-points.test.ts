/** Mount points and volumes: sections 7 and 11 of the fact sheet for App Container Images. */
import { describe, expect, test } from 'vitest';
import type { MountPoint, Volume } from '../../../formats/model/isolation.ts';
import { codeOf } from '../../formats/support.ts';
import { generate, type rootWith } from './generate.ts';

const point = (path: string, more: Partial<MountPoint> = {}): MountPoint => ({
  name: 'data',
  path,
  readOnly: false,
  ...more,
});
const empty = (more: Partial<Volume & { kind: 'empty' }> = {}): Volume => ({
  kind: 'empty',
  mode: 0o755,
  uid: 0,
  gid: 0,
  ...more,
});
const host = (more: Partial<Volume & { kind: 'host' }> = {}): Volume => ({
  kind: 'host',
  source: '/opt/work',
  recursive: true,
  readOnly: false,
  ...more,
});
const own = { uids: [{ container: 0, host: 1234, size: 1 }], gids: [{ container: 0, host: 1234, size: 1 }] };

function mounts(
  mountPoints: readonly MountPoint[],
  files: Parameters<typeof rootWith>[0] = {},
  options: Parameters<typeof generate>[2] = {},
) {
  const config = { mountPoints, volumes: mountPoints.map(({ path }) => path) };
  const { document, notes } = generate(config, files, options);
  return { mounts: document.mounts.slice(options.userNamespace ? 6 : 7), notes };
}

const tmpfs = (destination: string, ...options: readonly string[]) => ({
  destination,
  type: 'tmpfs',
  source: 'tmpfs',
  options: [options[0], 'nosuid', 'nodev', 'relatime', ...options.slice(1)],
});

describe('a mount point', () => {
  test('that nobody gave a volume starts as the folder of the image, like any volume', () => {
    const files = { 'full/': { mode: 0o700, uid: 7, gid: 8 } };
    expect(mounts([point('/full'), point('/none')], files)).toEqual({
      mounts: [tmpfs('/full', 'rw', 'mode=700', 'uid=7', 'gid=8', 'tmpcopyup'), tmpfs('/none', 'rw', 'mode=755')],
      notes: [],
    });
  });

  test('is one mount with the volume of its path, also when that is spelt in another way', () => {
    const { document } = generate({ volumes: ['/a/b/'], mountPoints: [point('//a/b', { readOnly: true })] });
    expect(document.mounts.slice(7)).toEqual([tmpfs('/a/b', 'ro', 'mode=755')]);
  });

  test('that is read-only is mounted so', () => {
    const { mounts: made } = mounts([
      point('/a', { readOnly: true }),
      point('/b', { readOnly: true, volume: empty() }),
    ]);
    expect(made).toEqual([tmpfs('/a', 'ro', 'mode=755'), tmpfs('/b', 'ro', 'mode=755')]);
  });

  test('with an empty volume has its mode and owner, and nothing of the image, which is said', () => {
    const { mounts: made, notes } = mounts(
      [point('/full', { volume: empty({ mode: 0o1777, uid: 5, gid: 6 }) }), point('/hollow', { volume: empty() })],
      { 'full/': '', 'hollow/': { isEmpty: true } },
    );
    expect(made).toEqual([tmpfs('/full', 'rw', 'mode=1777', 'uid=5', 'gid=6'), tmpfs('/hollow', 'rw', 'mode=755')]);
    expect(notes).toEqual([expect.objectContaining({ kind: 'dropped', message: expect.stringContaining('/full') })]);
  });

  test.each([
    [{}, false, ['rbind', 'rprivate', 'rw']],
    [{ recursive: false }, false, ['bind', 'private', 'rw']],
    [{ readOnly: true }, false, ['rbind', 'rprivate', 'ro']],
    [{}, true, ['rbind', 'rprivate', 'ro']],
  ])('with a folder of the host (%j, read-only itself: %s) is bound to it: %j', (volume, readOnly, options) => {
    expect(mounts([point('/work', { readOnly, volume: host(volume) })]).mounts).toEqual([
      { destination: '/work', type: 'none', source: '/opt/work', options },
    ]);
  });

  test.each(['', 'opt', './opt', '/a\0b'])('with a host’s folder of %j is refused', async (source) => {
    expect(await codeOf(() => mounts([point('/work', { volume: host({ source }) })]))).toBe('image/config');
  });

  test.each(['data', '', '/../etc', '/a/../../etc', '/a\0'])('at %j is refused', async (path) => {
    expect(await codeOf(() => mounts([point(path)]))).toBe('image/config');
    expect(await codeOf(() => generate({ mountPoints: [point(path)] }))).toBe('image/config');
  });

  test.each(['/', '/proc', '/dev/shm', '/sys/fs'])('at %s is left out, with a note', (path) => {
    const { mounts: made, notes } = mounts([point(path, { volume: empty() })]);
    expect([made, notes.map(({ kind }) => kind)]).toEqual([[], ['dropped']]);
  });
});

describe('mount points that overlap', () => {
  test.each([
    ['/a', '/a'],
    ['/a', '//a/'],
    ['/a', '/a/b'],
    ['/a/b/c', '/a'],
  ])('%s and %s are refused', async (one, other) => {
    expect(await codeOf(() => mounts([point(one), point('/a-b'), point(other)]))).toBe('image/config');
  });

  test('names that only begin alike do not', () => {
    const paths = ['/a', '/a-b', '/ab', '/a.b'];
    expect(mounts(paths.map((path) => point(path))).mounts).toHaveLength(4);
  });
});

test('in a user namespace an owner that it lacks is root, with a note', () => {
  const volume = empty({ uid: 5, gid: 0 });
  const { mounts: made, notes } = mounts([point('/a', { volume })], {}, { userNamespace: own });
  expect(made).toEqual([tmpfs('/a', 'rw', 'mode=755')]);
  expect(notes).toEqual([expect.objectContaining({ kind: 'defaulted', message: expect.stringContaining('5:0') })]);
  expect(mounts([point('/a', { volume: empty() })], {}, { userNamespace: own }).notes).toEqual([]);
});
