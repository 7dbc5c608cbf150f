/** `convert`, and the commands that are `convert` with the source's format fixed. */
import { basename } from 'node:path';
import type { Command } from 'commander';
import type { ConvertOptions, Report, Source } from '../../converters/index.ts';
import { OcixError } from '../../formats/base/errors.ts';
import { pathKind } from '../../formats/bytes/source.ts';
import { printable } from '../../formats/bytes/text.ts';
import { type CommonOptions, fileBytes, printOptions, sourceOptions, targetOptions } from '../options.ts';
import { checkReport, noteLines, writeReport } from '../render/report.ts';
import { countText, secondsText, sizeText } from '../render/units.ts';
import { begin, keepNurserySmall, print, type Session, sourceDateEpoch, sourceOf } from '../session.ts';

export interface Options extends CommonOptions {
  readonly to?: string;
  readonly ref?: string;
  readonly compress: string;
  readonly reproducible?: boolean;
  readonly strict?: boolean;
  readonly flatten?: boolean;
  readonly force?: boolean;
  readonly layer?: number;
  readonly v1?: boolean;
  readonly report?: string;
}

export function registerConvert(program: Command, session: Session): void {
  const command = program
    .command('convert')
    .summary('read any source, write any target')
    .description('Reads the images of SOURCE and writes them to OUT, an OCI image layout unless --to says otherwise.')
    .argument('<source>', 'a path, - for standard input, or TRANSPORT:PATH[:REF|@INDEX]')
    .argument('<out>', 'where to write; a layout that exists is added to, and - is standard output')
    .option(
      '--to <name>',
      'what a bare OUT becomes: oci (default), oci-archive, docker-archive, aci, tar, bundle or kube',
    )
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

export function registerDeb2oci(program: Command, session: Session): void {
  const command = program
    .command('deb2oci')
    .summary('Debian packages to one OCI image')
    .description(
      'One image from all of the packages, without running anything of them. What they depend on is looked for in the folders beside them; a folder alone stands for the newest of each package in it. OUT is the last argument, unless that is a file; without it the layout gets the name of the first package, with .oci, in the current folder.',
    )
    .argument('<file...>', 'packages, folders of them, or - for one from standard input; and where to write')
    .action(async (args: readonly string[], options: Options) => {
      const { files, out } = await filesAndOut(args);
      const source = files.length === 1 && files[0] === '-' ? 'deb:-' : { files: [...files], from: 'deb' };
      await run(source, out ?? defaultOut(files[0]!), { ...options, from: 'deb' }, session);
    });
  printOptions(targetOptions(sourceOptions(command)));
}

/** The last argument is OUT unless it is a file. */
export async function filesAndOut(args: readonly string[]) {
  const last = args.at(-1)!;
  const isInput = args.length === 1 || last === '-' || (await pathKind(last)) === 'file';
  return isInput ? { files: args, out: undefined } : { files: args.slice(0, -1), out: last };
}

/** The input's base name with another ending. @throws OcixError usage/argument for standard input, which has no name */
export function defaultOut(file: string, ending = '.oci'): string {
  if (file === '-')
    throw new OcixError('usage/argument', 'standard input has no name to call the output by', {
      hint: 'Say where to write, behind the -.',
    });
  return `${basename(file).replace(/(?:\.(?:tar|tgz|tbz2?|txz|tzst|docker|aci|deb))?(?:\.(?:gz|xz|zst|zstd|bz2))?$/i, '') || 'image'}${ending}`;
}

/** Converts, and says what came of it. */
export async function run(
  source: Source,
  out: string,
  options: Options,
  session: Session,
  more: Pick<ConvertOptions, 'naming'> = {},
): Promise<void> {
  await keepNurserySmall();
  await checkReport(options.report, { source, from: options.from, out });
  const { convert } = await import('../../converters/convert.ts');
  const { library, view, decided } = begin(session, options);
  const started = performance.now();
  let report: Report;
  try {
    report = await convert(typeof source === 'string' ? sourceOf(source, session) : source, out, {
      ...library,
      ...picked(options, library.passphrase),
      ...more,
      ...epoch(session),
      ...(toStandardOutput(out) ? { output: standardOutput(session) } : {}),
      ready: async (made) => {
        view.end();
        await decided();
        if (options.report !== undefined) await writeReport(options.report, made);
      },
    });
  } finally {
    view.end();
  }
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

const picked = (
  { to, ref, compress, reproducible, flatten, strict, force, layers, layer, v1, signKey }: Options,
  passphrase: Uint8Array | undefined,
): ConvertOptions => ({
  to,
  ref,
  compress,
  reproducible,
  flatten,
  strict,
  force,
  layer,
  eachLayer: layers === 'each' || undefined,
  version1: v1 || undefined,
  signWith: signKey === undefined ? undefined : { key: fileBytes(signKey), passphrase, at: new Date() },
});

function epoch({ env }: Session): Pick<ConvertOptions, 'created'> {
  const seconds = sourceDateEpoch(env);
  return seconds === undefined ? {} : { created: new Date(seconds * 1000).toISOString().replace('.000Z', 'Z') };
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
