/** The commands that write App Container Images and have the names of the tools that people used for it. */
import type { Command } from 'commander';
import { dockerFileName } from '../../formats/appc/naming.ts';
import { printOptions, sourceOptions, targetOptions } from '../options.ts';
import { begin, type Session } from '../session.ts';
import { defaultOut, filesAndOut, type Options, run } from './convert.ts';

export function registerDocker2aci(program: Command, session: Session): void {
  const command = program
    .command('docker2aci')
    .summary('a docker archive to an App Container Image')
    .description(
      'Writes the image of a docker archive as one flattened App Container Image. Without OUT it is called after the image, in the current folder.',
    )
    .argument('<file>', 'what docker save wrote (or FILE:REF, one of several images), or - for standard input')
    .argument('[out.aci]', 'where to write, or - for standard output')
    .action(async (file: string, out: string | undefined, options: Options) => {
      const from = { ...options, to: 'aci', from: 'docker-archive' };
      await run(file, out ?? (await fileFor(file, from, session)), from, session, { naming: 'docker2aci' });
    });
  printOptions(targetOptions(sourceOptions(command)));
}

export function registerDeb2aci(program: Command, session: Session): void {
  const command = program
    .command('deb2aci')
    .summary('Debian packages to one App Container Image')
    .description(
      'One image from all of the packages, without running anything of them. OUT is the last argument, unless that is a file; without it the image gets the name of the first package, with .aci, in the current folder.',
    )
    .argument('<file...>', 'packages, or - for one from standard input, and where to write')
    .action(async (args: readonly string[], options: Options) => {
      const { files, out } = await filesAndOut(args);
      const source = files.length === 1 && files[0] === '-' ? 'deb:-' : { files: [...files], from: 'deb' };
      const chosen = { ...options, to: 'aci', from: 'deb', annotated: true } as const;
      await run(source, out ?? defaultOut(files[0]!, '.aci'), chosen, session);
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
