/**
 * Forms of documents as data: what members an object has, of which types, with which values. A shape looks at a whole value and says
 * everything that is wrong with it, each with its JSON pointer; the official JSON schemas of the specifications are what it is tested against.
 * https://datatracker.ietf.org/doc/html/rfc6901
 */
import type { Json } from '../../formats/json/parse.ts';
import { shown } from './findings.ts';
import type { RuleId } from './rules/index.ts';

/** Called for each breach. Without a rule it is one of the document's form as a whole. */
export type Report = (pointer: string, message: string, rule?: RuleId) => void;

/** The same, of a rule that is known. */
export type Found = (pointer: string, message: string, rule: RuleId) => void;

export type Shape = (value: Json, pointer: string, report: Report) => void;

export type JsonMap = { readonly [name: string]: Json };

export const isObject = (value: Json | undefined): value is JsonMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An own member; what is inherited is nobody's. */
export const member = (value: Json | undefined, name: string): Json | undefined =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;

export const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

export const pointerTo = (pointer: string, name: string | number): string =>
  `${pointer}/${String(name).slice(0, 200).replaceAll('~', '~0').replaceAll('/', '~1')}`;

const wrong = (report: Report, pointer: string, value: Json, expected: string): void =>
  report(pointer, `${shown(value)} is not ${expected}`);

export const text: Shape = (value, pointer, report) => {
  if (typeof value !== 'string') wrong(report, pointer, value, 'a string');
};

export const bool: Shape = (value, pointer, report) => {
  if (typeof value !== 'boolean') wrong(report, pointer, value, 'true or false');
};

/** A string that follows a pattern. */
export const matching =
  (pattern: RegExp, expected: string): Shape =>
  (value, pointer, report) => {
    if (typeof value !== 'string' || !pattern.test(value)) wrong(report, pointer, value, expected);
  };

/** A string that passes a test which a pattern cannot make. */
export const passing =
  (test: (text: string) => boolean, expected: string): Shape =>
  (value, pointer, report) => {
    if (typeof value !== 'string' || !test(value)) wrong(report, pointer, value, expected);
  };

export const oneOf =
  (...values: readonly Json[]): Shape =>
  (value, pointer, report) => {
    if (!values.includes(value))
      wrong(report, pointer, value, values.length === 1 ? shown(values[0]) : `one of ${values.map(shown).join(', ')}`);
  };

/** A whole number within a range. Bounds beyond what a double holds exactly are the nearest ones towards zero, as are the numbers. */
export const whole =
  (least: number, most: number): Shape =>
  (value, pointer, report) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
      wrong(report, pointer, value, `a whole number from ${boundText(least)} to ${boundText(most)}`);
  };

function boundText(bound: number): string {
  if (Number.isSafeInteger(bound)) return String(bound);
  return `${bound < 0 ? '-' : ''}2^${Math.round(Math.log2(Math.abs(bound)))}${bound < 0 ? '' : '-1'}`;
}

export const uint32 = whole(0, 2 ** 32 - 1);
export const uint64 = whole(0, 2 ** 64 - 2048);
export const int32 = whole(-(2 ** 31), 2 ** 31 - 1);
/** The largest double below 2^63. */
export const MOST_INT64 = 2 ** 63 - 1024;
export const int64 = whole(-(2 ** 63), MOST_INT64);

export const list =
  (of: Shape, least = 0): Shape =>
  (value, pointer, report) => {
    if (!Array.isArray(value)) return wrong(report, pointer, value, 'a list');
    if (value.length < least) report(pointer, `the list has ${value.length} entries, and must have ${least} or more`);
    for (const [index, item] of value.entries()) of(item as Json, pointerTo(pointer, index), report);
  };

/** An object whose members may have any name. */
export const mapOf =
  (of: Shape): Shape =>
  (value, pointer, report) => {
    if (!isObject(value)) return wrong(report, pointer, value, 'an object');
    for (const [name, item] of Object.entries(value)) of(item, pointerTo(pointer, name), report);
  };

/** Names of members that follow a pattern. */
export const namesAre =
  (pattern: RegExp, expected: string): Shape =>
  (value, pointer, report) => {
    if (!isObject(value)) return;
    for (const name of Object.keys(value))
      if (!pattern.test(name)) report(pointerTo(pointer, name), `${shown(name)} is not ${expected}`);
  };

export const anyObject: Shape = (value, pointer, report) => {
  if (!isObject(value)) wrong(report, pointer, value, 'an object');
};

/** `null` counts as absent. */
export const nullable =
  (shape: Shape): Shape =>
  (value, pointer, report) => {
    if (value !== null) shape(value, pointer, report);
  };

/** What is wrong inside is a breach of this rule. */
export const under =
  (rule: RuleId, shape: Shape): Shape =>
  (value, pointer, report) =>
    shape(value, pointer, (where, message, own) => report(where, message, own ?? rule));

/** Whatever is wrong inside is a breach of this rule and of no other. */
export const only =
  (rule: RuleId, shape: Shape): Shape =>
  (value, pointer, report) =>
    shape(value, pointer, (where, message) => report(where, message, rule));

export const both =
  (...shapes: readonly Shape[]): Shape =>
  (value, pointer, report) => {
    for (const shape of shapes) shape(value, pointer, report);
  };

/** A member that must be there; `rule` says whose breach it is that it is not. */
export interface Required {
  readonly shape: Shape;
  readonly rule: RuleId | undefined;
}

export const required = (shape: Shape, rule?: RuleId): Required => ({
  shape: rule === undefined ? shape : under(rule, shape),
  rule,
});

/** An object with some members; others are nobody's business. */
export const object =
  (members: Readonly<Record<string, Shape | Required>>): Shape =>
  (value, pointer, report) => {
    if (!isObject(value)) return wrong(report, pointer, value, 'an object');
    for (const [name, wanted] of Object.entries(members)) {
      const found = member(value, name);
      const shape = typeof wanted === 'function' ? wanted : wanted.shape;
      if (found !== undefined) shape(found, pointerTo(pointer, name), report);
      else if (typeof wanted !== 'function') report(pointer, `${name} is missing`, wanted.rule);
    }
  };
