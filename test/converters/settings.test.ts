/** What an image runs, where only the user can say it. */
import { expect, test } from 'vitest';
import { parseCommand, withSettings } from '../../converters/passes/settings.ts';
import type { Image } from '../../formats/model/image.ts';
import { codeOf } from '../formats/support.ts';

const image: Image = {
  kind: 'image',
  names: [],
  config: {
    platform: {},
    entrypoint: [],
    cmd: [],
    env: ['A=1'],
    exposedPorts: [],
    volumes: [],
    labels: new Map([['a', 'b']]),
    onBuild: [],
    shell: [],
    other: {},
  },
  layers: [],
  history: [],
  original: {},
};

test('settings are added to what is there', () => {
  const [set] = withSettings([image], { exec: '/bin/x -y', user: 'me', env: ['B=2=3'], labels: ['c=', 'a=d'] });
  expect((set as Image).config).toMatchObject({
    entrypoint: ['/bin/x', '-y'],
    user: 'me',
    env: ['A=1', 'B=2=3'],
    labels: new Map([
      ['a', 'd'],
      ['c', ''],
    ]),
  });
});

test('without any, images are what they were', () => {
  expect(withSettings([image], { env: [], labels: [] })[0]).toBe(image);
});

test('an image that says itself what it runs is left alone', async () => {
  const runs = { ...image, config: { ...image.config, cmd: ['x'] } };
  expect(await codeOf(() => withSettings([runs], { user: 'me' }))).toBe('usage/option');
});

test.each(['=x', 'x', ''])('%j is no pair', async (text) => {
  expect(await codeOf(() => withSettings([image], { env: [text] }))).toBe('usage/option');
});

test.each([
  ['nginx', ['nginx']],
  ["nginx -g 'daemon off;'", ['nginx', '-g', 'daemon off;']],
  ['a "b \\"c\\" \\d" e\\ f', ['a', 'b "c" \\d', 'e f']],
  ["a ''", ['a', '']],
  [' ["a", "b c"] ', ['a', 'b c']],
])('%s is a command', (text, words) => {
  expect(parseCommand(text)).toEqual(words);
});

test.each(['', '  ', "'a", '"a', '[1]', '[', '[]', 'a\\', "''"])('%j is none', async (text) => {
  expect(await codeOf(() => parseCommand(text))).toBe('usage/option');
});
