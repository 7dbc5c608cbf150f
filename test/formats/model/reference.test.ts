import { describe, expect, test } from 'vitest';
import { canonicalName, checkReference, isReference, sameForm } from '../../../formats/model/reference.ts';
import { codeOf, refusalOf } from '../support.ts';

describe('a reference', () => {
  test.each([
    'app',
    'app:1.0',
    'app:_x-Y.z',
    'team/app',
    'library/app__x.y-z--w:latest',
    'localhost/app',
    'localhost:5000/team/app:1',
    'Registry.Example.COM:443/app',
    `app@sha256:${'0'.repeat(64)}`,
    `example.com/app:1@sha256:${'a'.repeat(64)}`,
    `app:${'t'.repeat(128)}`,
    '1.0',
    'latest',
    'Team/App',
    'v1--rc.1+build',
  ])('may be %s', (text) => {
    expect(isReference(text)).toBe(true);
    expect(checkReference(text)).toBe(text);
  });

  test.each([
    ['nothing', ''],
    ['a path that climbs', '../../x'],
    ['a path that climbs once, where a host would stand', '../x:1'],
    ['a folder itself, where a host would stand', './x:1'],
    ['a path that climbs further in', 'a/../b:1'],
    ['an absolute path', '/etc/passwd'],
    ['an empty part', 'a//b'],
    ['a slash at the end', 'a/'],
    ['a colon at the end', 'app:'],
    ['a space', 'a b'],
    ['a newline at the end', 'app:1\n'],
    ['a NUL', 'app\0'],
    ['a tilde', 'app~1'],
    ['a leading hyphen', '-app'],
    ['two underscores in an OCI name', 'App__x'],
    ['what is not ASCII', 'äpp'],
    ['513 bytes', 'a'.repeat(513)],
  ])('may not be %s', async (_, text) => {
    expect(isReference(text)).toBe(false);
    expect(await refusalOf(() => checkReference(text, '/RepoTags/0'))).toMatchObject({
      code: 'image/reference',
      at: ['/RepoTags/0'],
    });
  });

  test('of hostile length is refused in no time', async () => {
    const start = performance.now();
    for (const text of [`${'a-'.repeat(255)}!`, `${'a.a/'.repeat(120)}!`, `${'a'.repeat(500)}:`, '-'.repeat(511)])
      expect(await codeOf(() => checkReference(text))).toBe('image/reference');
    expect(performance.now() - start).toBeLessThan(500);
  });

  test.each([
    ['app', 'app:latest'],
    ['docker.io/library/app:latest', 'app:latest'],
    ['index.docker.io/library/app:1', 'app:1'],
    ['library/app', 'app:latest'],
    ['docker.io/team/app', 'team/app:latest'],
    ['localhost:5000/app', 'localhost:5000/app:latest'],
    ['example.com/library/app:1', 'example.com/library/app:1'],
    [`app@sha256:${'0'.repeat(64)}`, `app@sha256:${'0'.repeat(64)}`],
  ])('%s has the same form as %s', (name, form) => {
    expect(sameForm(name)).toBe(form);
    expect(sameForm(form)).toBe(form);
  });

  test.each([
    ['app', 'docker.io/library/app:latest'],
    ['app:1', 'docker.io/library/app:1'],
    ['team/app:1', 'docker.io/team/app:1'],
    ['localhost/app:1', 'localhost/app:1'],
    ['Host/app:1', 'Host/app:1'],
    ['example.com:5000/app', 'example.com:5000/app:latest'],
  ])('%s is %s where everything is said', (name, whole) => {
    expect(canonicalName(name)).toBe(whole);
    expect(sameForm(whole)).toBe(sameForm(name));
  });
});
