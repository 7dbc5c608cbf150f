/** What could not be kept on this disk, counted: one note a kind instead of one a file. */
import { type Context, note } from '../base/context.ts';
import { shownPath } from './path.ts';

export interface Losses {
  add(what: string, path: string): void;
  /** Gives the notes to the context. */
  report(context: Context): void;
}

export function lossList(): Losses {
  const counts = new Map<string, { count: number; readonly first: string }>();
  return {
    add(what, path) {
      const known = counts.get(what);
      if (known) known.count++;
      else counts.set(what, { count: 1, first: path });
    },
    report(context) {
      for (const [what, { count, first }] of counts) {
        note(
          context,
          'dropped',
          `${what} (${count === 1 ? 'one file' : `${count} files`}, first ${shownPath(first)})`,
          'rootfs',
        );
      }
      counts.clear();
    },
  };
}
