/** A completion script for fish: https://fishshell.com/docs/current/completions.html */
import type { CommandFacts, OptionFacts, Taken } from '../facts.ts';

const FRAME = `function __ocix_source
    set -l token (commandline -ct)
    if string match -qr '^[a-z][a-z0-9-]*:' -- $token
        set -l head (string replace -r ':.*' ':' -- $token)
        set -l rest (string replace -r '^[^:]*:' '' -- $token)
        for path in $rest*
            test -d $path; and echo $head$path/; or echo $head$path
        end
    else
        printf '%s\\n' $argv
    end
end

function __ocix_at -a command -a place
    set -l words (commandline -opc)
    set -e words[1]
    set -l found
    set -l skip 0
    for word in $words
        if test $skip = 1
            set skip 0
        else if string match -q -- '-?*' $word
            contains -- "$found[1] $word" $__ocix_valued; and set skip 1
        else
            set -a found $word
        end
    end
    test "$found[1]" = "$command"; and test (count $found) = (math $place + 1)
end

complete -c ocix -f
complete -c ocix -n __fish_use_subcommand -l version -d 'print the version'
complete -c ocix -n __fish_use_subcommand -s h -l help -d 'print help'
complete -c ocix -n __fish_use_subcommand -a help -d 'print help'`;

export const fishScript = (commands: readonly CommandFacts[]): string =>
  [
    '# fish completion for ocix: ocix completion fish > ~/.config/fish/completions/ocix.fish',
    `set -g __ocix_valued ${commands.flatMap(valued).map(quoted).join(' ')}`,
    '',
    FRAME,
    `complete -c ocix -n '__ocix_at help 0' -a ${quoted(commands.map(({ name }) => name).join(' '))}`,
    ...commands.flatMap(linesOf),
  ].join('\n');

/** Options that a value follows, for telling it from an argument. */
const valued = ({ name, options }: CommandFacts): readonly string[] =>
  options.flatMap(({ long, short, value }) =>
    value === undefined ? [] : [long, ...(short ? [short] : [])].map((flag) => `${name} ${flag}`),
  );

function linesOf({ name, summary, options, args }: CommandFacts): readonly string[] {
  return [
    '',
    `complete -c ocix -n __fish_use_subcommand -a ${quoted(name)} -d ${quoted(summary)}`,
    ...args.map(({ takes }, place) => `complete -c ocix -n ${quoted(`__ocix_at ${name} ${place}`)} ${offered(takes)}`),
    ...options.map((option) => optionLine(name, option)),
  ];
}

function optionLine(command: string, { long, short, value, description, takes }: OptionFacts): string {
  return [
    `complete -c ocix -n ${quoted(`__fish_seen_subcommand_from ${command}`)}`,
    `-l ${long.replace('--', '')}`,
    ...(short ? [`-s ${short.replace('-', '')}`] : []),
    ...(value === undefined ? [] : ['-r', offered(takes)]),
    `-d ${quoted(description)}`,
  ].join(' ');
}

function offered(takes: Taken): string {
  switch (takes.kind) {
    case 'nothing':
      return '-f';
    case 'words':
      return `-f -a ${quoted(takes.words.join(' '))}`;
    case 'starts':
      return `-f -a ${quoted(takes.starts.join(' '))}`;
    case 'source':
      return `-F -a ${quoted(`(__ocix_source ${takes.starts.join(' ')})`)}`;
    case 'folder':
      return `-f -a '(__fish_complete_directories)'`;
    case 'path':
      return '-F';
  }
}

const quoted = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`;
