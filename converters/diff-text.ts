/** Unified diffs of what differs: small texts, and the values of a configuration. */
import type { Context } from '../formats/base/context.ts';
import { strictUtf8 } from '../formats/bytes/text.ts';
import type { Json } from '../formats/json/parse.ts';
import type { ConfigDifference, TextDifference } from './diff.ts';
import type { Side } from './diff-side.ts';
import type { Found } from './diff-tree.ts';
import type { TreeName } from './listing.ts';

/** Bytes of one file. */
const MOST = 64 * 1024;
/** Bytes of all of one side, which are held in memory. */
const MOST_OF_ALL = 16 * 2 ** 20;
/** Lines that may differ. The time that a comparison takes grows with their number, and an input may be made to take long. */
const MOST_LINES = 2000;
const CONTEXT = 3;

/** The same differences, those of small texts with a unified diff. */
export async function withTexts(
  found: readonly Found[],
  [a, b]: readonly [Side, Side],
  context: Context,
): Promise<readonly Found[]> {
  const wanted = new Set<Found>();
  let bytes = 0;
  for (const one of found) {
    if (!isText(one)) continue;
    bytes += Math.max(sizeOf(one.a), sizeOf(one.b));
    if (bytes > MOST_OF_ALL) break;
    wanted.add(one);
  }
  const names = (side: 'a' | 'b'): readonly TreeName[] => [...wanted].flatMap((one) => one[side] ?? []);
  const [before, after] = [await a.contents(names('a'), context), await b.contents(names('b'), context)];
  return Promise.all(
    found.map(async (one) => {
      if (!one.difference.fields.includes('content')) return one;
      const text = wanted.has(one)
        ? await textOf(before.get(one.a!.inode), after.get(one.b!.inode))
        : { omitted: isText(one) ? 'there are too many' : reason(one) };
      return { ...one, difference: { ...one.difference, text } };
    }),
  );
}

/** Both are files, and small enough to look at. */
const isText = ({ difference, a, b }: Found): boolean =>
  difference.fields.includes('content') &&
  !difference.fields.includes('type') &&
  sizeOf(a) <= MOST &&
  sizeOf(b) <= MOST;

const reason = ({ difference }: Found): string =>
  difference.fields.includes('type') ? 'one of them is no file' : `larger than ${MOST / 1024} KiB`;

const sizeOf = (name: TreeName | undefined): number => name?.inode.entry?.size ?? 0;

async function textOf(a: Uint8Array | undefined, b: Uint8Array | undefined): Promise<TextDifference> {
  if (!a || !b) return { omitted: 'it changed while it was read' };
  const [one, other] = [readable(a), readable(b)];
  return one === undefined || other === undefined ? { omitted: 'no text' } : unified(one, other);
}

const readable = (bytes: Uint8Array): string | undefined => (bytes.includes(0) ? undefined : strictUtf8(bytes));

/** The values before and after, member by member. */
export async function withValues(difference: ConfigDifference): Promise<ConfigDifference> {
  const { a, b } = difference;
  return { ...difference, text: await unified(valueText(a), valueText(b)) };
}

const valueText = (value: Json | undefined): string =>
  value === undefined ? '' : `${typeof value === 'string' ? value : JSON.stringify(value, null, 2)}\n`;

async function unified(a: string, b: string): Promise<TextDifference> {
  const { structuredPatch, formatPatch } = await import('diff');
  const patch = structuredPatch('a', 'b', a, b, undefined, undefined, { context: CONTEXT, maxEditLength: MOST_LINES });
  if (!patch) return { omitted: `more than ${MOST_LINES} lines differ` };
  // Without the names of the files, which stand in front of it.
  const lines = formatPatch(patch).split('\n');
  return { unified: lines.filter((_, i) => i >= lines.findIndex((line) => line.startsWith('@@'))).join('\n') };
}
