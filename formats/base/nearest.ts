/** The likely word for a mistyped one. */

/** `Did you mean convert? ` where one of the known words is near, and nothing otherwise: to stand in front of a hint. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const found = nearest(word, known);
  return found === undefined ? '' : `Did you mean ${found}? `;
}

/** A word that is right but for one typo in three letters; the first of equally near ones. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > LONGEST) return undefined;
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const one of known) {
    const typos = distance(word.toLowerCase(), one.toLowerCase());
    if (typos >= least || typos > Math.max(1, Math.floor(Math.max(word.length, one.length) / 3))) continue;
    // Of a word as short as the typo nothing would be left.
    if (typos >= Math.min(word.length, one.length)) continue;
    [best, least] = [one, typos];
  }
  return best;
}

const LONGEST = 64;

/** Letters to add, leave out, change or swap with the next: Damerau and Levenshtein, where a letter is touched once. */
function distance(a: string, b: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
