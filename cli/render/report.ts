/** What a run did: the report as a file, its notes as lines. */
import { constants } from 'node:fs';
import { access, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { MigrationReport, Note, Report } from '../../converters/index.ts';
import { outputError } from '../../formats/bytes/output-error.ts';
import { printable } from '../../formats/bytes/text.ts';
import { countText } from './units.ts';

/** Before anything is converted: a report that cannot be written must not cost the output. @throws OcixError output/write */
export async function checkReport(file: string | undefined): Promise<void> {
  if (file === undefined) return;
  try {
    const there = await stat(file).catch(() => undefined);
    if (there?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    await access(there ? file : dirname(resolve(file)), constants.W_OK);
  } catch (cause) {
    throw outputError(file, cause);
  }
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
