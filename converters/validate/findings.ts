/**
 * What a validation finds, collected: it goes on where a reader would stop. Bounded, since a hostile input may break a rule a million
 * times over; what is not kept is counted.
 */
import { type Context, checkAbort } from '../../formats/base/context.ts';
import { OcixError } from '../../formats/base/errors.ts';
import { printable } from '../../formats/bytes/text.ts';
import type { Selector } from '../../formats/model/reader.ts';
import type { HostFacts } from './host-facts.ts';
import { RULES, type RuleId } from './rules/index.ts';
import type { Level } from './rules/rule.ts';

export interface Finding {
  /** The id of the rule that is broken. */
  readonly rule: RuleId;
  readonly level: Level;
  /** Where, from the outside in: `['index.json', 'manifest sha256:9c3f…', '/layers/2']`; JSON pointers begin with a slash. */
  readonly at: readonly string[];
  /** What is wrong, in one sentence without a full stop. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
  /** Address of the section that states the rule. */
  readonly section: string;
}

export interface Findings {
  add(rule: RuleId, at: readonly string[], message: string): void;
  /** In the order in which they were found. */
  all(): readonly Finding[];
  /** How often each rule is broken, also what `all` leaves out. */
  counts(): ReadonlyMap<RuleId, number>;
}

/** Findings of one rule that are kept. More would say nothing new. */
export const MOST_OF_ONE_RULE = 100;

export function findingList(): Findings {
  const found = new Map<string, Finding>();
  const counts = new Map<RuleId, number>();
  return {
    add(rule, at, message) {
      const key = JSON.stringify([rule, at, message]);
      if (found.has(key)) return;
      const count = (counts.get(rule) ?? 0) + 1;
      counts.set(rule, count);
      if (count > MOST_OF_ONE_RULE) return;
      const { level, fix, section } = RULES[rule];
      found.set(key, { rule, level, at, message, hint: fix, section });
    },
    all: () => [...found.values()],
    counts: () => counts,
  };
}

/** One validation: what it may look at, and where its findings go. */
export interface Run {
  readonly context: Context;
  readonly findings: Findings;
  /** Leaves out the content of layers. */
  readonly fast: boolean;
  /** The machine that a bundle would run on, where the caller knows it. */
  readonly host: HostFacts | undefined;
  /** What has been used up of what all layers together may take. */
  readonly spent: {
    /** Uncompressed bytes read. */
    bytes: number;
    /** Paths remembered. */
    names: number;
    /** Targets of links looked up. */
    lookups: number;
    /** Bytes of documents read more than once. */
    again: number;
  };
}

/**
 * What `work` gives; where it is refused, a finding of `rule` and undefined. A limit that is reached is always a finding of its own,
 * and an interruption is none.
 */
export async function attempt<T>(
  run: Run,
  rule: RuleId,
  at: readonly string[],
  work: () => Promise<T>,
): Promise<T | undefined> {
  checkAbort(run.context);
  try {
    return await work();
  } catch (error) {
    addRefusal(run, rule, at, error);
    return undefined;
  }
}

/** The same for work that is not asynchronous. */
export function attemptSync<T>(run: Run, rule: RuleId, at: readonly string[], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    addRefusal(run, rule, at, error);
    return undefined;
  }
}

/** @throws what is no refusal of the input: a fault, an interruption, a source that cannot be read */
export function addRefusal(run: Run, rule: RuleId, at: readonly string[], error: unknown): void {
  if (!(error instanceof OcixError) || error.code === 'interrupted' || error.code.startsWith('source/')) throw error;
  const details = [
    error.expected && `expected ${error.expected}`,
    error.found && `found ${error.found}`,
    error.code.startsWith('limit/') && `--limit ${error.code.slice('limit/'.length)}=N raises it`,
  ].filter(Boolean);
  const more = details.length ? ` (${details.join(', ')})` : '';
  run.findings.add(
    error.code.startsWith('limit/') ? 'input/limits' : rule,
    [...at, ...error.at],
    `${error.message}${more}`,
  );
}

/** Documents that are named many times over may be read again for this many times the limit of one. */
const AGAIN = 256;

/** Whether a document that has been read before may be read once more; a finding where that has no end worth waiting for. */
export function mayReadAgain(size: number, at: readonly string[], run: Run): boolean {
  run.spent.again += size;
  if (run.spent.again <= AGAIN * run.context.limits['json-bytes']) return true;
  run.findings.add(
    'input/limits',
    at,
    'the same documents are named so often that they are not read again (--limit json-bytes=N raises it)',
  );
  return false;
}

/** A value from the input as it can be shown: short, and safe for a terminal. */
export function shown(value: unknown): string {
  // JSON has no name for what is too large for a double.
  const text = printable((typeof value === 'number' ? String(value) : JSON.stringify(value)) ?? 'nothing');
  return text.length <= 100 ? text : `${text.slice(0, 97)}...`;
}

/** Which image a user asked for, as it was written. */
export function selectorText(selector: Selector): string {
  if (selector.kind === 'reference') return shown(selector.name);
  return selector.kind === 'index' ? `@${selector.index}` : `@${printable(selector.id)}`;
}
