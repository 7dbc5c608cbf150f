/** `diff`: what differs between two images, or between an image and what was made of it. */
import { type Command, Option } from 'commander';
import type { Comparison, Difference, LayerShare, NotCompared } from '../../converters/index.ts';
import { OcixError, STATUS } from '../../formats/base/errors.ts';
import { printable } from '../../formats/bytes/text.ts';
import { type CommonOptions, collect, mappingOption, mappingsOf, printOptions, sourceOptions } from '../options.ts';
import type { Paint } from '../render/terminal.ts';
import { countText, shortDigest } from '../render/units.ts';
import { begin, print, type Session, sourceOf } from '../session.ts';

interface Options extends CommonOptions {
  readonly ignore: readonly string[];
  readonly all?: boolean;
  readonly content?: boolean;
  readonly uidMap: readonly string[];
  readonly gidMap: readonly string[];
}

export function registerDiff(program: Command, session: Session): void {
  const command = program
    .command('diff')
    .summary('what differs between two images, or an image and a bundle')
    .description(
      'Compares the configuration and the merged tree of the one image of A with those of B, whatever their formats. A bundle (bundle:DIR) or a root filesystem on the disk (rootfs:DIR) can be on either side.',
    )
    .argument(
      '<a>',
      'a path, - for standard input, or TRANSPORT:PATH[:REF|@INDEX]; also bundle:DIR, rootfs:DIR, or a plain folder',
    )
    .argument('<b>', 'the same')
    .addOption(
      new Option('--ignore <field>', 'a field that does not count, such as mtime or process.env (repeatable)')
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--content', 'with a unified diff of small texts, and of configurations')
    .option('--all', 'also labels and annotations in which a conversion speaks of itself (io.ocix.…)')
    .addOption(mappingOption('uid-map'))
    .addOption(mappingOption('gid-map'))
    .action((a: string, b: string, options: Options) => run(a, b, options, session));
  printOptions(sourceOptions(command));
}

async function run(a: string, b: string, options: Options, session: Session): Promise<void> {
  const { diff } = await import('../../converters/diff.ts');
  if (isStandardInput(a) && isStandardInput(b)) {
    throw new OcixError('usage/argument', 'standard input can be one of the two, not both', {
      hint: 'Write one of them to a file first.',
    });
  }
  const { ignore, all, content } = options;
  if (options.lock !== undefined || options.explain?.length)
    throw new OcixError('usage/option', '--lock and --explain are for one source, and two are compared', {
      hint: 'Leave them out; ocix inspect takes them for each of the two.',
    });
  const [uids, gids] = [mappingsOf(options.uidMap, 'uid-map'), mappingsOf(options.gidMap, 'gid-map')];
  const namespace = uids.length || gids.length ? { uids, gids } : undefined;
  const { library, view, paint } = begin(session, options);
  let found: Comparison;
  try {
    found = await diff(sourceOf(a, session), sourceOf(b, session), {
      ...library,
      onlyFor: undefined, // what one of the two cannot follow may be for the other
      ignore,
      all,
      content,
      namespace,
    });
  } finally {
    view.end();
  }
  await print(
    session,
    options.json ? [JSON.stringify({ a, b, ...found })] : found.differences.flatMap((one) => linesOf(one, paint)),
  );
  if (!options.quiet) session.stderr.write(summary(found));
  if (!found.equal) session.finish(STATUS.found);
}

const isStandardInput = (text: string): boolean => /^(?:[a-z][a-z0-9-]*:)?-$/.test(text);

function linesOf(one: Difference, paint: Paint): readonly string[] {
  const name = one.part === 'config' ? one.field : `/${one.path === '.' ? '' : printable(one.path)}`;
  const line =
    one.part === 'config'
      ? [one.kind, 'config', printable(name)].join('\t')
      : [one.kind, name, one.fields.join(',')].join('\t').trimEnd();
  return one.text ? [line, ...textLines(one.text, paint)] : [line];
}

function textLines(text: NonNullable<Difference['text']>, paint: Paint): readonly string[] {
  if ('omitted' in text) return [`  (${text.omitted})`];
  return text.unified
    .trimEnd()
    .split('\n')
    .map((line) => {
      // A tab moves no cursor to where it should not be.
      const shown = `  ${line.split('\t').map(printable).join('\t')}`;
      if (line.startsWith('@@')) return paint('cyan', shown);
      return line.startsWith('+') ? paint('green', shown) : line.startsWith('-') ? paint('red', shown) : shown;
    });
}

/** A rootfs that is in use has places that nobody can read back. */
const MOST_PLACES = 10;

function summary({ differences, layers, notCompared }: Comparison): string {
  const lines = notCompared.slice(0, MOST_PLACES).map(notComparedLine);
  if (notCompared.length > MOST_PLACES)
    lines.push(`and ${countText(notCompared.length - MOST_PLACES, 'more place')} not compared; --json has them`);
  if (differences.length) lines.push(countText(differences.length, 'difference'), ...layers.map(layerLine));
  return lines.map((line) => `${line}\n`).join('');
}

const notComparedLine = ({ side, path, why }: NotCompared): string =>
  `not compared: ${side.toUpperCase()}${path === undefined ? '' : ` /${printable(path)}`}: ${printable(why)}`;

function layerLine({ side, layer, diffId, ...counts }: LayerShare): string {
  const told = (['added', 'removed', 'changed'] as const).flatMap((kind) =>
    counts[kind] ? [`${counts[kind]} ${kind}`] : [],
  );
  return `  ${side.toUpperCase()} layer ${layer}${diffId ? `  ${shortDigest(diffId)}` : ''}  ${told.join(', ')}`;
}
