/**
 * From a page's tags to places where the image may be.
 * https://github.com/appc/spec/blob/v0.8.11/spec/discovery.md#discovery-templates
 */
import { withoutEnd } from '../bytes/text.ts';
import type { Wanted } from './wanted.ts';

/** A tag of the head: for which names, and where. */
export interface Tag {
  readonly kind: 'image' | 'keys';
  readonly prefix: string;
  /** A template for an image, an address for keys. */
  readonly target: string;
}

export interface Endpoint {
  readonly image: URL;
  /** Absent where the template has no place for the extension. */
  readonly signature: URL | undefined;
}

/** The specification's newest text has no such default, and older servers know no other. */
const NO_VERSION = 'latest';

/**
 * Where the image may be, the best first: a template that asks for more of the labels fits better, and of equals the first does. One that asks for a
 * label which nobody has stated is passed over, and so is one for which there is no transport here.
 */
export function endpointsFor(tags: readonly Tag[], wanted: Wanted): readonly Endpoint[] {
  const values = new Map([['version', NO_VERSION], ...wanted.assumed, ...wanted.labels]);
  return tags
    .filter((tag) => tag.kind === 'image' && fits(tag, wanted.name))
    .flatMap(({ target }) => endpoint(target, wanted.name, values) ?? [])
    .sort((a, b) => b.labels - a.labels);
}

/** Addresses of the keys that vouch for the image, by what the server says. Whether to believe it is not decided here. */
export const keysFor = (tags: readonly Tag[], { name }: Wanted): readonly URL[] =>
  tags.flatMap((tag) => (tag.kind === 'keys' && fits(tag, name) ? (address(tag.target) ?? []) : []));

/** A prefix ends where a part of the name does: `example.com/a` is none of `example.com/ab`. */
const fits = ({ prefix }: Tag, name: string): boolean => {
  const parts = withoutEnd(prefix, '/');
  return name === parts || name.startsWith(`${parts}/`);
};

function endpoint(
  template: string,
  name: string,
  values: ReadonlyMap<string, string>,
): (Endpoint & { readonly labels: number }) | undefined {
  const used = new Set<string>();
  const filled = template.replace(/\{([^{}]*)\}/g, (whole, variable: string) => {
    if (variable === 'name') return name;
    const value = values.get(variable);
    if (value === undefined) return whole;
    used.add(variable);
    return encodeURIComponent(value); // a value must not be able to change host or path
  });
  const image = address(withExtension(filled, 'aci'));
  const signature = address(withExtension(filled, 'aci.asc'));
  if (!image) return undefined;
  return { image, signature: signature?.href === image.href ? undefined : signature, labels: used.size };
}

const withExtension = (text: string, extension: string): string => text.replaceAll('{ext}', extension);

function address(text: string): URL | undefined {
  if (/[{}]/.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return isWeb(url) ? url : undefined;
}

/** Names and passwords in an address would be sent wherever a page says. */
export const isWeb = ({ protocol, username, password }: URL): boolean =>
  (protocol === 'https:' || protocol === 'http:') && username === '' && password === '';
