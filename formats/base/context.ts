/**
 * What a run may know and say. Passed last, never global: nothing below `cli/` prints, exits, or reads the
 * environment, the clock or the arguments.
 */
import { OcixError } from './errors.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { type Note, type NoteKind, type NoteList, noteList } from './notes.ts';
import type { ProgressEvent } from './progress.ts';

export interface Context {
  readonly signal: AbortSignal;
  readonly limits: Limits;
  readonly notes: NoteList;
  readonly progress: (event: ProgressEvent) => void;
  /** The platform to assume where a source leaves it open. */
  readonly host: { readonly os: string; readonly architecture: string };
}

export interface ContextOptions {
  readonly signal?: AbortSignal | undefined;
  readonly limits?: Partial<Limits> | undefined;
  readonly notes?: NoteList | undefined;
  readonly progress?: ((event: ProgressEvent) => void) | undefined;
  readonly host?: Context['host'] | undefined;
}

export function createContext(options: ContextOptions = {}): Context {
  return {
    signal: options.signal ?? new AbortController().signal,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    notes: options.notes ?? noteList(),
    progress: options.progress ?? (() => {}),
    host: options.host ?? { os: 'linux', architecture: 'amd64' },
  };
}

/** Throws `interrupted` when the run has been asked to stop. */
export function checkAbort(context: Context): void {
  if (context.signal.aborted) {
    throw new OcixError('interrupted', 'stopped before it was done', { hint: 'Nothing was written.' });
  }
}

export function note(context: Context, kind: NoteKind, message: string, ...at: readonly string[]): void {
  const added: Note = { kind, message, at };
  context.notes.add(added);
}

/** The same run, in which every note gets `place` in front of its trail. */
export const notesWithin = (place: string, context: Context): Context => ({
  ...context,
  notes: { ...context.notes, add: (added) => context.notes.add({ ...added, at: [place, ...added.at] }) },
});
