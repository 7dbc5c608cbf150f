/** What an image runs, and as whom, for images whose source says nothing about it. */
import { OcixError } from '../../formats/base/errors.ts';
import { printable } from '../../formats/bytes/text.ts';
import type { ImageConfig } from '../../formats/model/config.ts';
import type { Item } from '../../formats/model/image.ts';

export interface ImageSettings {
  /** The entrypoint, in the words of `parseCommand`. */
  readonly exec?: string | undefined;
  readonly user?: string | undefined;
  /** `NAME=VALUE`. */
  readonly env?: readonly string[] | undefined;
  /** `NAME=VALUE`. */
  readonly labels?: readonly string[] | undefined;
}

/** @throws OcixError usage/option for a setting that cannot be, or where an image says itself what it runs */
export function withSettings(items: readonly Item[], settings: ImageSettings): readonly Item[] {
  const { exec, user, env = [], labels = [] } = settings;
  if (exec === undefined && user === undefined && !env.length && !labels.length) return items;
  const pairs = { env: env.map((text) => pair(text, '--env')), labels: labels.map((text) => pair(text, '--label')) };
  const entrypoint = exec === undefined ? undefined : parseCommand(exec);
  return items.map((item) => {
    if (item.kind !== 'image' || item.original.config || item.config.entrypoint.length || item.config.cmd.length)
      throw new OcixError('usage/option', 'the image says itself what it runs', {
        hint: 'Leave --exec, --user, --env and --label out: they are for packages, which do not.',
      });
    const config: ImageConfig = {
      ...item.config,
      ...(entrypoint ? { entrypoint } : {}),
      ...(user === undefined ? {} : { user }),
      env: [...item.config.env, ...pairs.env.map(([name, value]) => `${name}=${value}`)],
      labels: new Map([...item.config.labels, ...pairs.labels]),
    };
    return { ...item, config };
  });
}

function pair(text: string, option: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new OcixError('usage/option', `${option} ${printable(text)} is not NAME=VALUE`);
}

/**
 * Words as a shell would see them, without anything that a shell would do with them: quotes keep spaces together, a backslash
 * takes the meaning off what follows; or a JSON list of strings.
 * @throws OcixError usage/option
 */
export function parseCommand(text: string): readonly string[] {
  const words = text.trimStart().startsWith('[') ? jsonWords(text) : shellWords(text);
  if (words?.length && words[0] !== '') return words;
  throw new OcixError('usage/option', `--exec ${printable(text)} is no command`, {
    hint: 'For example --exec "/usr/sbin/nginx -g \'daemon off;\'".',
  });
}

function jsonWords(text: string): readonly string[] | undefined {
  try {
    const words: unknown = JSON.parse(text);
    return Array.isArray(words) && words.every((word) => typeof word === 'string') ? words : undefined;
  } catch {
    return undefined;
  }
}

const PIECE = /\\(.)|'([^']*)'|"((?:[^"\\]|\\.)*)"|([^\s'"\\]+)|(\s+)|(.)/gs;

function shellWords(text: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (const [, escaped, single, double, plain, space, broken] of text.matchAll(PIECE)) {
    if (broken !== undefined) return undefined;
    if (space !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + (escaped ?? single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? plain ?? '');
  }
  return word === undefined ? words : [...words, word];
}
