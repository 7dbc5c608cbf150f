/** Image manifests: what Go reads and we do too, what is mended with a note, and what is refused. */
import { describe, expect, test } from 'vitest';
import { leastApp, leastManifest, named } from '../../../fixtures/aci.ts';
import type { Json, JsonObject } from '../../../fixtures/image-recipe.ts';
import { parseImageManifest } from '../../../formats/appc/manifest.ts';
import { contextWith, refusalOf } from '../support.ts';
import { notesOf } from './images.ts';

function parsed(document: JsonObject | string) {
  const context = contextWith();
  const text = typeof document === 'string' ? document : JSON.stringify({ ...leastManifest, ...document });
  return { ...parseImageManifest(Buffer.from(text), context), notes: notesOf(context) };
}

/** The code and the last place of the trail. */
async function refused(document: JsonObject | string): Promise<readonly (string | undefined)[]> {
  const refusal = await refusalOf(() => parsed(document));
  return refusal ? [refusal.code, refusal.at.at(-1)] : ['no refusal'];
}

const withApp = (given: JsonObject): JsonObject => ({ app: leastApp(given) });

test('the least manifest says nothing but a name', () => {
  expect(parsed({})).toEqual({
    name: 'example.com/app',
    labels: new Map(),
    app: undefined,
    dependencies: [],
    pathWhitelist: undefined,
    annotations: new Map(),
    notes: [],
  });
});

test('every field is read', () => {
  const manifest = parsed({
    labels: named({ version: '1.0', os: 'linux', arch: 'amd64' }),
    annotations: named({ created: '2015-05-06T07:08:09Z', 'example.com/x': 'y' }),
    dependencies: [
      { imageName: 'example.com/base', imageID: 'sha512-abcd', labels: named({ version: '2' }), size: 1234 },
      { imageName: 'example.com/other', imageID: '', size: 0 },
    ],
    pathWhitelist: ['/a', '/b'],
    app: {
      exec: ['/bin/sh', '-c', 'x'],
      user: '1000',
      group: 'staff',
      supplementaryGIDs: [5, 6],
      eventHandlers: [{ name: 'pre-start', exec: ['/a'] }, { name: 'post-stop' }],
      workingDirectory: '/srv',
      environment: named({ A: '1', 'B.c-d': '' }),
      mountPoints: [
        { name: 'work', path: '/work', readOnly: true },
        { name: 'data', path: '/data' },
      ],
      ports: [{ name: 'http', protocol: 'tcp', port: 80, count: 2, socketActivated: true }],
      isolators: [{ name: 'os/linux/no-new-privileges', value: true }],
      userAnnotations: { 'Any Thing': 'x' },
      userLabels: { team: 'y' },
    },
  });
  expect(manifest.notes).toEqual([]);
  expect(Object.fromEntries(manifest.labels)).toEqual({ version: '1.0', os: 'linux', arch: 'amd64' });
  expect(manifest.annotations.get('example.com/x')).toBe('y');
  expect(manifest.pathWhitelist).toEqual(['/a', '/b']);
  expect(manifest.dependencies).toEqual([
    { imageName: 'example.com/base', imageId: 'sha512-abcd', labels: new Map([['version', '2']]), size: 1234 },
    { imageName: 'example.com/other', imageId: undefined, labels: new Map(), size: undefined },
  ]);
  expect(manifest.app).toEqual({
    exec: ['/bin/sh', '-c', 'x'],
    user: '1000',
    group: 'staff',
    supplementaryGids: [5, 6],
    eventHandlers: [
      { name: 'pre-start', exec: ['/a'] },
      { name: 'post-stop', exec: [] },
    ],
    workingDirectory: '/srv',
    environment: [
      { name: 'A', value: '1' },
      { name: 'B.c-d', value: '' },
    ],
    mountPoints: [
      { name: 'work', path: '/work', readOnly: true },
      { name: 'data', path: '/data', readOnly: false },
    ],
    ports: [{ name: 'http', protocol: 'tcp', port: 80, count: 2, socketActivated: true }],
    isolators: [{ name: 'os/linux/no-new-privileges', value: true, pointer: '/app/isolators/0' }],
    userAnnotations: new Map([['Any Thing', 'x']]),
    userLabels: new Map([['team', 'y']]),
  });
});

describe('as Go reads JSON', () => {
  test('the case of members does not matter, and null is absent', () => {
    const { name, app } = parsed(
      '{"ACKIND":"ImageManifest","acversion":"0.8.11","NAME":"a","APP":{"User":"0","GROUP":"1","supplementaryGids":[7],"exec":null}}',
    );
    expect([name, app?.user, app?.group, app?.supplementaryGids, app?.exec]).toEqual(['a', '0', '1', [7], []]);
  });

  test('of two members of one name the last counts, with a note', () => {
    const { name, notes } = parsed('{"acKind":"ImageManifest","acVersion":"0.8.11","name":"a","name":"b"}');
    expect(name).toBe('b');
    expect(notes).toEqual(['repaired: the manifest has name twice; the last one counts']);
  });

  test('what nobody knows is passed over', () => {
    expect(parsed({ future: { anything: [1] }, app: leastApp({ more: null }) }).notes).toEqual([]);
  });

  test.each([
    ['a byte order mark', '\ufeff{}', 'json/encoding'],
    ['a comma too many', '{"name":"a",}', 'json/syntax'],
    ['a second document', '{}{}', 'json/syntax'],
    ['nothing', '', 'json/syntax'],
    ['a list', '[]', 'json/type'],
  ])('%s is refused', async (_, text, code) => {
    expect((await refused(text))[0]).toBe(code);
  });
});

describe('is mended with a note', () => {
  test('a manifest without acKind and acVersion', () => {
    expect(parsed({ acKind: undefined }).notes).toEqual(['repaired: the manifest has no acKind']);
    expect(parsed('{"name":"a"}').notes).toEqual(['repaired: the manifest has no acKind and no acVersion']);
  });

  test('a label, an annotation or a variable that is there twice', () => {
    const twice = (name: string) => [
      { name, value: '1' },
      { name, value: '2' },
    ];
    expect(parsed({ labels: twice('version') })).toMatchObject({
      labels: new Map([['version', '2']]),
      notes: ['repaired: version is there twice; the last value counts'],
    });
    expect(parsed({ annotations: twice('a') }).notes).toEqual(['repaired: a is there twice; the last value counts']);
    expect(parsed(withApp({ environment: twice('A') }))).toMatchObject({
      app: { environment: [{ name: 'A', value: '2' }] },
      notes: ['repaired: A is set twice; the last value counts'],
    });
  });
});

describe('is refused, and the place is named', () => {
  const isolator = { name: 'os/linux/no-new-privileges', value: true };
  test.each<[string, JsonObject, string, string | undefined]>([
    ['a pod manifest', { acKind: 'PodManifest' }, 'appc/manifest', '/acKind'],
    ['the version 0.0.0', { acVersion: '0.0.0' }, 'appc/manifest', '/acVersion'],
    ['a version that is none', { acVersion: 'new' }, 'appc/manifest', '/acVersion'],
    ['no name', { name: undefined }, 'json/type', undefined],
    ['a name with capitals', { name: 'Example.com/App' }, 'appc/manifest', '/name'],
    ['a name that is a number', { name: 7 }, 'json/type', '/name'],
    ['labels that are an object', { labels: { os: 'linux' } }, 'json/type', '/labels'],
    ['a label called name', { labels: named({ name: 'x' }) }, 'appc/manifest', '/labels'],
    ['a label with capitals', { labels: named({ OS: 'linux' }) }, 'appc/manifest', '/labels/0/name'],
    ['a label without a name', { labels: [{ value: 'x' }] }, 'json/type', '/labels/0'],
    ['a label that is a number', { labels: named({ os: 7 }) }, 'json/type', '/labels/0/value'],
    ['an annotation with blanks', { annotations: named({ 'a b': '' }) }, 'appc/manifest', '/annotations/0/name'],
    ['a dependency without a name', { dependencies: [{ imageID: 'sha512-ab' }] }, 'json/type', '/dependencies/0'],
    [
      'a dependency on a name that is none',
      { dependencies: [{ imageName: 'A' }] },
      'appc/manifest',
      '/dependencies/0/imageName',
    ],
    [
      'an id of another hash',
      { dependencies: [{ imageName: 'a', imageID: 'sha256-ab' }] },
      'appc/manifest',
      '/dependencies/0/imageID',
    ],
    ['a size below nothing', { dependencies: [{ imageName: 'a', size: -1 }] }, 'json/type', '/dependencies/0/size'],
    ['a whitelist of numbers', { pathWhitelist: [1] }, 'json/type', '/pathWhitelist/0'],
    ['an app without a user', { app: { exec: ['/a'], group: '0' } }, 'json/type', '/app'],
    ['an app without a group', { app: { exec: ['/a'], user: '0' } }, 'json/type', '/app'],
    ['an empty user', withApp({ user: '' }), 'appc/manifest', '/app/user'],
    ['a user that is a number', withApp({ user: 0 }), 'json/type', '/app/user'],
    ['exec that is a string', withApp({ exec: '/bin/sh' }), 'json/type', '/app/exec'],
    ['a group id that is a string', withApp({ supplementaryGIDs: ['5'] }), 'json/type', '/app/supplementaryGIDs/0'],
    ['a group id with a fraction', withApp({ supplementaryGIDs: [1.5] }), 'json/type', '/app/supplementaryGIDs/0'],
    [
      'the group id that means none',
      withApp({ supplementaryGIDs: [2 ** 32 - 1] }),
      'appc/manifest',
      '/app/supplementaryGIDs/0',
    ],
    [
      'an unknown event',
      withApp({ eventHandlers: [{ name: 'pre-stop', exec: [] }] }),
      'appc/manifest',
      '/app/eventHandlers/0/name',
    ],
    ['a relative folder', withApp({ workingDirectory: 'srv' }), 'appc/manifest', '/app/workingDirectory'],
    [
      'a variable that is none',
      withApp({ environment: named({ '1A': '' }) }),
      'appc/manifest',
      '/app/environment/0/name',
    ],
    ['a mount point without a path', withApp({ mountPoints: [{ name: 'a' }] }), 'json/type', '/app/mountPoints/0'],
    [
      'a mount point with a bad name',
      withApp({ mountPoints: [{ name: 'A', path: '/' }] }),
      'appc/manifest',
      '/app/mountPoints/0/name',
    ],
    [
      'readOnly that is a string',
      withApp({ mountPoints: [{ name: 'a', path: '/', readOnly: 'yes' }] }),
      'json/type',
      '/app/mountPoints/0/readOnly',
    ],
    ['port 0', withApp({ ports: [port({ port: 0 })] }), 'appc/manifest', '/app/ports/0/port'],
    ['port 65536', withApp({ ports: [port({ port: 65536 })] }), 'appc/manifest', '/app/ports/0/port'],
    [
      'a range past the last port',
      withApp({ ports: [port({ port: 65535, count: 2 })] }),
      'appc/manifest',
      '/app/ports/0/count',
    ],
    ['a port without a protocol', withApp({ ports: [port({ protocol: undefined })] }), 'json/type', '/app/ports/0'],
    [
      'an isolator without a name',
      withApp({ isolators: [{ ...isolator, name: undefined }] }),
      'json/type',
      '/app/isolators/0',
    ],
    ['a user label that is no string', withApp({ userLabels: { a: 1 } }), 'json/type', '/app/userLabels/a'],
    [
      'user annotations that are a list',
      withApp({ userAnnotations: named({ a: 'b' }) }),
      'json/type',
      '/app/userAnnotations',
    ],
  ])('%s', async (_, document, code, at) => {
    expect(await refused(document)).toEqual([code, at]);
  });

  test('with what was found, cut short and without control characters', async () => {
    const refusal = await refusalOf(() => parsed({ name: `\u001b[2J${'A'.repeat(10_000)}` }));
    expect(refusal?.found?.length).toBeLessThan(120);
    expect(refusal?.found).not.toContain('\u001b');
  });
});

test('the last port is a port, and a range may end there', () => {
  const { app } = parsed(withApp({ ports: [port({ port: 65535 }), port({ port: 65534, count: 2 })] }));
  expect(app?.ports.map(({ count }) => count)).toEqual([1, 2]);
});

test('a range of no ports is one port, as the reference parser reads it', () => {
  expect(parsed(withApp({ ports: [port({ count: 0 })] })).app?.ports[0]?.count).toBe(1);
});

function port(given: { readonly [name: string]: Json | undefined }): JsonObject {
  return { name: 'a', protocol: 'tcp', port: 80, ...given };
}
