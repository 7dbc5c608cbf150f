/** What a run did: the report as a file, its notes as lines. */
import { constants } from 'node:fs';
import { access, realpath, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { MigrationReport, Note, Report, Source } from '../../converters/index.ts';
import { OcixError } from '../../formats/base/errors.ts';
import { outputError } from '../../formats/bytes/output-error.ts';
import { printable } from '../../formats/bytes/text.ts';
import { countText } from './units.ts';

/** What a run reads and writes beside its report. */
export interface Beside {
  readonly source: Source;
  readonly from: string | undefined;
  readonly out?: string | undefined;
}

/**
 * Before anything is converted: a report that cannot be written must not cost the output, and none takes the place of what is converted.
 * @throws OcixError output/write, usage/argument, usage/option
 */
export async function checkReport(file: string | undefined, { source, from, out }: Beside): Promise<void> {
  if (file === undefined) return;
  if (file === '' || file === '-')
    throw new OcixError('usage/option', '--report wants the name of a file', {
      hint: 'On standard output --json prints the same.',
    });
  const written = out === undefined ? [] : [out, out.replace(/^[a-z][a-z0-9-]*:/, '')];
  await checkApart(file, 'the report', [...(await filesOf(source, from)), ...written]);
  try {
    const there = await stat(file).catch(() => undefined);
    if (there?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    await access(there ? file : dirname(resolve(file)), constants.W_OK);
  } catch (cause) {
    throw outputError(file, cause);
  }
}

/** The files that a source is read from, as far as they have names. */
export async function filesOf(source: Source, from: string | undefined): Promise<readonly string[]> {
  if (typeof source !== 'string') return 'files' in source ? source.files : [];
  const { parseSource } = await import('../../converters/source-text.ts');
  const { path, files } = await parseSource(source, from);
  return files ?? [path];
}

/** @throws OcixError usage/argument where a file that is written is one of those */
export async function checkApart(file: string, what: string, others: readonly string[]): Promise<void> {
  const place = await placeOf(file);
  for (const other of others)
    if ((await placeOf(other)) === place)
      throw new OcixError('usage/argument', `${what} would take the place of ${printable(other)}`, {
        hint: 'Give it another name.',
      });
}

/** The same for every way to write a path, also of what is not there yet. */
async function placeOf(path: string): Promise<string> {
  const whole = resolve(path);
  return realpath(whole).catch(async () =>
    join(await realpath(dirname(whole)).catch(() => dirname(whole)), basename(whole)),
  );
}

/** Data, or a page to read where the file is to be one. @throws OcixError output/write */
export async function writeReport(file: string, report: Report | MigrationReport): Promise<void> {
  await writeFile(file, await contentOf(file, report)).catch((cause: unknown) => {
    throw outputError(file, cause);
  });
}

async function contentOf(file: string, report: Report | MigrationReport): Promise<string> {
  if (!/\.html?$/i.test(file)) return `${JSON.stringify(report, null, 2)}\n`;
  const { migrationPage, reportPage } = await import('./page.ts');
  return 'estate' in report ? migrationPage(report) : reportPage(report);
}

/** More would push what matters off the screen. */
const MOST_NOTES = 10;

export function noteLines(notes: readonly Note[]): readonly string[] {
  const lines = notes
    .slice(0, MOST_NOTES)
    .map(
      ({ kind, message, at }) =>
        `note: ${kind}: ${printable(message)}${at.length ? `  (${at.map(printable).join(' > ')})` : ''}`,
    );
  if (notes.length <= MOST_NOTES) return lines;
  return [...lines, `and ${countText(notes.length - MOST_NOTES, 'more note')}; --report FILE has them all`];
}
