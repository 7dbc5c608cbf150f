/** The commands as data: what completion scripts and man pages are made of, read from the parser itself so that they cannot say anything else. */
import type { Argument, Command, Option } from 'commander';
import { LESSONS, type Lesson } from './lessons.ts';

export interface CommandFacts {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly args: readonly ArgumentFacts[];
  readonly options: readonly OptionFacts[];
  readonly lesson: Lesson | undefined;
}

export interface ArgumentFacts {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  readonly takes: Taken;
}

export interface OptionFacts {
  /** With its dashes. */
  readonly long: string;
  readonly short: string | undefined;
  /** The name of its value; absent for one that has none. */
  readonly value: string | undefined;
  readonly description: string;
  /** The title that it stands under. */
  readonly group: string;
  readonly takes: Taken;
}

/** What can stand in a place, for a shell to offer. `starts` are words that something has to follow. */
export type Taken =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'path' }
  | { readonly kind: 'folder' }
  | { readonly kind: 'source'; readonly starts: readonly string[] }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'starts'; readonly starts: readonly string[] };

export async function commandFacts(program: Command): Promise<readonly CommandFacts[]> {
  const values = await knownValues();
  return program.commands
    .filter((command) => LESSONS[command.name()])
    .map((command) => ({
      name: command.name(),
      summary: command.summary(),
      description: command.description(),
      args: command.registeredArguments.map((argument) => argumentFacts(command.name(), argument, values)),
      options: [...command.options.map((option) => optionFacts(option, values)), HELP],
      lesson: LESSONS[command.name()],
    }));
}

const HELP: OptionFacts = {
  long: '--help',
  short: '-h',
  value: undefined,
  description: 'print help',
  group: 'Options',
  takes: { kind: 'nothing' },
};

type Values = Awaited<ReturnType<typeof knownValues>>;

/** Values that the library knows; looked up only where they are asked for, since every reader and target is loaded for them. */
async function knownValues() {
  const [
    { sourceTransports },
    { VALIDATED },
    { TARGETS },
    { DIFF_FIELDS },
    { DEFAULT_LIMITS },
    { CAPABILITIES },
    { COMPRESSIONS },
  ] = await Promise.all([
    import('../converters/source-text.ts'),
    import('../converters/validate.ts'),
    import('../converters/targets/index.ts'),
    import('../converters/diff.ts'),
    import('../formats/base/limits.ts'),
    import('../formats/model/capabilities.ts'),
    import('../converters/targets/compression.ts'),
  ]);
  const transports = sourceTransports();
  return {
    transports,
    /** What some commands take beside them. */
    more: { diff: ['bundle', 'rootfs'], validate: VALIDATED } as Readonly<Record<string, readonly string[]>>,
    words: {
      '--from': transports,
      '--to': TARGETS.map(({ name }) => name),
      '--compress': COMPRESSIONS,
      '--ignore': DIFF_FIELDS,
      '--caps': ['none', ...CAPABILITIES.map((name) => name.replace('CAP_', ''))],
    } as Readonly<Record<string, readonly string[]>>,
    starts: { '--limit': Object.keys(DEFAULT_LIMITS).map((name) => `${name}=`) } as Readonly<
      Record<string, readonly string[]>
    >,
  };
}

function argumentFacts(command: string, argument: Argument, { transports, more }: Values): ArgumentFacts {
  const name = argument.name();
  const starts = [...transports, ...(more[command] ?? [])].map((transport) => `${transport}:`);
  const takes: Taken = argument.argChoices
    ? { kind: 'words', words: argument.argChoices }
    : SOURCES.includes(name)
      ? { kind: 'source', starts }
      : { kind: name === 'dir' ? 'folder' : 'path' };
  return { name, description: argument.description, required: argument.required, takes };
}

/** Arguments that take a transport. */
const SOURCES: readonly string[] = ['source', 'a', 'b', 'estate'];

function optionFacts(option: Option, values: Values): OptionFacts {
  const long = option.long!;
  const value = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1];
  const group = (option.helpGroupHeading ?? 'Options').replace(/:$/, '');
  return {
    long,
    short: option.short,
    value,
    description: option.description,
    group,
    takes: taken(option, value, values),
  };
}

function taken({ argChoices, long }: Option, value: string | undefined, { words, starts }: Values): Taken {
  const known = argChoices ?? words[long!];
  if (value === undefined) return { kind: 'nothing' };
  if (known) return { kind: 'words', words: known };
  if (starts[long!]) return { kind: 'starts', starts: starts[long!]! };
  if (value === 'dir') return { kind: 'folder' };
  return { kind: value === 'file' || value === 'place' ? 'path' : 'nothing' };
}
