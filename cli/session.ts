/** What a command has to do with the outside: streams, the clock, signals, standard input. */

import { addAbortSignal } from 'node:stream';
import type { Worker } from 'node:worker_threads';
import type { Source } from '../converters/index.ts';
import type { ContextOptions } from '../formats/base/context.ts';
import { OcixError } from '../formats/base/errors.ts';
import { printable } from '../formats/bytes/text.ts';
import { type CommonOptions, checkSource, libraryOptions } from './options.ts';
import { type ProgressView, progressView } from './render/progress.ts';
import { type Paint, paintFor, widthOf } from './render/terminal.ts';
import { chosenRepositories } from './repositories.ts';

export interface Session {
  /** Aborted with the name of the signal that ends the run, or with `output` where standard output is lost. */
  readonly signal: AbortSignal;
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** The exit status of a command that did what it was to do, and has something to say by it; 0 where none says. */
  readonly finish: (status: number) => void;
}

/** Everything that the library takes, and the view that shows its progress. */
export function begin(
  session: Session,
  options: CommonOptions,
): {
  readonly library: ContextOptions & ReturnType<typeof libraryOptions>;
  /** Says and writes down what was decided about packages, when everything is read and, but for its last step, written. */
  readonly decided: () => Promise<void>;
  readonly view: ProgressView;
  readonly paint: Paint;
  readonly width: number;
} {
  const { signal, stderr, stdout, env } = session;
  const chosen = libraryOptions(options);
  const { repositories, finish } = chosenRepositories(options, env);
  const paint = paintFor(stderr, env);
  // Bars are drawn by moving the cursor, which a dumb terminal has not.
  const mode = options.progress === 'auto' && env['TERM'] === 'dumb' ? 'plain' : options.progress;
  const view = progressView(options.quiet ? 'none' : mode, {
    stream: stderr,
    paint,
    now: () => performance.now(),
  });
  return {
    library: {
      signal,
      ...chosen,
      packaging: { ...chosen.packaging, latest: sourceDateEpoch(env) },
      repositories,
      progress: view.event,
      host: { os: 'linux', architecture: hostArchitecture() },
    },
    decided: () => finish(stderr),
    view,
    paint: paintFor(stdout, env),
    width: widthOf(stdout),
  };
}

/** Seconds since 1970. https://reproducible-builds.org/specs/source-date-epoch/ @throws OcixError usage/option */
export function sourceDateEpoch(env: NodeJS.ProcessEnv): number | undefined {
  const text = env['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return undefined;
  if (/^[0-9]{1,12}$/.test(text) && !Number.isNaN(new Date(Number(text) * 1000).getTime())) return Number(text);
  throw new OcixError('usage/option', `SOURCE_DATE_EPOCH=${printable(text)} is not a number of seconds`, {
    hint: 'Unset it, or set it to seconds since 1970.',
  });
}

const GOARCH: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  arm64: 'arm64',
  arm: 'arm',
  ppc64: 'ppc64le',
  s390x: 's390x',
  riscv64: 'riscv64',
  loong64: 'loong64',
  mips: 'mips',
  mipsel: 'mipsle',
};
export const hostArchitecture = (): string => GOARCH[process.arch] ?? process.arch;

/** `-` is standard input, also behind a transport. */
export function sourceOf(text: string, { signal }: Session): Source {
  checkSource(text);
  const match = /^(?:([a-z][a-z0-9-]*):)?-$/.exec(text);
  return match
    ? { stream: standardInput(signal), name: 'standard input', ...(match[1] ? { from: match[1] } : {}) }
    : text;
}

/** Whoever writes to it may pause for ever; an interruption does not wait for the next bytes. */
async function* standardInput(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* addAbortSignal(signal, process.stdin);
  } catch (cause) {
    if (!signal.aborted) throw cause;
    throw new OcixError('interrupted', 'stopped before it was done', { hint: 'Nothing was written.', cause });
  }
}

/** Writes to standard output and waits where the reader is slower than we are. Whoever started the run is told where that fails. */
export async function print(session: Session, lines: Iterable<string>): Promise<void> {
  let text = '';
  for (const line of lines) {
    if (session.signal.aborted) return;
    text += `${line}\n`;
    if (text.length < 65_536) continue;
    await put(session, text);
    text = '';
  }
  if (text) await put(session, text);
}

const put = (session: Session, text: string): Promise<void> =>
  new Promise((resolve) => session.stdout.write(text, () => resolve()));

/**
 * What entries leave behind dies young. A nursery that grows for it costs 25 MB and saves no time. Every thread that starts makes V8 put the
 * factor back to 2 for all of them, so it is set again then.
 */
export async function keepNurserySmall(): Promise<void> {
  const { setFlagsFromString } = await import('node:v8'); // not loaded by commands that only look
  const { subscribe } = await import('node:diagnostics_channel');
  const set = (): void => setFlagsFromString('--semi-space-growth-factor=1');
  subscribe('worker_threads', (message) => (message as { readonly worker: Worker }).worker.once('online', set));
  set();
}
