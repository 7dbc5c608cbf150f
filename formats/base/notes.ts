/** What a conversion lost, assumed or mended, as data. `--strict` refuses an output that has any. */

export type NoteKind = 'dropped' | 'defaulted' | 'guessed' | 'repaired';

export interface Note {
  readonly kind: NoteKind;
  /** One sentence for a person, without a full stop. */
  readonly message: string;
  /** Where, from the outside in. */
  readonly at: readonly string[];
}

/** Collects notes and gives each once, in the order of their first occurrence. */
export interface NoteList {
  add(note: Note): void;
  all(): readonly Note[];
}

export function noteList(): NoteList {
  const notes = new Map<string, Note>();
  return {
    add(note) {
      const key = JSON.stringify([note.kind, note.message, note.at]);
      if (!notes.has(key)) notes.set(key, note);
    },
    all: () => [...notes.values()],
  };
}
