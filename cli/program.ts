/** The commands, and what a command line comes to: output, or an error and its exit status. */
import { Command, CommanderError } from 'commander';
import { OcixError, STATUS } from '../formats/base/errors.ts';
import { didYouMean } from '../formats/base/nearest.ts';
import { printable } from '../formats/bytes/text.ts';
import packageJson from '../package.json' with { type: 'json' };
import { checkArguments } from './arguments.ts';
import type { Example } from './lessons.ts';
import { likely } from './likely.ts';
import { errorText, faultText } from './render/error.ts';
import { formatHelp } from './render/help.ts';
import { paintFor } from './render/terminal.ts';
import type { Session } from './session.ts';

type Register = (program: Command, session: Session) => void;

/** In the order of the help. A command is loaded when it is called, or when the help speaks of all of them. */
const COMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  convert: async () => (await import('./commands/convert.ts')).registerConvert,
  docker2oci: async () => (await import('./commands/convert.ts')).registerDocker2oci,
  aci2oci: async () => (await import('./commands/convert.ts')).registerAci2oci,
  deb2oci: async () => (await import('./commands/convert.ts')).registerDeb2oci,
  deb2aci: async () => (await import('./commands/aci.ts')).registerDeb2aci,
  docker2aci: async () => (await import('./commands/aci.ts')).registerDocker2aci,
  bundle: async () => (await import('./commands/bundle.ts')).registerBundle,
  unpack: async () => (await import('./commands/bundle.ts')).registerUnpack,
  'runtime-config': async () => (await import('./commands/bundle.ts')).registerRuntimeConfig,
  migrate: async () => (await import('./commands/migrate.ts')).registerMigrate,
  inspect: async () => (await import('./commands/inspect.ts')).registerInspect,
  ls: async () => (await import('./commands/ls.ts')).registerLs,
  diff: async () => (await import('./commands/diff.ts')).registerDiff,
  validate: async () => (await import('./commands/validate.ts')).registerValidate,
  verify: async () => (await import('./commands/verify.ts')).registerVerify,
  detect: async () => (await import('./commands/detect.ts')).registerDetect,
  completion: async () => (await import('./commands/completion.ts')).registerCompletion,
};

export const OVERVIEW_EXAMPLES: readonly Example[] = [
  ['ocix convert app.tar out/', 'a docker save archive of any age, to an OCI image layout'],
  ['ocix inspect app.tar', 'what is in it, and what it would run'],
  ['ocix ls app.tar /etc', 'its files'],
  ['ocix convert oci:out:app:1 more/', 'one image of a layout, into another'],
  ['ocix validate oci:out', 'whether it keeps to the specification'],
  ['ocix detect unknown.bin', 'what a file is, and why'],
];

const OVERVIEW = `
Most people need:
${OVERVIEW_EXAMPLES.map(([line, meaning]) => `  ${line.padEnd(33)}  ${meaning}\n`).join('')}
ocix help COMMAND says more, with examples; docs/ the rest. ocix completion bash|zsh|fish teaches your shell.
`;

/** With every command loaded. */
export const wholeProgram = (session: Session): Promise<Command> => programFor(undefined, session);

async function programFor(called: string | undefined, session: Session): Promise<Command> {
  const program = new Command('ocix')
    .description('Converts the container world’s old image formats to OCI. It needs no daemon and no privileges.')
    .version(packageJson.version, '--version', 'print the version; with --json also what it works with')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help')
    .addHelpText('after', OVERVIEW)
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  const only = called !== undefined && Object.hasOwn(COMMANDS, called) ? COMMANDS[called] : undefined;
  for (const load of only ? [only] : Object.values(COMMANDS)) (await load())(program, session);
  for (const command of program.commands) {
    command
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .configureHelp({ formatHelp })
      .allowExcessArguments(false);
  }
  return program;
}

/** Runs one command line and gives the exit status. */
export async function main(args: readonly string[], streams: Omit<Session, 'finish'>): Promise<number> {
  let status = 0;
  const session: Session = {
    ...streams,
    finish(found) {
      status = found;
    },
  };
  const program = await programFor(args[0], session);
  if (!args.length) {
    session.stdout.write(program.helpInformation() + OVERVIEW);
    return 0;
  }
  try {
    checkArguments(args);
    checkHelped(args);
    await program.parseAsync([...args], { from: 'user' });
    return status;
  } catch (error) {
    return failed(error, { program, called: args[0] }, session);
  }
}

/** The parser would answer with the whole help, as an error. @throws OcixError usage/argument */
function checkHelped([called, topic]: readonly string[]): void {
  if (called !== 'help' || topic === undefined || topic === 'help' || topic.startsWith('-')) return;
  if (Object.hasOwn(COMMANDS, topic)) return;
  throw new OcixError('usage/argument', `there is no command ${printable(topic)}`, {
    hint: `${didYouMean(topic, Object.keys(COMMANDS))}ocix --help shows the commands.`,
  });
}

/** Where it is not that of SIGINT. */
const INTERRUPTIONS: Readonly<Record<string, number>> = { SIGHUP: 129, SIGTERM: 143 };

interface Failed {
  readonly program: Command;
  readonly called: string | undefined;
}

function failed(error: unknown, { program, called }: Failed, { stderr, env, signal }: Session): number {
  const paint = paintFor(stderr, env);
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    const [what = '', ...hints] = error.message.replace(/^error: /, '').split('\n');
    const hint = [
      likely(error, program, called).trim(),
      ...hints.map((one) => one.replace(/^\((.*)\)$/, '$1')),
      'ocix --help shows the commands, ocix COMMAND --help their options.',
    ];
    stderr.write(
      `${errorText(new OcixError('usage/argument', what, { hint: hint.filter(Boolean).join(' ') }), paint)}\n`,
    );
    return STATUS.usage;
  }
  if (error instanceof OcixError) {
    // Where standard output is lost, that is what there is to say, and it is said where it was noticed.
    const gone = (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EPIPE';
    if (gone || (error.code === 'interrupted' && signal.reason === 'output')) return error.status;
    stderr.write(`${errorText(error, paint)}\n`);
    return error.code === 'interrupted' ? (INTERRUPTIONS[String(signal.reason)] ?? error.status) : error.status;
  }
  stderr.write(`${faultText(error)}\n`);
  if (env['OCIX_TRACE'] && error instanceof Error) stderr.write(`${error.stack}\n`);
  return STATUS.fault;
}
