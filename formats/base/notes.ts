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

/** An archive of a million strange names would otherwise be kept in memory once more, as sentences. */
const MOST_NOTES = 10_000;

export function noteList(): NoteList {
  const notes = new Map<string, Note>();
  let more = 0;
  return {
    add(note) {
      const key = JSON.stringify([note.kind, note.message, note.at]);
      if (notes.has(key)) return;
      if (notes.size < MOST_NOTES) notes.set(key, note);
      else more++;
    },
    all: () => [
      ...notes.values(),
      ...(more ? [{ kind: 'dropped' as const, message: `${more} more notes are not kept`, at: [] }] : []),
    ],
  };
}
