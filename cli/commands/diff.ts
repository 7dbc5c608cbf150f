/** `diff`: what differs between two images. */
import { type Command, Option } from 'commander';
import type { Difference } from '../../converters/index.ts';
import { OcixError, STATUS } from '../../formats/base/errors.ts';
import { printable } from '../../formats/bytes/text.ts';
import { type CommonOptions, collect, printOptions, sourceOptions } from '../options.ts';
import { begin, print, type Session, sourceOf } from '../session.ts';

interface Options extends CommonOptions {
  readonly ignore: readonly string[];
}

const HELP = `
Prints a line a difference: added, removed or changed; config or the path; the fields that differ.

Examples:
  ocix diff app.tar oci:out:app:1.0            did the conversion change anything?
  ocix diff --ignore mtime --ignore created old.tar new.tar

Exit status:
  0 equal   8 something differs   2 wrong usage   3 not recognised or not supported   4 refused   130 interrupted
`;

export function registerDiff(program: Command, session: Session): void {
  const command = program
    .command('diff')
    .summary('what differs between two images')
    .description(
      'Compares the configuration and the merged tree of the one image of A with those of B, whatever their formats.',
    )
    .argument('<a>', 'a path, - for standard input, or TRANSPORT:PATH[:REF|@INDEX]')
    .argument('<b>', 'the same')
    .addOption(
      new Option('--ignore <field>', 'a field that does not count, such as mtime or created (repeatable)')
        .argParser(collect)
        .default([], 'none'),
    )
    .addHelpText('after', HELP)
    .action((a: string, b: string, options: Options) => run(a, b, options, session));
  printOptions(sourceOptions(command));
}

async function run(a: string, b: string, options: Options, session: Session): Promise<void> {
  const { diff } = await import('../../converters/look.ts');
  if (isStandardInput(a) && isStandardInput(b)) {
    throw new OcixError('usage/argument', 'standard input can be one of the two images, not both', {
      hint: 'Write one of them to a file first.',
    });
  }
  const { library, view } = begin(session, options);
  let found: readonly Difference[];
  try {
    const { ignore } = options;
    found = await diff(sourceOf(a, session), sourceOf(b, session), { ...library, ignore });
  } finally {
    view.end();
  }
  await print(
    session,
    options.json ? [JSON.stringify({ a, b, equal: !found.length, differences: found })] : found.map(lineOf),
  );
  if (found.length) session.finish(STATUS.found);
}

const isStandardInput = (text: string): boolean => /^(?:[a-z][a-z0-9-]*:)?-$/.test(text);

const lineOf = (one: Difference): string =>
  one.part === 'config'
    ? [one.kind, 'config', one.field].join('\t')
    : [one.kind, `/${one.path === '.' ? '' : printable(one.path)}`, one.fields.join(',')].join('\t').trimEnd();
