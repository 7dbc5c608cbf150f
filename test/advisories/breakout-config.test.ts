/** Images whose user database or configuration reaches for the host. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { convert, OcixError } from '../../converters/index.ts';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { link, sentinel, stateOf, up } from '../../fixtures/probe-breakouts.ts';
import { type TarEntry, tar } from '../../fixtures/tar.ts';
import { refused } from '../cases/command.ts';
import { scratch } from '../fixtures/peers.ts';

describe('the user database of a hostile root', () => {
  const bundled = async (...entries: readonly TarEntry[]): Promise<string> => {
    const folder = scratch();
    const outside = sentinel(folder);
    const before = stateOf(outside);
    const entriesThere = entries.map((one) =>
      one.link === undefined ? one : { ...one, link: String(one.link).replace('OUTSIDE', outside) },
    );
    const image = { layers: [tar(entriesThere)], config: { config: { User: 'secret', Cmd: ['/x'] } } };
    const source = join(folder, 'app.tar');
    writeFileSync(source, dockerSave(image, { generation: '1.10' }));
    try {
      await convert(source, join(folder, 'out'), { to: 'bundle', limits: { 'entry-bytes': 2 ** 40 } });
      return JSON.stringify(JSON.parse(readFileSync(join(folder, 'out/config.json'), 'utf8')).process.user);
    } catch (error) {
      if (!(error instanceof OcixError)) throw error;
      expect(readdirSync(folder).sort()).toEqual(['app.tar', 'outside']);
      return error.code;
    } finally {
      expect(stateOf(outside)).toEqual(before);
    }
  };

  test.each<readonly [string, TarEntry]>([
    ['an absolute symlink out', link('etc/passwd', 'OUTSIDE/etc/passwd')],
    ['a symlink that climbs out', link('etc/passwd', `${up}OUTSIDE/etc/passwd`)],
    ['a folder that is a symlink out', link('etc', 'OUTSIDE/etc')],
    ['a symlink to the host’s through /proc', link('etc/passwd', '/proc/1/root/etc/passwd')],
    ['a pipe', { name: 'etc/passwd', type: '6' }],
    ['a device without a driver', { name: 'etc/passwd', type: '3', major: 4000, minor: 1 }],
    ['a device that never ends', { name: 'etc/passwd', type: '3', major: 1, minor: 5 }],
    ['a folder', { name: 'etc/passwd/' }],
    ['a symlink to itself', link('etc/passwd', 'passwd')],
  ])('as %s has no such user, and the run does not hang', async (_, entry) => {
    expect(await bundled(entry)).toBe('image/user');
  });

  test('of a gigabyte, as a hole, is refused before it is read', async () => {
    expect(await bundled({ name: 'etc/passwd', sparse: { form: 'pax-1.0', size: 2 ** 30, extents: [] } })).toBe(
      'path/invalid',
    );
  });

  test('behind links that stay inside is read', async () => {
    const entries = [
      link('etc', '/usr/etc'),
      link('usr/etc/passwd', '../../../../../db'),
      { name: 'db', body: 'secret:x:8:9::/:\n' },
    ];
    expect(await bundled(...entries)).toBe('{"uid":8,"gid":9}');
  });
});

describe('configurations that reach for the host', () => {
  const bundle = (config: Readonly<Record<string, unknown>>, ...more: readonly string[]) => {
    const folder = scratch();
    const image = { layers: [tar([{ name: 'bin/x' }])], config: { config: { Cmd: ['/bin/x'], ...config } as never } };
    const source = join(folder, 'app.tar');
    writeFileSync(source, dockerSave(image, { generation: '1.10' }));
    const run = refused(['bundle', '-q', ...more, source, join(folder, 'out')]);
    expect(existsSync(join(folder, 'out'))).toBe(run.status === 0);
    expect(readdirSync(folder).filter((name) => name.startsWith('.ocix'))).toEqual([]);
    return { folder, ...run };
  };

  test.each([
    '4294967295',
    '4294967296',
    '0:4294967295',
    '-1',
    '0x0',
    '1e3',
    'root:',
    ':0',
    'ghost',
    '99999999999999999999',
  ])('CVE-2024-40635: the user %s is refused, and never root', (User) => {
    expect(bundle({ User })).toMatchObject({ status: 4, code: 'image/user' });
  });

  test.each(['2147483648', '4294967294:4294967294'])('CVE-2024-40635: the user %s is that user', (User) => {
    const { folder } = bundle({ User });
    const { user } = JSON.parse(readFileSync(join(folder, 'out/config.json'), 'utf8')).process;
    expect([user.uid, user.gid]).toEqual(User.includes(':') ? [4294967294, 4294967294] : [2147483648, 0]);
  });

  test.each(['/proc/self/fd/7', '/proc/self/fd/8/../../..', '/dev/fd/7', '//proc/./self/fd'])(
    'CVE-2024-21626: WORKDIR %s is refused',
    (WorkingDir) => {
      expect(bundle({ WorkingDir })).toMatchObject({ status: 4, code: 'image/config' });
    },
  );

  test.each(['../../etc', '/../etc', 'relative'])('CVE-2022-23648: the volume %s is refused', (path) => {
    expect(bundle({ Volumes: { [path]: {} } })).toMatchObject({ status: 4, code: 'image/config' });
  });

  test('labels that steer a runtime are annotations, and --strict refuses them', () => {
    const Labels = { 'run.oci.handler': 'wasm', 'containerd.io/restart.loguri': 'binary:///bin/sh' };
    const { folder } = bundle({ Labels });
    const { annotations, hooks } = JSON.parse(readFileSync(join(folder, 'out/config.json'), 'utf8'));
    expect([annotations, hooks]).toEqual([expect.objectContaining(Labels), undefined]);
    expect(bundle({ Labels }, '--strict')).toMatchObject({ status: 5, code: 'strict/notes' });
  });
});
