/** Man pages and lessons, against the commands that they are about. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commandFacts } from '../../cli/facts.ts';
import { LESSONS } from '../../cli/lessons.ts';
import { manPages } from '../../cli/man/pages.ts';
import { OVERVIEW_EXAMPLES, wholeProgram } from '../../cli/program.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { fileOf } from '../cases/command.ts';
import { runPeer, scratch, withPeer } from '../fixtures/peers.ts';

const { stdout, stderr } = process;
const program = await wholeProgram({
  signal: new AbortController().signal,
  env: {},
  stdout,
  stderr,
  finish: () => {},
});
const commands = await commandFacts(program);
const pages = manPages({ version: '1.2.3', description: program.description(), examples: OVERVIEW_EXAMPLES, commands });

test('every command has a lesson, and every lesson a command', () => {
  const names = program.commands.map((command) => command.name());
  expect(names.sort()).toEqual(Object.keys(LESSONS).sort());
});

test('the options in the examples exist, and their commands are the ones taught', () => {
  for (const { name, options, lesson } of commands) {
    const lines = lesson!.examples.map(([line]) => /ocix .*/.exec(line)![0].split(/ [|>&]/)[0]!);
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) {
      expect(line).toMatch(new RegExp(`^ocix ${name}(?: |\\)|$)`));
      const used = line.match(/ --[a-z-]+/g)?.map((one) => one.trim()) ?? [];
      expect(options.map(({ long }) => long)).toEqual(expect.arrayContaining(used));
    }
  }
});

describe('man pages', () => {
  const built = join(import.meta.dirname, '../../dist/man');

  test('are built, one for each command, and the package installs them', () => {
    const names = pages.map(({ name }) => name).sort();
    expect(readdirSync(built).sort()).toEqual(names);
    expect(packageJson.man.map((path) => path.replace('dist/man/', '')).sort()).toEqual(names);
    expect(readFileSync(join(built, 'ocix.1'), 'utf8')).toContain(
      `"ocix ${packageJson.version.replaceAll('-', '\\-')}"`,
    );
  });

  test('have every option, and nothing that roff would take for a request of its own', () => {
    for (const { name, options } of commands) {
      const { text } = pages.find((page) => page.name === `ocix-${name}.1`)!;
      for (const { long } of options) expect(text).toContain(`\\fB${long.replaceAll('-', '\\-')}\\fR`);
      expect(text).toMatch(/^[\x20-\x7e\n]*$/);
      const requests = text.split('\n').filter((line) => /^[.']/.test(line));
      expect(requests.filter((line) => !/^\.(?:TH|SH|SS|TP|PP|B|BR|I|nf|fi|\\")(?: |$)/.test(line))).toEqual([]);
    }
  });

  withPeer('groff')('pass through groff without a warning, and show what is typed as it is typed', () => {
    for (const { name, text } of pages) {
      const file = fileOf(Buffer.from(text), name, scratch());
      const shown = runPeer({ tool: 'groff', args: ['-man', '-Tascii', '-P-c', '-ww', '-rLL=200n', file] }).toString();
      const plain = shown.replace(/.\x08/g, '').replace(/\x1b\[[0-9;]*m/g, '');
      const lesson = LESSONS[name.replace(/^ocix-|\.1$/g, '')];
      for (const [line] of lesson?.examples ?? []) expect(plain).toContain(line);
    }
  });

  withPeer('mandoc')('have no fault that mandoc finds', () => {
    for (const { name, text } of pages) {
      const file = fileOf(Buffer.from(text), name, scratch());
      // A page without a date is the same whenever it is built.
      const found = runPeer({ tool: 'sh', args: ['-c', 'mandoc -Tlint -W warning "$1" || :', 'sh', file] }).toString();
      expect(found.split('\n').filter((line) => line && !line.includes('missing date'))).toEqual([]);
    }
  });
});
