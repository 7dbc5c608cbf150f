/**
 * The order in which packages are unpacked: what others need comes first. Packages that need each other go together, in the order of
 * their names, so that the order of the arguments decides nothing.
 */
import { type Candidate, needsOf, type Satisfaction } from './satisfaction.ts';

const byName = (a: Candidate, b: Candidate): number =>
  compareText(a.name, b.name) ||
  compareText(a.architecture, b.architecture) ||
  compareText(a.versionText, b.versionText);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The packages that each one needs, as far as they are there. */
export function neededBy<T extends Candidate>(
  packages: readonly T[],
  satisfied: Satisfaction<T>,
): ReadonlyMap<T, readonly T[]> {
  return new Map(
    packages.map((one) => {
      const needed = needsOf(one).flatMap((alternatives) =>
        alternatives.flatMap((relation) => satisfied.candidates(relation, one)),
      );
      return [one, [...new Set(needed)].filter((other) => other !== one).sort(byName)];
    }),
  );
}

/** Groups of packages that need each other, those that are needed first (Tarjan's algorithm, without recursion). */
export function unpackOrder<T extends Candidate>(needs: ReadonlyMap<T, readonly T[]>): readonly (readonly T[])[] {
  const groups: (readonly T[])[] = [];
  const index = new Map<T, number>();
  const low = new Map<T, number>();
  const stack: T[] = [];
  const onStack = new Set<T>();
  for (const root of [...needs.keys()].sort(byName)) {
    if (index.has(root)) continue;
    const work: { readonly node: T; next: number }[] = [{ node: root, next: 0 }];
    for (let top = work.at(-1); top; top = work.at(-1)) {
      const { node } = top;
      if (top.next === 0) {
        index.set(node, index.size);
        low.set(node, index.get(node)!);
        stack.push(node);
        onStack.add(node);
      }
      const child = needs.get(node)![top.next++];
      if (child) {
        if (!index.has(child)) work.push({ node: child, next: 0 });
        else if (onStack.has(child)) low.set(node, Math.min(low.get(node)!, index.get(child)!));
        continue;
      }
      work.pop();
      const parent = work.at(-1)?.node;
      if (parent) low.set(parent, Math.min(low.get(parent)!, low.get(node)!));
      if (low.get(node) !== index.get(node)) continue;
      const group = stack.splice(stack.indexOf(node));
      for (const one of group) onStack.delete(one);
      groups.push(group.sort(byName));
    }
  }
  return groups;
}

/** All that a package needs, and what that needs; itself too. */
export function closureOf<T>(roots: readonly T[], needs: ReadonlyMap<T, readonly T[]>): ReadonlySet<T> {
  const found = new Set(roots);
  for (const one of found) for (const other of needs.get(one) ?? []) found.add(other);
  return found;
}
