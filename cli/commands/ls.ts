/** `ls`: the merged tree, or the entries of one layer. */
import { type Command, Option } from 'commander';
import { type CommonOptions, printOptions, sourceOptions, wholeNumber } from '../options.ts';
import { begin, print, type Session, sourceOf } from '../session.ts';

interface Options extends CommonOptions {
  readonly layer?: number;
  readonly digest?: boolean;
  readonly ref?: string;
}

export function registerLs(program: Command, session: Session): void {
  const command = program
    .command('ls')
    .summary('the files of an image, or of one layer')
    .description('Lists the merged tree of the one image of SOURCE, or what is below PATH in it.')
    .argument('<source>', 'a path, - for standard input, or TRANSPORT:PATH[:REF|@INDEX]')
    .argument('[path]', 'a path in the image')
    .addOption(
      new Option('--layer <number>', 'one layer’s entries, whiteouts as they are; 0 is the base').argParser(
        wholeNumber,
      ),
    )
    .option('--digest', 'with the sha256 of each file')
    .action(async (source: string, path: string | undefined, options: Options) => {
      const { list } = await import('../../converters/look.ts');
      const { library, view, decided } = begin(session, options);
      try {
        const entries = await list(sourceOf(source, session), {
          ...library,
          layer: options.layer,
          digest: options.digest ?? false,
          path,
        });
        view.end();
        await decided();
        if (options.json)
          return await print(
            session,
            entries.map((entry) => JSON.stringify(entry)),
          );
        const { listedText, ownerText } = await import('../render/listing.ts');
        const widths = {
          owner: entries.reduce((most, entry) => Math.max(most, ownerText(entry).length), 0),
          size: entries.reduce((most, entry) => Math.max(most, String(entry.size ?? 0).length), 0),
        };
        await print(
          session,
          entries.map((entry) => listedText(entry, widths)),
        );
      } finally {
        view.end();
      }
    });
  printOptions(sourceOptions(command));
}
