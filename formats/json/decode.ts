/**
 * From a parsed JSON value to typed data, with the JSON pointer of what is wrong. A decoder reads members that it knows and
 * leaves the rest alone; `null` counts as absent, as the image specification and Go's encoding/json have it.
 * https://datatracker.ietf.org/doc/html/rfc6901
 */
import { OcixError } from '../base/errors.ts';
import type { Json } from './parse.ts';

/** How member names are compared: OCI documents as written, Docker's as Go reads them, without regard to case. */
export type NameMatch = 'exact' | 'any-case';

export interface JsonObject {
  /** The value of a member, wrapped; undefined where it is absent or null. */
  get(name: string): JsonNode | undefined;
  /** @throws OcixError json/type where it is absent or null */
  require(name: string): JsonNode;
  names(): readonly string[];
  readonly value: { readonly [name: string]: Json };
}

export interface JsonNode {
  readonly pointer: string;
  readonly value: Json;
  string(): string;
  /** A whole number that a double holds exactly, from 0 on. */
  count(): number;
  boolean(): boolean;
  object(): JsonObject;
  array(): readonly JsonNode[];
  strings(): readonly string[];
  /** An object whose values are strings. */
  stringMap(): ReadonlyMap<string, string>;
  fail(expected: string): OcixError;
}

export function decode(value: Json, match: NameMatch = 'exact', pointer = ''): JsonNode {
  const fail = (expected: string): OcixError =>
    new OcixError('json/type', `${pointer || 'the document'} is not ${expected}`, {
      at: pointer ? [pointer] : [],
      expected,
      found: describe(value),
    });
  const array = (): readonly JsonNode[] => {
    if (!Array.isArray(value)) throw fail('a list');
    return value.map((item: Json, index) => decode(item, match, `${pointer}/${index}`));
  };
  return {
    pointer,
    value,
    string() {
      if (typeof value !== 'string') throw fail('a string');
      return value;
    },
    count() {
      if (!Number.isSafeInteger(value) || (value as number) < 0) throw fail('a whole number from 0 to 2^53-1');
      return value as number;
    },
    boolean() {
      if (typeof value !== 'boolean') throw fail('true or false');
      return value;
    },
    object() {
      if (value === null || typeof value !== 'object' || Array.isArray(value)) throw fail('an object');
      return objectOf(value as { readonly [name: string]: Json }, match, pointer);
    },
    array,
    strings: () => array().map((item) => item.string()),
    stringMap() {
      const object = this.object();
      return new Map(
        object
          .names()
          .map((name) => [name, decode(object.value[name]!, match, `${pointer}/${escapeName(name)}`).string()]),
      );
    },
    fail,
  };
}

function objectOf(value: { readonly [name: string]: Json }, match: NameMatch, pointer: string): JsonObject {
  // Without regard to case the last spelling counts, also behind an exact one: Go's encoding/json fills the field again.
  const find = (name: string): string | undefined => {
    if (match === 'exact') return Object.hasOwn(value, name) ? name : undefined;
    const wanted = name.toLowerCase();
    return Object.keys(value).findLast((candidate) => candidate.toLowerCase() === wanted);
  };
  const get = (name: string): JsonNode | undefined => {
    const own = find(name);
    const member = own === undefined ? null : value[own]!;
    return own === undefined || member === null ? undefined : decode(member, match, `${pointer}/${escapeName(own)}`);
  };
  return {
    get,
    require(name) {
      const member = get(name);
      if (member) return member;
      throw new OcixError('json/type', `${pointer || 'the document'} has no ${name}`, { at: pointer ? [pointer] : [] });
    },
    names: () => Object.keys(value),
    value,
  };
}

const escapeName = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

function describe(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? `the string ${JSON.stringify(value.slice(0, 60))}` : String(value);
}
