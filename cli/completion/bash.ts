/** A completion script for bash from 3.2 on; it needs no other package. https://www.gnu.org/software/bash/manual/bash.html#Programmable-Completion */
import type { CommandFacts, OptionFacts, Taken } from '../facts.ts';
import { quoted } from './quoted.ts';

/**
 * Bash splits words at `:` and `=`, which sources and options are full of. So the word is taken from the line itself, and what stands
 * in front of the last of these is left out of the answers, as bash expects.
 */
const FRAME = `
_ocix_reply() { # KIND WORD [CANDIDATE…]: candidates for the word, each with all of it
  local kind=$1 word=$2 head=$3 one IFS=$'\\n'
  shift 3
  case $kind in
    words) for one in "$@"; do [[ $one == "$word"* ]] && _ocix_found+=("$head$one"); done ;;
    folder) for one in $(compgen -d -- "$word"); do _ocix_found+=("$head$one"); done ;;
    path) for one in $(compgen -f -- "$word"); do _ocix_found+=("$head$one"); done ;;
    source)
      if [[ $word =~ ^[a-z][a-z0-9-]*: ]]; then
        _ocix_reply path "\${word#*:}" "$head\${word%%:*}:"
      else
        _ocix_reply path "$word" "$head"
        _ocix_reply words "$word" "$head" "$@"
      fi ;;
  esac
}

_ocix() {
  local line=\${COMP_LINE:0:COMP_POINT} words=() _ocix_found=() word prev before='' command='' place=0 i
  read -a words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  word=\${words[\${#words[@]}-1]}
  prev=\${words[\${#words[@]}-2]}
  for ((i = 1; i < \${#words[@]} - 1; i++)); do
    if [[ -z $command ]]; then
      [[ \${words[i]} == -* ]] || command=\${words[i]}
    elif [[ \${words[i]} == - || \${words[i]} != -* ]] && ! _ocix_takes "$command" "\${words[i-1]}"; then
      place=$((place + 1))
    fi
  done
  if [[ $word == --*=* ]]; then
    prev=\${word%%=*} before=\${word%%=*}=
  fi
  COMPREPLY=()
  if [[ -z $command ]]; then
    _ocix_reply words "$word" '' $_ocix_commands help --help --version
  elif [[ $command == help ]]; then
    _ocix_reply words "$word" '' $_ocix_commands
  elif _ocix_takes "$command" "$prev"; then
    _ocix_value "$command" "$prev" "\${word#"$before"}" "$before"
  elif [[ $word == -?* ]]; then
    _ocix_options "$command" "$word"
  else
    _ocix_argument "$command" "$place" "$word"
  fi
  local cut='' one
  for ((i = \${#word}; i > 0; i--)); do
    if [[ $COMP_WORDBREAKS == *"\${word:i-1:1}"* && "\${word:i-1:1}" == [:=] ]]; then
      cut=\${word:0:i}
      break
    fi
  done
  local open=1
  for one in "\${_ocix_found[@]}"; do
    COMPREPLY+=("\${one#"$cut"}")
    [[ $one == *[:=] ]] || open=
  done
  # Something has to follow a transport.
  [[ -n $open ]] && type compopt > /dev/null 2>&1 && compopt -o nospace 2> /dev/null
  return 0
}

complete -o filenames -F _ocix ocix`;

export function bashScript(commands: readonly CommandFacts[]): string {
  const valued = ({ options }: CommandFacts): readonly OptionFacts[] =>
    options.filter(({ value }) => value !== undefined);
  return `# bash completion for ocix: source <(ocix completion bash)
_ocix_commands=${quoted(commands.map(({ name }) => name).join(' '))}

_ocix_takes() { # COMMAND OPTION: whether a value follows
  case "$1 $2" in
    ${commands.flatMap((command) => valued(command).map(({ long }) => quoted(`${command.name} ${long}`))).join(' | \\\n    ')}) return 0 ;;
  esac
  return 1
}

_ocix_value() { # COMMAND OPTION WORD HEAD
  case "$1 $2" in
${commands.flatMap((command) => valued(command).flatMap((option) => branch(`${command.name} ${option.long}`, option.takes, '"$3" "$4"'))).join('\n')}
  esac
}

_ocix_options() { # COMMAND WORD
  case "$1" in
${commands.map((command) => branch(command.name, { kind: 'words', words: flagsOf(command) }, '"$2" \'\'')[0]).join('\n')}
  esac
}

_ocix_argument() { # COMMAND PLACE WORD
  case "$1 $2" in
${commands.flatMap((command) => command.args.flatMap(({ takes }, place) => branch(`${command.name} ${place}`, takes, '"$3" \'\''))).join('\n')}
  esac
}
${FRAME}`;
}

const flagsOf = ({ options }: CommandFacts): readonly string[] =>
  options.flatMap(({ long, short }) => (short ? [long, short] : [long]));

function branch(pattern: string, takes: Taken, word: string): readonly string[] {
  const of = (kind: string, words: readonly string[]): readonly string[] => [
    `    ${quoted(pattern)}) _ocix_reply ${[kind, word, ...words.map(quoted)].join(' ')} ;;`,
  ];
  switch (takes.kind) {
    case 'nothing':
      return [];
    case 'words':
      return of('words', takes.words);
    case 'starts':
      return of('words', takes.starts);
    case 'source':
      return of('source', takes.starts);
    default:
      return of(takes.kind, []);
  }
}
