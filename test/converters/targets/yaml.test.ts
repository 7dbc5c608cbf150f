import { expect, test } from 'vitest';
import { yamlText } from '../../../converters/targets/yaml.ts';
import { runPeer, withPeer } from '../../fixtures/peers.ts';

test('values stand in blocks, with quotes where a text could be something else', () => {
  const value = {
    a: 'text',
    b: ['one', { c: 1, d: [] }, ['x']],
    'e f': {},
    g: [[{ h: true, i: null }]],
    j: { k: '1' },
  };
  expect(yamlText(value)).toBe(
    [
      'a: text',
      'b:',
      '  - one',
      '  - c: 1',
      '    d: []',
      '  - - x',
      '"e f": {}',
      'g:',
      '  - - h: true',
      '      i: null',
      'j:',
      '  k: "1"',
      '',
    ].join('\n'),
  );
});

test.each([
  '',
  'yes',
  'No',
  'null',
  '~',
  '1.0',
  '-x',
  '#c',
  'a: b',
  'a ',
  '@x',
  'x\ny',
  '0x1',
  '1e3',
  '{',
  'a#b',
  '.inf',
])('the text %j is quoted', (text) => expect(yamlText([text])).toBe(`- ${JSON.stringify(text)}\n`));

test('what YAML does not print is escaped, and half a character is replaced', () => {
  expect(yamlText('a\u0085\u2028\ufeff\u007f')).toBe('"a\\u0085\\u2028\\ufeff\\u007f"\n');
  expect(yamlText('\ud800x')).toBe('"\ufffdx"\n');
  expect(yamlText('\u{1f600}é')).toBe('"\u{1f600}é"\n');
});

withPeer('python3')('another parser reads the same', () => {
  const value = {
    ...Object.fromEntries(
      ['y', 'off', '2001-01-01', '1:30', '=', '<<', 'a"b', "a'b", 'a\\b', '\t', '|', 'ok'].map((text) => [text, text]),
    ),
    nested: [[], {}, [[]], [{ a: [{ b: ['c', 1, -2.5, false, null] }] }]],
    controls: Array.from({ length: 0xa1 }, (_, i) => String.fromCharCode(i)).join(''),
  };
  const script =
    'import sys,json\ntry:\n import yaml\nexcept ImportError:\n print("absent"); sys.exit()\nprint(json.dumps(yaml.safe_load(sys.stdin.buffer.read())))';
  const read = runPeer({ tool: 'python3', args: ['-c', script], input: Buffer.from(yamlText(value)) }).toString();
  if (read.trim() !== 'absent') expect(JSON.parse(read)).toEqual(value);
});
