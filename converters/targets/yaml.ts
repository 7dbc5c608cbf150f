/**
 * JSON values as YAML that people read: block style, and quotes only where a text could be taken for something else.
 * https://yaml.org/spec/1.2.2/
 */
import type { Json } from '../../formats/json/parse.ts';

export const yamlText = (value: Json): string => `${lines(value, '').join('\n')}\n`;

function lines(value: Json, indent: string): readonly string[] {
  if (Array.isArray(value) && value.length) {
    return value.flatMap((item: Json) => {
      const [first = '', ...rest] = lines(item, `${indent}  `);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  }
  if (isFilled(value)) return Object.entries(value).flatMap(([name, member]) => memberLines(name, member, indent));
  return [`${indent}${scalar(value)}`];
}

function memberLines(name: string, value: Json, indent: string): readonly string[] {
  const isBlock = isFilled(value) || (Array.isArray(value) && value.length > 0);
  if (!isBlock) return [`${indent}${text(name)}: ${scalar(value)}`];
  return [`${indent}${text(name)}:`, ...lines(value, `${indent}  `)];
}

const isFilled = (value: Json): value is { readonly [name: string]: Json } =>
  value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length > 0;

const scalar = (value: Json): string => (typeof value === 'string' ? text(value) : JSON.stringify(value));

/** Without anything that YAML gives a meaning, in any of its versions. */
const PLAIN = /^[A-Za-z/_][A-Za-z0-9/_.@-]*(?::[A-Za-z0-9/_.@-]+)*$/;
/** What YAML 1.1 takes for something else than a text. */
const MEANING = /^(?:y|yes|n|no|on|off|true|false|null|nan|inf)$/i;

/** A JSON string is one of YAML in double quotes, but for characters that JSON leaves as they are and YAML does not print. */
const text = (value: string): string =>
  PLAIN.test(value) && !MEANING.test(value)
    ? value
    : JSON.stringify(value.replace(/\p{Surrogate}/gu, '\ufffd')).replace(
        /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
        (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
