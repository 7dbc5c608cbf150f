/** The fuzzer itself: each subject for a moment, the same inputs every time; and that it sees a fault. */
import { describe, expect, test } from 'vitest';
import { OcixError } from '../../formats/base/errors.ts';
import { inputAt, tryAt } from '../fuzz/one.ts';
import { Find, outcomeOf } from '../fuzz/subject.ts';
import { SUBJECTS } from '../fuzz/subjects/index.ts';

describe.each(SUBJECTS.map(({ name }) => name))('%s', (subject) => {
  test('is made the same from the same seed, and read without a find', async () => {
    const seed = 'the same every time';
    for (let number = 0; number < 5; number++) {
      const input = await inputAt({ seed, subject, number });
      expect(input.bytes).toEqual((await inputAt({ seed, subject, number })).bytes);
      expect(await tryAt({ seed, subject, number })).toMatch(/^accepted$|^[a-z]+\/[a-z0-9-]+$/);
    }
  });
});

test('a fault is a find, and so is a refusal with the status of something else', async () => {
  const throwing = (error: Error) => outcomeOf(() => Promise.reject(error));
  await expect(throwing(new TypeError('x is undefined'))).rejects.toThrow(TypeError);
  await expect(throwing(new OcixError('output/write', 'no space'))).rejects.toThrow(Find);
  await expect(throwing(new OcixError('tar/checksum', ''))).rejects.toThrow('says nothing');
  expect(await throwing(new OcixError('tar/checksum', 'wrong'))).toBe('tar/checksum');
});
