/** `convert`, and the commands that are `convert` with the source's format fixed. */
import { basename } from 'node:path';
import type { Command } from 'commander';
import type { ConvertOptions, Report } from '../../converters/index.ts';
import { OcixError } from '../../formats/base/errors.ts';
import { printable } from '../../formats/bytes/text.ts';
import { type CommonOptions, printOptions, sourceOptions, targetOptions } from '../options.ts';
import { noteLines, writeReport } from '../render/report.ts';
import { countText, secondsText, sizeText } from '../render/units.ts';
import { begin, keepNurserySmall, print, type Session, sourceOf } from '../session.ts';

interface Options extends CommonOptions {
  readonly to?: string;
  readonly ref?: string;
  readonly compress: string;
  readonly reproducible?: boolean;
  readonly strict?: boolean;
  readonly flatten?: boolean;
  readonly force?: boolean;
  readonly report?: string;
}

export function registerConvert(program: Command, session: Session): void {
  const command = program
    .command('convert')
    .summary('read any source, write any target')
    .description('Reads the images of SOURCE and writes them to OUT, an OCI image layout unless --to says otherwise.')
    .argument('<source>', 'a path, - for standard input, or TRANSPORT:PATH[:REF|@INDEX]')
    .argument('<out>', 'where to write; a layout that exists is added to, and - is standard output')
    .option('--to <name>', 'what a bare OUT becomes: oci (default), oci-archive, docker-archive, tar, bundle or kube')
    .action((source: string, out: string, options: Options) => run(source, out, options, session));
  printOptions(targetOptions(sourceOptions(command)));
}

export function registerDocker2oci(program: Command, session: Session): void {
  const command = program
    .command('docker2oci')
    .summary('a docker archive to an OCI image layout')
    .description(
      'The same as convert --from docker-archive. Without OUT the layout gets the name of the archive, with .oci, in the current folder.',
    )
    .argument('<file>', 'what docker save wrote, or - for standard input')
    .argument('[out]', 'where to write')
    .action((file: string, out: string | undefined, options: Options) =>
      run(file, out ?? defaultOut(file), { ...options, from: 'docker-archive' }, session),
    );
  printOptions(targetOptions(sourceOptions(command)));
}

export function registerAci2oci(program: Command, session: Session): void {
  const command = program
    .command('aci2oci')
    .summary('an App Container Image to an OCI image layout')
    .description(
      'The same as convert --from aci. Without OUT the layout gets the name of the image, with .oci, in the current folder.',
    )
    .argument('<file>', 'an ACI, compressed or not, or - for standard input')
    .argument('[out]', 'where to write')
    .action((file: string, out: string | undefined, options: Options) =>
      run(file, out ?? defaultOut(file), { ...options, from: 'aci' }, session),
    );
  printOptions(targetOptions(sourceOptions(command)));
}

/** The input's base name with `.oci`. @throws OcixError usage/argument for standard input, which has no name */
export function defaultOut(file: string): string {
  if (file === '-')
    throw new OcixError('usage/argument', 'standard input has no name to call the output by', {
      hint: 'Say where to write, behind the -.',
    });
  return `${basename(file).replace(/(?:\.(?:tar|tgz|tbz2?|txz|tzst|docker|aci))?(?:\.(?:gz|xz|zst|zstd|bz2))?$/i, '') || 'image'}.oci`;
}

async function run(source: string, out: string, options: Options, session: Session): Promise<void> {
  await keepNurserySmall();
  const { convert } = await import('../../converters/convert.ts');
  const { library, view } = begin(session, options);
  const started = performance.now();
  let report: Report;
  try {
    report = await convert(sourceOf(source, session), out, {
      ...library,
      ...picked(options),
      ...epoch(session),
      ...(toStandardOutput(out) ? { output: standardOutput(session) } : {}),
    });
  } finally {
    view.end();
  }
  if (options.report !== undefined) await writeReport(options.report, report);
  await print(
    toStandardOutput(out) ? { ...session, stdout: session.stderr } : session,
    options.json
      ? [JSON.stringify(report)]
      : report.images.map(({ names, digest }) => [printable(names[0] ?? ''), digest, out].join('\t')),
  );
  if (!options.quiet) session.stderr.write(summary(report, performance.now() - started));
}

/** `-` is standard output, also behind a transport; what would be printed there goes to standard error then. */
const toStandardOutput = (out: string): boolean => /^(?:[a-z][a-z0-9-]*:)?-$/.test(out);

function standardOutput({ stdout }: Session): Session['stdout'] {
  if (!stdout.isTTY) return stdout;
  throw new OcixError('usage/argument', 'an archive is not written to a terminal', {
    hint: 'Send it to a file or a pipe, or give a path in the place of -.',
  });
}

const picked = ({ to, ref, compress, reproducible, flatten, strict, force }: Options): ConvertOptions => ({
  to,
  ref,
  compress,
  reproducible,
  flatten,
  strict,
  force,
});

/** https://reproducible-builds.org/specs/source-date-epoch/ */
function epoch({ env }: Session): Pick<ConvertOptions, 'created'> {
  const text = env['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return {};
  const date = new Date(Number(text) * 1000);
  if (/^[0-9]{1,12}$/.test(text) && !Number.isNaN(date.getTime()))
    return { created: date.toISOString().replace('.000Z', 'Z') };
  throw new OcixError('usage/option', `SOURCE_DATE_EPOCH=${printable(text)} is not a number of seconds`, {
    hint: 'Unset it, or set it to seconds since 1970.',
  });
}

function summary({ images, notes }: Report, milliseconds: number): string {
  const layers = images.flatMap((image) => image.layers);
  // A layer that images share is stored once.
  const distinct = [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
  const sum = (of: (layer: (typeof layers)[number]) => number): string =>
    sizeText(distinct.reduce((total, layer) => total + of(layer), 0));
  const more = images.flatMap(({ names }) => names.slice(1));
  return [
    ...noteLines(notes),
    ...(more.length ? [`also named ${more.map(printable).join(', ')}`] : []),
    `${countText(distinct.length, 'layer')}, ${sum((layer) => layer.plainSize)} in, ${sum((layer) => layer.size)} out, ${secondsText(milliseconds)}${notes.length ? ` · ${countText(notes.length, 'note')} (--strict refuses them)` : ''}`,
    '',
  ].join('\n');
}
