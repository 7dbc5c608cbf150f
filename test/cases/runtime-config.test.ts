/** `runtime-config` tells its losses as `bundle` does; and what to type next can be pasted. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { aci, leastApp, leastManifest } from '../../fixtures/aci.ts';
import { scratch } from '../fixtures/peers.ts';
import { fileOf, greetingFile, OCIX, ocix, output, refused } from './command.ts';

/** What no runtime can be told. */
const app = leastApp({ isolators: [{ name: 'example.com/odd', value: { a: 1 } }] });
const lossy = (): string => fileOf(aci({ manifest: { ...leastManifest, app } }), 'app.aci');

describe('runtime-config', () => {
  test('tells what is lost on standard error, and in a report', () => {
    const report = join(scratch(), 'report.json');
    const { status, stdout, stderr } = ocix(['runtime-config', '--report', report, lossy()]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toHaveProperty('process');
    expect(stderr).toContain('example.com/odd');
    expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({
      source: { format: 'aci' },
      target: { format: 'runtime-config', out: '-' },
      notes: expect.arrayContaining([expect.objectContaining({ message: expect.stringContaining('example.com/odd') })]),
    });
    expect(ocix(['runtime-config', '-q', lossy()]).stderr).toBe('');
  });

  test('writes a page where the report is to be one', () => {
    const report = join(scratch(), 'report.html');
    output(['runtime-config', '--report', report, greetingFile()]);
    expect(readFileSync(report, 'utf8')).toMatch(/^<!doctype html>/i);
  });

  test('goes to standard output where - stands for the file', () => {
    const folder = scratch();
    const source = greetingFile();
    expect(output(['runtime-config', source, '-'], { cwd: folder })).toBe(output(['runtime-config', source]));
    expect(existsSync(join(folder, '-'))).toBe(false);
  });

  test('leaves the file that is there as it was where the new one cannot be written whole, and no other', () => {
    const folder = scratch();
    const file = fileOf(Buffer.from('{}'), 'config.json', folder);
    // A process may write files of so many blocks of a kilobyte, and is told where it is not stopped by a signal.
    const script = `trap '' XFSZ; ulimit -f 1; exec "$0" "$@"`;
    const args = ['-c', script, process.execPath, OCIX, 'runtime-config', greetingFile(), file];
    const { status, stderr } = spawnSync('bash', args, { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 7, stderr: expect.stringContaining('output/write') });
    expect([readdirSync(folder), readFileSync(file, 'utf8')]).toEqual([['config.json'], '{}']);
    output(['runtime-config', greetingFile(), file]);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toHaveProperty('process');
  });

  test('writes into what is no file, and over no folder', () => {
    const folder = scratch();
    const script = '"$0" "$@" /dev/stdout | cat';
    const args = ['-c', script, process.execPath, OCIX, 'runtime-config', greetingFile()];
    expect(JSON.parse(spawnSync('bash', args, { encoding: 'utf8' }).stdout)).toHaveProperty('process');
    expect(refused(['runtime-config', greetingFile(), folder])).toMatchObject({ status: 7, code: 'output/write' });
  });

  test('writes nothing where --strict finds something', () => {
    const file = join(scratch(), 'config.json');
    expect(refused(['runtime-config', '--strict', lossy(), file])).toMatchObject({ status: 5, code: 'strict/notes' });
    expect(existsSync(file)).toBe(false);
  });
});

describe('what to type next', () => {
  test.each([
    ['app', '(cd ./app && runc run NAME)'],
    ['./app/', '(cd ./app/ && runc run NAME)'],
    ['-v', '(cd ./-v && runc run NAME)'],
    ["it's $HOME", "(cd './it'\\''s $HOME' && runc run NAME)"],
  ])('of a bundle in %s can be pasted', (dir, line) => {
    const { status, stderr } = ocix(['bundle', greetingFile(), '--', dir], { cwd: scratch() });
    expect([status, stderr.trimEnd().split('\n').at(-1)]).toEqual([0, `Next: ${line}`]);
  });
});
