/** Shell completion, asked of the shells themselves. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runPeer, scratch, withPeer } from '../fixtures/peers.ts';
import { output, refused } from './command.ts';

/** A folder with things to complete. */
function place(): string {
  const folder = scratch();
  mkdirSync(join(folder, 'images'));
  writeFileSync(join(folder, 'image.tar'), '');
  return folder;
}

const QUESTIONS: readonly (readonly [line: string, answers: readonly string[]])[] = [
  ['ocix conv', ['convert']],
  ['ocix d', ['deb2aci', 'deb2oci', 'detect', 'diff', 'docker2aci', 'docker2oci']],
  ['ocix help val', ['validate']],
  ['ocix convert --compr', ['--compress']],
  ['ocix convert --compress ', ['gzip', 'keep', 'none', 'xz', 'zstd']],
  ['ocix convert --to oci-', ['oci-archive']],
  ['ocix validate --level ', ['must', 'should']],
  ['ocix diff --ignore mt', ['mtime']],
  ['ocix inspect --limit rat', ['ratio=']],
  ['ocix completion ', ['bash', 'fish', 'zsh']],
];

describe('bash', () => {
  /** What bash would offer for a line: with the part of the word that it splits off put in front again. */
  function offered(line: string): readonly string[] {
    const folder = place();
    writeFileSync(join(folder, '.script'), output(['completion', 'bash']));
    const ask = `. ./.script; COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'; COMP_LINE=$1 COMP_POINT=\${#1}; _ocix; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const run = spawnSync('bash', ['--norc', '-u', '-c', ask, 'bash', line], { cwd: folder, encoding: 'utf8' });
    expect(run.stderr).toBe('');
    return run.stdout.split('\n').filter(Boolean).sort();
  }
  const bash = withPeer('bash');

  bash.each(QUESTIONS)('%s', (line, answers) => {
    expect(offered(line)).toEqual(answers);
  });
  bash.each([
    ['ocix convert im', ['image.tar', 'images']],
    ['ocix convert oci:im', ['image.tar', 'images']],
    ['ocix convert docker-a', ['docker-archive:']],
    ['ocix convert --compress zstd image.tar im', ['image.tar', 'images']],
    ['ocix verify image.tar --keyring im', ['images']],
    ['ocix convert --to=oci-', ['oci-archive']],
    ['ocix convert --strict a b ', []],
    ['ocix diff a.tar bund', ['bundle:']],
  ])('%s', (line, answers) => {
    expect(offered(line)).toEqual(answers);
  });
});

describe('fish', () => {
  withPeer('fish').each([...QUESTIONS, ['ocix convert oci:im', ['oci:image.tar', 'oci:images/']] as const])(
    '%s',
    (line, answers) => {
      const folder = place();
      writeFileSync(join(folder, 'script.fish'), output(['completion', 'fish']));
      const run = spawnSync('fish', ['-N', '-c', `source script.fish; complete -C '${line}'`], {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, HOME: folder },
      });
      const found = run.stdout.split('\n').flatMap((one) => one.split('\t')[0] || []);
      expect([run.stderr, ...found.sort()]).toEqual(['', ...answers]);
    },
  );
});

describe('zsh', () => {
  withPeer('zsh')('takes the script', () => {
    const file = join(scratch(), '_ocix');
    writeFileSync(file, output(['completion', 'zsh']));
    runPeer({ tool: 'zsh', args: ['-n', file] });
    const loads = `autoload -U compinit; compinit -D -u; source ${file}; print $_comps[ocix]`;
    expect(runPeer({ tool: 'zsh', args: ['-f', '-c', loads] }).toString()).toBe('_ocix\n');
  });
});

test('a shell that nobody knows is wrong usage, with the likely one', () => {
  const refusal = refused(['completion', 'zhs']);
  expect(refusal).toMatchObject({ status: 2, code: 'usage/argument' });
  expect(refusal.lines.join(' ')).toContain('Did you mean zsh?');
});
