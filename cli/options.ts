/** Options that mean the same in every command, and what they become. */
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { SourceOptions } from '../converters/index.ts';
import type { OnlyFor } from '../converters/only-for.ts';
import type { ContextOptions } from '../formats/base/context.ts';
import { OcixError } from '../formats/base/errors.ts';
import { type Limits, parseLimit } from '../formats/base/limits.ts';
import { sourceError } from '../formats/bytes/source.ts';
import { type IdMapping, parseIdMapping } from '../formats/rootfs/owners.ts';
import { PROGRESS_MODES, type ProgressMode } from './render/progress.ts';
import type { RepositoryOptions } from './repositories.ts';

export interface CommonOptions extends RepositoryOptions {
  readonly from?: string;
  readonly platform?: string;
  readonly dep?: readonly string[];
  readonly rktCompat?: boolean;
  readonly exec?: string;
  readonly user?: string;
  readonly env: readonly string[];
  readonly label: readonly string[];
  readonly layers: 'one' | 'package' | 'group' | 'each';
  readonly distroless?: boolean;
  /** Set by deb2aci. */
  readonly annotated?: true;
  readonly configure?: boolean;
  readonly signature?: string;
  readonly keyring?: readonly string[];
  readonly requireSignature?: boolean;
  readonly allowWeakSignatures?: boolean;
  readonly passphraseFile?: string;
  readonly insecure?: boolean;
  readonly signKey?: string;
  readonly rootfs?: string;
  readonly json?: boolean;
  readonly limit: readonly string[];
  readonly progress: ProgressMode;
  readonly quiet?: boolean;
}

const IN = 'What goes in:';
const PACKAGES = 'Debian packages:';
const OUT = 'What comes out:';
const SAFETY = 'Safety:';
const PRINT = 'Output:';

/** For options that may be given more than once. */
export const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

const from = (): Option =>
  new Option('--from <name>', 'the source’s format, where recognising it must not be left to its bytes').helpGroup(IN);
/** For commands that look at a source as a whole. */
export const inputOptions = (command: Command): Command => command.addOption(from()).addOption(limits());

/** For a command that says what a source is: what it takes to get at its bytes. */
export const recognitionOptions = (command: Command): Command =>
  [from(), platform(), dep(), passphraseFile(), insecure(), limits()].reduce(
    (extended, option) => extended.addOption(option),
    command,
  );

const platform = (): Option => new Option('--platform <os/arch[/variant]>', 'which image of several').helpGroup(IN);
const dep = (): Option =>
  new Option('--dep <place>', 'where images are that an ACI depends on: a folder, a file, rkt:DIR (repeatable)')
    .argParser(collect)
    .default([], 'none')
    .helpGroup(IN);
const passphraseFile = (): Option =>
  new Option('--passphrase-file <file>', 'what opens an encrypted source: the first line of FILE').helpGroup(IN);
const insecure = (): Option =>
  new Option('--insecure', 'fetch an appc: source over plain HTTP too, where HTTPS fails').helpGroup(SAFETY);

export function sourceOptions(command: Command): Command {
  return command
    .addOption(from())
    .addOption(platform())
    .addOption(dep())
    .addOption(
      new Option('--rkt-compat', 'render an ACI as rkt did, where that differs from the specification').helpGroup(IN),
    )
    .addOption(
      several('apt-repo', 'folder|url|file', 'a repository, or a file of apt that lists some').helpGroup(PACKAGES),
    )
    .addOption(several('apt-keyring', 'file', 'keys that vouch for repositories').helpGroup(PACKAGES))
    .addOption(new Option('--arch <name>', 'the architecture of the packages').helpGroup(PACKAGES))
    .addOption(new Option('--components <names>', 'separated by commas; main unless said').helpGroup(PACKAGES))
    .addOption(
      new Option('--lock <file>', 'use the packages that it names; where it is not there it is written').helpGroup(
        PACKAGES,
      ),
    )
    .addOption(several('explain', 'package', 'say why it is in').helpGroup(PACKAGES))
    .addOption(new Option('--exec <command>', 'what the image runs').helpGroup(PACKAGES))
    .addOption(new Option('--user <user[:group]>', 'as whom').helpGroup(PACKAGES))
    .addOption(pairs('env', 'set an environment variable').helpGroup(PACKAGES))
    .addOption(pairs('label', 'set a label').helpGroup(PACKAGES))
    .addOption(
      new Option(
        '--layers <how>',
        'a layer for all packages, for each, or for groups that images have in common; each: an ACI for each layer, in a folder',
      )
        .choices(['one', 'package', 'group', 'each'])
        .default('group')
        .helpGroup(PACKAGES),
    )
    .addOption(new Option('--distroless', 'no dpkg database, only what scanners read').helpGroup(PACKAGES))
    .addOption(passphraseFile())
    .addOption(new Option('--require-signature', 'read nothing that no trusted key has signed').helpGroup(SAFETY))
    .addOption(
      new Option('--signature <file>', 'the detached signature of the source')
        .default(undefined, 'SOURCE.asc or SOURCE.sig')
        .helpGroup(SAFETY),
    )
    .addOption(
      new Option('--keyring <dir>', 'trusted keys: a folder, a file, or rkt’s trusted-keys layout (repeatable)')
        .argParser(collect)
        .default([], 'rkt’s own')
        .helpGroup(SAFETY),
    )
    .addOption(
      new Option('--allow-weak-signatures', 'take SHA-1, RSA from 1024 bits on, DSA, and keys expired since').helpGroup(
        SAFETY,
      ),
    )
    .addOption(insecure())
    .addOption(limits());
}

/** For a command whose source is a file and nothing else. */
export const limitOption = (command: Command): Command => command.addOption(limits());

const limits = (): Option =>
  new Option('--limit <name=value>', 'raise or lower a safety limit (repeatable)')
    .argParser(collect)
    .default([], 'see docs/limits.md')
    .helpGroup(SAFETY);

export function targetOptions(command: Command): Command {
  const extended = command
    .addOption(new Option('--ref <name>', 'the reference to write').helpGroup(OUT))
    .addOption(
      new Option('--compress <how[:level]>', 'layers’ compression: gzip, zstd, none or keep; of an ACI also xz')
        .default('keep')
        .helpGroup(OUT),
    )
    .addOption(
      new Option('--reproducible', 'the same blobs byte for byte on every machine and Node version').helpGroup(OUT),
    )
    .addOption(new Option('--flatten', 'one layer in the place of several').helpGroup(OUT))
    .addOption(new Option('--force', 'replace what is at OUT').helpGroup(OUT))
    .addOption(
      new Option('--layer <n>', 'to tar: one layer as it is, 0 is the base').argParser(wholeNumber).helpGroup(OUT),
    )
    .addOption(
      new Option('--v1', 'to docker-archive: what Docker before 1.10 reads too, and no image layout').helpGroup(OUT),
    )
    .addOption(
      new Option(
        '--sign-key <file>',
        'to aci: sign with this private key, into OUT.asc (--passphrase-file unlocks it)',
      ).helpGroup(OUT),
    );
  return reportOptions(extended);
}

/** Of every command that makes something of an image. */
export function reportOptions(command: Command): Command {
  return command
    .addOption(new Option('--strict', 'write nothing if anything would be lost, guessed or repaired').helpGroup(SAFETY))
    .addOption(
      new Option('--report <file>', 'write the conversion report there: JSON, or a page to read (.html)').helpGroup(
        PRINT,
      ),
    );
}

export function extractionOptions(command: Command): Command {
  const extended = command
    .addOption(
      new Option(
        '--rootless',
        'record owners instead of setting them (the default for who may not set them)',
      ).helpGroup(OUT),
    )
    .addOption(mappingOption('uid-map').helpGroup(OUT))
    .addOption(mappingOption('gid-map').helpGroup(OUT))
    .addOption(new Option('--keep-dirlinks', 'a folder over a link to a folder keeps the link').helpGroup(OUT))
    .addOption(new Option('--force', 'replace what is at DIR').helpGroup(OUT));
  return reportOptions(extended);
}

const several = (name: string, value: string, what: string): Option =>
  new Option(`--${name} <${value}>`, `${what} (repeatable)`).argParser(collect).default([], 'none');

const pairs = (name: string, what: string): Option => several(name, 'name=value', what);

export const mappingOption = (name: 'uid-map' | 'gid-map'): Option =>
  new Option(`--${name} <container:host:size>`, `map ${name.slice(0, 1)}ids into a range of the host (repeatable)`)
    .argParser(collect)
    .default([], 'none');

/** @throws OcixError usage/option */
export const mappingsOf = (texts: readonly string[], option: string): readonly IdMapping[] =>
  texts.map((text) => parseIdMapping(text, option));

export function runtimeOptions(command: Command): Command {
  return command
    .addOption(new Option('--configure', 'run the packages’ scripts, in a container of the bundle').helpGroup(PACKAGES))
    .addOption(new Option('--tty', 'the process gets a terminal').helpGroup(OUT))
    .addOption(new Option('--read-only', 'the root filesystem cannot be written to').helpGroup(OUT))
    .addOption(
      new Option(
        '--caps <names>',
        'capabilities, separated by commas, or none; without, what the image asks for',
      ).helpGroup(OUT),
    );
}

export function printOptions(command: Command): Command {
  return command
    .addOption(new Option('--json', 'one JSON document on standard output').helpGroup(PRINT))
    .addOption(
      new Option('--progress <mode>', 'progress on standard error')
        .choices([...PROGRESS_MODES])
        .default('auto')
        .helpGroup(PRINT),
    )
    .addOption(new Option('-q, --quiet', 'no progress, no summary').helpGroup(PRINT));
}

/** What was said that only some sources can follow. */
function onlyFor(options: CommonOptions): OnlyFor {
  const { layers, aptRepo, aptKeyring, explain, dep } = options;
  return {
    packages: given({
      '--arch': options.arch,
      [`--layers ${layers}`]: layers === 'one' || layers === 'package',
      '--distroless': options.distroless,
      '--configure': options.configure,
    }),
    repositories: given({
      '--apt-repo': aptRepo?.length,
      '--apt-keyring': aptKeyring?.length,
      '--components': options.components,
      '--lock': options.lock,
      '--explain': explain?.length,
    }),
    dependents: given({ '--dep': dep?.length, '--rkt-compat': options.rktCompat }),
    discovered: given({ '--insecure': options.insecure }),
    // It may also be that of the key.
    encrypted: given({ '--passphrase-file': options.signKey === undefined && options.passphraseFile !== undefined }),
  };
}

const given = (options: Readonly<Record<string, unknown>>): readonly string[] =>
  Object.keys(options).filter((name) => options[name]);

/** What nobody leaves empty on purpose. */
const NEVER_EMPTY = {
  arch: '--arch',
  components: '--components',
  dep: '--dep',
  explain: '--explain',
  aptRepo: '--apt-repo',
  aptKeyring: '--apt-keyring',
  keyring: '--keyring',
  lock: '--lock',
  passphraseFile: '--passphrase-file',
  rootfs: '--rootfs',
  signature: '--signature',
  signKey: '--sign-key',
} as const satisfies Partial<Record<keyof CommonOptions, string>>;

/** @throws OcixError usage/option */
function checkNotEmpty(options: CommonOptions): void {
  const empty = (Object.keys(NEVER_EMPTY) as (keyof typeof NEVER_EMPTY)[]).find((key) =>
    [options[key]].flat().includes(''),
  );
  if (empty !== undefined)
    throw new OcixError('usage/option', `there is nothing behind ${NEVER_EMPTY[empty]}`, {
      hint: 'A variable that was never set gives that. Leave the option out, or say what it is to be.',
    });
}

/** What the user says of the source. */
const sourceChoice = (options: CommonOptions): SourceOptions => ({
  onlyFor: onlyFor(options),
  from: options.from,
  platform: options.platform,
  dependencies: options.dep,
  compatible: options.rktCompat,
  network: { insecure: options.insecure },
  trust: trustOf(options),
  passphrase: options.passphraseFile === undefined ? undefined : firstLineOf(options.passphraseFile),
  settings: {
    exec: options.exec,
    user: options.user,
    env: options.env,
    labels: options.label,
  },
  packaging: {
    layers: options.layers === 'each' ? 'group' : options.layers,
    distroless: options.distroless ?? false,
    ...(options.annotated ? { annotated: true } : {}),
  },
});

function trustOf({
  signature,
  keyring = [],
  requireSignature,
  allowWeakSignatures,
}: CommonOptions): SourceOptions['trust'] {
  if (!requireSignature && signature === undefined && !keyring.length) {
    if (!allowWeakSignatures) return undefined;
    throw new OcixError('usage/option', '--allow-weak-signatures, and no signature is to be checked', {
      hint: 'Say whose: --keyring DIR, with --require-signature where there has to be one.',
    });
  }
  const required = requireSignature ?? false;
  return { required, signature, keyring, allowWeak: allowWeakSignatures, now: new Date() };
}

/** @throws OcixError source/… */
export function fileBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw sourceError(file, cause);
  }
}

/** As gpg reads a passphrase file. @throws OcixError source/… */
function firstLineOf(file: string): Uint8Array {
  try {
    const bytes = readFileSync(file);
    const end = bytes.indexOf(0x0a);
    const line = end < 0 ? bytes : bytes.subarray(0, end);
    return line.at(-1) === 0x0d ? line.subarray(0, -1) : line;
  } catch (cause) {
    throw sourceError(file, cause);
  }
}

/** What the library wants to know, from what the user wrote. @throws OcixError usage/option */
export function libraryOptions(
  options: CommonOptions,
): Pick<ContextOptions, 'limits'> & ReturnType<typeof sourceChoice> {
  checkNotEmpty(options);
  const limits: Partial<Record<keyof Limits, number>> = {};
  for (const text of options.limit) {
    const [name, value] = parseLimit(text);
    limits[name] = value;
  }
  return { limits, ...sourceChoice(options) };
}

export const wholeNumber = (text: string): number => {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('it must be a whole number from 0 on');
};

/** `-` is what commander would take for an option's value, and what means standard input here. */
export function checkSource(source: string): string {
  if (source === '')
    throw new OcixError('usage/argument', 'the source is empty', { hint: 'Give a path, or - for standard input.' });
  return source;
}
