/**
 * Man pages in roff, with the macros of man(7), which every formatter of today knows: one for ocix, one for each command.
 * https://man7.org/linux/man-pages/man7/man.7.html
 */
import type { ArgumentFacts, CommandFacts, OptionFacts } from '../facts.ts';
import type { Example } from '../lessons.ts';

export interface ManPage {
  /** Of the file. */
  readonly name: string;
  readonly text: string;
}

export interface ManFacts {
  readonly version: string;
  /** Of the whole program. */
  readonly description: string;
  readonly examples: readonly Example[];
  readonly commands: readonly CommandFacts[];
}

export const manPages = (facts: ManFacts): readonly ManPage[] => [
  { name: 'ocix.1', text: overview(facts) },
  ...facts.commands.map((command) => ({ name: `ocix-${command.name}.1`, text: page(command, facts) })),
];

/** Lines of roff. */
type Roff = readonly string[];

const overview = ({ version, description, examples, commands }: ManFacts): string =>
  roff([
    ...title('ocix', version, description.replace(/\..*$/s, '')),
    '.SH SYNOPSIS',
    '.B ocix',
    '.I COMMAND',
    '[\\fIoption\\fR ...]',
    '.SH DESCRIPTION',
    plain(description),
    '.SH COMMANDS',
    ...commands.flatMap(({ name, summary }) => ['.TP', `.BR ocix\\-${word(name)} (1)`, plain(summary)]),
    '.SH EXAMPLES',
    ...examples.flatMap(example),
    '.SH ENVIRONMENT',
    ...['NO_COLOR', 'TERM'].flatMap((name) => ['.TP', `.B ${name}`, plain(ENVIRONMENT[name]!)]),
    '.TP',
    '.B SOURCE_DATE_EPOCH',
    plain('When images were created whose source does not say so, in seconds since 1970.'),
    '.TP',
    '.B XDG_CACHE_HOME',
    plain('Packages that were fetched are kept below it, in ocix; without it, below ~/.cache.'),
    '.TP',
    '.B NODE_EXTRA_CA_CERTS',
    plain('A file of certificates to trust beside the system’s.'),
    '.TP',
    '.B TMPDIR',
    plain('What has to be put aside for a while is put there; without it, into /tmp.'),
    '.TP',
    '.B OCIX_TRACE',
    plain('Prints where a fault of ocix itself happened.'),
    '.SH SEE ALSO',
    commands.map(({ name }) => `.BR ocix\\-${word(name)} (1)`).join(' ,\n'),
  ]);

const ENVIRONMENT: Readonly<Record<string, string>> = {
  NO_COLOR: 'Nothing is coloured where this is set to anything.',
  TERM: 'Nothing is coloured where this is dumb, or where the output is no terminal.',
};

function page({ name, summary, description, args, options, lesson }: CommandFacts, { version }: ManFacts): string {
  const groups = [...new Set(options.map(({ group }) => group))];
  return roff([
    ...title(`ocix-${name}`, version, summary),
    '.SH SYNOPSIS',
    `.B ocix ${word(name)}`,
    '[\\fIoption\\fR ...]',
    ...args.map(argumentText),
    '.SH DESCRIPTION',
    plain(description),
    ...(lesson?.notes ?? []).flatMap((note) => ['.PP', plain(note)]),
    ...args.flatMap((one) => ['.TP', `.I ${word(one.name)}`, plain(one.description)]),
    '.SH OPTIONS',
    ...groups.flatMap((group) => [
      ...(group === 'Options' ? [] : [`.SS ${plain(group)}`]),
      ...options.filter((option) => option.group === group).flatMap(optionText),
    ]),
    ...(lesson ? ['.SH EXAMPLES', ...lesson.examples.flatMap(example)] : []),
    ...(lesson
      ? ['.SH EXIT STATUS', ...lesson.exit.flatMap(([status, means]) => ['.TP', `.B ${status}`, plain(means)])]
      : []),
    '.SH SEE ALSO',
    '.BR ocix (1)',
  ]);
}

const title = (name: string, version: string, summary: string): Roff => [
  `.TH ${word(name.toUpperCase())} 1 "" "ocix ${word(version)}" "ocix"`,
  '.SH NAME',
  `${word(name)} \\- ${escaped(summary)}`,
];

const argumentText = ({ name, required }: ArgumentFacts): string =>
  required ? `\\fI${word(name)}\\fR` : `[\\fI${word(name)}\\fR]`;

function optionText({ long, short, value, description }: OptionFacts): Roff {
  const flags = [short, long].flatMap((flag) => (flag ? [`\\fB${word(flag)}\\fR`] : [])).join(', ');
  return ['.TP', value === undefined ? flags : `${flags} \\fI${word(value)}\\fR`, plain(description)];
}

const example = ([line, meaning]: Example): Roff => ['.TP', plain(`${meaning}:`), '.nf', `\\&${word(line)}`, '.fi'];

const roff = (lines: Roff): string => `.\\" Made of the command itself: npm run man.\n${lines.join('\n')}\n`;

/** Text in short lines, none of which is taken for a request, whatever it begins with. */
const plain = (text: string): string =>
  escaped(text)
    .replace(/(.{1,76})(?: |$)/g, '$1\n')
    .trimEnd()
    .replace(/^(?=[.'])/gm, '\\&');

/** Of what is typed also the dashes, which would be hyphens. */
const word = (text: string): string => escaped(text).replaceAll('-', '\\-');

const escaped = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replace(/\s+/g, ' ')
    .replace(/[^\x20-\x7e]/gu, (one) => `\\[u${one.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`);
