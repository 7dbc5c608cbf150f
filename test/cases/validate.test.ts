/** `validate`, as a user runs it. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scratch } from '../fixtures/peers.ts';
import { fileOf, greetingFile, ocix, output, refused } from './command.ts';

function layout(): string {
  const out = join(scratch(), 'out');
  output(['convert', '-q', greetingFile(), out]);
  return out;
}

/** A layout whose largest blob is gone, and whose index has no media type. */
function broken(): string {
  const folder = layout();
  const path = join(folder, 'index.json');
  const { mediaType: _, ...index } = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify(index));
  rmSync(join(folder, 'blobs', ...String(index.manifests[0].digest).split(':')));
  return folder;
}

describe('the verdict', () => {
  test('is the last line, and status 0 where nothing is broken', () => {
    const folder = layout();
    expect(ocix(['validate', '-q', folder])).toMatchObject({
      status: 0,
      stdout: `${folder}: OCI image layout: compliant\n`,
      stderr: '',
    });
  });

  test('is unconditional compliance where nothing that is recommended is missing either', () => {
    const { status, stdout } = ocix(['validate', '-q', '--level', 'should', layout()]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/: unconditionally compliant\n$/);
  });

  test('is status 8 where a MUST is broken, and each finding says where, what and what to do', () => {
    const { status, stdout } = ocix(['validate', '-q', broken()]);
    expect(status).toBe(8);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('MUST   oci/blob-missing');
    expect(lines[1]).toMatch(/^ {2}at {2}index\.json > greeting:latest > manifest sha256:/);
    expect(lines[2]).toMatch(/^ {6}sha256:[0-9a-f]{12}… is not in the layout$/);
    expect(lines[3]).toBe('  Copy the image again, with all of its blobs.');
    expect(lines[4]).toMatch(/^ {2}https:/);
    expect(stdout).toContain('SHOULD oci/index-media-type-given');
    expect(lines.at(-2)).toMatch(/: not compliant \(1 MUST, 1 SHOULD, \d+ notes\)$/);
  });

  test('depends on --level where only a SHOULD is not followed', () => {
    const file = fileOf(Buffer.from('{"schemaVersion":2,"manifests":[]}'), 'index');
    expect(ocix(['validate', '-q', file]).status).toBe(0);
    expect(ocix(['validate', '-q', '--level', 'should', file]).status).toBe(8);
    expect(refused(['validate', '--level', 'may', file])).toMatchObject({ status: 2 });
  });

  test('says that layers were left out', () => {
    expect(output(['validate', '-q', '--fast', layout()])).toContain(
      'as far as can be said without reading its layers',
    );
  });
});

test('--json prints one document, findings or not', () => {
  expect(JSON.parse(output(['validate', '-q', '--json', layout()]))).toMatchObject({
    format: 'oci',
    findings: [],
    level: 'must',
    verdict: { outcome: 'unconditionally compliant', must: 0, should: 0, complete: true },
  });
  const run = ocix(['validate', '-q', '--json', broken()]);
  expect(run.status).toBe(8);
  expect(JSON.parse(run.stdout)).toMatchObject({
    verdict: { outcome: 'not compliant', must: 1, should: 1 },
    findings: expect.arrayContaining([expect.objectContaining({ rule: 'oci/blob-missing', level: 'must' })]),
  });
});

describe('a source', () => {
  test('may be standard input', () => {
    const input = readFileSync(greetingFile());
    expect(output(['validate', '-q', '-'], { input })).toBe(
      'standard input: docker archive (docker save 1.10 to 24): compliant\n',
    );
  });

  test('may be a bundle that was just written', () => {
    const out = join(scratch(), 'bundle');
    output(['bundle', '-q', '--rootless', greetingFile(), out]);
    const { status, stdout } = ocix(['validate', '-q', '--level', 'should', out]);
    expect([status, stdout]).toEqual([0, expect.stringMatching(/: runtime bundle: unconditionally compliant/)]);
  });

  test('may be a document, whose kind is recognised or said', () => {
    const file = fileOf(Buffer.from('{"mediaType":"text","digest":"x","size":-1}'), 'd');
    for (const args of [[file], ['--from', 'descriptor', file], [`descriptor:${file}`]]) {
      const { status, stdout } = ocix(['validate', '-q', ...args]);
      expect(status).toBe(8);
      expect(stdout).toMatch(/: descriptor: not compliant \(3 MUST\)\n$/);
    }
  });

  test('that is nothing of the kind is refused', () => {
    expect(refused(['validate', fileOf(Buffer.from('text'), 'x')])).toMatchObject({
      status: 3,
      code: 'format/unknown',
    });
    expect(refused(['validate', '/nothing/here'])).toMatchObject({ status: 2, code: 'source/missing' });
    const input = Buffer.from('text');
    expect(refused(['validate', '-'], { input }).lines.join('\n')).toMatch(/standard input is no archive/);
    expect(refused(['validate', '--from', 'nothing', '-'], { input })).toMatchObject({
      status: 2,
      code: 'usage/option',
    });
    expect(refused(['validate', '--from', 'nothing', greetingFile()])).toMatchObject({
      status: 2,
      code: 'usage/option',
    });
  });
});

test('text of an input cannot move the cursor', () => {
  const file = fileOf(Buffer.from('{"mediaType":"\\u001b[2J","digest":"x","size":-1}'), 'd');
  expect(ocix(['validate', '-q', file]).stdout).not.toContain('\x1b');
});
