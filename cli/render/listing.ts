/** Entries as `tar -tv` shows them. */
import type { Listed } from '../../converters/listing.ts';
import { printable } from '../../formats/bytes/text.ts';

const LETTER: Readonly<Record<Listed['type'], string>> = {
  file: '-',
  dir: 'd',
  symlink: 'l',
  hardlink: 'h',
  char: 'c',
  block: 'b',
  fifo: 'p',
};

export function listedText(entry: Listed, widths: { readonly owner: number; readonly size: number }): string {
  const size = entry.major === undefined ? String(entry.size ?? 0) : `${entry.major},${entry.minor}`;
  const link =
    entry.link === undefined
      ? ''
      : entry.type === 'symlink'
        ? ` -> ${printable(entry.link)}`
        : ` link to ${printable(entry.link)}`;
  const time = timeText(entry.mtime);
  return `${LETTER[entry.type]}${modeText(entry.mode)} ${ownerText(entry).padEnd(widths.owner)} ${size.padStart(widths.size)} ${time} ${printable(entry.path)}${link}${entry.sha256 ? `  sha256:${entry.sha256}` : ''}`;
}

export const ownerText = ({ uid, gid }: Listed): string => `${uid}/${gid}`;

function timeText(mtime: string): string {
  const date = new Date(Number(mtime.split('.')[0]) * 1000);
  return Number.isNaN(date.getTime()) ? mtime : date.toISOString().slice(0, 16).replace('T', ' ');
}

function modeText(octal: string): string {
  const mode = Number.parseInt(octal, 8);
  const letters = [...'rwxrwxrwx'].map((letter, i) => (mode & (0o400 >> i) ? letter : '-'));
  for (const [bit, at, set] of [
    [0o4000, 2, 's'],
    [0o2000, 5, 's'],
    [0o1000, 8, 't'],
  ] as const) {
    if (mode & bit) letters[at] = letters[at] === 'x' ? set : set.toUpperCase();
  }
  return letters.join('');
}
