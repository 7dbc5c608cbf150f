/** Options, sources and names of outputs, before anything is opened. */
import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import { defaultOut } from '../../cli/commands/convert.ts';
import { checkSource, libraryOptions, wholeNumber } from '../../cli/options.ts';
import { begin, sourceOf } from '../../cli/session.ts';

const session = {
  signal: new AbortController().signal,
  env: {},
  stdout: process.stdout,
  stderr: process.stderr,
  finish: () => {},
};
const common = { dep: [], env: [], label: [], layers: 'group', progress: 'none', limit: [] } as const;

test('limits become numbers by their names; the last of one name counts', () => {
  expect(libraryOptions({ ...common, limit: ['entries=5', 'ratio=2', 'entries=6'] })).toMatchObject({
    limits: { entries: 6, ratio: 2 },
  });
  expect(libraryOptions(common).limits).toEqual({});
});

test.each([
  'entries',
  'entries=',
  'entries=-1',
  'entries=0',
  'entries=1.5',
  'entries=1e3',
  'toString=1',
  '=1',
  'entries=99999999999999999999',
])('the limit %j is wrong usage', (limit) => {
  expect(() => libraryOptions({ ...common, limit: [limit] })).toThrow(
    expect.objectContaining({ code: 'usage/option' }),
  );
});

test('a layer’s number is whole', () => {
  expect([wholeNumber('0'), wholeNumber('12')]).toEqual([0, 12]);
  for (const text of ['', '-1', '1.5', '1e3', 'x', '9999999999'])
    expect(() => wholeNumber(text)).toThrow(InvalidArgumentError);
});

test.each([
  ['xterm', true],
  ['dumb', false],
])('progress on a terminal of kind %s has bars: %s', (TERM, bars) => {
  let text = '';
  const stderr = { isTTY: true, columns: 80, write: (more: string) => (text += more) } as unknown as NodeJS.WriteStream;
  const { view } = begin({ ...session, env: { TERM }, stderr }, { ...common, progress: 'auto' });
  const layer = { number: 1, count: 1 };
  view.event({ type: 'layer-start', layer });
  view.event({ type: 'layer-end', layer, size: 100, stored: { compression: 'gzip', size: 5 } });
  view.end();
  expect(text).toContain('layer 1/1');
  expect(text.includes('\x1b')).toBe(bars);
});

describe('a source', () => {
  test('that is empty is refused', () => {
    expect(() => checkSource('')).toThrow(expect.objectContaining({ code: 'usage/argument' }));
  });
  test('of - is standard input, also behind a transport; anything else is a path', () => {
    expect(sourceOf('-', session)).toMatchObject({ name: 'standard input' });
    expect(sourceOf('-', session)).not.toHaveProperty('from');
    expect(sourceOf('tar:-', session)).toMatchObject({ name: 'standard input', from: 'tar' });
    for (const path of ['app.tar', './-', 'tar:x-', '--']) expect(sourceOf(path, session)).toBe(path);
  });
});

describe('the default output of docker2oci', () => {
  test.each([
    ['/some/where/app.tar', 'app.oci'],
    ['app.tar.bz2', 'app.oci'],
    ['app.TAR.GZ', 'app.oci'],
    ['app.tgz', 'app.oci'],
    ['app.tzst', 'app.oci'],
    ['app.1.0', 'app.1.0.oci'],
    ['app', 'app.oci'],
    ['.tar', 'image.oci'],
  ])('for %s is %s', (file, out) => expect(defaultOut(file)).toBe(out));
  test('cannot be told for standard input', () => {
    expect(() => defaultOut('-')).toThrow(expect.objectContaining({ code: 'usage/argument' }));
  });
});
