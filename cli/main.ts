/** The command `ocix`: its arguments, its exit status, and what it does when it is interrupted. */
import { setFlagsFromString } from 'node:v8';
import { Command, CommanderError } from 'commander';
import { OcixError, STATUS } from '../formats/base/errors.ts';
import packageJson from '../package.json' with { type: 'json' };
import { registerBundle, registerRuntimeConfig, registerUnpack } from './commands/bundle.ts';
import { registerConvert, registerDocker2oci } from './commands/convert.ts';
import { registerDetect } from './commands/detect.ts';
import { registerDiff } from './commands/diff.ts';
import { registerInspect } from './commands/inspect.ts';
import { registerLs } from './commands/ls.ts';
import { errorText, faultText } from './render/error.ts';
import { paintFor } from './render/terminal.ts';
import type { Session } from './session.ts';

const OVERVIEW = `
Most people need:
  ocix convert app.tar out/          a docker save archive of any age, to an OCI image layout
  ocix inspect app.tar               what is in it, and what it would run
  ocix ls app.tar /etc               its files
  ocix convert oci:out:app:1 more/   one image of a layout, into another
  ocix detect unknown.bin            what a file is, and why

ocix COMMAND --help says more, docs/ the rest.
`;

function programFor(session: Session): Command {
  const program = new Command('ocix')
    .description('Converts the container world’s old image formats to OCI. It needs no daemon and no privileges.')
    .version(packageJson.version, '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help')
    .addHelpText('after', OVERVIEW)
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  for (const register of [
    registerConvert,
    registerDocker2oci,
    registerBundle,
    registerUnpack,
    registerRuntimeConfig,
    registerInspect,
    registerLs,
    registerDiff,
    registerDetect,
  ])
    register(program, session);
  for (const command of program.commands)
    command
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .allowExcessArguments(false);
  return program;
}

/** Runs one command line and gives the exit status. */
async function main(args: readonly string[], streams: Omit<Session, 'finish'>): Promise<number> {
  let status = 0;
  const session: Session = {
    ...streams,
    finish(found) {
      status = found;
    },
  };
  const program = programFor(session);
  if (!args.length) {
    session.stdout.write(program.helpInformation() + OVERVIEW);
    return 0;
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return status;
  } catch (error) {
    return failed(error, session);
  }
}

function failed(error: unknown, { stderr, env, signal }: Session): number {
  const paint = paintFor(stderr, env);
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    const [what = '', ...hints] = error.message.replace(/^error: /, '').split('\n');
    stderr.write(
      `${errorText(new OcixError('usage/argument', what, { hint: [...hints.map((hint) => hint.replace(/^\((.*)\)$/, '$1')), 'ocix --help shows the commands, ocix COMMAND --help their options.'].join(' ') }), paint)}\n`,
    );
    return STATUS.usage;
  }
  if (error instanceof OcixError) {
    stderr.write(`${errorText(error, paint)}\n`);
    return error.code === 'interrupted' && signal.reason === 'SIGTERM' ? 143 : error.status;
  }
  stderr.write(`${faultText(error)}\n`);
  if (env['OCIX_TRACE'] && error instanceof Error) stderr.write(`${error.stack}\n`);
  return STATUS.fault;
}

/** A reader of standard output that goes away (`| head`) ends the run; there is nobody to tell. */
function onClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(STATUS.output);
  throw error;
}

// What entries leave behind dies young. A nursery that grows for it costs 25 MB and saves no time.
setFlagsFromString('--semi-space-growth-factor=1');

const controller = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  // A second signal ends at once: the default of the system.
  process.once(name, () => controller.abort(name));
}
process.stdout.on('error', onClosedPipe);
process.stderr.on('error', onClosedPipe);
process.exitCode = await main(process.argv.slice(2), {
  signal: controller.signal,
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
});
