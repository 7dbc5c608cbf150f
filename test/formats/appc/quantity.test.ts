/** Amounts in isolators: section 6 of the fact sheet for App Container Images, and the acceptance cases. */
import { describe, expect, test } from 'vitest';
import { parseQuantity } from '../../../formats/appc/quantity.ts';
import type { Json } from '../../../formats/json/parse.ts';
import { codeOf, refusalOf } from '../support.ts';

describe('whole units', () => {
  test.each<[Json, number]>([
    ['2Gi', 2147483648],
    ['1G', 1000000000],
    ['1.5G', 1500000000],
    ['1e6', 1000000],
    ['1E6', 1000000],
    ['1073741824', 1073741824],
    [1073741824, 1073741824],
    ['64000k', 64000000],
    ['65536K', 65536000],
    ['65536Ki', 67108864],
    ['128Mi', 134217728],
    ['1.5Gi', 1610612736],
    ['3T', 3e12],
    ['1Ti', 1099511627776],
    ['1P', 1e15],
    ['1Pi', 1125899906842624],
    ['0.001E', 1e15],
    ['0', 0],
    ['0E', 0],
    ['+5', 5],
    ['5.', 5],
    ['.5', 1],
    ['1e-2', 1],
    ['1e+2', 100],
    [1e11, 1e11],
    [0.5, 1],
    [1e-7, 1],
    ['9007199254740991', 9007199254740991],
  ])('%j is %d', (value, amount) => {
    expect(parseQuantity(value, 'one')).toBe(amount);
  });

  test.each(['1n', '999u', '1m', '1000m', '0.0000000000000000001'])('%s is rounded up to 1', (value) => {
    expect(parseQuantity(value, 'one')).toBe(1);
  });

  test('what comes out even is not rounded, however many digits it has', () => {
    expect(parseQuantity('3000000000n', 'one')).toBe(3);
    expect(parseQuantity('3000000001n', 'one')).toBe(4);
    expect(parseQuantity('4503599627370497.0', 'one')).toBe(4503599627370497);
  });
});

test.each<[Json, number]>([
  ['500m', 500],
  ['2', 2000],
  [2, 2000],
  ['1.5', 1500],
  [1.5, 1500],
  ['0.1', 100],
  ['100u', 1],
  ['1001u', 2],
  ['1k', 1000000],
  ['1Ki', 1024000],
])('%j is %d thousandths', (value, amount) => {
  expect(parseQuantity(value, 'milli')).toBe(amount);
});

test.each<Json>([
  '',
  '.',
  'm',
  '-1',
  -1,
  '1 ',
  ' 1',
  '1\n',
  '1,5',
  '0x10',
  '1e',
  '1e6Gi',
  '1ki',
  '1g',
  '1mi',
  '1ni',
  '1GiB',
  'Gi',
  '١',
  '1e100',
  '9007199254740992',
  '8Ei',
  1e300,
  `1${'0'.repeat(64)}`,
  null,
  true,
  [[1]],
  { limit: 1 },
])('%j is refused', async (value) => {
  expect(await codeOf(() => parseQuantity(value, 'one'))).toBe('image/config');
});

test('the refusal shows what was found, made safe to print, and what is wanted', async () => {
  const refusal = await refusalOf(() => parseQuantity('1\u001b[2J\u202e', 'one'));
  expect([refusal?.message, refusal?.expected]).toEqual([
    '"1\\u001b[2J\\u202e" is no amount',
    expect.stringContaining('suffix'),
  ]);
});
