/** `bundle`, `unpack` and `runtime-config`: what runs, and what it runs in. */
import { readdir, writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { ConvertOptions, Report } from '../../converters/index.ts';
import { parseCapabilities, type RuntimeOptions } from '../../converters/runtime/config.ts';
import { outputError } from '../../formats/bytes/output-error.ts';
import { printable } from '../../formats/bytes/text.ts';
import {
  type CommonOptions,
  EXIT_HELP,
  extractionOptions,
  mappingsOf,
  printOptions,
  runtimeOptions,
  sourceOptions,
} from '../options.ts';
import { noteLines, writeReport } from '../render/report.ts';
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
  readonly rootfs?: string;
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
    .addHelpText(
      'after',
      `\nExamples:\n  ocix bundle app.tar app/ && (cd app && runc run app)\n  ocix bundle --rootless oci:out:app:1.0 app/\n  docker save app | ocix bundle --read-only - app/\n  ocix bundle --dep images/ pod.json pod/ && pod/run\n  ocix bundle rkt:/var/lib/rkt:@6733c088-a507-4694-aabf-178b28c5ca1c pod/\n${EXIT_HELP}`,
    )
    .action(async (source: string, dir: string, options: Options) => {
      const { convert } = await import('../../converters/convert.ts');
      const report = await run(options, session, (library) =>
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
    .addHelpText(
      'after',
      `\nExamples:\n  ocix unpack app.tar rootfs/\n  ocix unpack --rootless tar:rootfs.tar.xz rootfs/\n${EXIT_HELP}`,
    )
    .action(async (source: string, dir: string, options: Options) => {
      const { unpack } = await import('../../converters/convert.ts');
      const report = await run(options, session, (library) => unpack(sourceOf(source, session), dir, library));
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
    .argument('[file]', 'where to write')
    .addOption(new Option('--rootfs <dir>', 'look users up there, instead of in the image’s layers'))
    .addHelpText(
      'after',
      `\nExamples:\n  ocix runtime-config app.tar\n  ocix runtime-config --rootfs rootfs/ --read-only oci:out:app:1.0 config.json\n${EXIT_HELP}`,
    )
    .action(async (source: string, file: string | undefined, options: Options) => {
      const { configOf } = await import('../../converters/runtime-config.ts');
      const { library, view } = begin(session, options);
      try {
        const config = await configOf(sourceOf(source, session), {
          ...library,
          rootfs: options.rootfs,
          runtime: runtimeOf(options),
        });
        view.end();
        const text = JSON.stringify(config, null, 2);
        if (file === undefined) await print(session, [text]);
        else await writeFile(file, `${text}\n`).catch((cause: unknown) => Promise.reject(outputError(file, cause)));
      } finally {
        view.end();
      }
    });
  printOptions(runtimeOptions(sourceOptions(command)));
}

async function run(
  options: Options,
  session: Session,
  work: (library: ConvertOptions) => Promise<Report>,
): Promise<Report> {
  await keepNurserySmall();
  const { library, view } = begin(session, options);
  const { strict, force } = options;
  const started = performance.now();
  try {
    const report = await work({
      ...library,
      strict,
      force,
      extraction: extractionOf(options),
      runtime: runtimeOf(options),
    });
    view.end();
    if (options.report !== undefined) await writeReport(options.report, report);
    if (!options.quiet) session.stderr.write(summary(report, performance.now() - started));
    return report;
  } finally {
    view.end();
  }
}

const extractionOf = ({ rootless, uidMap, gidMap, keepDirlinks }: Options): ConvertOptions['extraction'] => ({
  rootless,
  uidMap: mappingsOf(uidMap, 'uid-map'),
  gidMap: mappingsOf(gidMap, 'gid-map'),
  keepDirlinks,
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
  const names = await readdir(dir);
  if (names.includes('run')) return `Next: ${quoted(`${dir.replace(/\/+$/, '')}/run`)} [NAME]\n`;
  const bundle = names.includes('config.json') ? dir : `${dir.replace(/\/+$/, '')}/APP`;
  return `Next: cd ${quoted(bundle)} && runc run NAME\n`;
}

const quoted = (path: string): string => (/^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);
