/**
 * Packages as layers. By default a layer is what images of one release have in common:
 *
 * 1. what most of the others need, with what that needs in turn (the C library): the same in nearly every image;
 * 2. the packages that a system cannot be without, which are there all or not at all;
 * 3. what the others need;
 * 4. what nobody needs, so it was asked for.
 */
import { fieldOf } from './control.ts';
import { closureOf } from './order.ts';
import type { Candidate } from './satisfaction.ts';

export type LayerChoice = 'one' | 'package' | 'group';

/** Docker's storage drivers take 127 layers at most, and the database needs one. */
const MOST_LAYERS = 120;

/**
 * @param order groups of packages that need each other, in the order of unpacking
 * @returns base first; none is empty
 */
export function layerGroups<T extends Candidate>(
  order: readonly (readonly T[])[],
  needs: ReadonlyMap<T, readonly T[]>,
  choice: LayerChoice,
): readonly (readonly T[])[] {
  const all = order.flat();
  if (choice === 'one') return all.length ? [all] : [];
  if (choice === 'package') return atMost(all.map((one) => [one]));
  const base = closureOf(mostNeeded(order, needs), needs);
  const essential = closureOf(all.filter(isEssential), needs);
  const needed = new Set([...needs.values()].flat());
  const parts: readonly ((one: T) => boolean)[] = [
    (one) => base.has(one),
    (one) => essential.has(one),
    (one) => needed.has(one),
    () => true,
  ];
  const groups: T[][] = parts.map(() => []);
  for (const one of all) groups[parts.findIndex((isIn) => isIn(one))]!.push(one);
  return groups.filter(({ length }) => length > 0);
}

const isEssential = ({ control }: Candidate): boolean =>
  fieldOf(control, 'essential') === 'yes' || fieldOf(control, 'priority') === 'required';

/** The group of packages that the most others need, directly or not; none where nobody needs anything. */
function mostNeeded<T extends Candidate>(
  order: readonly (readonly T[])[],
  needs: ReadonlyMap<T, readonly T[]>,
): readonly T[] {
  const count = new Map<T, number>();
  for (const one of needs.keys())
    for (const other of closureOf([one], needs)) count.set(other, (count.get(other) ?? 0) + 1);
  let best: readonly T[] = [];
  let most = 1;
  for (const group of order) {
    const times = count.get(group[0]!) ?? 0;
    // Of those that are needed equally often, the last needs the others.
    if (times > most || (times === most && times > 1 && group.length > best.length)) [best, most] = [group, times];
  }
  return best;
}

/** The packages beyond the bound share the last layer. */
function atMost<T>(groups: readonly (readonly T[])[]): readonly (readonly T[])[] {
  if (groups.length <= MOST_LAYERS) return groups;
  return [...groups.slice(0, MOST_LAYERS - 1), groups.slice(MOST_LAYERS - 1).flat()];
}
