/** Findings as a person wants to read them: the worst first, each with its place and what to do, the verdict last. */
import type { Finding, Level, Validation } from '../../converters/index.ts';
import { MOST_OF_ONE_RULE } from '../../converters/validate/findings.ts';
import { printable } from '../../formats/bytes/text.ts';
import type { Paint, Style } from './terminal.ts';
import { countText } from './units.ts';

const LEVELS: readonly Level[] = ['must', 'should', 'note'];
const STYLES: Readonly<Record<Level, Style>> = { must: 'red', should: 'yellow', note: 'dim' };

/** Of one rule. More of them would hide the others; `--json` has a hundred. */
const MOST = 8;

export function validationText(found: Validation, level: 'must' | 'should', paint: Paint): readonly string[] {
  const lines = LEVELS.flatMap((one) => levelLines(found, one, paint));
  return [...lines, verdictLine(found, level, paint)];
}

function levelLines({ findings }: Validation, level: Level, paint: Paint): readonly string[] {
  const rules = new Map<string, Finding[]>();
  for (const finding of findings) {
    if (finding.level !== level) continue;
    rules.set(finding.rule, [...(rules.get(finding.rule) ?? []), finding]);
  }
  return [...rules.values()].flatMap((same) => ruleLines(same, level, paint));
}

/** One rule: its name, its breaches with their places, and what to do about all of them. */
function ruleLines(same: readonly Finding[], level: Level, paint: Paint): readonly string[] {
  const [first] = same;
  if (!first) return [];
  const more = same.length - MOST;
  return [
    `${paint(STYLES[level], level.toUpperCase().padEnd(6))} ${paint('bold', first.rule)}`,
    ...same
      .slice(0, MOST)
      .flatMap(({ at, message }) => [
        ...(at.length ? [`  at  ${at.map(place).join(' > ')}`] : []),
        `      ${printable(message)}`,
      ]),
    ...(more > 0
      ? [
          `      and ${same.length === MOST_OF_ONE_RULE ? 'at least ' : ''}${countText(more, 'more place')}; --json has them`,
        ]
      : []),
    `  ${first.hint}`,
    `  ${paint('dim', first.section)}`,
    '',
  ];
}

/** Names come from the input, and may be as long as it likes. */
function place(name: string): string {
  const text = printable(name);
  return text.length <= 120 ? text : `${text.slice(0, 80)}…${text.slice(-36)}`;
}

function verdictLine({ source, title, verdict }: Validation, level: 'must' | 'should', paint: Paint): string {
  const { must, should, notes, complete } = verdict;
  const failed = must > 0 || (level === 'should' && should > 0);
  const counts = [
    must ? `${must} MUST` : '',
    should ? `${should} SHOULD` : '',
    notes ? countText(notes, 'note') : '',
  ].filter(Boolean);
  // Nobody has looked for all SHOULDs where the layers were left out.
  const outcome = verdict.outcome === 'unconditionally compliant' && level === 'must' ? 'compliant' : verdict.outcome;
  const limits = complete ? '' : ', as far as can be said without reading its layers';
  return `${printable(source)}: ${title}: ${paint(failed ? 'red' : 'green', outcome)}${limits}${counts.length ? ` (${counts.join(', ')})` : ''}`;
}
