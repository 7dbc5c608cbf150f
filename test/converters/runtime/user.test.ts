/** R7 and R9 of conversion.md: who the process is. */
import { describe, expect, test } from 'vitest';
import { resolveUser } from '../../../converters/runtime/user.ts';
import { codeOf } from '../../formats/support.ts';
import { rootWith } from './generate.ts';

const passwd = [
  'root:x:0:0:root:/root:/bin/sh',
  '# a comment: is no user',
  'broken',
  'nouid:x::5::/:',
  'app:x:1000:2000:App:/srv/app:/bin/app',
  'app:x:1001:2001:second of its name:/other:/bin/app',
  '77:x:500:501:digits only:/seventyseven:/bin/sh',
  'high:x:4294967294:4294967294::/high:/bin/sh',
  'wrapped:x:4294967296:0::/:/bin/sh',
  'minus:x:-1:-1::/:/bin/sh',
  '',
].join('\n');
const group = [
  'root:x:0:',
  'staff:x:50:app,other',
  'app:x:2000:app',
  'video:x:44: app ,x',
  'video2:x:44:app',
  'apple:x:45:apple',
  'wrapped:x:4294967296:app',
  'alone:x:46',
].join('\n');

const { file } = rootWith({ 'etc/passwd': passwd, 'etc/group': group });
const ids = (user: string | undefined) => {
  const { uid, gid, groups } = resolveUser(user, file);
  return [uid, gid, groups];
};

describe('R7: every form of User', () => {
  test.each([
    [undefined, 0, 0],
    ['', 0, 0],
    ['app', 1000, 2000],
    ['1000', 1000, 2000],
    ['1234', 1234, 0],
    ['app:staff', 1000, 50],
    ['app:7', 1000, 7],
    ['1234:7', 1234, 7],
    ['1234:staff', 1234, 50],
    ['0:0', 0, 0],
    ['007', 7, 0],
    ['77', 77, 0],
    ['4294967294:4294967294', 4294967294, 4294967294],
    ['high', 4294967294, 4294967294],
    ['2147483648', 2147483648, 0],
  ])('%j is %d:%d', (user, uid, gid) => {
    expect(ids(user).slice(0, 2)).toEqual([uid, gid]);
  });

  test.each([
    'nobody',
    'app:nogroup',
    '1000:nogroup',
    'app:',
    ':0',
    ':',
    'app:app:app',
    '-1',
    '+0',
    '0x0',
    '1e3',
    '0 ',
    ' app',
    '1.0',
    '٣',
    '4294967295',
    '4294967296',
    '0:4294967296',
    '99999999999999999999',
    'wrapped',
    'minus',
    'app:wrapped',
    'broken',
    'nouid',
    '# a comment',
    'app\n',
  ])('%j cannot be resolved, which is an error and never root', async (user) => {
    expect(await codeOf(() => resolveUser(user, file))).toBe('image/user');
  });

  test('without a user database a name is an error, and ids are taken as they are', async () => {
    const { file: none } = rootWith();
    expect(await codeOf(() => resolveUser('root', none))).toBe('image/user');
    expect(resolveUser('5:6', none)).toEqual({ uid: 5, gid: 6, groups: [], home: undefined });
    expect(resolveUser('5', none)).toMatchObject({ uid: 5, gid: 0 });
  });

  test('a name that is not UTF-8 does not stop the others from being found', () => {
    const { file: odd } = rootWith({ 'etc/passwd': Buffer.from('\xff\xfe:x:1:1::/:\napp:x:2:3::/:\n', 'latin1') });
    expect(resolveUser('app', odd)).toMatchObject({ uid: 2, gid: 3 });
  });
});

describe('R9: supplementary groups', () => {
  test('come with a name that has no group, each once and without its own', () => {
    expect(ids('app')[2]).toEqual([50, 44]);
  });

  test.each([undefined, '1000', '1000:2000', 'app:staff', 'app:2000', 'root'])('none come with %j', (user) => {
    expect(ids(user)[2]).toEqual([]);
  });
});
