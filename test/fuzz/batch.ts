/** Entry point of the process that reads inputs of one subject, one after the other, until it is killed or its time is over. */
import { tryAt } from './one.ts';

export interface Order {
  readonly seed: string;
  readonly subject: string;
  readonly from: number;
  readonly milliseconds: number;
  /** Inputs at most. */
  readonly most: number;
}

export type Report =
  | { readonly kind: 'at'; readonly number: number }
  | { readonly kind: 'find'; readonly number: number; readonly what: string }
  | { readonly kind: 'done'; readonly next: number; readonly outcomes: readonly (readonly [string, number])[] };

const report = (message: Report): Promise<unknown> =>
  new Promise((resolve) => process.send!(message, undefined, undefined, resolve));

/** Bytes by which one input may raise the most that the process ever held. */
const MOST_GROWTH = 512 * 2 ** 20;
const peak = (): number => process.resourceUsage().maxRSS * 1024;

async function run({ seed, subject, from, milliseconds, most }: Order): Promise<void> {
  const outcomes = new Map<string, number>();
  const end = performance.now() + milliseconds;
  let faults: unknown[] = [];
  process.on('uncaughtException', (error) => void faults.push(error));
  process.on('unhandledRejection', (error) => void faults.push(error));
  let number = from;
  for (; number < from + most && performance.now() < end; number++) {
    await report({ kind: 'at', number });
    const before = peak();
    try {
      const outcome = await tryAt({ seed, subject, number });
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    } catch (error) {
      await report({ kind: 'find', number, what: textOf(error) });
    }
    // What fails later, with nobody waiting for it.
    await new Promise(setImmediate);
    for (const error of faults) await report({ kind: 'find', number, what: `not caught: ${textOf(error)}` });
    faults = [];
    if (peak() - before > MOST_GROWTH)
      await report({ kind: 'find', number, what: `it took ${Math.round((peak() - before) / 2 ** 20)} MB` });
  }
  await report({ kind: 'done', next: number, outcomes: [...outcomes] });
}

const textOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return `${error.stack ?? error.message}${error.cause ? `\ncaused by ${textOf(error.cause)}` : ''}`;
};

process.on('message', (order: Order) => void run(order).then(() => process.disconnect()));
