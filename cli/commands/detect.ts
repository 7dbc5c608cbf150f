/** `detect`: what a source is, and why. */
import type { Command } from 'commander';
import { type CommonOptions, printOptions, recognitionOptions } from '../options.ts';
import { begin, print, type Session, sourceOf } from '../session.ts';

export function registerDetect(program: Command, session: Session): void {
  const command = program
    .command('detect')
    .summary('what the source is, and why')
    .description('Says what SOURCE is, by its bytes and never by its name, and what every reader saw in it.')
    .argument('<source>', 'a path, or - for standard input')
    .action(async (source: string, options: CommonOptions) => {
      const { detect } = await import('../../converters/look.ts');
      const { library, view } = begin(session, options);
      try {
        const offers = await detect(sourceOf(source, session), library);
        view.end();
        const [best, ...others] = offers;
        if (options.json)
          return await print(session, [
            JSON.stringify({ format: best!.format, title: best!.title, reason: best!.reason, offers }),
          ]);
        await print(session, [
          `${best!.format}\t${best!.title}`,
          `  because of ${best!.reason}`,
          ...others.map(({ format, reason }) => `  it could also be read as ${format}: (${reason})`),
        ]);
      } finally {
        view.end();
      }
    });
  printOptions(recognitionOptions(command));
}
