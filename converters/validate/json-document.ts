/** Bytes to a JSON value, with what is wrong with the JSON itself as findings. */
import type { Code } from '../../formats/base/errors.ts';
import { OcixError } from '../../formats/base/errors.ts';
import { type Json, parseJson } from '../../formats/json/parse.ts';
import { addRefusal, type Run } from './findings.ts';
import { checkInterchange, exactly, type Interchange } from './interchange.ts';
import type { RuleId } from './rules/index.ts';
import type { Found } from './shape.ts';

const RULE_OF: Partial<Readonly<Record<Code, RuleId>>> = {
  'json/syntax': 'json/syntax',
  'json/encoding': 'json/encoding',
  'json/duplicate-key': 'json/duplicate-name',
};

/** The rule that a refusal of the parser is a breach of. */
export const ruleOfJson = (error: unknown): RuleId =>
  (error instanceof OcixError && RULE_OF[error.code]) || 'json/syntax';

/** The value, wrapped since it may be null; undefined where there is none, and findings say why. */
export function parseDocument(
  bytes: Uint8Array,
  at: readonly string[],
  run: Run,
): { readonly value: Json } | undefined {
  const parsed = parsePlain(bytes, at, run);
  if (parsed) checkInterchange(parsed, foundAt(at, run));
  return parsed;
}

/** The same of a document that need not be I-JSON. */
export function parsePlain(bytes: Uint8Array, at: readonly string[], run: Run): Interchange | undefined {
  try {
    return exactly(parseJson(bytes, run.context), bytes);
  } catch (error) {
    addRefusal(run, ruleOfJson(error), at, error);
    return undefined;
  }
}

/** Findings of the document at this place. */
export const foundAt =
  (at: readonly string[], run: Run): Found =>
  (pointer, message, rule) =>
    run.findings.add(rule, pointer === '' ? at : [...at, pointer], message);
