/**
 * Which packages belong to those that were asked for: the closure over Pre-Depends and Depends, without conflicts.
 *
 * It chooses as apt does where there is a choice: what is in already; else the first alternative; of several that provide it the one with
 * the highest priority, then the first of the index; of several versions the newest. Needs that leave no choice come first, so that
 * nothing is brought in for an alternative that is satisfied in the end anyway. Where that leads into a conflict the search goes back
 * to the last choice and takes the next: it finds a set where there is one, and otherwise names the first need that cannot be met.
 *
 * Why not a SAT solver: what there is for JavaScript (`logic-solver`, MiniSat compiled in 2015) finds any set, or the smallest, and what is
 * wanted is the one that apt would take; told so by weights it has to be asked again and again.
 */
import { type Context, checkAbort } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { fieldOf } from './control.ts';
import { type Alternatives, alternativesText, type Relation } from './relation.ts';
import {
  type Candidate,
  type Catalogue,
  needsOf,
  relationsOf,
  type Satisfaction,
  satisfiedBy,
} from './satisfaction.ts';

export interface Wanted {
  readonly name: string;
  readonly alternatives: Alternatives;
}

/** Why a package is in: who needs it, and in which words; nobody where it was asked for. */
export interface Reason<T> {
  readonly by: T | undefined;
  readonly words: string;
}

export interface Resolution<T> {
  /** In the order in which they were chosen. */
  readonly packages: readonly T[];
  readonly reasons: ReadonlyMap<T, Reason<T>>;
}

interface Need<T> {
  readonly by: T | undefined;
  readonly alternatives: Alternatives;
}

interface State<T> {
  readonly chosen: Map<T, Reason<T>>;
  readonly names: Map<string, T>;
  /** What is chosen must not stand beside these. */
  readonly banned: { readonly by: T; readonly relation: Relation }[];
  pending: Need<T>[];
}

/** Choices that are tried before it gives up. */
const MOST_CHOICES = 20_000;

/** @throws OcixError debian/unmet */
export function resolve<T extends Candidate>(
  wanted: readonly Wanted[],
  catalogue: Catalogue<T>,
  native: string,
  context: Context,
): Resolution<T> {
  const satisfied = remembering(satisfiedBy(catalogue, native));
  const bansOf = remembered(bans);
  const asking = { architecture: native } as Candidate;
  let choices = 0;
  let failure: OcixError | undefined;
  const start: State<T> = { chosen: new Map(), names: new Map(), banned: [], pending: [] };
  start.pending = wanted.map(({ alternatives }) => ({ by: undefined, alternatives }));
  const end = search(start);
  if (!end) throw failure!;
  return { packages: [...end.chosen.keys()], reasons: end.chosen };

  function search(state: State<T>): State<T> | undefined {
    const open = propagate(state);
    if (!open) return undefined;
    const [need] = open;
    if (!need) return state;
    checkAbort(context);
    for (const option of optionsFor(need, state)) {
      if (++choices > MOST_CHOICES)
        throw new OcixError('debian/unmet', 'there are too many ways to try', {
          hint: 'Name more of the packages that you want, and so which of the alternatives.',
        });
      const next = copyOf(state, open);
      choose(option, need, next);
      const end = search(next);
      if (end) return end;
    }
    return undefined;
  }

  /** Takes what leaves no choice, again and again. Gives the needs that leave one; undefined where one cannot be met. */
  function propagate(state: State<T>): Need<T>[] | undefined {
    let open: Need<T>[] = [];
    for (let changed = true; changed; ) {
      changed = false;
      const round = [...open, ...state.pending];
      state.pending = [];
      open = [];
      for (const need of round) {
        if (isMet(need, state)) continue;
        const options = optionsFor(need, state);
        if (options.length > 1) {
          open.push(need);
          continue;
        }
        if (!options.length) {
          failure ??= unmet(need, state);
          return undefined;
        }
        choose(options[0]!, need, state);
        changed = true;
      }
      changed ||= state.pending.length > 0;
    }
    return open;
  }

  function isMet({ by, alternatives }: Need<T>, { chosen }: State<T>): boolean {
    return alternatives.some((relation) =>
      satisfied.candidates(relation, by ?? asking).some((candidate) => chosen.has(candidate)),
    );
  }

  /** All that could meet a need, the best first. */
  function optionsFor({ by, alternatives }: Need<T>, state: State<T>): readonly T[] {
    const options = alternatives.flatMap((relation) => ranked(relation, by ?? asking));
    return [...new Set(options)].filter((option) => !inTheWay(option, state));
  }

  function ranked(relation: Relation, by: Candidate): readonly T[] {
    const all = satisfied.candidates(relation, by);
    const real = all.filter(({ name }) => name === relation.name);
    const virtual = all.filter(({ name }) => name !== relation.name);
    return [...real, ...[...virtual].sort((a, b) => priorityOf(a) - priorityOf(b))];
  }

  /** What forbids a package; undefined where nothing does. */
  function inTheWay(option: T, { names, banned, chosen }: State<T>): string | undefined {
    const same = names.get(keyOf(option));
    if (same && same !== option) return `${same.name} ${same.versionText} is chosen`;
    const other = banned.find(
      ({ by, relation }) => by.name !== option.name && satisfied.candidates(relation, by).includes(option),
    );
    if (other) return `${other.by.name} conflicts with it`;
    for (const relation of bansOf(option)) {
      const hit = satisfied.candidates(relation, option).find((one) => one.name !== option.name && chosen.has(one));
      if (hit) return `it conflicts with ${hit.name}`;
    }
    return undefined;
  }

  function choose(option: T, need: Need<T>, state: State<T>): void {
    state.chosen.set(option, { by: need.by, words: alternativesText(need.alternatives) });
    state.names.set(keyOf(option), option);
    for (const relation of bansOf(option)) state.banned.push({ by: option, relation });
    for (const alternatives of needsOf(option)) state.pending.push({ by: option, alternatives });
  }

  function unmet(need: Need<T>, state: State<T>): OcixError {
    const text = alternativesText(need.alternatives);
    const forbidden = need.alternatives.flatMap((relation) => satisfied.candidates(relation, need.by ?? asking));
    const why = forbidden.length
      ? forbidden
          .slice(0, 3)
          .map((one) => `${one.name} ${one.versionText}: ${inTheWay(one, state)}`)
          .join('; ')
      : versionsOf(need, catalogue);
    return new OcixError(
      'debian/unmet',
      need.by ? `${need.by.name} depends on ${text}, which cannot be had` : `${text} cannot be had`,
      {
        at: need.by ? chainOf(need.by, state.chosen) : [],
        found: why,
        hint: 'Add a repository or a component that has it, or choose other packages.',
      },
    );
  }
}

const versionsOf = <T extends Candidate>({ alternatives }: Need<T>, catalogue: Catalogue<T>): string =>
  alternatives
    .map(({ name }) => {
      const versions = catalogue.real(name).map(({ versionText, architecture }) => `${versionText} ${architecture}`);
      return versions.length ? `${name} is there as ${versions.slice(0, 5).join(', ')}` : `there is no ${name}`;
    })
    .join('; ');

/** From what was asked for to a package. */
export function chainOf<T extends Candidate>(one: T, reasons: ReadonlyMap<T, Reason<T>>): readonly string[] {
  const chain: string[] = [];
  for (let at: T | undefined = one; at; at = reasons.get(at)?.by) chain.unshift(`${at.name} ${at.versionText}`);
  return chain;
}

/** The chain to a package in sentences, a line each; undefined where it is not in. */
export function whyIn<T extends Candidate>(
  { packages, reasons }: Resolution<T>,
  name: string,
): readonly string[] | undefined {
  const one = packages.find((candidate) => candidate.name === name);
  if (!one) return undefined;
  return chainOf(one, reasons).map((text, i, chain) => {
    const step = packages.find((candidate) => `${candidate.name} ${candidate.versionText}` === text)!;
    return i === 0 ? `${text} was asked for` : `${chain[i - 1]} depends on ${reasons.get(step)!.words}: ${text}`;
  });
}

/** Relations are objects of one package each, so what satisfies one does not depend on who asks. */
function remembering<T extends Candidate>({ candidates }: Satisfaction<T>): Satisfaction<T> {
  const known = new WeakMap<Relation, readonly T[]>();
  return {
    candidates(relation, asking) {
      const found = known.get(relation) ?? candidates(relation, asking);
      known.set(relation, found);
      return found;
    },
  };
}

function remembered<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, V>();
  return (key) => {
    const value = known.get(key) ?? make(key);
    known.set(key, value);
    return value;
  };
}

const bans = (one: Candidate): readonly Relation[] =>
  [...relationsOf(one, 'conflicts'), ...relationsOf(one, 'breaks')].flat();

/** Two versions of a package exclude each other; two architectures where it says that they may stand side by side do not. */
const keyOf = ({ name, architecture, control }: Candidate): string =>
  fieldOf(control, 'multi-arch') === 'same' ? `${name}:${architecture}` : name;

const PRIORITIES = ['required', 'important', 'standard', 'optional', 'extra'];
function priorityOf({ control }: Candidate): number {
  const at = PRIORITIES.indexOf(fieldOf(control, 'priority') ?? 'optional');
  return at < 0 ? PRIORITIES.length : at;
}

const copyOf = <T>({ chosen, names, banned }: State<T>, open: readonly Need<T>[]): State<T> => ({
  chosen: new Map(chosen),
  names: new Map(names),
  banned: [...banned],
  pending: [...open],
});
