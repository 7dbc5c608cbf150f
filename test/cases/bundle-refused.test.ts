/** Images that cannot run are refused before anything is unpacked: here every layer is one that cannot be unpacked either. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { tar } from '../../fixtures/tar.ts';
import { scratch } from '../fixtures/peers.ts';
import { fileOf, refused } from './command.ts';

const broken = tar([{ name: 'x', type: '1', link: 'missing' }]);

function refusal(command: string, config: object, more: object = {}) {
  const folder = scratch();
  const image = { layers: [broken], config: { config: { Cmd: ['/x'], ...config }, ...more } };
  const file = fileOf(dockerSave(image as never, { generation: '1.10' }), 'app.tar', folder);
  const out = join(folder, 'out');
  const run = refused(command === 'bundle' ? ['bundle', '-q', file, out] : ['runtime-config', file]);
  expect(existsSync(out)).toBe(false);
  return run;
}

describe.each(['bundle', 'runtime-config'])('%s refuses, before it comes to the layers,', (command) => {
  test.each<readonly [string, object]>([
    ['nothing to run', { Cmd: null }],
    ['a NUL byte in an argument', { Cmd: ['/x', 'a\0b'] }],
    ['a variable without a name', { Env: ['=x'] }],
    ['a relative working directory', { WorkingDir: 'srv' }],
    ['a working directory among descriptors', { WorkingDir: '/proc/self/fd/7' }],
    ['a volume that climbs', { Volumes: { '/../etc': {} } }],
  ])('%s', (_, config) => {
    expect(refusal(command, config)).toMatchObject({ status: 4, code: 'image/config' });
  });

  test.each(['root:', '4294967295', '0:99999999999', 'a:b:c'])('the user %s, who is none', (User) => {
    expect(refusal(command, { User })).toMatchObject({ status: 4, code: 'image/user' });
  });

  test('an image of another system', () => {
    expect(refusal(command, {}, { os: 'windows' })).toMatchObject({ status: 3, code: 'format/unsupported' });
  });

  test('but not a user by name, who has to be looked up', () => {
    expect(refusal(command, { User: 'app' })).toMatchObject({ code: 'path/link' });
  });
});
