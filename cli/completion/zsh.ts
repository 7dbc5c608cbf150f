/** A completion script for zsh: https://zsh.sourceforge.io/Doc/Release/Completion-System.html */
import type { CommandFacts, OptionFacts, Taken } from '../facts.ts';
import { quoted } from './quoted.ts';

export const zshScript = (commands: readonly CommandFacts[]): string => `#compdef ocix
# zsh completion for ocix: source <(ocix completion zsh), or as _ocix in a folder of $fpath

_ocix_source() {
  if compset -P '[a-z][a-z0-9-]#:'; then
    _files
  else
    _files
    compadd -S '' -- "$@"
  fi
}

_ocix_starts() {
  compadd -S '' -- "$@"
}

_ocix() {
  setopt localoptions extendedglob
  local curcontext=$curcontext state line
  typeset -A opt_args
  _arguments -C '(- *)--version[print the version]' '(- *)'{-h,--help}'[print help]' '1:command:->command' '*::argument:->arguments'
  case $state in
    command)
      local -a commands=(${commands.map(({ name, summary }) => `\n        ${quoted(`${name}:${summary}`)}`).join('')}
        'help:print help')
      _describe -t commands command commands ;;
    arguments)
      case $words[1] in
        help) _arguments ${quoted(`1:command:(${commands.map(({ name }) => name).join(' ')})`)} ;;
${commands.map(branch).join('\n')}
      esac ;;
  esac
}

if [[ \${funcstack[1]} == _ocix ]]; then _ocix "$@"; else compdef _ocix ocix; fi`;

function branch({ name, options, args }: CommandFacts): string {
  const specs = [
    ...options.map(optionSpec),
    ...args.map(({ name: argument, required, takes }, i) =>
      quoted(`${i + 1}${required ? '' : ':'}:${argument}:${action(takes)}`),
    ),
  ];
  return `        ${quoted(name)}) _arguments -s ${specs.map((spec) => `\\\n          ${spec}`).join(' ')} ;;`;
}

function optionSpec({ long, short, value, description, takes }: OptionFacts): string {
  const says = `[${description.replace(/[[\]\\]/g, '\\$&')}]`;
  const argument = value === undefined ? '' : `:${value.replaceAll(':', '\\:')}:${action(takes)}`;
  const repeated = description.includes('(repeatable)');
  const equals = value === undefined ? '' : '=';
  if (repeated) return quoted(`*${long}${equals}${says}${argument}`);
  if (!short) return quoted(`${long}${equals}${says}${argument}`);
  return `${quoted(`(${short} ${long})`)}{${short},${long}${equals}}${quoted(`${says}${argument}`)}`;
}

function action(takes: Taken): string {
  const escaped = (words: readonly string[]): string => words.map((word) => word.replace(/[:=]/g, '\\$&')).join(' ');
  switch (takes.kind) {
    case 'nothing':
      return ' ';
    case 'words':
      return `(${escaped(takes.words)})`;
    case 'starts':
      return `{_ocix_starts ${takes.starts.join(' ')}}`;
    case 'source':
      return `{_ocix_source ${escaped(takes.starts).replaceAll('\\:', ':')}}`;
    case 'folder':
      return '_files -/';
    case 'path':
      return '_files';
  }
}
