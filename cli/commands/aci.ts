/** The commands that write App Container Images and have the names of the tools that people used for it. */
import type { Command } from 'commander';
import { dockerFileName } from '../../formats/appc/naming.ts';
import { EXIT_HELP, printOptions, sourceOptions, targetOptions } from '../options.ts';
import { begin, type Session } from '../session.ts';
import { defaultOut, type Options, run } from './convert.ts';

const DOCKER2ACI = `
The image is named as docker2aci named it, always with a registry, so that what depends on it by name finds it. Convert --to aci
takes the reference as it is written.

Examples:
  ocix docker2aci busybox.tar             writes library-busybox-latest.aci, as docker2aci did
  ocix docker2aci busybox.tar busybox.aci
  docker save app:1.0 | ocix docker2aci - app.aci
`;

export function registerDocker2aci(program: Command, session: Session): void {
  const command = program
    .command('docker2aci')
    .summary('a docker archive to an App Container Image')
    .description(
      'Writes the image of a docker archive as one flattened App Container Image. Without OUT it is called after the image, in the current folder.',
    )
    .argument('<file>', 'what docker save wrote (or FILE:REF, one of several images), or - for standard input')
    .argument('[out.aci]', 'where to write, or - for standard output')
    .addHelpText('after', DOCKER2ACI + EXIT_HELP)
    .action(async (file: string, out: string | undefined, options: Options) => {
      const from = { ...options, to: 'aci', from: 'docker-archive' };
      await run(file, out ?? (await fileFor(file, from, session)), from, session, { naming: 'docker2aci' });
    });
  printOptions(targetOptions(sourceOptions(command)));
}

/** As docker2aci called its output: after the image, whatever its archive is called. An image without a name takes the archive's. */
async function fileFor(file: string, options: Options, session: Session): Promise<string> {
  const fallback = defaultOut(file, '.aci');
  if (options.ref !== undefined) return dockerFileName(options.ref);
  const { inspect } = await import('../../converters/look.ts');
  const { library, view } = begin(session, { ...options, quiet: true });
  const { images } = await inspect(file, library);
  view.end();
  const [name] = images.flatMap(({ names }) => names);
  return name === undefined ? fallback : dockerFileName(name);
}
