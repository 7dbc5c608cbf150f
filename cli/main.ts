/** The command `ocix`: its streams, and what it does when it is interrupted or nobody reads its output. */
import { outputError } from '../formats/bytes/output-error.ts';
import packageJson from '../package.json' with { type: 'json' };

const controller = new AbortController();
// A terminal that goes away is a reason to tidy up as well; `nohup` does not help, since Node takes such signals back from being ignored.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // A second signal ends at once: the default of the system.
  process.once(name, () => controller.abort(name));
}
let lost: NodeJS.ErrnoException | undefined;
process.stdout.on('error', (error) => {
  lost ??= error;
  controller.abort('output');
});
// Nobody hears what is said; what was asked for is done all the same.
process.stderr.on('error', () => {});
// A stream may fail when everything else is over.
process.once('exit', () => {
  if (lost) process.exitCode = endLost(lost, process.exitCode);
});

const args = process.argv.slice(2);
// Scripts ask often, and the commands are not needed to answer.
if (args.length === 1 && args[0] === '--version') process.stdout.write(`${packageJson.version}\n`);
else if (args.length === 2 && ['--version', '--json'].every((one) => args.includes(one))) await printFacts();
else process.exitCode = await run();

async function printFacts(): Promise<void> {
  const { versionFacts } = await import('./engines.ts');
  process.stdout.write(`${JSON.stringify(await versionFacts())}\n`);
}

async function run(): Promise<number> {
  const { main } = await import('./program.ts');
  const { env, stdout, stderr } = process;
  return main(args, { signal: controller.signal, env, stdout, stderr });
}

/** A reader of standard output that goes away (`| head`) ends the run, and there is nobody to tell; a full disk is told, once. */
function endLost(cause: NodeJS.ErrnoException, exitCode: typeof process.exitCode): number {
  const { code, message, hint, status } = outputError('standard output', cause);
  if (cause.code !== 'EPIPE' && exitCode !== status) process.stderr.write(`ocix: ${code}: ${message}\n  ${hint}\n`);
  return status;
}
