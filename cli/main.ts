/** The command `ocix`: its streams, and what it does when it is interrupted or nobody reads its output. */
import packageJson from '../package.json' with { type: 'json' };

const OUTPUT_LOST = 7;

const controller = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  // A second signal ends at once: the default of the system.
  process.once(name, () => controller.abort(name));
}
process.stdout.on('error', onLostOutput);
process.stderr.on('error', onLostOutput);

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

/** A reader of standard output that goes away (`| head`) ends the run; there is nobody to tell. Of a disk that is full somebody should hear. */
function onLostOutput({ code = 'unknown' }: NodeJS.ErrnoException): void {
  if (code !== 'EPIPE')
    process.stderr.write(
      `ocix: output/write: standard output cannot be written (${code})\n  Make room, or send it somewhere else.\n`,
    );
  process.exit(OUTPUT_LOST);
}
