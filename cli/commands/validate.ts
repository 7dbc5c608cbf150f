/** `validate`: what is wrong with an image, a bundle, a document. */
import { type Command, Option } from 'commander';
import { STATUS } from '../../formats/base/errors.ts';
import { hostFacts } from '../host-facts.ts';
import { type CommonOptions, inputOptions, printOptions } from '../options.ts';
import { begin, hostArchitecture, print, type Session, sourceOf } from '../session.ts';

interface Options extends CommonOptions {
  readonly level: 'must' | 'should';
  readonly fast?: boolean;
}

const HELP = `
Prints every finding: its level and rule, where it is, what is wrong, what to do; and a verdict at the end.
MUST is broken: another tool may refuse it. SHOULD: a recommendation of the specification is not followed. NOTE: good to know.
docs/validate.md has all rules.

Examples:
  ocix validate oci:out                     an image layout, with the content of every layer
  ocix validate --level should app.tar      is it unconditionally compliant?
  ocix validate --fast --json oci:out       without the layers, for a program
  ocix validate app/                        a runtime bundle, and what this machine could not run
  ocix validate --from config config.json   a single document

Exit status:
  0 no MUST is broken (with --level should: no SHOULD either)   8 there is   2 wrong usage   3 not recognised or not supported
  4 it cannot be read at all   130 interrupted
`;

export function registerValidate(program: Command, session: Session): void {
  const command = program
    .command('validate')
    .summary('whether it keeps to its specification')
    .description(
      'Holds a layout, an archive, a package, a runtime bundle or a single document (index, manifest, configuration, descriptor, config.json) against every rule of its specification.',
    )
    .argument('<source>', 'a path, - for standard input, or TRANSPORT:PATH[:REF|@INDEX]')
    .addOption(
      new Option('--level <level>', 'which breaches end in status 8').choices(['must', 'should']).default('must'),
    )
    .addOption(new Option('--fast', 'do not read the content of layers'))
    .addHelpText('after', HELP)
    .action((source: string, options: Options) => run(source, options, session));
  printOptions(inputOptions(command));
}

async function run(text: string, options: Options, session: Session): Promise<void> {
  const { validate } = await import('../../converters/validate.ts');
  const { library, view, paint } = begin(session, options);
  const { level, fast, from, json } = options;
  try {
    const source = sourceOf(text, session);
    const found = await validate(source, { ...library, from, fast, machine: await hostFacts(hostArchitecture()) });
    view.end();
    const { must, should } = found.verdict;
    if (json) await print(session, [JSON.stringify({ ...found, level })]);
    else {
      const { validationText } = await import('../render/validation.ts');
      await print(session, validationText(found, level, paint));
    }
    if (must || (level === 'should' && should)) session.finish(STATUS.found);
  } finally {
    view.end();
  }
}
