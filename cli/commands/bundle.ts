/** `bundle`, `unpack` and `runtime-config`: what runs, and what it runs in. */
import { readdir, stat, writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { ConvertOptions, Report } from '../../converters/index.ts';
import { parseCapabilities, type RuntimeOptions } from '../../converters/runtime/config.ts';
import { outputError } from '../../formats/bytes/output-error.ts';
import { printable, utf8Bytes } from '../../formats/bytes/text.ts';
import {
  type CommonOptions,
  extractionOptions,
  mappingsOf,
  printOptions,
  reportOptions,
  runtimeOptions,
  sourceOptions,
} from '../options.ts';
import { commandText } from '../render/command.ts';
import { checkApart, checkReport, filesOf, noteLines, writeReport } from '../render/report.ts';
import { countText, secondsText, sizeText } from '../render/units.ts';
import { begin, keepNurserySmall, print, type Session, sourceOf } from '../session.ts';

interface Options extends CommonOptions {
  readonly rootless?: boolean;
  readonly uidMap: readonly string[];
  readonly gidMap: readonly string[];
  readonly keepDirlinks?: boolean;
  readonly tty?: boolean;
  readonly readOnly?: boolean;
  readonly caps?: string;
  readonly strict?: boolean;
  readonly force?: boolean;
  readonly report?: string;
}

const SOURCE = 'a path, - for standard input, or TRANSPORT:PATH[:REF|@INDEX]';

export function registerBundle(program: Command, session: Session): void {
  const command = program
    .command('bundle')
    .summary('a runtime bundle: rootfs/ and config.json')
    .description(
      'Unpacks the one image of SOURCE into DIR/rootfs and writes the config.json that runs it under runc or crun. A pod becomes a bundle for each app, DIR/APP, and DIR/run, which starts them together.',
    )
    .argument('<source>', SOURCE)
    .argument('<dir>', 'the bundle; it must not exist, or be empty')
    .action(async (source: string, dir: string, options: Options) => {
      const { convert } = await import('../../converters/convert.ts');
      const report = await run(source, options, session, (library) =>
        convert(sourceOf(source, session), dir, { ...library, to: 'bundle' }),
      );
      if (options.json) await print(session, [JSON.stringify(report)]);
      if (!options.quiet) session.stderr.write(await nextLine(dir));
    });
  printOptions(runtimeOptions(extractionOptions(sourceOptions(command))));
}

export function registerUnpack(program: Command, session: Session): void {
  const command = program
    .command('unpack')
    .summary('the root filesystem alone')
    .description('Unpacks the one image of SOURCE into DIR, with owners, modes, times, links and attributes.')
    .argument('<source>', SOURCE)
    .argument('<dir>', 'the root filesystem; it must not exist, or be empty')
    .action(async (source: string, dir: string, options: Options) => {
      const { unpack } = await import('../../converters/convert.ts');
      const report = await run(source, options, session, (library) => unpack(sourceOf(source, session), dir, library));
      if (options.json) await print(session, [JSON.stringify(report)]);
    });
  printOptions(extractionOptions(sourceOptions(command)));
}

export function registerRuntimeConfig(program: Command, session: Session): void {
  const command = program
    .command('runtime-config')
    .summary('config.json alone')
    .description('Prints the config.json that a bundle of SOURCE would have, or writes it to FILE.')
    .argument('<source>', SOURCE)
    .argument('[file]', 'where to write; standard output, unless it is given')
    .addOption(new Option('--rootfs <dir>', 'look users up there, instead of in the image’s layers'))
    .action(async (source: string, file: string | undefined, options: Options) => {
      const { describeRuntime } = await import('../../converters/runtime-config.ts');
      const { library, view, decided } = begin(session, options);
      const { rootfs, strict, report: place } = options;
      const toFile = file !== undefined && file !== '-';
      // Nothing else keeps the document from taking the place of the image that it is of.
      if (toFile) await checkApart(file, 'config.json', await filesOf(source, options.from));
      await checkReport(place, { source, from: options.from, out: file });
      try {
        const { config, report } = await describeRuntime(sourceOf(source, session), {
          ...library,
          rootfs,
          strict,
          out: file,
          runtime: runtimeOf(options),
        });
        view.end();
        await decided();
        if (place !== undefined) await writeReport(place, report);
        const text = JSON.stringify(config, null, 2);
        if (!toFile) await print(session, [text]);
        else await writeDocument(file, `${text}\n`);
        if (!options.quiet)
          session.stderr.write(
            noteLines(report.notes)
              .map((line) => `${line}\n`)
              .join(''),
          );
      } finally {
        view.end();
      }
    });
  printOptions(reportOptions(runtimeOptions(sourceOptions(command))));
}

/** In one step where it is a file, so that what stands there stays as it was where that fails; into a device or a pipe as into any other. */
async function writeDocument(file: string, text: string): Promise<void> {
  const there = await stat(file).catch(() => undefined);
  if (there && !there.isFile())
    return writeFile(file, text).catch((cause: unknown) => Promise.reject(outputError(file, cause)));
  const { openOutput } = await import('../../formats/store/output-file.ts');
  const output = await openOutput(file, { replace: true });
  try {
    await output.write([utf8Bytes(text)]);
    await output.commit();
  } catch (error) {
    await output.discard();
    throw error;
  }
}

async function run(
  source: string,
  options: Options,
  session: Session,
  work: (library: ConvertOptions) => Promise<Report>,
): Promise<Report> {
  await keepNurserySmall();
  await checkReport(options.report, { source, from: options.from });
  const { library, view, decided } = begin(session, options);
  const { strict, force } = options;
  const started = performance.now();
  try {
    const report = await work({
      ...library,
      strict,
      force,
      extraction: extractionOf(options),
      runtime: runtimeOf(options),
      ready: async (made) => {
        view.end();
        await decided();
        if (options.report !== undefined) await writeReport(options.report, made);
      },
    });
    if (!options.quiet) session.stderr.write(summary(report, performance.now() - started));
    return report;
  } finally {
    view.end();
  }
}

const extractionOf = ({
  rootless,
  uidMap,
  gidMap,
  keepDirlinks,
  configure,
}: Options): ConvertOptions['extraction'] => ({
  rootless,
  uidMap: mappingsOf(uidMap, 'uid-map'),
  gidMap: mappingsOf(gidMap, 'gid-map'),
  keepDirlinks,
  complete: configure,
});

const runtimeOf = ({ tty, readOnly, caps }: Options): RuntimeOptions => ({
  terminal: tty ?? false,
  readOnly: readOnly ?? false,
  capabilities: caps === undefined ? undefined : parseCapabilities(caps),
});

function summary({ images, notes, target }: Report, milliseconds: number): string {
  const layers = images.flatMap((image) => image.layers);
  const size = layers.length ? `, ${sizeText(layers.reduce((sum, { plainSize }) => sum + plainSize, 0))}` : '';
  return [
    ...noteLines(notes),
    `${printable(images.map(({ names }) => names[0] ?? 'image').join(', '))} unpacked into ${target.out}${size}, ${secondsText(milliseconds)}${notes.length ? ` · ${countText(notes.length, 'note')} (--strict refuses them)` : ''}`,
    '',
  ].join('\n');
}

/** A pod has a script that starts its bundles; one without has several bundles and nothing to start them together. */
async function nextLine(dir: string): Promise<string> {
  // `cd` takes a dash for an option, and a name without a slash is no path to a program.
  const folder = /^(?:\.{0,2}\/|\.{1,2}$)/.test(dir) ? dir : `./${dir}`;
  const below = (name: string): string => `${folder.replace(/\/+$/, '')}/${name}`;
  const names = await readdir(dir);
  if (names.includes('run')) return `Next: ${commandText([below('run')])} [NAME]\n`;
  const bundle = names.includes('config.json') ? folder : below('APP');
  return `Next: (${commandText(['cd', bundle])} && runc run NAME)\n`;
}
