/** Packages as a person wants to see them: one with all that it says, several as a list. */
import type { ImageSummary } from '../../converters/summary.ts';
import { printable } from '../../formats/bytes/text.ts';
import { clip, type Paint } from './terminal.ts';
import { countText, sizeText } from './units.ts';

type Packages = NonNullable<ImageSummary['packages']>;

export function packagesText(packages: Packages, width: number, paint: Paint): string {
  const [one, another] = packages;
  if (!one) return '';
  return another ? listText(packages, width, paint) : wholeText(one, paint);
}

/** These stand in the first line. */
const FIRST = new Set(['package', 'version', 'architecture']);

function wholeText({ name, version, architecture, fields, scripts, conffiles, size }: Packages[number], paint: Paint) {
  const rows = Object.entries(fields)
    .filter(([field]) => !FIRST.has(field.toLowerCase()) && field.toLowerCase() !== 'installed-size')
    .map(([field, value]): readonly [string, string] => [
      field,
      field.toLowerCase() === 'description' ? value.split('\n')[0]! : value.replace(/\s+/g, ' '),
    ]);
  const installed = Object.entries(fields).find(([field]) => field.toLowerCase() === 'installed-size')?.[1];
  rows.push(['Size', `${sizeText(size)} in the package${installedText(installed)}`]);
  if (scripts.length) rows.push(['Scripts', `${scripts.join(' ')} (not run)`]);
  for (const [i, path] of conffiles.entries()) rows.push([i ? '' : 'Conffiles', path]);
  const wide = widest(rows.map(([field]) => field));
  return [
    paint('bold', `Package ${printable(name)} ${printable(version)} for ${printable(architecture)}`),
    ...rows.map(([field, value]) => `  ${printable(field).padEnd(wide)}  ${printable(value)}`),
  ].join('\n');
}

/** There may be more of them than a call can have arguments. */
const widest = (texts: readonly string[]): number => texts.reduce((most, { length }) => Math.max(most, length), 0);

/** The field counts in units of 1024 bytes. */
const installedText = (kibibytes = ''): string =>
  /^[0-9]{1,12}$/.test(kibibytes) ? `, ${sizeText(Number(kibibytes) * 1024)} installed` : '';

function listText(packages: Packages, width: number, paint: Paint): string {
  const columns = packages.map(({ name, version, architecture, size, scripts }) => [
    printable(name),
    printable(version),
    printable(architecture),
    sizeText(size),
    scripts.length ? `${scripts.join(' ')} (not run)` : '',
  ]);
  const wide = [0, 1, 2, 3].map((at) => widest(columns.map((row) => row[at]!)));
  const rows = columns.map((row) =>
    clip(
      `  ${row.map((text, at) => (at === 3 ? text.padStart(wide[at]!) : text.padEnd(wide[at] ?? 0))).join('  ')}`.trimEnd(),
      width,
    ),
  );
  return [paint('bold', countText(packages.length, 'package')), ...rows].join('\n');
}
