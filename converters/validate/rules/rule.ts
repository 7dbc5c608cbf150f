/**
 * A rule: one sentence that a specification states (or that ocix holds because readers broke on it), how strictly, where it stands,
 * and what to do about a breach. Rules are data; what looks for a breach is in the room above.
 */

/** As RFC 2119 has it. A note breaks nothing: something that a reader of the verdict should know. */
export type Level = 'must' | 'should' | 'note';

export interface Rule {
  readonly level: Level;
  /** What holds when the rule is kept, in one sentence without a full stop. */
  readonly states: string;
  /** Address of the section that says so. */
  readonly section: string;
  /** What to do about a breach, in the imperative. */
  readonly fix: string;
}

type Row = readonly [level: Level, section: string, states: string, fix: string];

/** Rules of one document, whose sections are written below its address. */
export function rulesOf<Id extends string>(
  address: string,
  rows: Readonly<Record<Id, Row>>,
): Readonly<Record<Id, Rule>> {
  const rules = Object.entries<Row>(rows).map(([id, [level, section, states, fix]]): readonly [string, Rule] => [
    id,
    { level, states, section: section.startsWith('https:') ? section : `${address}${section}`, fix },
  ]);
  return Object.fromEntries(rules) as Record<Id, Rule>;
}
