/**
 * A closure as a document: which packages of which versions with which digests, from where. A run with it needs no index and decides
 * nothing anew.
 */
import type { Context } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { type Digest, parseDigest } from '../bytes/digest.ts';
import { utf8Bytes } from '../bytes/text.ts';
import { parseJson } from '../json/parse.ts';
import { checkedPath } from './package-index.ts';

export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** The root of its repository. */
  readonly base: string;
  readonly path: string;
}

export interface Lock {
  /** What was asked for, `SUITE/NAME,…`. */
  readonly wanted: string;
  readonly architecture: string;
  /** The suites, as they were. */
  readonly suites: readonly { readonly base: string; readonly suite: string; readonly date: string }[];
  readonly packages: readonly LockedPackage[];
}

const VERSION = 1;

export const lockText = (lock: Lock): string => `${JSON.stringify({ ocix: VERSION, ...lock }, null, 2)}\n`;

/** @throws OcixError apt/lock, json/…, digest/invalid, path/escape */
export function parseLock(text: string, context: Context): Lock {
  const json = parseJson(utf8Bytes(text), context) as unknown as Lock & { readonly ocix: unknown };
  const isText = (...values: readonly unknown[]): boolean => values.every((value) => typeof value === 'string');
  if (json?.ocix !== VERSION || !isText(json.wanted, json.architecture) || !Array.isArray(json.packages))
    throw malformed('it is not of version 1');
  for (const one of json.packages) {
    if (!isText(one?.name, one?.version, one?.architecture, one?.base, one?.path) || !Number.isSafeInteger(one.size))
      throw malformed('a package in it is not complete');
    parseDigest(one.digest, one.name);
    checkedPath(one.path);
  }
  return json;
}

/** @throws OcixError apt/lock where it is of something else */
export function checkLock(lock: Lock, wanted: string, architecture: string): void {
  if (lock.wanted === wanted && lock.architecture === architecture) return;
  throw new OcixError('apt/lock', 'the lock file is of something else', {
    expected: `${wanted} for ${architecture}`,
    found: `${lock.wanted} for ${lock.architecture}`,
    hint: 'Remove it, and it is written anew.',
  });
}

const malformed = (why: string): OcixError =>
  new OcixError('apt/lock', `the lock file is malformed: ${why}`, { hint: 'Remove it, and it is written anew.' });
