import { describe, expect, test } from 'vitest';
import { CODES, OcixError, STATUS, within, withinSync } from '../../../formats/base/errors.ts';
import { refusalOf } from '../support.ts';

describe('OcixError', () => {
  test('every code ends in a status of the command line contract, and none in that of a fault', () => {
    const statuses: readonly number[] = Object.values(STATUS);
    for (const [code, status] of Object.entries(CODES)) {
      expect(statuses, code).toContain(status);
      expect(status, code).not.toBe(STATUS.fault);
    }
  });

  test('the status follows from the code', () => {
    expect(new OcixError('format/unknown', 'x').status).toBe(3);
    expect(new OcixError('tar/checksum', 'x').status).toBe(4);
    expect(new OcixError('strict/notes', 'x').status).toBe(5);
    expect(new OcixError('output/exists', 'x').status).toBe(7);
    expect(new OcixError('interrupted', 'x').status).toBe(130);
  });

  test('within() puts places in front of the trail and keeps everything else', () => {
    const cause = new Error('inner');
    const details = { at: ['b'], expected: '1', found: '2', hint: 'Do it.', cause };
    const outer = new OcixError('size/mismatch', 'message', details).within('root', 'a');
    expect(outer.at).toEqual(['root', 'a', 'b']);
    expect(outer).toMatchObject({
      code: 'size/mismatch',
      message: 'message',
      expected: '1',
      found: '2',
      hint: 'Do it.',
    });
    expect(outer.cause).toBe(cause);
  });

  test('within() without a place gives the same error', () => {
    const error = new OcixError('tar/pax', 'x');
    expect(error.within()).toBe(error);
  });
});

describe('within and withinSync', () => {
  test('lengthen the trail of a refusal, from the inside out', async () => {
    const refusal = await refusalOf(() =>
      within('outer', () =>
        within('middle', async () =>
          withinSync('inner', () => {
            throw new OcixError('json/type', 'x');
          }),
        ),
      ),
    );
    expect(refusal?.at).toEqual(['outer', 'middle', 'inner']);
  });

  test('let what is not a refusal through as it is', async () => {
    const fault = new TypeError('a fault');
    const fail = () => {
      throw fault;
    };
    await expect(within('here', async () => fail())).rejects.toBe(fault);
    expect(() => withinSync('here', fail)).toThrow(fault);
  });

  test('give back what the work gives', async () => {
    expect(await within('here', async () => 7)).toBe(7);
    expect(withinSync('here', () => 8)).toBe(8);
  });
});
