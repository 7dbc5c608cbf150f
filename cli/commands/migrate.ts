/** `migrate`: a whole estate into one layout. */
import { type Command, Option } from 'commander';
import type { MigratedImage, MigrationReport } from '../../converters/index.ts';
import { STATUS } from '../../formats/base/errors.ts';
import { printable } from '../../formats/bytes/text.ts';
import { type CommonOptions, printOptions, sourceOptions, wholeNumber } from '../options.ts';
import { checkReport, writeReport } from '../render/report.ts';
import { countText, secondsText, sizeText } from '../render/units.ts';
import { begin, keepNurserySmall, print, type Session } from '../session.ts';

interface Options extends CommonOptions {
  readonly compress: string;
  readonly reproducible?: boolean;
  readonly strict?: boolean;
  readonly report?: string;
  readonly parallel?: number;
}

export function registerMigrate(program: Command, session: Session): void {
  const command = program
    .command('migrate')
    .summary('a whole estate: a folder of images, or the data folder of an rkt host')
    .description(
      'Converts every image of ESTATE into the layout OUT. What is there already is passed over, so that a run that was stopped goes on; an image that cannot be read is told, and stops nothing.',
    )
    .argument('<estate>', 'a folder of images of any kind, or rkt:DIR')
    .argument('<out>', 'the layout; one that exists is added to')
    .addOption(new Option('--parallel <n>', 'images converted at a time').argParser(wholeNumber).default(2))
    .addOption(new Option('--compress <how[:level]>', 'layers’ compression: gzip, zstd, none or keep').default('keep'))
    .addOption(new Option('--reproducible', 'the same blobs byte for byte on every machine and Node version'))
    .addOption(new Option('--strict', 'an image of which anything would be lost, guessed or repaired counts as failed'))
    .addOption(new Option('--report <file>', 'write what became of each image there, as JSON or as a page (.html)'))
    .action((estate: string, out: string, options: Options) => run(estate, out, options, session));
  printOptions(sourceOptions(command));
}

async function run(estate: string, out: string, options: Options, session: Session): Promise<void> {
  await keepNurserySmall();
  await checkReport(options.report, { source: estate, from: options.from, out });
  const { migrate } = await import('../../converters/migrate.ts');
  const { library, view } = begin(session, { ...options, progress: 'none' });
  const { compress, reproducible, strict, parallel } = options;
  const started = performance.now();
  const tell =
    options.quiet || options.progress === 'none' ? () => {} : (line: string) => session.stderr.write(`${line}\n`);
  const report = await migrate(estate, out, {
    ...library,
    compress,
    reproducible,
    strict,
    parallel,
    onImage: (image, left) => tell(`${imageLine(image)}  (${left} left)`),
  });
  view.end();
  if (options.report !== undefined) await writeReport(options.report, report);
  await print(session, options.json ? [JSON.stringify(report)] : resultLines(report));
  if (!options.quiet) session.stderr.write(summary(report, performance.now() - started));
  if (report.images.some(({ state }) => state === 'failed')) session.finish(STATUS.refused);
}

function imageLine({ source, state, report, error }: MigratedImage): string {
  const name = report?.images[0]?.names[0] ?? source;
  if (error) return `failed         ${printable(name)}: ${error.code}: ${printable(error.message)}`;
  const notes = report?.notes.length ? ` · ${countText(report.notes.length, 'note')}` : '';
  return `${state.padEnd(13)}  ${printable(name)}${notes}`;
}

const resultLines = ({ images, out }: MigrationReport): readonly string[] =>
  images.flatMap(({ report }) =>
    (report?.images ?? []).map(({ names, digest }) => [printable(names[0] ?? ''), digest, out].join('\t')),
  );

function summary({ images, others, out }: MigrationReport, milliseconds: number): string {
  const count = (state: MigratedImage['state']): number => images.filter((image) => image.state === state).length;
  const layers = images.flatMap(({ report }) => report?.images.flatMap((image) => image.layers) ?? []);
  const distinct = [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
  const size = (of: readonly { readonly size: number }[]): number => of.reduce((sum, layer) => sum + layer.size, 0);
  const failed = images.filter(({ error }) => error);
  const noted = images.filter(({ report }) => report?.notes.length);
  const notes = noted.reduce((sum, { report }) => sum + report!.notes.length, 0);
  return [
    `${countText(images.length, 'image')}: ${count('converted')} converted, ${count('there already')} were there, ${failed.length} failed${others.length ? ` · ${countText(others.length, 'file')} no image` : ''}`,
    ...failed.map(({ source, error }) => `  ${printable(source)}: ${error!.code}: ${printable(error!.message)}`),
    `${sizeText(size(distinct))} written to ${printable(out)}, ${sizeText(size(layers) - size(distinct))} shared and not written again, ${secondsText(milliseconds)}${notes ? ` · ${countText(notes, 'note')} in ${countText(noted.length, 'image')}` : ''}`,
    '',
  ].join('\n');
}
