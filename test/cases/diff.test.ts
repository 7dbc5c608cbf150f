/** `diff` and targets that go to standard output, as a user runs them. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dockerFile, varied } from '../converters/targets/archives.ts';
import { scratch } from '../fixtures/peers.ts';
import { greetingFile, ocix, output, refused } from './command.ts';

describe('diff', () => {
  test('prints nothing and ends in 0 where an image and its conversion are compared', () => {
    const out = join(scratch(), 'out');
    output(['convert', '-q', greetingFile(), out]);
    expect(ocix(['diff', '-q', greetingFile(), `oci:${out}`])).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  test('prints a line a difference and ends in 8', () => {
    const { status, stdout } = ocix(['diff', '-q', greetingFile(), dockerFile(varied())]);
    expect(status).toBe(8);
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['changed\tconfig\tenv', 'added\t/kept/file']));
  });

  test('prints one JSON document', () => {
    const { status, stdout } = ocix(['diff', '-q', '--json', greetingFile(), dockerFile(varied())]);
    expect(status).toBe(8);
    expect(JSON.parse(stdout)).toMatchObject({ equal: false, differences: expect.any(Array) });
  });

  test('reads one of the two from standard input, and not both', () => {
    const input = spawnSync('cat', [greetingFile()], { maxBuffer: 1 << 26 }).stdout;
    expect(ocix(['diff', '-q', '-', greetingFile()], { input })).toMatchObject({ status: 0, stdout: '' });
    expect(refused(['diff', '-', '-'])).toMatchObject({ status: 2, code: 'usage/argument' });
  });

  test('refuses a field that does not exist', () => {
    expect(refused(['diff', '--ignore', 'colour', greetingFile(), greetingFile()])).toMatchObject({
      status: 2,
      code: 'usage/option',
    });
  });
});

describe('standard output', () => {
  test.each(['tar', 'docker-archive', 'oci-archive'])('takes a %s, and the result lines go elsewhere', (to) => {
    const { status, stderr, stdout } = ocix(['convert', '--to', to, greetingFile(), '-']);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^greeting:latest\tsha256:[0-9a-f]{64}\t-$/m);
    expect(stdout).not.toContain('\tsha256:');
  });

  test('does not take a folder', () => {
    expect(refused(['convert', greetingFile(), '-'])).toMatchObject({ status: 2, code: 'usage/argument' });
  });
});

describe('diff of what was made of an image', () => {
  test('prints texts, and says on standard error where differences come from and what was not compared', () => {
    const folder = join(scratch(), 'app');
    output(['bundle', '-q', '--rootless', greetingFile(), folder]);
    writeFileSync(join(folder, 'rootfs/evil'), '');
    const file = join(folder, 'rootfs/etc/passwd');
    writeFileSync(file, `${readFileSync(file, 'utf8')}\x1b[2J\tx\n`);
    const args = ['diff', '--ignore', 'mtime', greetingFile(), `bundle:${folder}`];
    const { status, stdout, stderr } = ocix([...args, '--content']);
    expect(status).toBe(8);
    expect(stdout).toMatch(/^changed\t\/etc\/passwd\tsize,content\n {2}@@/m);
    expect(stdout).toContain('  +\\x1b[2J\tx\n');
    expect(stdout).toMatch(/^added\t\/evil$/m);
    expect(stderr).toMatch(/^2 differences\n {2}A layer \d {2}[0-9a-f]{12} {2}1 changed\n$/);
    expect(ocix([...args, '-q'])).toMatchObject({ status: 8, stderr: '' });
    expect(ocix(['diff', '--json', greetingFile(), join(folder, 'rootfs')]).stderr).toContain('not compared: B: ');
  });
});
