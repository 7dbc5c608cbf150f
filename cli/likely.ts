/** What somebody who mistyped a word of the command line has probably meant. The parser itself looks at whole words only. */
import type { Command, CommanderError } from 'commander';
import { didYouMean, nearest } from '../formats/base/nearest.ts';

/** A hint, with a space behind it; empty where the parser gave one itself, or nothing is near. */
export function likely({ code, message }: CommanderError, program: Command, called: string | undefined): string {
  if (message.includes('Did you mean')) return '';
  if (code === 'commander.unknownOption') {
    // Of `--opt=value` only what is in front of the value is the option.
    const [option, ...value] = (/unknown option '(.*)'/s.exec(message)?.[1] ?? '').split('=');
    const known = optionsOf(program, called);
    const found = nearest(option ?? '', known);
    if (found === undefined) return '';
    return `Did you mean ${[found, ...value].join('=')}? `;
  }
  const choices = /(?:argument|value) '(.*)' is invalid(?: for argument '.*')?\. Allowed choices are (.*)\.$/s.exec(
    message,
  );
  return choices ? didYouMean(choices[1]!, choices[2]!.split(', ')) : '';
}

function optionsOf(program: Command, called: string | undefined): readonly string[] {
  const command = program.commands.find((one) => one.name() === called) ?? program;
  return ['--help', ...command.options.flatMap(({ long }) => long ?? [])];
}
