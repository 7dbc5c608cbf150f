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
