/** `completion`: what teaches a shell to complete the command line. */
import { Argument, type Command } from 'commander';
import { print, type Session } from '../session.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export function registerCompletion(program: Command, session: Session): void {
  program
    .command('completion')
    .summary('shell completion: a script for bash, zsh or fish')
    .description('Prints a script that completes commands, options, their values, transports and paths in SHELL.')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .action(async (shell: Shell) => {
      // The script is made of all commands, of which this one alone has been loaded.
      const [{ wholeProgram }, { commandFacts }] = await Promise.all([import('../program.ts'), import('../facts.ts')]);
      const facts = await commandFacts(await wholeProgram(session));
      await print(session, [await scriptFor(shell, facts)]);
    });
}

async function scriptFor(shell: Shell, facts: Parameters<typeof import('../completion/bash.ts').bashScript>[0]) {
  switch (shell) {
    case 'bash':
      return (await import('../completion/bash.ts')).bashScript(facts);
    case 'zsh':
      return (await import('../completion/zsh.ts')).zshScript(facts);
    case 'fish':
      return (await import('../completion/fish.ts')).fishScript(facts);
  }
}
