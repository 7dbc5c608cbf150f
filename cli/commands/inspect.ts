/** `inspect`: what is in a source, for a person. */
import type { Command } from 'commander';
import { type CommonOptions, printOptions, sourceOptions } from '../options.ts';
import { begin, print, type Session, sourceOf } from '../session.ts';

export function registerInspect(program: Command, session: Session): void {
  const command = program
    .command('inspect')
    .summary('name, platform, configuration, layers, history')
    .description(
      'Shows the images of SOURCE: what they run, how they are made up. No layer is read, so it takes no longer for a large one.',
    )
    .argument('<source>', 'a path, - for standard input, or TRANSPORT:PATH[:REF|@INDEX]')
    .action(async (source: string, options: CommonOptions) => {
      const { inspect } = await import('../../converters/look.ts');
      const { library, view, decided, paint, width } = begin(session, options);
      try {
        const summary = await inspect(sourceOf(source, session), library);
        view.end();
        await decided();
        if (options.json) return await print(session, [JSON.stringify(summary)]);
        const { summaryText } = await import('../render/inspect.ts');
        await print(session, [summaryText(summary, width, paint).trimEnd()]);
      } finally {
        view.end();
      }
    });
  printOptions(sourceOptions(command));
}
