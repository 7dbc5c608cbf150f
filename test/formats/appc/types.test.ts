/** Where the specification and the reference parser differ, names are judged as the parser judges them. */
import { describe, expect, test } from 'vitest';
import {
  isEnvironmentName,
  isIdentifier,
  isImageId,
  isName,
  isVersion,
  nameFrom,
} from '../../../formats/appc/types.ts';
import { cpuTime } from '../support.ts';

describe('an identifier', () => {
  test.each(['a', '0', 'example.com/app', 'a-b.c_d~e/f', 'a--b', 'a//b', 'a/../b'])('may be %j', (text) => {
    expect(isIdentifier(text)).toBe(true);
  });

  test.each(['', 'App', '-a', 'a-', '/a', 'a/', '.a', 'a b', 'ä', 'a:b', 'a\n', 'a\0b'])('may not be %j', (text) => {
    expect(isIdentifier(text)).toBe(false);
  });

  test('of a million letters is judged at once', () => {
    const started = cpuTime();
    expect(isIdentifier(`${'a-'.repeat(500_000)}!`)).toBe(false);
    expect(cpuTime() - started).toBeLessThan(1000);
  });
});

test('a name has no dots and slashes', () => {
  expect(['a', 'http-8080', 'a--b'].every(isName)).toBe(true);
  expect(['', 'a.b', 'a/b', 'a_b', 'A', '-a', 'a-'].some(isName)).toBe(false);
});

test('the name of a variable may have dots and dashes, but starts like one', () => {
  expect(['A', '_', 'a.b-c', 'X9'].every(isEnvironmentName)).toBe(true);
  expect(['', '9A', 'A=B', '.a', 'a b', 'ä'].some(isEnvironmentName)).toBe(false);
});

test('an image id may be a part of one, even one that no image has, but never one of another hash', () => {
  expect(['sha512-ab', `sha512-${'0'.repeat(128)}`, 'sha512-...'].every(isImageId)).toBe(true);
  expect(['', 'sha512', 'sha512-', 'sha256-ab', 'sha512-a-b'].some(isImageId)).toBe(false);
});

describe('a version', () => {
  test.each(['0.8.11', '1.30.0', '0.8.11+git', '1.0.0-rc.1', '0.0.1', '10.20.30'])('may be %s', (text) => {
    expect(isVersion(text)).toBe(true);
  });

  test.each(['0.0.0', '1', '1.0', 'v1.0.0', '01.0.0', '1.0.0.0', ''])('may not be %j', (text) => {
    expect(isVersion(text)).toBe(false);
  });
});

test('the nearest name of an app is made of what it may have', () => {
  expect(['App', 'my_app.1', '-x-', '~', 'ÄÖ'].map(nameFrom)).toEqual(['app', 'my-app-1', 'x', 'app', 'app']);
});
